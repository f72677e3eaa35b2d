"""Where an incident stands at a far end: its room there and the message with its facts, by channel and recipient."""

from dataclasses import dataclass
from typing import Final

from sqlalchemy import Column, ColumnElement, Connection, Integer, Table, Text, and_, insert, select, update

from stanch.store.schema import metadata

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
