"""Reads the change sources every few seconds, so that what changed is known at the moment something breaks.

Duty of the timer kind `changes`. A source that is slow is asked less often: reading costs at most one per cent of the
time, and at least one look a minute is taken.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.catalog.changes import changes_between, record_changes, without_secrets
from stanch.engine.loop import Effect
from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.ports.changes import Change, ChangeKind, ChangeSource, CompletingSource
from stanch.store import Transaction
from stanch.store.model import Timer

TIMER: Final = "changes/poll"
LOOK_BACK: Final = timedelta(days=30)
"""How far back a look goes the first time: enough to know for which services deploys are recorded at all."""
_AGAIN: Final = timedelta(minutes=30)
"""How far back every later look goes: pipelines write late, clocks differ, and a source may have been away."""
_AHEAD: Final = timedelta(minutes=5)
_SOONEST_S: Final = 3.0
_LATEST_S: Final = 60.0
_SHARE: Final = 0.01
_MOST: Final = 500
_NOT_COMPLETED: Final = frozenset({ChangeKind.COMMIT, ChangeKind.TAG, ChangeKind.TRAFFIC, ChangeKind.RESTART})

log = structlog.get_logger("stanch.changes")


@dataclass(frozen=True, kw_only=True)
class Read:
    """What one look at a source brought: its changes, or why there are none, and how long it took in seconds."""

    source: str
    changes: tuple[Change, ...] = ()
    trouble: str = ""
    took_s: float = 0.0


def first_timer(now: datetime) -> Timer:
    """Return the timer that begins the reading; scheduling it again changes nothing."""
    return Timer(id=TIMER, kind="changes", due_at=now)


def poll(timer: Timer, world: World) -> Effect:
    """Read the sources that are due and return what stores their changes and comes back in time."""
    now = world.clock.now()
    due = _due(timer)
    asked = [place for place in range(len(world.change_sources)) if due.get(str(place), 0.0) <= now.timestamp()]
    reads = {}
    for place in asked:
        first = str(place) not in due
        reads[place] = read_source(
            world, world.change_sources[place], start=now - (LOOK_BACK if first else _AGAIN), end=now + _AHEAD
        )
        due[str(place)] = now.timestamp() + pause_s(reads[place].took_s)
        if reads[place].trouble:
            log.warning("changes_unread", source=reads[place].source, trouble=reads[place].trouble)
    return lambda tx: _store(tx, timer, now=now, reads=list(reads.values()), due=due)


def pause_s(took_s: float) -> float:
    """Return after how long a source is read again whose reading took so long: it costs a hundredth of the time.

    Between 3 s and a minute: 0.1 s is followed by 10 s.
    """
    return min(_LATEST_S, max(_SOONEST_S, took_s / _SHARE))


def read_source(
    world: World, source: ChangeSource, *, start: datetime, end: datetime, services: tuple[str, ...] = ()
) -> Read:
    """Read one source; deploys and the like are completed by the sources that know the code. Never raises for it."""
    began = time.monotonic()
    try:
        found = source.changes(services=services, start=start, end=end)[-_MOST:]
        trouble = ""
    except Unavailable as error:
        found, trouble = [], error.message
    except Exception as error:  # boundary "integration": a source's own defect must not hide the other sources
        log.exception("change_source_failed", source=source.name)
        found, trouble = [], f"{source.name} failed: {type(error).__name__}"
    known = _stored(world, start=start, end=end)
    completed = tuple(known.get(change.id) or without_secrets(_completed(world, source, change)) for change in found)
    return Read(source=source.name, changes=completed, trouble=trouble, took_s=time.monotonic() - began)


def _stored(world: World, *, start: datetime, end: datetime) -> dict[str, Change]:
    """Return the changes that are stored and need no completing any more, by id."""
    with world.store.reading() as view:
        stored = changes_between(view.connection, start=start, end=end)
    return {change.id: change for change in stored if change.kind in _NOT_COMPLETED or "commits" in change.data}


def _completed(world: World, source: ChangeSource, change: Change) -> Change:
    if change.kind in _NOT_COMPLETED:
        return change
    for other in world.change_sources:
        if other is source or not isinstance(other, CompletingSource):
            continue
        try:
            change = other.complete(change)
        except Unavailable as error:
            log.warning("change_not_completed", change=change.id, trouble=error.message)
        except Exception:  # boundary "integration": an incomplete change is worth more than none
            log.exception("change_not_completed", change=change.id)
    return change


def _due(timer: Timer) -> dict[str, float]:
    """Return when each source is due (seconds since 1970) by its place among the sources."""
    kept = timer.data.get("due")
    if not isinstance(kept, dict):
        return {}
    return {place: float(at) for place, at in kept.items() if isinstance(at, int | float)}


def _store(tx: Transaction, timer: Timer, *, now: datetime, reads: Sequence[Read], due: dict[str, float]) -> None:
    for read in reads:
        record_changes(tx.connection, read.changes, now=now)
    soonest = min(due.values(), default=now.timestamp() + _LATEST_S)
    wait = timedelta(seconds=min(_LATEST_S, max(_SOONEST_S, soonest - now.timestamp())))
    kept: dict[str, JSON] = dict(due)
    tx.schedule(
        replace(timer, due_at=now + wait, attempts=0, last_error="", lease_token="", data={"due": kept}), replace=True
    )
