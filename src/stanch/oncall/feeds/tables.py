"""The addresses of feeds. A calendar program cannot log in, so the address is the secret: random, and it can be ended.

A stored random token and not a signature over the name: it can be taken back one by one, and tells nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Row, Table, Text, insert, select, update

from stanch.store.schema import metadata
from stanch.store.types import Instant

feeds: Final = Table(
    "oncall_feeds",
    metadata,
    Column("token", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("ended_at", Instant),
)


@dataclass(frozen=True, kw_only=True)
class Feed:
    """One address: the shifts of a `person`, or of a `schedule`, of that name."""

    token: str
    kind: str
    name: str
    made_by: str
    made_at: datetime


def add_feed(connection: Connection, feed: Feed) -> None:
    """Store a new address."""
    connection.execute(insert(feeds).values({**vars(feed), "ended_at": None}))


def find_feed(connection: Connection, token: str) -> Feed | None:
    """Return what an address is of, None when it is not good (any more)."""
    row = connection.execute(select(feeds).where(feeds.c.token == token, feeds.c.ended_at.is_(None))).first()
    return _feed(row) if row else None


def feeds_of(connection: Connection, *, kind: str, name: str) -> list[Feed]:
    """Return the addresses that are good, oldest first."""
    query = select(feeds).where(feeds.c.kind == kind, feeds.c.name == name, feeds.c.ended_at.is_(None))
    return [_feed(row) for row in connection.execute(query.order_by(feeds.c.made_at, feeds.c.token))]


def end_feeds(connection: Connection, *, kind: str, name: str, at: datetime) -> int:
    """End all addresses of a feed and return how many there were."""
    held = (feeds.c.kind == kind) & (feeds.c.name == name) & feeds.c.ended_at.is_(None)
    return connection.execute(update(feeds).where(held).values(ended_at=at)).rowcount


def _feed(row: Row[tuple[object, ...]]) -> Feed:
    return Feed(token=row.token, kind=row.kind, name=row.name, made_by=row.made_by, made_at=row.made_at)
