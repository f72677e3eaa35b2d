"""Statements on groups, their members and timers, and on what integrations were told. Both databases."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Connection,
    Row,
    TypeCoerce,
    and_,
    bindparam,
    case,
    delete,
    func,
    select,
    type_coerce,
    update,
)

from stanch.alerts.intake.decisions import Reason, Told
from stanch.alerts.intake.model import Group
from stanch.alerts.intake.tables import (
    intake_alerts,
    intake_episodes,
    intake_facts,
    intake_groups,
    intake_hot,
    intake_members,
    intake_sources,
    intake_told,
)
from stanch.store.types import from_micros
from stanch.store.upsert import upsert


def _raw(name: str) -> TypeCoerce[int]:
    # Microseconds as they stand: ten thousand of them are not worth ten thousand datetimes.
    return type_coerce(intake_hot.c[name], BigInteger)


# Put together once: an alert whose group waits for nothing is told of while its sender waits for the answer.
_GROUP: Final = select(intake_groups).where(intake_groups.c.id == bindparam("id"))
_CHANGE_GROUP: Final = update(intake_groups).where(intake_groups.c.id == bindparam("group"))
_RENEWED: Final = ("created_at", "due_at", "flush", "outstanding", "failed", "emptied_at")
_GROUPS_CALLED: Final = select(intake_groups).where(
    and_(intake_groups.c.group_key == bindparam("group_key"), intake_groups.c.receiver == bindparam("receiver"))
)
_MEMBERS: Final = (
    select(intake_hot.c.id, _raw("starts_at"), _raw("ends_at"))
    .join(intake_members, intake_members.c.alert_id == intake_hot.c.id)
    .where(intake_members.c.group_id == bindparam("group"))
)
_HAS_MEMBERS: Final = select(intake_members.c.alert_id).where(intake_members.c.group_id == bindparam("group")).limit(1)
_TOLD_BY: Final = ("group_key", "receiver", "integration")
_MEMORIES: Final = select(intake_told).where(
    and_(intake_told.c.group_key == bindparam("group_key"), intake_told.c.receiver == bindparam("receiver"))
)


@dataclass(frozen=True, kw_only=True)
class Memory:
    """What is known of one integration for one group: what it was told, what is on its way, the last outcome."""

    integration: str
    told: Told | None
    delivery: str
    missed: bool
    reason: Reason
    reason_at: datetime
    detail: str = ""


def group_with_id(connection: Connection, id: int) -> Group | None:
    """Return one group, None when it is gone."""
    row = connection.execute(_GROUP, {"id": id}).first()
    return None if row is None else _group(row)


def all_groups(connection: Connection) -> list[Group]:
    """Return every group."""
    return [_group(row) for row in connection.execute(select(intake_groups).order_by(intake_groups.c.id))]


def groups_page(connection: Connection, *, receiver: str, after: int | None, limit: int) -> list[Group]:
    """Return groups, the newest first, of one receiver or of all; `after` is the id of the last one shown before."""
    query = select(intake_groups).order_by(intake_groups.c.id.desc()).limit(limit)
    if receiver:
        query = query.where(intake_groups.c.receiver == receiver)
    if after is not None:
        query = query.where(intake_groups.c.id < after)
    return [_group(row) for row in connection.execute(query)]


def group_with_key(connection: Connection, key: str) -> Group | None:
    """Return the group at a route's place with given labels, None when there is none."""
    row = connection.execute(select(intake_groups).where(intake_groups.c.key == key)).first()
    return None if row is None else _group(row)


def member_counts(connection: Connection, groups: Sequence[int], *, now_us: int) -> dict[int, tuple[int, int]]:
    """Return how many alerts of each group fire at `now_us` (microseconds), and how many have ended and wait."""
    fires = case((_raw("ends_at") > now_us, 1), else_=0)
    query = (
        select(intake_members.c.group_id, func.sum(fires), func.count())
        .join(intake_hot, intake_hot.c.id == intake_members.c.alert_id)
        .where(intake_members.c.group_id.in_(groups))
        .group_by(intake_members.c.group_id)
    )
    return {row[0]: (int(row[1]), int(row[2] - row[1])) for row in connection.execute(query)}


def add_group(
    connection: Connection,
    *,
    key: str,
    group_key: str,
    route: str,
    receiver: str,
    labels: Mapping[str, str],
    now: datetime,
    due_at: datetime,
) -> int:
    """Store a new group and return its id. One that stayed empty begins anew."""
    values = {
        "key": key,
        "group_key": group_key,
        "route": route,
        "receiver": receiver,
        "labels": msgspec.json.encode(labels).decode(),
        "created_at": now,
        "due_at": due_at,
        "flush": 0,
        "flushed_at": None,
        "outstanding": 0,
        "failed": 0,
        "emptied_at": None,
    }
    statement = upsert(connection, intake_groups, key=("key",), changed=_RENEWED)
    return int(connection.execute(statement.returning(intake_groups.c.id), values).scalar_one())


def change_group(connection: Connection, id: int, **changes: datetime | int | None) -> None:
    """Change columns of one group."""
    connection.execute(_CHANGE_GROUP, {"group": id, **changes})


def drop_group(connection: Connection, id: int) -> None:
    """Delete one group and its members."""
    connection.execute(delete(intake_members).where(intake_members.c.group_id == id))
    connection.execute(delete(intake_groups).where(intake_groups.c.id == id))


