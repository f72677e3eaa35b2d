"""The table of alerts that opened again lately, and its statements. Most alerts never get a row."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import BigInteger, Column, Connection, Index, LargeBinary, Table, delete, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.intake.flapping import Turns
from stanch.alerts.intake.groups.tables import pack, unpack
from stanch.alerts.intake.tables import Key
from stanch.store.schema import metadata
from stanch.store.types import from_micros, to_micros

_AT_ONCE: Final = 500

intake_flaps: Final = Table(
    "intake_flaps",
    metadata,
    Column("alert_id", Key, primary_key=True, autoincrement=False),
    # Instants in microseconds, 8 bytes each.
    Column("openings", LargeBinary, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("since", BigInteger, nullable=False),
    Column("until", BigInteger, nullable=False),
    Index("ix_intake_flaps_until", "until"),
)


def turns_of(connection: Connection, alerts: Sequence[int]) -> dict[int, Turns]:
    """Return how alerts that opened again lately stand; the others are left out."""
    found = {}
    for start in range(0, len(alerts), _AT_ONCE):
        part = list(alerts[start : start + _AT_ONCE])
        for row in connection.execute(select(intake_flaps).where(intake_flaps.c.alert_id.in_(part))):
            found[row.alert_id] = Turns(openings=tuple(sorted(unpack(row.openings))), since=row.since, until=row.until)
    return found


def put_turns(connection: Connection, turns: Mapping[int, Turns]) -> None:
    """Store how alerts stand, over what stood there."""
    rows = [
        {
            "alert_id": alert,
            "openings": pack(one.openings),
            "last_at": one.openings[-1],
            "since": one.since,
            "until": one.until,
        }
        for alert, one in turns.items()
    ]
    if not rows:
        return
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    statement = insert(intake_flaps)
    changed = {name: statement.excluded[name] for name in rows[0] if name != "alert_id"}
    connection.execute(statement.on_conflict_do_update(index_elements=["alert_id"], set_=changed), rows)


def flapping_at(connection: Connection, now: datetime) -> dict[int, datetime]:
    """Return the alerts that flap at `now`, with since when."""
    query = select(intake_flaps.c.alert_id, intake_flaps.c.since).where(intake_flaps.c.until > to_micros(now))
    return {row.alert_id: from_micros(row.since) for row in connection.execute(query)}


def flaps_until(connection: Connection, alert: int) -> datetime | None:
    """Return until when an alert flaps, or did, None where it never has."""
    query = select(intake_flaps.c.until).where(intake_flaps.c.alert_id == alert)
    found = connection.execute(query).scalar_one_or_none()
    return from_micros(found) if found else None


def forget_turns(connection: Connection, *, before: datetime) -> None:
    """Delete what last opened again before an instant."""
    connection.execute(delete(intake_flaps).where(intake_flaps.c.last_at < to_micros(before)))
