"""What the last look of every check handed on, and how it went."""

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Column, Connection, Integer, Row, Table, Text, delete, select

from stanch.alerts.model import Seeing
from stanch.alerts.tables import insert_into
from stanch.kernel.event import JSON
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant

cursors: Final = Table(
    "cursors",
    metadata,
    Column("check", Text, primary_key=True),
    Column("service", Text, nullable=False),
    Column("sampler", Text, nullable=False),
    Column("target", Text, nullable=False),
    Column("cursor", Document, nullable=False),
    Column("looked_at", Instant, nullable=False),
    Column("seen_at", Instant),
    Column("trouble", Text, nullable=False),
    Column("troubled_since", Instant),
    Column("troubles", Integer, nullable=False),
)


def cursor_of(connection: Connection, check: str, *, sampler: str, target: str) -> dict[str, JSON]:
    """Return what the check's last look handed on; empty when there was none or it looked at something else."""
    query = select(cursors).where(cursors.c.check == check)
    row = connection.execute(query).one_or_none()
    if row is None or (row.sampler, row.target) != (sampler, target):
        return {}
    cursor: dict[str, JSON] = row.cursor
    return cursor


def seeing_of(connection: Connection, check: str) -> Seeing | None:
    """Return how a check has been getting on, None when it has not looked yet."""
    row = connection.execute(select(cursors).where(cursors.c.check == check)).one_or_none()
    return _seeing(row) if row is not None else None


def find_seeing(connection: Connection) -> list[Seeing]:
    """Return how every check has been getting on, in the order of their names."""
    return [_seeing(row) for row in connection.execute(select(cursors).order_by(cursors.c.check))]


def save_cursor(connection: Connection, seeing: Seeing, cursor: Mapping[str, JSON]) -> None:
    """Store what a look handed on and how it went."""
    row: dict[str, object] = {
        "check": seeing.check,
        "service": seeing.service,
        "sampler": seeing.sampler,
        "target": seeing.target,
        "looked_at": seeing.looked_at,
        "seen_at": seeing.seen_at,
        "trouble": seeing.trouble,
        "troubled_since": seeing.troubled_since,
        "troubles": seeing.troubles,
        "cursor": dict(cursor),
    }
    changed = {name: value for name, value in row.items() if name != "check"}
    statement = insert_into(connection, cursors).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["check"], set_=changed))


def forget_cursors(connection: Connection, *, keep: Sequence[str]) -> int:
    """Delete the cursors of all checks but `keep`; return how many there were."""
    return connection.execute(delete(cursors).where(cursors.c.check.not_in(list(keep)))).rowcount


def _seeing(row: Row[tuple[object, ...]]) -> Seeing:
    return Seeing(
        check=row.check,
        service=row.service,
        sampler=row.sampler,
        target=row.target,
        looked_at=row.looked_at,
        seen_at=row.seen_at,
        trouble=row.trouble,
        troubled_since=row.troubled_since,
        troubles=row.troubles,
    )
