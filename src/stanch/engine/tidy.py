"""Puts away what is not needed any more of alerts from outside: duty of the timer kind `tidy`, once a minute."""

from datetime import timedelta
from typing import Final

from stanch.alerts.inbound.tables import KEPT_FOR, prune
from stanch.alerts.intake.groups.tables import forget
from stanch.alerts.intake.led.tables import forget_led
from stanch.alerts.intake.receiving import LOCK
from stanch.engine.loop import Effect
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

TIMER: Final = "tidy/intake"
_EVERY: Final = timedelta(minutes=1)
# An alert that has ended keeps its present episode so long, in case it comes back.
_IDLE: Final = timedelta(minutes=15)
_HISTORY: Final = timedelta(days=90)


def first_timer(world: World) -> Timer:
    """Return the timer that begins it; scheduling it again changes nothing."""
    return Timer(id=TIMER, kind="tidy", due_at=world.clock.now() + _EVERY)


def tidy(timer: Timer, world: World) -> Effect:
    """Return what deletes by age and number, and comes back."""

    def effect(tx: Transaction) -> None:
        tx.lock(LOCK)
        now = world.clock.now()
        forget(tx.connection, now=now, idle=_IDLE, history=_HISTORY)
        forget_led(tx.connection, before=now - KEPT_FOR)
        prune(tx.connection, now=now)
        tx.schedule(Timer(id=timer.id, kind=timer.kind, due_at=now + _EVERY))

    return effect
