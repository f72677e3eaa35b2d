"""The table of the board and its statements. Both databases.

A list walks an index from the newest start backwards, in parts of bounded size, and looks at labels only of what it
walks over: so it takes as long among a million alerts as among a thousand.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Any, Final

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Index,
    Row,
    Select,
    Subquery,
    Table,
    Text,
    and_,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.board.model import Found, Mark, Narrowing, Page, Placed
from stanch.alerts.intake.matchers import Matcher, Op
from stanch.alerts.intake.tables import intake_alerts, intake_hot
from stanch.store.schema import metadata
from stanch.store.types import Instant, Serial, from_micros, to_micros

# Walking over so many costs about 10 ms on SQLite; after MOST_WALKED a reader is shown what there is, and may go on.
_WALKED_AT_ONCE: Final = 2_000
MOST_WALKED: Final = 8_000

alert_board: Final = Table(
    "alert_board",
    metadata,
    Column("id", Text, primary_key=True),
    Column("ref", Serial),
    Column("source", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    # As it was when the row was written; the end that counts is the one in `intake_hot`.
    Column("ended_at", Instant),
    Column("title", Text, nullable=False),
    Column("labels", Text, nullable=False),
)
_FIRES: Final = alert_board.c.ended_at.is_(None)
Index("ix_alert_board_starts_at", alert_board.c.starts_at, alert_board.c.id)
Index("ix_alert_board_service", alert_board.c.service, alert_board.c.starts_at, alert_board.c.id)
Index("ix_alert_board_name", alert_board.c.name, alert_board.c.starts_at, alert_board.c.id)
Index("ix_alert_board_source", alert_board.c.source, alert_board.c.starts_at, alert_board.c.id)
# Few fire at a time. The severity is in the index so that counting by it reads nothing else.
Index(
    "ix_alert_board_firing",
    alert_board.c.starts_at,
    alert_board.c.id,
    alert_board.c.severity,
    sqlite_where=_FIRES,
    postgresql_where=_FIRES,
)
Index(
    "ix_alert_board_firing_service",
    alert_board.c.service,
    alert_board.c.starts_at,
    alert_board.c.id,
    sqlite_where=_FIRES,
    postgresql_where=_FIRES,
)

_labels: Final = msgspec.json.Decoder(dict[str, str])


def put(connection: Connection, rows: Sequence[Placed]) -> None:
    """Store rows, over those with the same id."""
    if not rows:
        return
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    values = [
        {
            "id": one.id,
            "ref": one.ref,
            "source": one.source,
            "service": one.service,
            "severity": one.severity,
            "name": one.name,
            "starts_at": one.starts_at,
            "ended_at": one.ended_at,
            "title": one.title,
            "labels": msgspec.json.encode(dict(one.labels)).decode() if one.labels else "",
        }
        for one in rows
    ]
    statement = insert(alert_board)
    changed = {name: statement.excluded[name] for name in values[0] if name != "id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed), values)


def walk(connection: Connection, wanted: Narrowing, *, now: datetime, limit: int) -> Page:
    """Return the newest alerts that are wanted, at most `limit`, and where to go on."""
    found: list[Found] = []
    after = wanted.after
    walked = 0
    while walked < MOST_WALKED:
        size = limit + 1 if _is_indexed(wanted) else _WALKED_AT_ONCE
        part, last = _part(connection, wanted, after=after, size=size, most=limit + 1 - len(found), now=now)
        found += part
        if len(found) > limit:
            return Page(alerts=tuple(found[:limit]), next=found[limit - 1].mark)
        if last is None:
            return Page(alerts=tuple(found))
        after = last
        walked += size
    return Page(alerts=tuple(found), next=after, searched_to=after.starts_at if after else None)


def find_one(connection: Connection, id: str, *, now: datetime) -> Found | None:
    """Return one alert of the board, None where it is not there."""
    row = connection.execute(_joined(select(alert_board).where(alert_board.c.id == id))).first()
    return None if row is None else _found(row, now=now)


def counts(connection: Connection, *, most: int) -> dict[str, int]:
    """Return how many alerts fire by severity, among the newest `most` that fire."""
    newest = select(alert_board.c.severity).where(_FIRES).order_by(*_newest(alert_board)).limit(most).subquery()
    query = select(newest.c.severity, func.count()).group_by(newest.c.severity)
    return {row[0]: row[1] for row in connection.execute(query)}


def known_values(connection: Connection, column: str, *, most: int = 200) -> list[str]:
    """Return the values of the column `service` or `source`, each found by one step in its index."""
    chosen = alert_board.c[column]
    first = select(func.min(chosen).label("value")).cte("steps", recursive=True)
    following = select(func.min(chosen)).where(chosen > first.c.value).scalar_subquery()
    steps = first.union_all(select(following).where(first.c.value.is_not(None)))
    query = select(steps.c.value).where(steps.c.value.is_not(None)).limit(most)
    return [value for value in connection.execute(query).scalars() if value]


def _is_indexed(wanted: Narrowing) -> bool:
    """Tell whether an index alone leads to what is wanted, but for what has just ended."""
    others = [wanted.text, *wanted.matchers, wanted.severity]
    leading = [one for one in (wanted.service, wanted.source, wanted.name) if one]
    served = not leading or (len(leading) == 1 and (not wanted.fires or bool(wanted.service)))
    return not any(others) and served


def _part(
    connection: Connection, wanted: Narrowing, *, after: Mark | None, size: int, most: int, now: datetime
) -> tuple[list[Found], Mark | None]:
    """Return what is wanted among the next `size` rows, and the last of these; None where there are no more.

    What labels alone decide is decided by them, and only the first `most` rows are then read whole.
    """
    walked = _walked(wanted, after).order_by(*_newest(alert_board)).limit(size)
    last = connection.execute(
        select(alert_board.c.starts_at, alert_board.c.id)
        .where(*_conditions(wanted, after))
        .order_by(*_newest(alert_board))
        .offset(size - 1)
        .limit(1)
    ).first()
    asked: _Conditions | None = _Conditions(wanted, now)
    if wanted.matchers:
        said = connection.execute(_joined(walked, asked, labels_only=True)).all()
        ids = [id for id, labels in said if wanted.takes(_labels.decode(labels or "{}"))]
        walked, asked = select(alert_board).where(alert_board.c.id.in_(ids[:most])), None
    rows: Iterable[Row[Any]] = connection.execute(_joined(walked, asked))
    return [_found(row, now=now) for row in rows], None if last is None else Mark(starts_at=last.starts_at, id=last.id)


def _walked(wanted: Narrowing, after: Mark | None) -> Select[Any]:  # Any: the columns of the board
    return select(alert_board).where(*_conditions(wanted, after))


def _conditions(wanted: Narrowing, after: Mark | None) -> Iterator[ColumnElement[bool]]:
    """Yield what an index serves: the leading value, whether it fires, the time, the place to go on from."""
    board = alert_board.c
    if wanted.fires is not None:
        yield _FIRES if wanted.fires else board.ended_at.is_not(None)
    if wanted.service:
        yield board.service == wanted.service
    elif wanted.name and not wanted.fires:
        yield board.name == wanted.name
    elif wanted.source and not wanted.fires:
        yield board.source == wanted.source
    if wanted.since is not None:
        yield board.starts_at >= wanted.since
    if wanted.until is not None:
        yield board.starts_at < wanted.until
    if after is not None:
        earlier = board.starts_at < after.starts_at
        yield and_(board.starts_at <= after.starts_at, or_(earlier, board.id < after.id))


def _newest(table: Any) -> tuple[ColumnElement[Any], ...]:  # Any: the table, or a part of it, with columns of any type
    return (table.c.starts_at.desc(), table.c.id.desc())


class _Conditions:
    """What is asked of the rows that were walked over: the other values, the text, and whether it fires by now."""

    def __init__(self, wanted: Narrowing, now: datetime) -> None:
        self._wanted = wanted
        self._now = now

    def of(self, part: Any) -> Iterator[ColumnElement[bool]]:  # Any: as in `_newest`
        wanted = self._wanted
        for name in ("service", "source", "severity", "name"):
            if value := getattr(wanted, name):
                yield part.c[name] == value
        fires = or_(part.c.ref.is_(None) & part.c.ended_at.is_(None), intake_hot.c.ends_at > self._now)
        if wanted.fires:
            yield fires
        elif wanted.fires is False:
            yield ~func.coalesce(fires, False)
        if wanted.text:
            everywhere = (part.c.title, part.c.labels, intake_alerts.c.labels, intake_alerts.c.annotations)
            yield or_(*(column.icontains(wanted.text, autoescape=True) for column in everywhere))
        for one in wanted.matchers:
            if (pair := _pair(one)) is not None:
                yield or_(
                    intake_alerts.c.labels.contains(pair, autoescape=True),
                    part.c.labels.contains(pair, autoescape=True),
                )


def _pair(one: Matcher) -> str | None:
    """Return what stands in the labels' JSON where the matcher matches, None where that is not one text."""
    if one.op is not Op.EQUAL or not one.value:
        return None
    return msgspec.json.encode({one.name: one.value}).decode()[1:-1]


