"""What a far end says is acted upon: pauses, lost answers, rooms and facts; and channels do not wait for each other."""

import threading
from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.catalog.channels import ChannelSpec
from stanch.comms.tables import Place, place_of
from stanch.engine.deliver import Senders, deliver_due
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.kernel.codec import to_data
from stanch.operations.incident import Assign, ById, SetSeverity, acknowledge, assign, set_severity
from stanch.operations.world import Call, World
from stanch.ports.channel import Failure, Message, NotTaken, Receipt
from stanch.store import deliveries
from stanch.store.model import Delivery, DeliveryState
from tests.engine.incident import declare, shop
from tests.support.servers import until


class Room:
    """A channel that raises what it is told and remembers what it got."""

    def __init__(self, name: str = "room", *, idempotent: bool = True, answers: tuple[Exception, ...] = ()) -> None:
        self.name = name
        self.idempotent = idempotent
        self.got: list[Message] = []
        self._answers = list(answers)

    def post(self, message: Message) -> Receipt:
        """Take the message, or raise the next answer."""
        if self._answers:
            raise self._answers.pop(0)
        self.got.append(message)
        return Receipt(reference=message.edits or f"ts-{len(self.got)}", place="C1")


class Stuck(Room):
    """A channel whose far end does not answer until it is let go."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.go = threading.Event()

    def post(self, message: Message) -> Receipt:
        """Wait."""
        self.go.wait(20)
        return super().post(message)


def owed(world: World, *rooms: Room, id: str = "m1") -> World:
    """Return a world with `rooms` and one delivery owed to each."""
    with world.store.writing() as tx:
        for room in rooms:
            message = Message(id=f"{room.name}/{id}", room="incident-1", subject="s", text="t", markdown="m")
            tx.owe(
                Delivery(
                    id=message.id,
                    channel=room.name,
                    room=message.room,
                    purpose="update",
                    message=to_data(message),
                    due_at=world.clock.now(),
                    created_at=world.clock.now(),
                )
            )
    return replace(world, channels={room.name: room for room in rooms})


def delivery(world: World) -> Delivery:
    """Return the one delivery."""
    with world.store.reading() as view:
        [found] = deliveries.find(view.connection)
    return found


def test_a_pause_is_kept(world: World, clock: ManualClock) -> None:
    """A far end that asks for 17 seconds is left alone for 17 seconds."""
    room = Room(answers=(NotTaken("slow down", failure=Failure.THROTTLED, retry_after_s=17.0),))
    world = owed(world, room)
    deliver_due(world, limit=5)

    assert clock.now() + timedelta(seconds=17) == delivery(world).due_at


def test_a_lost_answer_is_asked_again_as_such(world: World, clock: ManualClock) -> None:
    """The channel is told that the message may stand there already."""
    room = Room(answers=(NotTaken("no answer", failure=Failure.UNKNOWN),))
    world = owed(world, room)
    deliver_due(world, limit=5)
    clock.advance(timedelta(seconds=1))
    deliver_due(world, limit=5)

    assert (DeliveryState.SENT, [True]) == (delivery(world).state, [one.again for one in room.got])


def test_a_lost_answer_of_a_channel_without_keys_is_said_to_be_one(world: World, clock: ManualClock) -> None:
    """It is not said twice; the record says that it may have arrived."""
    room = Room(idempotent=False, answers=(NotTaken("no answer", failure=Failure.UNKNOWN),))
    world = owed(world, room)
    deliver_due(world, limit=5)
    clock.advance(timedelta(hours=1))
    deliver_due(world, limit=5)

    assert (DeliveryState.UNKNOWN, "no answer; it may have arrived", []) == (
        delivery(world).state,
        delivery(world).detail,
        room.got,
    )


@pytest.mark.parametrize(
    ("failure", "state"),
    [
        (Failure.REFUSED, DeliveryState.FAILED),
        (Failure.CREDENTIALS, DeliveryState.READY),
        (Failure.UNREACHABLE, DeliveryState.READY),
    ],
)
def test_what_can_pass_is_waited_for(world: World, failure: Failure, state: DeliveryState) -> None:
    """A token can be renewed while messages wait; what is refused will be refused again."""
    world = owed(world, Room(answers=(NotTaken("no", failure=failure),)))
    deliver_due(world, limit=5)

    assert state is delivery(world).state


def test_after_a_day_it_is_given_up(world: World, clock: ManualClock) -> None:
    """A status that old helps nobody."""
    room = Room(answers=tuple(NotTaken("down", failure=Failure.UNREACHABLE) for _ in range(400)))
    world = owed(world, room)
    for _ in range(300):
        deliver_due(world, limit=5)
        clock.advance(timedelta(minutes=5))

    assert (DeliveryState.FAILED, "down") == (delivery(world).state, delivery(world).detail)


def with_room(world: World, room: Room) -> World:
    """Return the shop with a room for every incident."""
    world = shop(world)
    spec = ChannelSpec(name="room", kind="slack", rooms=True, secret_env="X")
    return replace(world, catalog=replace(world.catalog, channels={"room": spec}), channels={"room": room})


def handed_over(world: World) -> None:
    """Hand over everything that is due."""
    while deliver_due(world, limit=20):
        pass


def test_the_facts_are_kept_current_in_place(world: World, clock: ManualClock) -> None:
    """Pinned with the first message, and edited when somebody takes the incident on."""
    room = Room()
    world = with_room(world, room)
    number = declare(world)
    call = Call(world=world, actor=person("alice"), via=Via.HTTP)
    acknowledge(call, ById(incident=number))
    handed_over(world)
    acknowledge(replace(call, actor=person("bob")), ById(incident=number))
    assign(call, Assign(incident=number, role="scribe", person="bob"))
    handed_over(world)
    facts = [one for one in room.got if one.pinned]
    with world.store.reading() as view:
        known = place_of(view.connection, channel="room", incident=number)

    assert (2, "", facts[1].edits, True, Place(place="C1", pinned=facts[1].edits)) == (
        len(facts),
        facts[0].edits,
        known.pinned,
        "bob" in facts[1].text,
        known,
    )


def test_facts_that_wait_give_way_to_newer_ones(world: World, clock: ManualClock) -> None:
    """While chat is down they do not pile up."""
    room = Room(answers=tuple(NotTaken("down", failure=Failure.UNREACHABLE) for _ in range(1)))
    world = with_room(world, room)
    number = declare(world)
    call = Call(world=world, actor=person("alice"), via=Via.HTTP)
    acknowledge(call, ById(incident=number))
    deliver_due(world, limit=20)
    set_severity(call, SetSeverity(incident=number, severity="SEV1", reason="payments lost"))
    clock.advance(timedelta(seconds=10))
    handed_over(world)

    assert ["SEV1"] == [one.case.severity for one in room.got if one.pinned and one.case]


def test_a_channel_that_hangs_holds_up_no_other(world: World) -> None:
    """Mail goes out while the chat does not answer."""
    chat, mail = Stuck("chat"), Room("mail")
    world = owed(world, chat, mail)
    senders = Senders(world)
    senders.turn()
    until(lambda: bool(mail.got))
    world = owed(world, chat, mail, id="m2")
    until(lambda: (senders.turn() or True) and len(mail.got) == 2)
    waiting = len(chat.got)
    chat.go.set()
    until(lambda: (senders.turn() or True) and len(chat.got) == 2)
    senders.close()

    assert (0, ["chat/m1", "chat/m2"]) == (waiting, [one.id for one in chat.got])
