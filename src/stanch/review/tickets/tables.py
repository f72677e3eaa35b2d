"""How the tickets of action items do: when one was asked for, what both sides said last, and what went wrong.

Bookkeeping, not computed from the log: which item has which ticket stands there as `item.linked`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Integer, Table, Text, select

from stanch.kernel.codec import from_data, to_data
from stanch.review.tickets.rules import Known
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant
from stanch.store.upsert import upsert

tickets: Final = Table(
    "tickets",
    metadata,
    Column("incident", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("tracker", Text, nullable=False),
    # What its mark has that nobody guesses; stored before the tracker is asked, as it is what is looked for then.
    Column("key", Text, nullable=False),
    # When making it was first begun, and last; stored before the tracker is asked.
    Column("begun_at", Instant),
    Column("tried_at", Instant),
    Column("known", Document),
    Column("error", Text, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class TicketRow:
    """How the ticket of one item does. `tried_at` is None where the last try is known to have made nothing.

    `key` is the unguessable part of the ticket's mark, empty until it is asked for.
    """

    incident: int
    number: int
    tracker: str
    key: str = ""
    begun_at: datetime | None = None
    tried_at: datetime | None = None
    known: Known | None = None
    error: str = ""


def read_tickets(connection: Connection, incidents: Sequence[int]) -> dict[tuple[int, int], TicketRow]:
    """Return how the tickets of items of `incidents` do, by incident and number."""
    query = select(tickets).where(tickets.c.incident.in_(set(incidents)))
    return {
        (row.incident, row.number): TicketRow(
            incident=row.incident,
            number=row.number,
            tracker=row.tracker,
            key=row.key,
            begun_at=row.begun_at,
            tried_at=row.tried_at,
            known=from_data(row.known, Known) if row.known else None,
            error=row.error,
        )
        for row in connection.execute(query)
    }


def read_ticket(connection: Connection, incident: int, number: int) -> TicketRow | None:
    """Return how the ticket of one item does, None where it has none and none is on its way."""
    return read_tickets(connection, (incident,)).get((incident, number))


def put_ticket(connection: Connection, row: TicketRow) -> None:
    """Store how a ticket does."""
    values = {
        "incident": row.incident,
        "number": row.number,
        "tracker": row.tracker,
        "key": row.key,
        "begun_at": row.begun_at,
        "tried_at": row.tried_at,
        "known": to_data(row.known) if row.known else None,
        "error": row.error[:2000],
    }
    key = ("incident", "number")
    changed = tuple(name for name in values if name not in key)
    connection.execute(upsert(connection, tickets, key=key, changed=changed), values)
