"""Timers: claimed with a lease, consumed once, given back, taken over."""

import threading
from datetime import timedelta

from stanch.kernel.clock import ManualClock
from stanch.store import Store, timers
from stanch.store.model import Timer

LEASE = timedelta(seconds=15)


def put(store: Store, clock: ManualClock, name: str, *, in_s: float = 0, kind: str = "page") -> Timer:
    """Schedule a timer and return it."""
    timer = Timer(id=name, kind=kind, due_at=clock.now() + timedelta(seconds=in_s), incident=1)
    with store.writing() as tx:
        tx.schedule(timer)
    return timer


def claim(store: Store, node: str = "n1", *, kinds: tuple[str, ...] = ("page",), limit: int = 10) -> list[Timer]:
    """Claim what is due."""
    return store.claim_timers(kinds=kinds, node=node, lease=LEASE, limit=limit)


def test_only_what_is_due_is_claimed(store: Store, clock: ManualClock) -> None:
    """A timer that lies in the future waits."""
    put(store, clock, "now")
    put(store, clock, "later", in_s=1)

    assert ["now"] == [timer.id for timer in claim(store)]


def test_the_longest_due_come_first(store: Store, clock: ManualClock) -> None:
    """With few hands free, the oldest are taken."""
    for name, in_s in (("c", -1.0), ("a", -3.0), ("b", -2.0)):
        put(store, clock, name, in_s=in_s)

    assert ["a", "b"] == [timer.id for timer in claim(store, limit=2)]


def test_a_claimed_timer_is_not_claimed_again(store: Store, clock: ManualClock) -> None:
    """While the lease runs, nobody else gets it."""
    put(store, clock, "one")
    claim(store, "n1")

    assert [] == claim(store, "n2")


def test_a_dead_nodes_timer_is_taken_over(store: Store, clock: ManualClock) -> None:
    """When the lease is over, another node claims it."""
    put(store, clock, "one")
    claim(store, "n1")
    clock.advance(LEASE)

    assert ["one"] == [timer.id for timer in claim(store, "n2")]


def test_only_the_holder_of_the_claim_consumes(store: Store, clock: ManualClock) -> None:
    """A node that lost its lease cannot apply its effect any more; the one that took over can."""
    put(store, clock, "one")
    [old] = claim(store, "n1")
    clock.advance(LEASE)
    [new] = claim(store, "n2")
    with store.writing() as tx:
        answers = (tx.consume(old), tx.consume(new), tx.consume(new))

    assert (False, True, False) == answers


def test_scheduling_twice_is_one_timer(store: Store, clock: ManualClock) -> None:
    """The id is deterministic: the same thing scheduled again changes nothing."""
    put(store, clock, "one")
    put(store, clock, "one", in_s=60)
    [timer] = claim(store)

    assert clock.now() == timer.due_at


def test_a_released_timer_says_why(store: Store, clock: ManualClock) -> None:
    """What failed comes back later, with its error and how often it was tried."""
    put(store, clock, "one")
    [timer] = claim(store)
    with store.writing() as tx:
        timers.release(tx.connection, timer, due_at=clock.now() + timedelta(seconds=5), error="no route")
    clock.advance(timedelta(seconds=5))
    [again] = claim(store)

    assert ("no route", 2) == (again.last_error, again.attempts)


def test_an_extended_claim_holds(store: Store, clock: ManualClock) -> None:
    """A node that is still at work keeps its claim."""
    put(store, clock, "one")
    [timer] = claim(store, "n1")
    with store.writing() as tx:
        timers.extend(tx.connection, timer, until=clock.now() + 2 * LEASE)
    clock.advance(LEASE)

    assert [] == claim(store, "n2")


def test_kinds_that_a_node_does_not_know_are_left(store: Store, clock: ManualClock) -> None:
    """An older node beside a newer one leaves its timers alone."""
    put(store, clock, "one", kind="from_the_future")

    assert [] == claim(store)


def test_cancelling_by_incident_and_prefix(store: Store, clock: ManualClock) -> None:
    """An acknowledgement takes the pages of an incident away and leaves its other timers."""
    for name in ("inc1/page/1", "inc1/page/2", "inc1/verify"):
        put(store, clock, name)
    with store.writing() as tx:
        gone = tx.cancel_timers(incident=1, prefix="inc1/page/")

    assert (2, ["inc1/verify"]) == (gone, [timer.id for timer in claim(store)])


def test_a_prefix_is_taken_literally(store: Store, clock: ManualClock) -> None:
    """A percent sign or underscore in a prefix matches itself only."""
    put(store, clock, "inc1/page")
    with store.writing() as tx:
        gone = tx.cancel_timers(prefix="inc_/%")

    assert 0 == gone


def test_eight_workers_fire_each_timer_once(database_url: str) -> None:
    """Sixty timers, eight workers claiming at once: every one is consumed exactly once."""
    store = Store.open(database_url)
    now = store.clock.now()
    with store.writing() as tx:
        for index in range(60):
            tx.schedule(Timer(id=f"t{index}", kind="page", due_at=now))
    fired: list[str] = []

    def work(node: str) -> None:
        while claimed := store.claim_timers(kinds=("page",), node=node, lease=LEASE, limit=3):
            for timer in claimed:
                with store.writing() as tx:
                    if tx.consume(timer):
                        fired.append(timer.id)

    threads = [threading.Thread(target=work, args=(f"n{index}",)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()

    assert sorted(f"t{index}" for index in range(60)) == sorted(fired)
