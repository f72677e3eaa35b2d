"""Reads alerts for people and machines: which fire, where they are grouped, what keeps them quiet."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

import msgspec
from sqlalchemy import Connection

from stanch.store.types import to_micros

_AT_ONCE: Final = 2000
_ALL: Final = 1 << 62


class Row(NamedTuple):
    """An alert as it is stored. Instants are microseconds, labels and annotations JSON text."""

    id: int
    labels: str
    annotations: str
    generator_url: str
    starts_at: int
    ends_at: int
    updated_at: int
    groups: tuple[int, ...] = ()


_GIVEN: Final = "IN (SELECT value FROM json_each({0}))"
_WITH_IDS: Final = (
    "SELECT a.id, a.labels, a.annotations, a.generator_url, coalesce(h.starts_at, 0), "
    "coalesce(h.ends_at, 0), coalesce(h.updated_at, 0) "
    "FROM intake_alerts a LEFT JOIN intake_hot h ON h.id = a.id WHERE a.id "
)


def firing_sources(connection: Connection, now: datetime) -> dict[tuple[int, bytes], list[tuple[int, bool]]]:
    """Return the ids of the alerts that fire and may inhibit others, by rule and equal key, lowest first."""
    rows = _run(
        connection,
        "SELECT s.rule, s.equal, s.alert_id, s.is_target FROM intake_sources s JOIN intake_hot h ON h.id = s.alert_id "
        "WHERE h.ends_at > {0} ORDER BY s.alert_id",
        (to_micros(now),),
    )
    found: dict[tuple[int, bytes], list[tuple[int, bool]]] = {}
    for rule, equal, id, is_target in rows:
        found.setdefault((rule, bytes(equal)), []).append((id, bool(is_target)))
    return found


def firing(connection: Connection, now: datetime) -> Iterator[Row]:
    """Yield the alerts that fire, by id, with the ids of their groups."""
    groups: dict[int, tuple[int, ...]] = {}
    for group, id in _run(connection, "SELECT group_id, alert_id FROM intake_members ORDER BY group_id", ()):
        groups[id] = (*groups.get(id, ()), group)
    rows = _run(
        connection,
        "SELECT a.id, a.labels, a.annotations, a.generator_url, h.starts_at, h.ends_at, h.updated_at "
        "FROM intake_hot h JOIN intake_alerts a ON a.id = h.id WHERE h.ends_at > {0} ORDER BY h.id",
        (to_micros(now),),
    )
    for row in rows:
        yield Row._make((*row, groups.get(row[0], ())))


def with_ids(connection: Connection, ids: Sequence[int]) -> dict[int, Row]:
    """Return alerts by id; one that is not there any more is left out, one without an episode has zero instants."""
    found: dict[int, Row] = {}
    for start in range(0, len(ids), _AT_ONCE):
        part = ids[start : start + _AT_ONCE]
        if connection.dialect.name == "postgresql":
            rows = _run(connection, _WITH_IDS + "= ANY({0})", (list(part),))
        else:
            rows = _run(connection, _WITH_IDS + _GIVEN, (msgspec.json.encode(part).decode(),))
        found |= {row[0]: Row(*row) for row in rows}
    return found


class Told(NamedTuple):
    """An alert's episode that is over, as a receiver saw it. Instants are microseconds."""

    receiver: str
    starts_at: int
    ends_at: int
    told: bool
    outcome: str


def episodes_of(connection: Connection, alert: int, *, most: int) -> list[Told]:
    """Return the last episodes of one alert, the newest first: one for each receiver that it was grouped for."""
    rows = _run(
        connection,
        "SELECT receiver, starts_at, ends_at, told, outcome FROM intake_episodes WHERE alert_id = {0} "
        "ORDER BY ends_at DESC, seq DESC LIMIT {1}",
        (alert, most),
    )
    return [Told(row[0], row[1], row[2], bool(row[3]), row[4]) for row in rows]


class Standing(NamedTuple):
    """An alert from outside as it is stored. The last four are None once its present episode is put away."""

    labels: str
    annotations: str
    generator_url: str
    first_seen: int
    starts_at: int | None
    ends_at: int | None
    updated_at: int | None
    openings: int | None


def standing_of(connection: Connection, alert: int) -> Standing | None:
    """Return one alert with its present episode, None when there is no such alert."""
    rows = _run(
        connection,
        "SELECT a.labels, a.annotations, a.generator_url, a.first_seen, h.starts_at, h.ends_at, h.updated_at, "
        "h.openings FROM intake_alerts a LEFT JOIN intake_hot h ON h.id = a.id WHERE a.id = {0}",
        (alert,),
    )
    row = rows.fetchone()
    return None if row is None else Standing._make(row)


def _run(connection: Connection, text: str, values: tuple[object, ...]) -> Any:  # Any: a cursor of either driver
    driver: Any = connection.connection.driver_connection  # Any: as above
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    return driver.execute(text.format(*[mark] * len(values)), values)


def episodes_since(
    connection: Connection, since: datetime, *, now: datetime, most: int = _ALL
) -> list[tuple[dict[str, str], bool]]:
    """Return labels of every episode that ended after `since` or lasts, and whether anybody was told about it.

    Of those that are over, the newest `most` are looked at.
    """
    rows = _run(
        connection,
        # An episode has a row for each receiver that it was grouped for.
        "SELECT a.labels, max(e.told), max(e.ends_at) FROM (SELECT * FROM intake_episodes WHERE ends_at > {0} "
        "ORDER BY ends_at DESC LIMIT {1}) e JOIN intake_alerts a ON a.id = e.alert_id "
        "GROUP BY e.alert_id, e.starts_at, a.labels UNION ALL "
        "SELECT a.labels, CASE WHEN h.id IN (SELECT m.alert_id FROM intake_members m "
        "JOIN intake_groups g ON g.id = m.group_id "
        "JOIN intake_told t ON t.group_key = g.group_key AND t.receiver = g.receiver "
        "WHERE t.told_at IS NOT NULL) THEN 1 ELSE 0 END, h.ends_at FROM intake_hot h "
        "JOIN intake_alerts a ON a.id = h.id WHERE h.ends_at > {2} ORDER BY 3",
        (to_micros(since), most, to_micros(now)),
    )
    return [(msgspec.json.decode(row[0], type=dict[str, str]), bool(row[1])) for row in rows]
