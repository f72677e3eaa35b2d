"""The table of heartbeats and its statements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Integer, Table, Text, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.intake.tables import Key, intake_hot
from stanch.store.schema import metadata
from stanch.store.types import Instant

heartbeats: Final = Table(
    "heartbeats",
    metadata,
    Column("name", Text, primary_key=True),
    # When it began to be waited for, and when it was last heard: null where it never was.
    Column("since", Instant, nullable=False),
    Column("beat_at", Instant),
    Column("beats", Integer, nullable=False),
    # The alert from outside that is a beat each time it is told again.
    Column("alert_id", Key),
    Column("missed", Integer, nullable=False),
)


@dataclass(frozen=True, kw_only=True)
class Beat:
    """How one heartbeat stands. `beats` counts those that were heard here and not as an alert."""

    name: str
    since: datetime
    beat_at: datetime | None = None
    beats: int = 0
    alert: int | None = None
    missed: bool = False

    @property
    def heard_at(self) -> datetime:
        """Return when it was last heard; before the first time, when it began to be waited for."""
        return self.beat_at or self.since


def all_beats(connection: Connection) -> dict[str, Beat]:
    """Return every heartbeat that was ever waited for, by name; one that is told as an alert with its last telling."""
    told = select(heartbeats, intake_hot.c.updated_at).select_from(
        heartbeats.outerjoin(intake_hot, intake_hot.c.id == heartbeats.c.alert_id)
    )
    found = {}
    for row in connection.execute(told):
        heard = [one for one in (row.beat_at, row.updated_at) if one is not None]
        found[row.name] = Beat(
            name=row.name,
            since=row.since,
            beat_at=max(heard, default=None),
            beats=row.beats,
            alert=row.alert_id,
            missed=bool(row.missed),
        )
    return found


def put_beat(connection: Connection, beat: Beat) -> None:
    """Store how a heartbeat stands, over what stood there."""
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    values = {
        "since": beat.since,
        "beat_at": beat.beat_at,
        "beats": beat.beats,
        "alert_id": beat.alert,
        "missed": int(beat.missed),
    }
    statement = insert(heartbeats).values(name=beat.name, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["name"], set_=values))
