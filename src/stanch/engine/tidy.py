"""Puts away what is not needed any more: duty of the timer kind `tidy`, alerts once a minute, the rest hourly.

At most some thousand rows go in one transaction; while there are more, the next turn comes soon.
"""

from datetime import timedelta
from typing import Final

from stanch.alerts.inbound.tables import KEPT_FOR, prune
from stanch.alerts.intake.flaps.tables import forget_turns
from stanch.alerts.intake.led.tables import forget_led
from stanch.alerts.intake.receiving import LOCK
from stanch.alerts.intake.retention.tables import (
    delete_alerts,
    delete_episodes,
    delete_memories,
    idle_alerts,
    old_alerts,
    put_away,
)
from stanch.comms.tables import forget_asks
from stanch.engine.loop import Effect
from stanch.operations.oncall.retention import forget_old
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

TIMER: Final = "tidy/intake"
_PAGES: Final = "tidy/pages"
_EVERY: Final = timedelta(minutes=1)
_HOURLY: Final = timedelta(hours=1)
_SOON: Final = timedelta(milliseconds=200)
# 4,000 rows are deleted in about 30 ms, which is how long whoever takes alerts in may have to wait.
_AT_ONCE: Final = 4000
# A page has a handful of notices with a few attempts each.
_PAGES_AT_ONCE: Final = 200


def first_timers(world: World) -> tuple[Timer, ...]:
    """Return the timers that begin it; scheduling them again changes nothing."""
    due_at = world.clock.now() + _EVERY
    return tuple(Timer(id=id, kind="tidy", due_at=due_at) for id in (TIMER, _PAGES))


def tidy(timer: Timer, world: World) -> Effect:
    """Return what deletes by age and number, and comes back: soon while there is more."""
    return _tidy_pages(timer, world) if timer.id == _PAGES else _tidy_alerts(timer, world)


def _tidy_pages(timer: Timer, world: World) -> Effect:
    def effect(tx: Transaction) -> None:
        forget_asks(tx.connection, now=world.clock.now())
        more = forget_old(tx, world, limit=_PAGES_AT_ONCE) == _PAGES_AT_ONCE
        tx.schedule(Timer(id=timer.id, kind=timer.kind, due_at=world.clock.now() + (_SOON if more else _HOURLY)))

    return effect


def _tidy_alerts(timer: Timer, world: World) -> Effect:
    now = world.clock.now()
    with world.store.reading() as view:
        idle = idle_alerts(view.connection, now=now, limit=_AT_ONCE)
        old, after = old_alerts(view.connection, now=now, after=int(str(timer.data.get("after", 0))), limit=_AT_ONCE)

    def effect(tx: Transaction) -> None:
        tx.lock(LOCK)
        put_away(tx.connection, idle, now=now)
        delete_alerts(tx.connection, old)
        more = delete_episodes(tx.connection, now=now, limit=_AT_ONCE) or len(idle) == _AT_ONCE or after > 0
        delete_memories(tx.connection, now=now)
        forget_led(tx.connection, before=now - KEPT_FOR)
        forget_turns(tx.connection, before=now - 2 * timedelta(seconds=world.catalog.alerting.flapping_s))
        prune(tx.connection, now=now)
        due_at = world.clock.now() + (_SOON if more else _EVERY)
        tx.schedule(Timer(id=timer.id, kind=timer.kind, due_at=due_at, data={"after": after}))

    return effect
