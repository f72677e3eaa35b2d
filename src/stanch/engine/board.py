"""Keeps the board of alerts up to date: duty of the timer kind `board`.

Looking costs nothing that senders notice; writing takes turns with them, a tenth of the time at most.
"""

import time
from datetime import timedelta
from typing import Final

from stanch.alerts.board.keeping.tables import behind, catch_up
from stanch.alerts.intake.subject import naming
from stanch.engine.loop import Effect
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

TIMER: Final = "board/catch-up"
_EVERY: Final = timedelta(seconds=2)
# Of the time, so much may be spent on looking and writing.
_SHARE: Final = 0.1


def first_timer(world: World) -> Timer:
    """Return the timer that begins the keeping; scheduling it again changes nothing."""
    return Timer(id=TIMER, kind="board", due_at=world.clock.now())


def keep_board(timer: Timer, world: World) -> Effect:
    """Find what the board lacks, and return what writes it and comes back in time."""
    began = time.monotonic()
    with world.store.reading() as view:
        lacking = behind(view.connection, now=world.clock.now(), service_of=naming(world.catalog))
    looked_s = time.monotonic() - began

    def effect(tx: Transaction) -> None:
        writing = time.monotonic()
        catch_up(tx.connection, lacking)
        pause_s = (looked_s + time.monotonic() - writing) / _SHARE
        wait = timedelta(seconds=pause_s) if lacking.more else max(_EVERY, timedelta(seconds=pause_s))
        tx.schedule(Timer(id=timer.id, kind=timer.kind, due_at=world.clock.now() + wait))

    return effect