def drop_all_groups(connection: Connection) -> None:
    """Delete every group, every member and every source of inhibition; what was told stays."""
    for table in (intake_members, intake_groups, intake_sources):
        connection.execute(delete(table))


def members_of(connection: Connection, group: int) -> list[tuple[int, int, int]]:
    """Return id, start and end (microseconds) of the alerts of a group."""
    return [(row[0], row[1], row[2]) for row in connection.execute(_MEMBERS, {"group": group})]


def has_members(connection: Connection, group: int) -> bool:
    """Tell whether a group has any alert."""
    return connection.execute(_HAS_MEMBERS, {"group": group}).first() is not None


def labels_of_members(connection: Connection, group: int) -> dict[int, dict[str, str]]:
    """Return the labels of the alerts of a group by id."""
    query = (
        select(intake_alerts.c.id, intake_alerts.c.labels)
        .join(intake_members, intake_members.c.alert_id == intake_alerts.c.id)
        .where(intake_members.c.group_id == group)
    )
    return {row[0]: msgspec.json.decode(row[1], type=dict[str, str]) for row in connection.execute(query)}


def memories(connection: Connection, group_key: str, receiver: str) -> dict[str, Memory]:
    """Return what each integration of `receiver` knows about a group, by integration."""
    given = {"group_key": group_key, "receiver": receiver}
    return {row.integration: _memory(row) for row in connection.execute(_MEMORIES, given)}


def remember(connection: Connection, group_key: str, receiver: str, memory: Memory, *, expires_at: datetime) -> None:
    """Store what an integration knows about a group."""
    values = {
        "group_key": group_key,
        "receiver": receiver,
        "integration": memory.integration,
        "firing": pack(memory.told.firing if memory.told else ()),
        "resolved": pack(memory.told.resolved if memory.told else ()),
        "told_at": memory.told.at if memory.told else None,
        "expires_at": expires_at,
        "reason": memory.reason.value,
        "reason_at": memory.reason_at,
        "detail": memory.detail,
        "delivery": memory.delivery,
        "missed": int(memory.missed),
    }
    changed = tuple(name for name in values if name not in _TOLD_BY)
    connection.execute(upsert(connection, intake_told, key=_TOLD_BY, changed=changed), values)


def groups_called(connection: Connection, group_key: str, receiver: str) -> list[Group]:
    """Return the groups that notifications to `receiver` call `group_key`: one, or more where routes are alike."""
    given = {"group_key": group_key, "receiver": receiver}
    return [_group(row) for row in connection.execute(_GROUPS_CALLED, given)]


def record_episodes(
    connection: Connection, receiver: str, rows: Sequence[tuple[int, int, int]], *, told: bool, outcome: str
) -> None:
    """Keep what became of alerts that left a group: id, start and end of each."""
    if rows:
        connection.execute(
            intake_episodes.insert(),
            [
                {
                    "alert_id": id,
                    "receiver": receiver,
                    "starts_at": from_micros(start),
                    "ends_at": from_micros(end),
                    "told": int(told),
                    "outcome": outcome,
                }
                for id, start, end in rows
            ],
        )


def fact(connection: Connection, name: str) -> str:
    """Return a fact by name, empty when it is not there."""
    found: str | None = connection.execute(
        select(intake_facts.c.value).where(intake_facts.c.name == name)
    ).scalar_one_or_none()
    return found or ""


def store_fact(connection: Connection, name: str, value: str) -> None:
    """Store a fact."""
    statement = upsert(connection, intake_facts, key=("name",), changed=("value",))
    connection.execute(statement, {"name": name, "value": value})


def alerts_to_route(connection: Connection, *, after: int, now: datetime, limit: int) -> list[tuple[int, str, int]]:
    """Return id, labels and start (microseconds) of alerts with an id above `after` that fire or wait to be told."""
    waiting = intake_hot.c.id.in_(select(intake_members.c.alert_id))
    query = (
        select(intake_hot.c.id, intake_alerts.c.labels, _raw("starts_at"))
        .join(intake_alerts, intake_alerts.c.id == intake_hot.c.id)
        .where(and_(intake_hot.c.id > after, (intake_hot.c.ends_at > now) | waiting))
        .order_by(intake_hot.c.id)
        .limit(limit)
    )
    return [(row[0], row[1], row[2]) for row in connection.execute(query)]


def pack(ids: Iterable[int]) -> bytes:
    """Return ids as 8 bytes each, in order."""
    return array("q", sorted(ids)).tobytes()


def unpack(packed: bytes) -> frozenset[int]:
    """Return the ids that `pack` packed."""
    found = array("q")
    found.frombytes(packed)
    return frozenset(found)


def _group(row: Row[tuple[object, ...]]) -> Group:
    return Group(
        id=row.id,
        key=row.key,
        group_key=row.group_key,
        route=row.route,
        receiver=row.receiver,
        labels=msgspec.json.decode(row.labels, type=dict[str, str]),
        created_at=row.created_at,
        due_at=row.due_at,
        flush=row.flush,
        flushed_at=row.flushed_at,
        outstanding=row.outstanding,
        failed=bool(row.failed),
        emptied_at=row.emptied_at,
    )


def _memory(row: Row[tuple[object, ...]]) -> Memory:
    told = None
    if row.told_at is not None:
        told = Told(firing=unpack(row.firing), resolved=unpack(row.resolved), at=row.told_at)
    return Memory(
        integration=row.integration,
        told=told,
        delivery=row.delivery,
        missed=bool(row.missed),
        reason=Reason(row.reason),
        reason_at=row.reason_at,
        detail=row.detail,
    )
