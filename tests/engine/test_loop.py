"""The loop: an effect happens exactly once, a failure is tried again, a lost claim changes nothing."""

from dataclasses import replace
from datetime import timedelta

from stanch.engine.loop import Effect, Engine, retry_delay_s
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Conflict, Unavailable
from stanch.kernel.event import NewEvent
from stanch.operations.world import World
from stanch.store import Transaction, timers
from stanch.store.model import Timer


def put(world: World, name: str = "one") -> None:
    """Schedule a timer that is due now."""
    with world.store.writing() as tx:
        tx.schedule(Timer(id=name, kind="page", due_at=world.clock.now()))


def paged(world: World) -> list[str]:
    """Return what was recorded."""
    with world.store.reading() as view:
        return [str(event.data["timer"]) for event in view.events()]


def page(timer: Timer, world: World) -> Effect:
    """Record that the timer fired."""

    def effect(tx: Transaction) -> None:
        tx.append("pages", [NewEvent(kind="paged", data={"timer": timer.id})])

    return effect


def test_a_due_timer_has_its_effect_once(world: World) -> None:
    """However often the loop turns, one timer is one effect."""
    put(world)
    engine = Engine(world, {"page": page})
    engine.run_until_quiet()
    engine.run_until_quiet()

    assert ["one"] == paged(world)


def test_a_failure_is_tried_again(world: World, clock: ManualClock) -> None:
    """A duty that fails leaves its timer, with the error, and fires later."""
    tries: list[int] = []

    def flaky(timer: Timer, world: World) -> Effect:
        tries.append(timer.attempts)
        if len(tries) < 3:
            raise Unavailable("no route to host", retry=True)
        return page(timer, world)

    put(world)
    engine = Engine(world, {"page": flaky})
    for _ in range(4):
        engine.run_until_quiet()
        clock.advance(timedelta(seconds=10))

    assert ([1, 2, 3], ["one"]) == (tries, paged(world))


def test_the_error_stands_on_the_timer(world: World) -> None:
    """Why it did not work can be read from the store."""

    def broken(timer: Timer, world: World) -> Effect:
        raise Unavailable("no route to host", retry=True)

    put(world)
    Engine(world, {"page": broken}).run_due()
    with world.store.reading() as view:
        [timer] = timers.find(view.connection)

    assert "Unavailable: no route to host" == timer.last_error


def test_an_effect_of_a_lost_claim_is_not_applied(world: World, clock: ManualClock) -> None:
    """A node that took longer than its lease finds that another one has done it."""

    def slow(timer: Timer, world: World) -> Effect:
        clock.advance(timedelta(seconds=60))
        Engine(replace(world, node="n2"), {"page": page}).run_due()
        return page(timer, world)

    put(world)
    Engine(world, {"page": slow}).run_due()

    assert ["one"] == paged(world)


def test_a_conflict_is_decided_again_at_once(world: World, clock: ManualClock) -> None:
    """A decision on a version that moved on is taken anew, without the wait of a failure."""
    tries: list[int] = []

    def contended(timer: Timer, world: World) -> Effect:
        tries.append(timer.attempts)
        if len(tries) == 1:
            raise Conflict
        return page(timer, world)

    put(world)
    engine = Engine(world, {"page": contended})
    engine.run_due()
    clock.advance(timedelta(milliseconds=100))
    engine.run_due()

    assert ["one"] == paged(world)


def test_a_cancelled_timer_has_no_effect(world: World) -> None:
    """An acknowledgement that comes while a page is being prepared wins."""

    def interrupted(timer: Timer, world: World) -> Effect:
        with world.store.writing() as tx:
            tx.cancel_timers(prefix="one")
        return page(timer, world)

    put(world)
    Engine(world, {"page": interrupted}).run_due()

    assert [] == paged(world)


def test_the_wait_between_tries_doubles() -> None:
    """1, 2, 4, ... seconds, at most five minutes."""
    assert [1.0, 2.0, 4.0, 8.0, 300.0, 300.0] == [retry_delay_s(number) for number in (1, 2, 3, 4, 20, 5000)]