def _joined(
    rows: Select[Any], residue: _Conditions | None = None, *, labels_only: bool = False
) -> Select[Any]:  # Any: as in `_walked`
    part = rows.subquery("part")
    columns: tuple[ColumnElement[Any] | Subquery, ...] = (
        part,
        intake_alerts.c.labels.label("said_labels"),
        intake_alerts.c.annotations,
        type_coerce(intake_hot.c.starts_at, BigInteger).label("hot_start"),
        type_coerce(intake_hot.c.ends_at, BigInteger).label("hot_end"),
    )
    if labels_only:
        columns = (part.c.id, func.coalesce(intake_alerts.c.labels, part.c.labels))
    query = (
        select(*columns)
        .outerjoin(intake_alerts, intake_alerts.c.id == part.c.ref)
        .outerjoin(intake_hot, intake_hot.c.id == part.c.ref)
        .order_by(*_newest(part))
    )
    return query.where(*residue.of(part)) if residue is not None else query


def _found(row: Row[Any], *, now: datetime) -> Found:  # Any: the columns of `_joined`
    if row.ref is None:
        labels = _labels.decode(row.labels) if row.labels else {}
        title, ended_at = row.title, row.ended_at
    else:
        labels = _labels.decode(row.said_labels) if row.said_labels else {}
        title = title_of(row.annotations or "{}", row.name)
        ended_at = _end(row, now)
    return Found(
        id=row.id,
        ref=row.ref,
        source=row.source,
        service=row.service,
        severity=row.severity,
        name=row.name,
        title=title,
        labels=labels,
        starts_at=row.starts_at,
        ended_at=ended_at,
    )


def _end(row: Row[Any], now: datetime) -> datetime | None:  # Any: as above
    if row.hot_end is not None:
        return None if row.hot_end > to_micros(now) else from_micros(row.hot_end)
    # Put away: it has long ended, and the board is about to learn it.
    last: datetime = row.ended_at or row.starts_at
    return last


_notes: Final = msgspec.json.Decoder(dict[str, str])


def title_of(annotations: str, name: str) -> str:
    """Return an alert in a line: its summary, else its description, else its name."""
    said = _notes.decode(annotations)
    text = said.get("summary") or said.get("description") or said.get("message") or name
    line = " ".join(text.split())
    return line if len(line) <= 300 else line[:299] + "…"
