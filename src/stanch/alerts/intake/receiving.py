"""Takes in what senders say: folds it into the episodes, and puts new alerts into their groups.

One call handles many alerts in the caller's transaction, so that the costs of a commit and of a statement are shared.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.intake.bulk.tables import Bulk, Cold, Hot, Known, bulk_of
from stanch.alerts.intake.episodes import Episode, merged
from stanch.alerts.intake.groups.tables import add_group, change_group, groups_with_keys
from stanch.alerts.intake.model import Group, Received
from stanch.alerts.intake.routes import Route, Routing, group_key
from stanch.store import Transaction
from stanch.store.model import Timer
from stanch.store.types import from_micros, to_micros

FLUSH: Final = "flush"
"""The kind of the timers by which groups are flushed."""

EMPTY_FOR: Final = timedelta(seconds=30)
"""How long a group without alerts keeps its rhythm; what comes later waits for a group wait of its own."""

LOCK: Final = "intake"
_FOREVER: Final = 1 << 62


@dataclass(kw_only=True, slots=True)
class _Alert:
    """An alert while a batch is folded into it."""

    received: Received
    id: int
    episode: Episode | None
    note: int
    openings: int
    is_changed: bool = False
    is_noted: bool = False
    regroup: bool = False


@dataclass(kw_only=True)
class TakenIn:
    """What taking in led to: groups that are due at once, and the soonest tick that was set (None for none)."""

    due: list[int] = field(default_factory=list)
    soonest: datetime | None = None
    stored: int = 0
    unchanged: int = 0


def take_in(tx: Transaction, routing: Routing, batches: Sequence[Sequence[Received]], *, now: datetime) -> TakenIn:
    """Store what was received and put what is new into groups. Call it with the lock `LOCK` held."""
    bulk = bulk_of(tx.connection)
    alerts = _fold(bulk, batches, now=to_micros(now))
    fresh = [one for one in alerts if not one.id]
    if fresh:
        ids = bulk.add([_cold(one, now) for one in fresh])
        for one, id in zip(fresh, ids, strict=True):
            one.id = id
    stamp = to_micros(now)
    bulk.put([_hot(one, one.episode, stamp) for one in alerts if one.is_changed and one.episode is not None])
    noted = [one for one in alerts if one.is_noted]
    if noted:
        bulk.annotate([(one.id, one.received.annotations.decode(), one.received.generator_url) for one in noted])
    grouped = [one for one in alerts if one.regroup]
    taken = TakenIn(stored=len(alerts), unchanged=sum(not one.is_changed for one in alerts))
    if grouped:
        found = ((one.id, one.received.labels, one.episode) for one in grouped if one.episode is not None)
        place(tx, routing, [(id, labels, episode.starts_at) for id, labels, episode in found], taken, now=now)
    return taken


def place(
    tx: Transaction,
    routing: Routing,
    alerts: Sequence[tuple[int, dict[str, str], int]],
    taken: TakenIn,
    *,
    now: datetime,
) -> None:
    """Put alerts (id, labels, start in microseconds) into their groups, and note those that inhibit others."""
    bulk = bulk_of(tx.connection)
    places: dict[str, _Place] = {}
    rows: list[tuple[_Place, int, int]] = []
    cache: dict[tuple[str, ...], _Place] = {}
    for id, labels, starts_at in alerts:
        for route in routing.root.match(labels):
            target = _place_of(route, labels, cache, places)
            rows.append((target, id, starts_at))
            target.earliest = min(target.earliest, starts_at)
    known = groups_with_keys(tx.connection, list(places))
    for target in places.values():
        _ready(tx, target, known.get(target.key), taken, now=now)
    bulk.join([(target.group, id) for target, id, _ in rows])
    sources = [
        (number, rule.equal_key(labels), id, int(rule.is_target(labels)))
        for number, rule in enumerate(routing.inhibit_rules)
        for id, labels, _ in alerts
        if rule.is_source(labels)
    ]
    bulk.sources(sources)


@dataclass(kw_only=True, slots=True)
class _Place:
    """A group that alerts go to, before it is known whether it is there."""

    key: str
    route: Route
    labels: dict[str, str]
    group: int = 0
    earliest: int = _FOREVER


def _place_of(
    route: Route, labels: dict[str, str], cache: dict[tuple[str, ...], _Place], places: dict[str, _Place]
) -> _Place:
    by = route.group_by if route.group_by is not None else tuple(sorted(labels))
    cached = (route.id, *(f"{name}\0{labels[name]}" for name in by if name in labels))
    found = cache.get(cached)
    if found is None:
        own = route.group_labels(labels)
        key = f"{route.id}:{group_key(route, own)}"
        found = cache[cached] = places.setdefault(key, _Place(key=key, route=route, labels=own))
    return found


def _ready(tx: Transaction, target: _Place, group: Group | None, taken: TakenIn, *, now: datetime) -> None:
    """Make sure that the group is there and due when it must be."""
    route = target.route
    waited = now - from_micros(target.earliest) > route.group_wait
    if group is None or (group.emptied_at is not None and now - group.emptied_at >= EMPTY_FOR):
        due_at = now if waited else now + route.group_wait
        target.group = add_group(
            tx.connection,
            key=target.key,
            group_key=group_key(route, target.labels),
            route=route.id,
            receiver=route.receiver,
            labels=target.labels,
            now=now,
            due_at=due_at,
        )
    else:
        target.group = group.id
        if group.emptied_at is not None:
            change_group(tx.connection, group.id, emptied_at=None)
        # A group that has not told anybody yet does not wait for an alert that has been firing for long.
        if group.flush or not waited or group.due_at <= now:
            return
        due_at = now
        change_group(tx.connection, group.id, due_at=now)
    _set_timer(tx, target.group, due_at, taken, now=now)


def _set_timer(tx: Transaction, group: int, due_at: datetime, taken: TakenIn, *, now: datetime) -> None:
    tx.schedule(flush_timer(group, due_at), replace=True)
    if due_at <= now:
        taken.due.append(group)
    if taken.soonest is None or due_at < taken.soonest:
        taken.soonest = due_at


def flush_timer(group: int, due_at: datetime, *, again: bool = False) -> Timer:
    """Return the timer of a group's next tick, or of one more flush `again` outside the rhythm."""
    suffix = "/again" if again else ""
    return Timer(id=f"flush/{group}{suffix}", kind=FLUSH, due_at=due_at, data={"group": group, "again": again})


