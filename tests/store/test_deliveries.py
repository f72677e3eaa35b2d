"""Deliveries: claimed once, marked before and after, every attempt on record."""

from datetime import timedelta

from stanch.kernel.clock import ManualClock
from stanch.store import Store, deliveries
from stanch.store.model import Delivery, DeliveryState

LEASE = timedelta(seconds=15)


def owe(store: Store, clock: ManualClock, name: str = "inc1/declaration/1/room/responders") -> None:
    """Put a delivery on record."""
    with store.writing() as tx:
        tx.owe(
            Delivery(
                id=name,
                channel="room",
                room="incident-1",
                purpose="declaration",
                message={"text": "hello"},
                due_at=clock.now(),
                created_at=clock.now(),
                incident=1,
            )
        )


def claim(store: Store, clock: ManualClock, node: str = "n1") -> list[Delivery]:
    """Claim what is due."""
    with store.writing() as tx:
        return deliveries.claim(
            tx.connection,
            channels=("room",),
            now=clock.now(),
            lease_now=clock.now(),
            lease=LEASE,
            node=node,
            token=f"{node}-{clock.now().timestamp()}",
            limit=10,
        )


def test_owing_twice_is_one_delivery(store: Store, clock: ManualClock) -> None:
    """The id is the key: the same message owed again is not a second one."""
    owe(store, clock)
    owe(store, clock)

    assert 1 == len(claim(store, clock))


def test_a_claimed_delivery_is_not_claimed_again(store: Store, clock: ManualClock) -> None:
    """While the lease runs, no other node sends it."""
    owe(store, clock)
    claim(store, clock)

    assert [] == claim(store, clock, "n2")


def test_a_message_that_was_being_sent_is_claimed_when_its_node_died(store: Store, clock: ManualClock) -> None:
    """Marked as being sent, then nothing: after the lease another node gets it in that state."""
    owe(store, clock)
    [mine] = claim(store, clock)
    with store.writing() as tx:
        deliveries.begin(tx.connection, mine, node="n1", now=clock.now())
    clock.advance(LEASE)
    [theirs] = claim(store, clock, "n2")

    assert (DeliveryState.SENDING, 1) == (theirs.state, theirs.attempts)


def test_who_lost_the_lease_cannot_mark(store: Store, clock: ManualClock) -> None:
    """A slow node that comes back late changes nothing any more."""
    owe(store, clock)
    [mine] = claim(store, clock)
    clock.advance(LEASE)
    claim(store, clock, "n2")
    with store.writing() as tx:
        began = deliveries.begin(tx.connection, mine, node="n1", now=clock.now())

    assert not began


def test_every_attempt_is_on_record(store: Store, clock: ManualClock) -> None:
    """A failure and a success stand there with the provider's words."""
    owe(store, clock)
    for number, (state, outcome, detail) in enumerate(
        ((DeliveryState.READY, "failed", "503 busy"), (DeliveryState.SENT, "sent", "200 ok")), start=1
    ):
        [mine] = claim(store, clock)
        with store.writing() as tx:
            deliveries.begin(tx.connection, mine, node="n1", now=clock.now())
            deliveries.end(
                tx.connection, mine, state=state, outcome=outcome, detail=detail, now=clock.now(), attempt=number
            )
    with store.reading() as view:
        made = deliveries.attempts_of(view.connection, "inc1/declaration/1/room/responders")

    assert [(1, "failed", "503 busy"), (2, "sent", "200 ok")] == [(one.number, one.outcome, one.detail) for one in made]


def test_what_is_sent_is_never_claimed_again(store: Store, clock: ManualClock) -> None:
    """The end is the end, also when time passes."""
    owe(store, clock)
    [mine] = claim(store, clock)
    with store.writing() as tx:
        deliveries.begin(tx.connection, mine, node="n1", now=clock.now())
        deliveries.end(
            tx.connection, mine, state=DeliveryState.SENT, outcome="sent", detail="", now=clock.now(), attempt=1
        )
    clock.advance(timedelta(days=1))

    assert [] == claim(store, clock)


def test_cancelling_leaves_what_has_begun(store: Store, clock: ManualClock) -> None:
    """A message that is being sent cannot be called back; one that waits can."""
    owe(store, clock, "one")
    [mine] = claim(store, clock)
    with store.writing() as tx:
        deliveries.begin(tx.connection, mine, node="n1", now=clock.now())
    owe(store, clock, "two")
    with store.writing() as tx:
        cancelled = deliveries.cancel(tx.connection, incident=1, now=clock.now())

    assert 1 == cancelled
