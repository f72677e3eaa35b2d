"""Puts away what is not needed any more of alerts from outside: duty of the timer kind `tidy`, once a minute.

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
from stanch.engine.loop import Effect
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

TIMER: Final = "tidy/intake"
_EVERY: Final = timedelta(minutes=1)
_SOON: Final = timedelta(milliseconds=200)
# 4,000 rows are deleted in about 30 ms, which is how long whoever takes alerts in may have to wait.
_AT_ONCE: Final = 4000


def first_timer(world: World) -> Timer:
    """Return the timer that begins it; scheduling it again changes nothing."""
    return Timer(id=TIMER, kind="tidy", due_at=world.clock.now() + _EVERY)


def tidy(timer: Timer, world: World) -> Effect:
    """Return what deletes by age and number, and comes back: soon while there is more."""
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
