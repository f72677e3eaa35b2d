"""Tables of overrides, swaps, time off and fetched calendars. Nothing is deleted: what is taken back says so."""

from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Row, Table, Text, and_, insert, or_, select, update
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.oncall.model import Absence, Override, Span
from stanch.oncall.overrides.model import AbsenceRecord, CalendarText, OverrideRecord, Swap, SwapState
from stanch.store.schema import metadata
from stanch.store.types import Instant

overrides: Final = Table(
    "oncall_overrides",
    metadata,
    Column("id", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    Column("person", Text, nullable=False),
    Column("instead_of", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("why", Text, nullable=False),
    Column("swap", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("via", Text, nullable=False),
    Column("cancelled_at", Instant),
    Column("cancelled_by", Text, nullable=False),
    Index("ix_oncall_overrides_ends_at", "ends_at"),
)

swaps: Final = Table(
    "oncall_swaps",
    metadata,
    Column("id", Text, primary_key=True),
    Column("schedule", Text, nullable=False),
    Column("giver", Text, nullable=False),
    Column("taker", Text, nullable=False),
    Column("give_start", Instant, nullable=False),
    Column("give_end", Instant, nullable=False),
    Column("take_start", Instant),
    Column("take_end", Instant),
    Column("why", Text, nullable=False),
    Column("proposed_by", Text, nullable=False),
    Column("proposed_at", Instant, nullable=False),
    Column("via", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text, nullable=False),
    Column("decided_at", Instant),
    Index("ix_oncall_swaps_give_end", "give_end"),
)

absences: Final = Table(
    "oncall_absences",
    metadata,
    Column("id", Text, primary_key=True),
    Column("person", Text, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("ends_at", Instant, nullable=False),
    Column("what", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("via", Text, nullable=False),
    Column("cancelled_at", Instant),
    Index("ix_oncall_absences_ends_at", "ends_at"),
)

calendars: Final = Table(
    "oncall_calendars",
    metadata,
    Column("place", Text, primary_key=True),
    Column("text", Text, nullable=False),
    Column("fetched_at", Instant),
    Column("tried_at", Instant, nullable=False),
    Column("error", Text, nullable=False),
)


def add_override(connection: Connection, record: OverrideRecord) -> None:
    """Store a new override."""
    one = record.override
    row = {
        "id": one.id,
        "schedule": one.schedule,
        "person": one.person,
        "instead_of": one.instead_of,
        "starts_at": one.start,
        "ends_at": one.end,
        "why": one.why,
        "swap": record.swap,
        "made_by": record.made_by,
        "made_at": record.made_at,
        "via": record.via,
        "cancelled_at": None,
        "cancelled_by": "",
    }
    connection.execute(insert(overrides).values(row))


def cancel_override(connection: Connection, id: str, *, by: str, at: datetime) -> bool:
    """Take an override back; False when there is none that holds."""
    held = and_(overrides.c.id == id, overrides.c.cancelled_at.is_(None))
    done = connection.execute(update(overrides).where(held).values(cancelled_at=at, cancelled_by=by))
    return done.rowcount == 1


def find_override(connection: Connection, id: str) -> OverrideRecord | None:
    """Return one override, None when there is none."""
    row = connection.execute(select(overrides).where(overrides.c.id == id)).first()
    return _override(row) if row else None


def overrides_between(connection: Connection, *, start: datetime, end: datetime) -> list[OverrideRecord]:
    """Return the overrides that hold and touch the time from `start` to `end`, oldest decision first."""
    query = select(overrides).where(
        overrides.c.ends_at > start, overrides.c.starts_at < end, overrides.c.cancelled_at.is_(None)
    )
    return [_override(row) for row in connection.execute(query.order_by(overrides.c.made_at, overrides.c.id))]


def add_swap(connection: Connection, swap: Swap) -> None:
    """Store a new swap."""
    row = {
        "id": swap.id,
        "schedule": swap.schedule,
        "giver": swap.giver,
        "taker": swap.taker,
        "give_start": swap.give.start,
        "give_end": swap.give.end,
        "take_start": swap.take.start if swap.take else None,
        "take_end": swap.take.end if swap.take else None,
        "why": swap.why,
        "proposed_by": swap.proposed_by,
        "proposed_at": swap.proposed_at,
        "via": swap.via,
        "state": swap.state.value,
        "decided_by": swap.decided_by,
        "decided_at": swap.decided_at,
    }
    connection.execute(insert(swaps).values(row))


def decide_swap(connection: Connection, id: str, *, state: SwapState, by: str, at: datetime) -> bool:
    """Say how a proposed swap ended; False when somebody else has decided before."""
    held = and_(swaps.c.id == id, swaps.c.state == SwapState.PROPOSED.value)
    done = connection.execute(update(swaps).where(held).values(state=state.value, decided_by=by, decided_at=at))
    return done.rowcount == 1


def find_swap(connection: Connection, id: str) -> Swap | None:
    """Return one swap, None when there is none."""
    row = connection.execute(select(swaps).where(swaps.c.id == id)).first()
    return _swap(row) if row else None


def swaps_since(connection: Connection, since: datetime, *, person: str = "") -> list[Swap]:
    """Return the swaps of shifts that end after `since`, oldest first; of one person, if one is named."""
    query = select(swaps).where(swaps.c.give_end > since)
    if person:
        query = query.where(or_(swaps.c.giver == person, swaps.c.taker == person))
    return [_swap(row) for row in connection.execute(query.order_by(swaps.c.proposed_at, swaps.c.id))]


def add_absence(connection: Connection, record: AbsenceRecord) -> None:
    """Store time off."""
    row = {
        "id": record.id,
        "person": record.absence.person,
        "starts_at": record.absence.start,
        "ends_at": record.absence.end,
        "what": record.absence.what,
        "made_by": record.made_by,
        "made_at": record.made_at,
        "via": record.via,
        "cancelled_at": None,
    }
    connection.execute(insert(absences).values(row))


def cancel_absence(connection: Connection, id: str, *, at: datetime) -> bool:
    """Take time off back; False when there is none that holds."""
    held = and_(absences.c.id == id, absences.c.cancelled_at.is_(None))
    return connection.execute(update(absences).where(held).values(cancelled_at=at)).rowcount == 1


def absences_between(connection: Connection, *, start: datetime, end: datetime) -> list[AbsenceRecord]:
    """Return the time off that holds and touches the time from `start` to `end`, in order of time."""
    query = select(absences).where(
        absences.c.ends_at > start, absences.c.starts_at < end, absences.c.cancelled_at.is_(None)
    )
    return [_absence(row) for row in connection.execute(query.order_by(absences.c.starts_at, absences.c.id))]


def put_calendar(connection: Connection, calendar: CalendarText) -> None:
    """Store what was read from a calendar, over what was there."""
    make = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    values = {
        "place": calendar.place,
        "text": calendar.text,
        "fetched_at": calendar.fetched_at,
        "tried_at": calendar.tried_at,
        "error": calendar.error,
    }
    changed = {name: value for name, value in values.items() if name != "place"}
    connection.execute(make(calendars).values(values).on_conflict_do_update(index_elements=["place"], set_=changed))


def find_calendars(connection: Connection) -> dict[str, CalendarText]:
    """Return every calendar that was ever fetched, by its place."""
    return {
        row.place: CalendarText(
            place=row.place, text=row.text, fetched_at=row.fetched_at, tried_at=row.tried_at, error=row.error
        )
        for row in connection.execute(select(calendars))
    }


def _override(row: Row[tuple[object, ...]]) -> OverrideRecord:
    return OverrideRecord(
        override=Override(
            id=row.id,
            schedule=row.schedule,
            person=row.person,
            instead_of=row.instead_of,
            start=row.starts_at,
            end=row.ends_at,
            why=row.why,
        ),
        made_by=row.made_by,
        made_at=row.made_at,
        via=row.via,
        swap=row.swap,
        cancelled_at=row.cancelled_at,
        cancelled_by=row.cancelled_by,
    )


def _swap(row: Row[tuple[object, ...]]) -> Swap:
    return Swap(
        id=row.id,
        schedule=row.schedule,
        giver=row.giver,
        taker=row.taker,
        give=Span(start=row.give_start, end=row.give_end),
        take=Span(start=row.take_start, end=row.take_end) if row.take_start else None,
        why=row.why,
        proposed_by=row.proposed_by,
        proposed_at=row.proposed_at,
        via=row.via,
        state=SwapState(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
    )


def _absence(row: Row[tuple[object, ...]]) -> AbsenceRecord:
    return AbsenceRecord(
        id=row.id,
        absence=Absence(person=row.person, start=row.starts_at, end=row.ends_at, what=row.what),
        made_by=row.made_by,
        made_at=row.made_at,
        via=row.via,
        cancelled_at=row.cancelled_at,
    )
