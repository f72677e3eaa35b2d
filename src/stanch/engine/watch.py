"""Watches: looks at every check of the catalog in its rhythm, stores what was seen, and follows what that means.

A look happens outside any transaction and has a time-out of its own; what it brought, the verdict on it, and the timer
of the next look are one transaction. A check that cannot see is a fact about the check: it makes an alert "cannot see
payments", and only a health probe without an answer says that the service is down.
"""

import hashlib
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.alerts.detect import detect, retire
from stanch.alerts.errors.tables import forget_counts, store_errors
from stanch.alerts.looks.tables import cursor_of, forget_cursors, save_cursor, seeing_of
from stanch.alerts.model import Seeing
from stanch.alerts.samples.tables import forget_samples, store_samples
from stanch.engine.loop import Effect, nothing
from stanch.operations.detection import alert_changed
from stanch.operations.looking import Watched, look_at, watched_of
from stanch.operations.world import World
from stanch.ports.sampler import Look
from stanch.store import Transaction
from stanch.store.model import Timer

RETENTION: Final = timedelta(hours=75)
"""Three days and a little, which is what the time of day needs to count for a baseline (`baseline.baseline_of`)."""

FIRST_WITHIN_S: Final = 5.0
_FORGET: Final = "watch/forget"
_FORGET_EVERY: Final = timedelta(hours=1)

log = structlog.get_logger("stanch.watch")


def schedule_watches(tx: Transaction, world: World) -> None:
    """Store a timer for every check, spread over the first seconds; those that are there stay. Call it at the start.

    What belongs to checks and services that are not in the catalog any more is put away, and its alerts end.
    """
    now = world.clock.now()
    watched = watched_of(world.catalog)
    for one in watched:
        delay_s = _share(one.id) * min(one.check.every_s, FIRST_WITHIN_S)
        # The first look comes soon; the rhythm after it begins anywhere in the period, so that checks with one period
        # do not all look at once.
        tx.schedule(Timer(id=one.id, kind="watch", due_at=now + timedelta(seconds=delay_s), data={"first": True}))
    tx.schedule(Timer(id=_FORGET, kind="watch", due_at=now + _FORGET_EVERY))
    ids = [one.id for one in watched]
    forget_cursors(tx.connection, keep=ids)
    for alert, outcome in retire(tx.connection, catalog=world.catalog, checks=ids, now=now):
        alert_changed(tx, world, alert, outcome)


def watch(timer: Timer, world: World) -> Effect:
    """Look once at the check that the timer names, and return what that changes."""
    if timer.id == _FORGET:
        return _forget(timer, world)
    watched = next((one for one in watched_of(world.catalog) if one.id == timer.id), None)
    if watched is None:
        # Another node may know it; a check that nobody knows any more needs no timer.
        return nothing
    with world.store.reading() as view:
        cursor = cursor_of(view.connection, watched.id, sampler=watched.check.sampler, target=watched.check.target)
    at = world.clock.now()
    look = look_at(world, watched, cursor, at)

    def effect(tx: Transaction) -> None:
        now = max(world.clock.now(), at)
        _take_in(tx, world, watched, look, at=at, now=now)
        due_at = _next_due(timer.due_at, watched.check.every_s, now)
        if timer.data.get("first"):
            due_at += timedelta(seconds=(_share(f"{watched.id}/rhythm") - 0.5) * watched.check.every_s)
        tx.schedule(Timer(id=timer.id, kind="watch", due_at=max(due_at, now)))

    return effect


def _take_in(tx: Transaction, world: World, watched: Watched, look: Look, *, at: datetime, now: datetime) -> None:
    """Store what a look brought, judge it, and tell what has changed."""
    # Two checks of one service must not both open the same alert.
    tx.lock(f"alerts/{watched.service}")
    store_samples(tx.connection, look.samples)
    store_errors(tx.connection, look.errors)
    seeing = seen_after(seeing_of(tx.connection, watched.id), watched, look, at=at)
    save_cursor(tx.connection, seeing, look.cursor)
    changes = detect(
        tx.connection,
        catalog=world.catalog,
        service=watched.service,
        samples=look.samples,
        seeing=seeing,
        check=watched.check,
        now=now,
    )
    for alert, outcome in changes:
        log.info("alert", outcome=outcome.value, alert=alert.id, summary=alert.summary, detail=alert.detail)
        alert_changed(tx, world, alert, outcome)


def seen_after(before: Seeing | None, watched: Watched, look: Look, *, at: datetime) -> Seeing:
    """Return how the check gets on with this look: troubles are counted in a row, since the first of them."""
    kept = before
    if kept is not None and (kept.sampler, kept.target) != (watched.check.sampler, watched.check.target):
        kept = None
    troubles = (kept.troubles if kept else 0) + 1 if look.trouble else 0
    since = (kept.troubled_since if kept else None) or at
    return Seeing(
        check=watched.id,
        service=watched.service,
        sampler=watched.check.sampler,
        target=watched.check.target,
        looked_at=at,
        seen_at=(kept.seen_at if kept else None) if look.trouble else at,
        trouble=look.trouble,
        troubled_since=since if look.trouble else None,
        troubles=troubles,
    )


def _forget(timer: Timer, world: World) -> Effect:
    """Delete samples and counts that are older than the retention; alerts and errors stay."""

    def effect(tx: Transaction) -> None:
        now = world.clock.now()
        before = now - max(RETENTION, 2 * timedelta(seconds=world.catalog.timing.baseline_s))
        gone = forget_samples(tx.connection, before=before) + forget_counts(tx.connection, before=before)
        log.info("forgotten", rows=gone, before=before.isoformat())
        tx.schedule(Timer(id=timer.id, kind="watch", due_at=now + _FORGET_EVERY))

    return effect


def _next_due(due_at: datetime, every_s: float, now: datetime) -> datetime:
    """Return the next instant of the rhythm that began at `due_at` and lies after `now`; missed looks are not made up.

    Worked: due at 10.0 every 5 s, done at 21.3, gives 25.0.
    """
    missed = max(0.0, (now - due_at).total_seconds()) // every_s
    return due_at + timedelta(seconds=(missed + 1) * every_s)


def _share(text: str) -> float:
    """Return a number in [0, 1) that is always the same for `text`."""
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=4).digest(), "big") / 2**32