def _fold(bulk: Bulk, batches: Sequence[Sequence[Received]], *, now: int) -> list[_Alert]:
    """Return every alert of the batches once, with what holds after all of them."""
    known = bulk.known(list(dict.fromkeys(one.fingerprint for batch in batches for one in batch)))
    alerts: dict[bytes, _Alert] = {}
    for received in _each(batches):
        alert = alerts.get(received.fingerprint)
        if alert is None:
            alert = alerts[received.fingerprint] = _alert(received, known.get(received.fingerprint))
        else:
            alert.received = received
        _take(alert, received, now)
    return list(alerts.values())


def _each(batches: Sequence[Sequence[Received]]) -> Iterable[Received]:
    for batch in batches:
        yield from batch


def _alert(received: Received, known: Known | None) -> _Alert:
    if known is None:
        return _Alert(received=received, id=0, episode=None, note=received.note, openings=0)
    if not known.openings:
        # Known from before, but its last episode is so long over that it was put away.
        return _Alert(received=received, id=known.id, episode=None, note=0, openings=0)
    episode = Episode(known.starts_at, known.ends_at, bool(known.assumed))
    return _Alert(received=received, id=known.id, episode=episode, note=known.note, openings=known.openings)


def _take(alert: _Alert, received: Received, now: int) -> None:
    old = alert.episode
    new = received.episode if old is None else merged(old, received.episode, now=now)
    if received.note != alert.note:
        alert.note = received.note
        alert.is_noted = alert.id != 0
        alert.is_changed = True
    if new == old:
        return
    alert.is_changed = True
    alert.episode = new
    fires = new.ends_at > now
    if old is None or (fires and not old.ends_at > now):
        alert.openings += 1
        alert.regroup = True
    elif fires and new.starts_at < old.starts_at:
        # It has been firing for longer than was known: its group may not have to wait any more.
        alert.regroup = True


def _cold(alert: _Alert, now: datetime) -> Cold:
    received = alert.received
    return Cold(
        fingerprint=received.fingerprint,
        labels=received.canonical.decode(),
        annotations=received.annotations.decode(),
        generator_url=received.generator_url,
        first_seen=to_micros(now),
    )


def _hot(alert: _Alert, episode: Episode, stamp: int) -> Hot:
    return Hot(
        id=alert.id,
        starts_at=episode.starts_at,
        ends_at=episode.ends_at,
        updated_at=stamp,
        assumed=int(episode.assumed),
        note=alert.note,
        openings=alert.openings,
    )
