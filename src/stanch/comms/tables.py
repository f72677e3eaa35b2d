"""Where an incident stands at a far end, by channel and recipient; what chats asked and do not wait for."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Integer,
    Table,
    Text,
    and_,
    delete,
    insert,
    or_,
    select,
    update,
)

from stanch.kernel.event import JSON
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant
from stanch.store.upsert import upsert

places: Final = Table(
    "comms_places",
    metadata,
    Column("channel", Text, primary_key=True),
    Column("incident", Integer, primary_key=True),
    # Empty for whoever reads the channel; else the one recipient, who may have a thread of their own.
    Column("recipient", Text, primary_key=True),
    Column("place", Text, nullable=False),
    Column("pinned", Text, nullable=False),
)

asks: Final = Table(
    "chat_asks",
    metadata,
    Column("channel", Text, primary_key=True),
    # What the far end calls the request; the same when it is sent again.
    Column("key", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    # Nothing once it is done: it holds addresses that whoever has them may answer to.
    Column("asked", Document),
    Column("begun_at", Instant),
    Column("done_at", Instant),
)

KEPT_FOR: Final = timedelta(days=2)
"""How long it is remembered that something was asked: far ends give up sending again after hours."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Something that a chat asked. `was_begun` says that who began it did not finish."""

    key: str
    at: datetime
    asked: JSON
    was_begun: bool


@dataclass(frozen=True, kw_only=True)
class Place:
    """`place` is the far end's name of the room, `pinned` its reference of the message with the facts."""

    place: str = ""
    pinned: str = ""


def place_of(connection: Connection, *, channel: str, incident: int, recipient: str = "") -> Place:
    """Return where an incident stands at a channel; empty where it does not yet."""
    query = select(places.c.place, places.c.pinned).where(_key(channel, incident, recipient))
    row = connection.execute(query).first()
    return Place(place=row.place, pinned=row.pinned) if row else Place()


def keep_place(
    connection: Connection, *, channel: str, incident: int, recipient: str = "", place: str = "", pinned: str = ""
) -> None:
    """Remember where an incident stands; what is empty stays as it is known."""
    known = place_of(connection, channel=channel, incident=incident, recipient=recipient)
    values = {"place": place or known.place, "pinned": pinned or known.pinned}
    if values == {"place": known.place, "pinned": known.pinned}:
        return
    if known == Place():
        connection.execute(insert(places).values(channel=channel, incident=incident, recipient=recipient, **values))
    else:
        connection.execute(update(places).where(_key(channel, incident, recipient)).values(**values))


def incident_at(connection: Connection, *, channel: str, place: str) -> int | None:
    """Return the newest incident whose room at a channel this is; None for a room of none."""
    query = select(places.c.incident).where(and_(places.c.channel == channel, places.c.place == place))
    found: int | None = connection.execute(query.order_by(places.c.incident.desc()).limit(1)).scalar_one_or_none()
    return found


def _key(channel: str, incident: int, recipient: str) -> ColumnElement[bool]:
    return and_(places.c.channel == channel, places.c.incident == incident, places.c.recipient == recipient)


def keep_ask(connection: Connection, *, channel: str, key: str, asked: JSON, at: datetime) -> bool:
    """Keep what a chat asks; False where it is known already."""
    unknown = upsert(connection, asks, key=("channel", "key"), changed=()).returning(asks.c.key)
    given = {"channel": channel, "key": key, "at": at, "asked": asked}
    return connection.execute(unknown, given).first() is not None


def next_ask(connection: Connection, *, channel: str, now: datetime, given_up: timedelta) -> Ask | None:
    """Take the oldest that nobody does, or that somebody began longer than `given_up` ago; None where there is none."""
    free = or_(asks.c.begun_at.is_(None), asks.c.begun_at < now - given_up)
    open_ones = and_(asks.c.channel == channel, asks.c.done_at.is_(None), free)
    row = connection.execute(select(asks).where(open_ones).order_by(asks.c.at, asks.c.key).limit(1)).first()
    if row is None:
        return None
    # The guard stays in the outer WHERE: two nodes may have read the same row.
    taken = update(asks).where(asks.c.key == row.key, open_ones).values(begun_at=now)
    if connection.execute(taken).rowcount != 1:
        return None
    return Ask(key=row.key, at=row.at, asked=row.asked, was_begun=row.begun_at is not None)


def end_ask(connection: Connection, *, channel: str, key: str, now: datetime) -> None:
    """Note that it is done, and forget what it was."""
    connection.execute(update(asks).where(asks.c.channel == channel, asks.c.key == key).values(done_at=now, asked=None))


def forget_asks(connection: Connection, *, now: datetime) -> None:
    """Forget what was asked longer ago than it is kept."""
    connection.execute(delete(asks).where(asks.c.at < now - KEPT_FOR))
