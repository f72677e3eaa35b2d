"""Takes in what senders say: folds it into the episodes, and puts new alerts into their groups.

One call handles many alerts in the caller's transaction, so that the costs of a commit and of a statement are shared.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from stanch.alerts.intake.bulk.tables import Bulk, Cold, GroupState, Hot, Known, bulk_of
from stanch.alerts.intake.episodes import Episode, merged
from stanch.alerts.intake.fingerprint import canonical
from stanch.alerts.intake.groups.tables import add_group, change_group
from stanch.alerts.intake.hiding import hide
from stanch.alerts.intake.model import Received
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
    openings: int = 0
    is_changed: bool = False
    is_noted: bool = False
    regroup: bool = False
    reopened: bool = False


@dataclass(kw_only=True)
class TakenIn:
    """What taking in led to: groups that are due at once, and the soonest tick that was set (None for none).

    `learned` is what `Recognition` learns once it is committed. `opened` and `ended` are the alerts, by id, that may
    fire since and that are over since; the `reopened` ones had been over before.
    """

    due: list[int] = field(default_factory=list)
    soonest: datetime | None = None
    learned: list[tuple[int, int]] = field(default_factory=list)
    opened: list[tuple[int, Received]] = field(default_factory=list)
    ended: list[tuple[int, Received]] = field(default_factory=list)
    reopened: list[int] = field(default_factory=list)


def take_in(tx: Transaction, routing: Routing, batch: Sequence[Received], *, now: datetime) -> TakenIn:
    """Store what was received and put what is new into groups. Call it with the lock `LOCK` held."""
    bulk = bulk_of(tx.connection)
    stamp = to_micros(now)
    taken = TakenIn()
    rest, present = _prolong(bulk, batch, stamp)
    if not rest:
        return taken
    rest, known = _add(tx, bulk, routing, rest, taken, now=now)
    if not rest:
        return taken
    alerts = _fold(rest, present, known, now=stamp)
    _conceal(alerts)
    fresh = [one for one in alerts if not one.id]
    if fresh:
        for one, id in zip(fresh, bulk.add([_cold(one.received, stamp) for one in fresh]), strict=True):
            one.id = id
    bulk.put([_hot(one, one.episode, stamp) for one in alerts if one.is_changed and one.episode is not None])
    noted = [one for one in alerts if one.is_noted]
    if noted:
        bulk.annotate([(one.id, one.received.annotations(), one.received.generator_url) for one in noted])
    grouped = [(one.id, one.received.read(), one.episode.starts_at) for one in alerts if one.regroup and one.episode]
    if grouped:
        place(tx, routing, grouped, taken, now=now)
    taken.learned += [(one.received.said, one.id) for one in alerts if one.received.said and not one.received.id]
    taken.opened += [(one.id, one.received) for one in alerts if one.regroup]
    taken.reopened += [one.id for one in alerts if one.reopened]
    taken.ended += [
        (one.id, one.received) for one in alerts if one.is_changed and one.episode and one.episode.ends_at <= stamp
    ]
    return taken


def _add(
    tx: Transaction, bulk: Bulk, routing: Routing, batch: Sequence[Received], taken: TakenIn, *, now: datetime
) -> tuple[Sequence[Received], dict[int, Known]]:
    """Store alerts that nobody has told of before; return the others, with what is stored of them by key."""
    unknown = [one for one in batch if not one.id]
    if not unknown:
        return batch, {}
    keys = [one.key() for one in unknown]
    known = bulk.known(keys)
    if len(set(keys)) < len(keys):
        # Told of twice in one batch: the order matters.
        return batch, known
    fresh = [one for one in unknown if one.stored_by not in known] if known else unknown
    if not fresh:
        return batch, known
    hide(fresh)
    stamp = to_micros(now)
    ids = bulk.add([_cold(one, stamp) for one in fresh])
    pairs = list(zip(ids, fresh, strict=True))
    bulk.put([(id, one.starts_at, one.ends_at, stamp, int(one.assumed), one.note, 1) for id, one in pairs])
    place(tx, routing, [(id, one.labels, one.starts_at) for id, one in pairs], taken, now=now)
    taken.learned += [(one.said, id) for id, one in pairs if one.said]
    taken.opened += pairs
    if len(fresh) == len(batch):
        return (), known
    return [one for one in batch if one.id or one.stored_by in known], known


def _prolong(bulk: Bulk, batch: Sequence[Received], now: int) -> tuple[Sequence[Received], dict[int, Known]]:
    """Move the ends of alerts that go on firing; return what is not as simple as that, and what is stored of it.

    This is what nearly all that senders say comes to.
    """
    ids = [one.id for one in batch if one.id]
    if not ids:
        return batch, {}
    present = bulk.present(ids)
    if len(set(ids)) < len(ids):
        # Said twice in one batch: the order matters.
        return batch, present
    rest: list[Received] = []
    prolonged: dict[tuple[int, bool], list[int]] = {}
    for one in batch:
        if not one.id:
            rest.append(one)
            continue
        old = present.get(one.id)
        if old is None:
            # Put away since, perhaps deleted: only the key tells.
            one.id = 0
            rest.append(one)
        elif one.note != old.note or one.starts_at != old.starts_at or old.ends_at <= now:
            rest.append(one)
        elif one.ends_at > old.ends_at:
            prolonged.setdefault((one.ends_at, one.assumed), []).append(one.id)
        elif one.ends_at < old.ends_at or one.assumed != old.assumed:
            rest.append(one)
    for (ends_at, assumed), moved in prolonged.items():
        bulk.prolong(moved, ends_at=ends_at, assumed=int(assumed), updated_at=now)
    return rest, present


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
    places: dict[_Values, _Place] = {}
    rows: list[tuple[_Place, int]] = []
    routes_of = _matcher(routing)
    for id, labels, starts_at in alerts:
        for route in routes_of(labels):
            by = route.group_by
            values = (route.id, *map(labels.get, by)) if by is not None else (route.id, canonical(labels))
            target = places.get(values)
            if target is None:
                target = places[values] = _new_place(route, labels)
            if starts_at < target.earliest:
                target.earliest = starts_at
            rows.append((target, id))
    known = bulk.groups([target.key for target in places.values()])
    for target in places.values():
        _ready(tx, target, known.get(target.key), taken, now=now)
    bulk.join([(target.group, id) for target, id in rows])
    if routing.inhibit_rules:
        sources = [
            (number, rule.equal_key(labels), id, int(rule.is_target(labels)))
            for number, rule in enumerate(routing.inhibit_rules)
            for id, labels, _ in alerts
            if rule.is_source(labels)
        ]
        bulk.sources(sources)


_Values: TypeAlias = tuple[str | bytes | None, ...]


@dataclass(kw_only=True, slots=True)
class _Place:
    """A group that alerts go to, before it is known whether it is there."""

    key: str
    route: Route
    labels: dict[str, str]
    group: int = 0
    earliest: int = _FOREVER


def _matcher(routing: Routing) -> Callable[[dict[str, str]], list[Route]]:
    root = routing.root
    if root.routes:
        return root.match
    # Without children there is nothing to ask.
    only = [root]
    return lambda labels: only


def _new_place(route: Route, labels: dict[str, str]) -> _Place:
    own = route.group_labels(labels)
    return _Place(key=f"{route.id}:{group_key(route, own)}", route=route, labels=own)


def _ready(tx: Transaction, target: _Place, group: GroupState | None, taken: TakenIn, *, now: datetime) -> None:
    """Make sure that the group is there and due when it must be."""
    route = target.route
    stamp = to_micros(now)
    waited = now - from_micros(target.earliest) > route.group_wait
    if group is None or (group.emptied_at is not None and from_micros(group.emptied_at) + EMPTY_FOR <= now):
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
        if group.flush or not waited or group.due_at <= stamp:
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


def _fold(
    batch: Sequence[Received], present: Mapping[int, Known], known: Mapping[int, Known], *, now: int
) -> list[_Alert]:
    """Return every alert of the batch once, with what holds after all that is said of it."""
    # By id, or by key as long as there is none.
    alerts: dict[tuple[str, int], _Alert] = {}
    for received in batch:
        row = present.get(received.id) if received.id else known.get(received.key())
        id = received.id or (row.id if row else 0)
        place_of = ("id", id) if id else ("key", received.key())
        alert = alerts.get(place_of)
        if alert is None:
            alert = alerts[place_of] = _alert(received, row)
        else:
            alert.received = received
        _take(alert, received, now)
    return list(alerts.values())


def _alert(received: Received, known: Known | None) -> _Alert:
    if known is None or not known.openings:
        # Not known, or its last episode is so long over that it was put away.
        id = known.id if known else received.id
        return _Alert(received=received, id=id, episode=None, note=received.note, is_noted=id != 0)
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
        alert.reopened = alert.openings > 0
        alert.openings += 1
        alert.regroup = True
    elif fires and new.starts_at < old.starts_at:
        # It has been firing for longer than was known: its group may not have to wait any more.
        alert.regroup = True


def _conceal(alerts: Sequence[_Alert]) -> None:
    """Take the secrets out of what is about to be stored or to find its groups."""
    written = []
    for one in alerts:
        if one.regroup or not one.id:
            one.received.read()
            written.append(one.received)
        elif one.is_noted:
            written.append(one.received)
    hide(written)


def _cold(received: Received, stamp: int) -> Cold:
    return (received.key(), received.canonical.decode(), received.annotations(), received.generator_url, stamp)


def _hot(alert: _Alert, episode: Episode, stamp: int) -> Hot:
    return (
        alert.id,
        episode.starts_at,
        episode.ends_at,
        stamp,
        int(episode.assumed),
        alert.note,
        alert.openings,
    )
