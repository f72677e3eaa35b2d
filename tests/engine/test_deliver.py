"""Handing deliveries over: once when all is well, again when it was not, honestly when nobody knows."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.engine.deliver import deliver_due
from stanch.kernel.clock import ManualClock
from stanch.kernel.codec import to_data
from stanch.kernel.errors import Unavailable
from stanch.operations.world import World
from stanch.ports.channel import Message, Receipt
from stanch.store import deliveries
from stanch.store.model import Delivery, DeliveryState

KEY = "inc1/declaration/1/room/responders"


class Room:
    """A channel that does what it is told and remembers what it got."""

    def __init__(self, *, idempotent: bool = True, answers: tuple[Exception | None, ...] = ()) -> None:
        self.idempotent = idempotent
        self.got: list[str] = []
        self._answers = list(answers)

    @property
    def name(self) -> str:
        """Return the channel's name."""
        return "room"

    def post(self, message: Message) -> Receipt:
        """Take the message, or raise the next answer."""
        answer = self._answers.pop(0) if self._answers else None
        if answer is not None:
            raise answer
        self.got.append(message.id)
        return Receipt(reference="ts-1")


class Death(BaseException):
    """The process is killed while it sends."""


def owed(world: World, room: Room) -> World:
    """Return a world with `room` and one delivery owed to it."""
    message = Message(id=KEY, room="incident-1", subject="s", text="t", markdown="m")
    with world.store.writing() as tx:
        tx.owe(
            Delivery(
                id=KEY,
                channel="room",
                room="incident-1",
                purpose="declaration",
                message=to_data(message),
                due_at=world.clock.now(),
                created_at=world.clock.now(),
            )
        )
    return replace(world, channels={"room": room})


def state_of(world: World) -> Delivery:
    """Return the one delivery."""
    with world.store.reading() as view:
        [delivery] = deliveries.find(view.connection)
    return delivery


def test_a_message_is_handed_over_once(world: World) -> None:
    """Sent is sent: later turns find nothing to do."""
    room = Room()
    world = owed(world, room)
    deliver_due(world, limit=5)
    deliver_due(world, limit=5)

    assert ([KEY], DeliveryState.SENT, "ts-1") == (room.got, state_of(world).state, state_of(world).reference)


def test_a_refusal_that_can_pass_is_tried_again(world: World, clock: ManualClock) -> None:
    """Busy now, taken later, with both attempts on record."""
    room = Room(answers=(Unavailable("503 busy", retry=True),))
    world = owed(world, room)
    deliver_due(world, limit=5)
    clock.advance(timedelta(seconds=1))
    deliver_due(world, limit=5)
    with world.store.reading() as view:
        outcomes = [one.outcome for one in deliveries.attempts_of(view.connection, KEY)]

    assert ([KEY], ["failed", "sent"]) == (room.got, outcomes)


def test_a_final_refusal_ends_it(world: World, clock: ManualClock) -> None:
    """What can never succeed is not repeated, and says the provider's words."""
    room = Room(answers=(Unavailable("404 no such room", retry=False),))
    world = owed(world, room)
    deliver_due(world, limit=5)
    clock.advance(timedelta(hours=1))
    deliver_due(world, limit=5)

    assert (DeliveryState.FAILED, "404 no such room") == (state_of(world).state, state_of(world).detail)


@pytest.mark.parametrize(
    ("idempotent", "expected", "got"),
    [(True, DeliveryState.SENT, [KEY]), (False, DeliveryState.UNKNOWN, [])],
)
def test_a_death_while_sending(
    world: World, clock: ManualClock, idempotent: bool, expected: DeliveryState, got: list[str]
) -> None:
    """An idempotent channel gets the same id again; any other is not risked, and the outcome says so."""
    room = Room(idempotent=idempotent, answers=(Death(),))  # type: ignore[arg-type]
    world = owed(world, room)
    with pytest.raises(Death):
        deliver_due(world, limit=5)
    clock.advance(timedelta(seconds=16))
    deliver_due(replace(world, node="n2"), limit=5)

    assert (expected, got) == (state_of(world).state, room.got)


def test_a_defect_in_a_channel_is_a_failed_attempt(world: World) -> None:
    """A channel that raises something of its own is tried again and stops nobody."""
    world = owed(world, Room(answers=(ValueError("boom"),)))
    deliver_due(world, limit=5)

    assert "ValueError in channel room" == state_of(world).detail
