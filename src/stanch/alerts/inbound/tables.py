"""Tables of what senders posted. Raw messages are kept for a while; figures and open alerts stay."""

import zlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from sqlalchemy import (
    Column,
    Connection,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
    delete,
    func,
    or_,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.inbound.model import Delivery, SenderFigures, Standing
from stanch.store.schema import metadata
from stanch.store.types import Instant, Serial

KEPT_FOR: Final = timedelta(days=14)
"""How long raw messages and alerts that are over are kept."""

MOST_MESSAGES: Final = 20_000
"""So many raw messages are kept at most: 100 MB where each takes 5 kB."""

_PRUNE_EVERY: Final = 256

inbound: Final = Table(
    "inbound",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    # Null where the sender gives none: then nothing tells a repetition from a new message.
    Column("delivery", Text),
    Column("received_at", Instant, nullable=False),
    Column("content_type", Text, nullable=False),
    Column("alerts", Integer, nullable=False),
    Column("changes", Integer, nullable=False),
    Column("remark", Text, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("uq_inbound_source_delivery", "source", "delivery", unique=True),
    Index("ix_inbound_received_at", "received_at"),
)

inbound_alerts: Final = Table(
    "inbound_alerts",
    metadata,
    Column("source", Text, primary_key=True),
    Column("identity", LargeBinary, primary_key=True),
    Column("labels", Text, nullable=False),
    Column("annotations", Text, nullable=False),
    Column("url", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("is_firing", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
)

inbound_sources: Final = Table(
    "inbound_sources",
    metadata,
    Column("name", Text, primary_key=True),
    Column("first_seen", Instant),
    Column("last_seen", Instant),
    Column("deliveries", Integer, nullable=False, default=0),
    Column("duplicates", Integer, nullable=False, default=0),
    Column("alerts", Integer, nullable=False, default=0),
    Column("changes", Integer, nullable=False, default=0),
    Column("refused", Integer, nullable=False, default=0),
    Column("invalid", Integer, nullable=False, default=0),
    Column("last_error", Text, nullable=False, default=""),
    Column("last_error_at", Instant),
)


def keep(connection: Connection, one: Delivery) -> bool:
    """Store a message; False when one with this id of this source is there already."""
    row = {
        "source": one.source,
        "delivery": one.delivery or None,
        "received_at": one.received_at,
        "content_type": one.content_type,
        "alerts": one.alerts,
        "changes": one.changes,
        "remark": one.remark,
        "body": zlib.compress(one.body, 1),
    }
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert(inbound).values(row).on_conflict_do_nothing(index_elements=["source", "delivery"])
    id = connection.execute(statement.returning(inbound.c.id)).scalar_one_or_none()
    if id is not None and id % _PRUNE_EVERY == 0:
        prune(connection, now=one.received_at)
    return id is not None


def body_of(connection: Connection, id: int) -> bytes:
    """Return what is kept of a message."""
    return zlib.decompress(connection.execute(select(inbound.c.body).where(inbound.c.id == id)).scalar_one())


def standing(connection: Connection, *, source: str, identities: Sequence[bytes]) -> dict[bytes, Standing]:
    """Return how the alerts of `source` with these identities stand; those never seen are left out."""
    found = {}
    for start in range(0, len(identities), 500):
        part = list(identities[start : start + 500])
        query = select(inbound_alerts).where(
            and_(inbound_alerts.c.source == source, inbound_alerts.c.identity.in_(part))
        )
        for row in connection.execute(query):
            found[row.identity] = Standing(
                source=row.source,
                identity=row.identity,
                labels=_texts(row.labels),
                annotations=_texts(row.annotations),
                url=row.url,
                starts_at=row.starts_at,
                is_firing=bool(row.is_firing),
                updated_at=row.updated_at,
            )
    return found


def put_standing(connection: Connection, many: Sequence[Standing]) -> None:
    """Store how alerts stand, over what was there."""
    rows = [
        {
            "source": one.source,
            "identity": one.identity,
            "labels": msgspec.json.encode(one.labels).decode(),
            "annotations": msgspec.json.encode(one.annotations).decode(),
            "url": one.url,
            "starts_at": one.starts_at,
            "is_firing": int(one.is_firing),
            "updated_at": one.updated_at,
        }
        for one in many
    ]
    if not rows:
        return
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert(inbound_alerts)
    written = {name: statement.excluded[name] for name in rows[0] if name not in ("source", "identity")}
    connection.execute(statement.on_conflict_do_update(index_elements=["source", "identity"], set_=written), rows)


def count(connection: Connection, name: str, *, seen_at: datetime | None, **more: int) -> None:
    """Add to the figures of a source; `more` are the counts by their column. `seen_at` is when it was heard."""
    _ensure(connection, name)
    values: dict[str, object] = {key: inbound_sources.c[key] + value for key, value in more.items() if value}
    if seen_at is not None:
        values["last_seen"] = seen_at
    connection.execute(update(inbound_sources).where(inbound_sources.c.name == name).values(values))
    if seen_at is not None:
        first = and_(inbound_sources.c.name == name, inbound_sources.c.first_seen.is_(None))
        connection.execute(update(inbound_sources).where(first).values(first_seen=seen_at))


def count_trouble(connection: Connection, name: str, *, what: str, times: int, message: str, at: datetime) -> None:
    """Count messages of a source that were not taken; `what` is the column `refused` or `invalid`."""
    _ensure(connection, name)
    column = inbound_sources.c[what]
    values = {what: column + times, "last_error": message, "last_error_at": at}
    connection.execute(update(inbound_sources).where(inbound_sources.c.name == name).values(values))


def figures(connection: Connection) -> dict[str, SenderFigures]:
    """Return the figures of every source that was ever heard, by name."""
    rows = connection.execute(select(inbound_sources).order_by(inbound_sources.c.name)).mappings()
    return {str(row["name"]): SenderFigures(**row) for row in rows}


def _ensure(connection: Connection, name: str) -> None:
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    connection.execute(insert(inbound_sources).values(name=name).on_conflict_do_nothing(index_elements=["name"]))


def prune(connection: Connection, *, now: datetime) -> None:
    """Delete raw messages that are old or too many, and alerts of senders that are long over."""
    before = now - KEPT_FOR
    newest = select(func.coalesce(func.max(inbound.c.id), 0) - MOST_MESSAGES).scalar_subquery()
    connection.execute(delete(inbound).where(or_(inbound.c.received_at < before, inbound.c.id <= newest)))
    over = and_(inbound_alerts.c.is_firing == 0, inbound_alerts.c.updated_at < before)
    connection.execute(delete(inbound_alerts).where(over))


def _texts(text: str) -> Mapping[str, str]:
    return msgspec.json.decode(text, type=dict[str, str])
