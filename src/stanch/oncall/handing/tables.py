"""Tables of handoffs and of the checklist before a shift."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, Row, Table, Text, and_, delete, insert, select, update

from stanch.oncall.handing.model import Handoff, HandoffState, Tick
from stanch.store.schema import metadata
from stanch.store.types import Instant

handoffs: Final = Table(
    "oncall_handoffs",
    metadata,
    Column("id", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    Column("giver", Text, nullable=False),
    Column("taker", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("text", Text, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("drafted_at", Instant, nullable=False),
    Column("edited_by", Text, nullable=False),
    Column("edited_at", Instant),
    Column("accepted_by", Text, nullable=False),
    Column("accepted_at", Instant),
    Column("sent_at", Instant),
    Column("sent_to", Text, nullable=False),
    Index("ix_oncall_handoffs_schedule_at", "schedule", "at"),
)

ticks: Final = Table(
    "oncall_ticks",
    metadata,
    Column("schedule", Text, primary_key=True),
    Column("person", Text, primary_key=True),
    Column("shift", Instant, primary_key=True),
    Column("item", Text, primary_key=True),
    Column("done_by", Text, nullable=False),
    Column("done_at", Instant, nullable=False),
)


def add_handoff(connection: Connection, handoff: Handoff) -> None:
    """Store a new handoff."""
    connection.execute(insert(handoffs).values(_row(handoff)))


def write_handoff(connection: Connection, handoff: Handoff, *, over: int) -> bool:
    """Store a handoff over its revision `over`; False when somebody else has changed it in the meantime."""
    held = and_(handoffs.c.id == handoff.id, handoffs.c.revision == over)
    return connection.execute(update(handoffs).where(held).values(_row(handoff))).rowcount == 1


def find_handoff(connection: Connection, id: str) -> Handoff | None:
    """Return one handoff, None when there is none."""
    row = connection.execute(select(handoffs).where(handoffs.c.id == id)).first()
    return _handoff(row) if row else None


def latest_handoffs(connection: Connection, *, schedule: str = "", limit: int = 20) -> list[Handoff]:
    """Return the newest handoffs, of one schedule if one is named, newest first."""
    query = select(handoffs).order_by(handoffs.c.at.desc(), handoffs.c.id.desc()).limit(limit)
    if schedule:
        query = query.where(handoffs.c.schedule == schedule)
    return [_handoff(row) for row in connection.execute(query)]


def put_tick(connection: Connection, tick: Tick, *, done: bool) -> None:
    """Store that an item was done, or that it was not after all."""
    held = and_(
        ticks.c.schedule == tick.schedule,
        ticks.c.person == tick.person,
        ticks.c.shift == tick.shift,
        ticks.c.item == tick.item,
    )
    connection.execute(delete(ticks).where(held))
    if done:
        connection.execute(insert(ticks).values(vars(tick)))


def find_ticks(connection: Connection, *, schedule: str, person: str, shift: datetime) -> list[Tick]:
    """Return what was done before a shift."""
    held = and_(ticks.c.schedule == schedule, ticks.c.person == person, ticks.c.shift == shift)
    return [
        Tick(
            schedule=row.schedule,
            person=row.person,
            shift=row.shift,
            item=row.item,
            done_by=row.done_by,
            done_at=row.done_at,
        )
        for row in connection.execute(select(ticks).where(held))
    ]


def _row(handoff: Handoff) -> dict[str, object]:
    return {**vars(handoff), "state": handoff.state.value, "sent_to": " ".join(handoff.sent_to)}


def _handoff(row: Row[tuple[object, ...]]) -> Handoff:
    return Handoff(
        id=row.id,
        schedule=row.schedule,
        giver=row.giver,
        taker=row.taker,
        at=row.at,
        text=row.text,
        revision=row.revision,
        state=HandoffState(row.state),
        drafted_at=row.drafted_at,
        edited_by=row.edited_by,
        edited_at=row.edited_at,
        accepted_by=row.accepted_by,
        accepted_at=row.accepted_at,
        sent_at=row.sent_at,
        sent_to=tuple(row.sent_to.split()),
    )
