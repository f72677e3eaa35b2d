"""Tries the runbooks again and again: one that has rotted is known before it is needed. Timer kind `runbooks`."""

from datetime import timedelta
from typing import Final

from stanch.engine.loop import Effect
from stanch.operations.runbooks.finding import shelf_of
from stanch.operations.runbooks.testing import keep_trials, try_runbooks
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

KIND: Final = "runbooks"
_TIMER: Final = "runbooks/test"
# Not while everything else starts.
_FIRST: Final = timedelta(minutes=2)


def schedule_trials(tx: Transaction, world: World) -> None:
    """Store the timer of the trials, or drop it where none are wanted."""
    if world.catalog.runbooks.test_every_s:
        tx.schedule(Timer(id=_TIMER, kind=KIND, due_at=world.clock.now() + _FIRST))
    else:
        tx.cancel_timers(prefix=_TIMER)


def try_all(timer: Timer, world: World) -> Effect:
    """Try every runbook, keep what was found, and come back."""
    shelf = shelf_of(world)
    tried = try_runbooks(world, tuple(shelf.runbooks.values()))

    def effect(tx: Transaction) -> None:
        keep_trials(tx, tried, all_names=tuple(shelf.runbooks))
        every_s = world.catalog.runbooks.test_every_s
        if every_s:
            tx.schedule(Timer(id=timer.id, kind=KIND, due_at=world.clock.now() + timedelta(seconds=every_s)))

    return effect
