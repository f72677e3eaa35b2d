"""Statements that bring the board up to date with the intake. Both databases.

Taking in is the fastest thing Stanch does and knows nothing of the board: an index more would cost every alert. What
is not on the board yet is at the end of `intake_alerts`, where a list looks by itself.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from sqlalchemy import Connection, Row, Text, and_, cast, literal, or_, select, union_all

from stanch.alerts.board.model import (
    OUTSIDE,
    Found,
    NameService,
    Narrowing,
    Page,
    Placed,
    by_label,
    outside_id,
    placed_outside,
)
from stanch.alerts.board.tables import alert_board, put, title_of, walk
from stanch.alerts.intake.groups.tables import fact, store_fact
from stanch.alerts.intake.tables import intake_alerts, intake_episodes, intake_hot
from stanch.store.types import from_micros, to_micros

AT_ONCE: Final = 5_000
"""How many rows one turn writes: about a tenth of a second."""

# A list looks through so many that are not on the board yet.
_MOST_UNPLACED: Final = 2_000
# Two nodes' clocks may differ by this much before a change is missed until the alert changes again.
_AGAIN: Final = timedelta(seconds=10)
_PLACED_TO: Final = "board"
_LOOKED_AT: Final = "board_at"

_labels: Final = msgspec.json.Decoder(dict[str, str])


@dataclass(frozen=True, kw_only=True)
class Behind:
    """What the board lacks: rows to write, and how far it is up to date after that. `more` when that is not all."""

    rows: tuple[Placed, ...]
    placed_to: int
    looked_at: datetime
    more: bool


def behind(connection: Connection, *, now: datetime, service_of: NameService = by_label) -> Behind:
    """Return what the board lacks at `now`, at most `AT_ONCE` rows of each kind."""
    placed_to = _placed_to(connection)
    fresh = list(
        connection.execute(_told().where(intake_alerts.c.id > placed_to).order_by(intake_alerts.c.id).limit(AT_ONCE))
    )
    moved = list(connection.execute(_told().where(intake_alerts.c.id.in_(_moved(connection, now))).limit(AT_ONCE)))
    ended = _last_episodes(connection, [row.id for row in (*moved, *fresh) if row.starts_at is None])
    rows = {row.id: _placed(row, now, service_of, ended.get(row.id)) for row in (*moved, *fresh)}
    return Behind(
        rows=tuple(rows.values()),
        placed_to=fresh[-1].id if fresh else placed_to,
        looked_at=now,
        more=AT_ONCE in (len(fresh), len(moved)),
    )


def catch_up(connection: Connection, lacking: Behind) -> None:
    """Write what the board lacks."""
    put(connection, lacking.rows)
    store_fact(connection, _PLACED_TO, str(lacking.placed_to))
    if not lacking.more:
        store_fact(connection, _LOOKED_AT, str(to_micros(lacking.looked_at)))


def listed(
    connection: Connection, wanted: Narrowing, *, now: datetime, limit: int, service_of: NameService = by_label
) -> Page:
    """Return the newest alerts that are wanted, with those that are not on the board yet."""
    page = walk(connection, wanted, now=now, limit=limit)
    query = _told().where(intake_alerts.c.id > _placed_to(connection)).order_by(intake_alerts.c.id.desc())
    unplaced = [
        one
        for row in connection.execute(query.limit(_MOST_UNPLACED))
        if wanted.wants(one := _found(row, now, service_of), said=row.labels + row.annotations)
    ]
    if page.next is not None:
        unplaced = [one for one in unplaced if one.mark.place > page.next.place]
    if not unplaced:
        return page
    merged = sorted((*unplaced, *page.alerts), key=lambda one: one.mark.place, reverse=True)
    if len(merged) <= limit:
        return Page(alerts=tuple(merged), next=page.next, searched_to=page.searched_to)
    return Page(alerts=tuple(merged[:limit]), next=merged[limit - 1].mark)


def find_unplaced(
    connection: Connection, ref: int, *, now: datetime, service_of: NameService = by_label
) -> Found | None:
    """Return one alert from outside, None when there is none with this number."""
    row = connection.execute(_told().where(intake_alerts.c.id == ref)).first()
    return None if row is None else _found(row, now, service_of)


def _placed_to(connection: Connection) -> int:
    return int(fact(connection, _PLACED_TO) or 0)


def _told() -> Any:  # Any: a select of columns of two tables
    return select(
        intake_alerts.c.id,
        intake_alerts.c.labels,
        intake_alerts.c.annotations,
        intake_alerts.c.first_seen,
        intake_hot.c.starts_at,
        intake_hot.c.ends_at,
    ).outerjoin(intake_hot, intake_hot.c.id == intake_alerts.c.id)


def _moved(connection: Connection, now: datetime) -> Any:  # Any: as above
    """Return what selects the alerts on the board that began anew or ended since the board was last looked after."""
    board = alert_board.c
    looked_at = fact(connection, _LOOKED_AT)
    began = or_(
        board.starts_at != intake_hot.c.starts_at, and_(board.ended_at.is_not(None), intake_hot.c.ends_at > now)
    )
    if looked_at:
        began = and_(began, intake_hot.c.updated_at >= from_micros(int(looked_at)) - _AGAIN)
    again = (
        select(intake_hot.c.id)
        .join(alert_board, board.id == literal(OUTSIDE).op("||")(cast(intake_hot.c.id, Text)))
        .where(began)
    )
    over = (
        select(board.ref)
        .outerjoin(intake_hot, intake_hot.c.id == board.ref)
        .where(board.ended_at.is_(None), board.ref.is_not(None))
        .where(or_(intake_hot.c.ends_at.is_(None), intake_hot.c.ends_at <= now))
    )
    return union_all(again, over)


_Stretch = tuple[datetime, datetime]


def _last_episodes(connection: Connection, ids: Sequence[int]) -> dict[int, _Stretch]:
    """Return start and end of the last episode of alerts whose present one was put away, by number."""
    if not ids:
        return {}
    episode = intake_episodes.c
    query = select(episode.alert_id, episode.starts_at, episode.ends_at).where(episode.alert_id.in_(ids))
    return {row.alert_id: (row.starts_at, row.ends_at) for row in connection.execute(query.order_by(episode.ends_at))}


def _placed(
    row: Row[Any],  # Any: the columns of `_told`
    now: datetime,
    service_of: NameService,
    last: _Stretch | None = None,
) -> Placed:
    ended_at: datetime | None
    if row.starts_at is None:
        # Nobody remembers an episode: all that is left is when it was first seen.
        starts_at, ended_at = last or (row.first_seen, row.first_seen)
    else:
        starts_at, ended_at = row.starts_at, row.ends_at if row.ends_at <= now else None
    labels = _labels.decode(row.labels)
    return placed_outside(row.id, labels, starts_at=starts_at, ended_at=ended_at, service=service_of(labels))


def _found(row: Row[Any], now: datetime, service_of: NameService) -> Found:  # Any: as above
    placed = _placed(row, now, service_of)
    return Found(
        id=outside_id(row.id),
        ref=row.id,
        source=placed.source,
        service=placed.service,
        severity=placed.severity,
        name=placed.name,
        title=title_of(row.annotations, placed.name),
        labels=_labels.decode(row.labels),
        starts_at=placed.starts_at,
        ended_at=placed.ended_at,
    )
