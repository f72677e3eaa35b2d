"""Tables of the catalog: changes that were read from change sources or reported. One row per change, kept by its id."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Table, Text, insert, or_, select, update

from stanch.kernel.codec import from_data, to_data
from stanch.ports.changes import Change
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant

_BATCH: Final = 500
"""Ids looked up in one statement; SQLite takes 32,766 variables, so this is far from any limit."""

changes: Final = Table(
    "changes",
    metadata,
    Column("id", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("kind", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("record", Document, nullable=False),
    Column("recorded_at", Instant, nullable=False),
    Index("ix_changes_at", "at"),
    Index("ix_changes_service_at", "service", "at"),
)


def known_changes(connection: Connection, ids: Sequence[str]) -> dict[str, Change]:
    """Return those of the changes `ids` that are stored, by id."""
    found: dict[str, Change] = {}
    for start in range(0, len(ids), _BATCH):
        query = select(changes.c.id, changes.c.record).where(changes.c.id.in_(list(ids[start : start + _BATCH])))
        found |= {row.id: from_data(row.record, Change) for row in connection.execute(query)}
    return found


def add_change(connection: Connection, change: Change, *, now: datetime) -> None:
    """Store a change whose id is not stored yet."""
    row = {
        "id": change.id,
        "at": change.at,
        "kind": change.kind.value,
        "service": change.service,
        "record": to_data(change),
        "recorded_at": now,
    }
    connection.execute(insert(changes).values(row))


def rewrite_change(connection: Connection, change: Change) -> None:
    """Replace what is stored of a change by a more complete record."""
    values = {"record": to_data(change), "service": change.service}
    connection.execute(update(changes).where(changes.c.id == change.id).values(values))


def find_changes(
    connection: Connection, *, start: datetime, end: datetime, services: Sequence[str], limit: int
) -> list[Change]:
    """Return the newest `limit` changes in [start, end), oldest first: of `services` and those that name none."""
    query = select(changes.c.record).where(changes.c.at >= start, changes.c.at < end)
    if services:
        query = query.where(or_(changes.c.service.in_(list(services)), changes.c.service == ""))
    rows = connection.execute(query.order_by(changes.c.at.desc(), changes.c.id.desc()).limit(limit))
    return [from_data(row.record, Change) for row in rows][::-1]


def find_latest(connection: Connection, *, service: str) -> Change | None:
    """Return the newest change of `service`."""
    query = select(changes.c.record).where(changes.c.service == service)
    found = connection.execute(query.order_by(changes.c.at.desc(), changes.c.id.desc()).limit(1)).scalar_one_or_none()
    return from_data(found, Change) if found is not None else None
