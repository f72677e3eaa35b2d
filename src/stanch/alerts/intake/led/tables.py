"""The table of what alerts from outside led to: one row for each that was looked at, and its statements."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, Table, Text, delete, select
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.intake.subject import LedTo
from stanch.alerts.intake.tables import Key, intake_alerts
from stanch.store.schema import metadata
from stanch.store.types import Instant

intake_led: Final = Table(
    "intake_led",
    metadata,
    Column("alert_id", Key, primary_key=True, autoincrement=False),
    Column("outcome", Text, nullable=False),
    # The silence, the other alert, the service: what the outcome is about.
    Column("detail", Text, nullable=False),
    Column("incident", Integer),
    Column("at", Instant, nullable=False),
    Index("ix_intake_led_incident", "incident"),
)


@dataclass(frozen=True, kw_only=True)
class Led:
    """What one alert led to, when that was decided, and the number of the incident where there is one.

    `at` is the alert's own start where that lies later: whatever starts after it is followed anew.
    """

    outcome: LedTo
    at: datetime
    detail: str = ""
    incident: int | None = None

    @property
    def words(self) -> str:
        """Return it as a person reads it."""
        about = f"INC-{self.incident}" if self.incident is not None else self.detail
        if self.outcome is LedTo.GROUPED:
            return f"grouped into {about}{LedTo.GROUPED.words.removeprefix('grouped into')}"
        return f"{self.outcome.words} {about}".strip()


def led_of(connection: Connection, alert: int) -> Led | None:
    """Return what an alert led to, None where nobody looked."""
    row = connection.execute(select(intake_led).where(intake_led.c.alert_id == alert)).first()
    if row is None:
        return None
    return Led(outcome=LedTo(row.outcome), at=row.at, detail=row.detail, incident=row.incident)


def put_led(connection: Connection, alert: int, led: Led) -> None:
    """Store what an alert led to, over what stood there."""
    insert = postgres_insert if connection.dialect.name == "postgresql" else sqlite_insert
    values = {"outcome": led.outcome.value, "detail": led.detail, "incident": led.incident, "at": led.at}
    statement = insert(intake_led).values(alert_id=alert, **values)
    connection.execute(statement.on_conflict_do_update(index_elements=["alert_id"], set_=values))


def forget_led(connection: Connection, *, before: datetime) -> None:
    """Delete what was decided before an instant about alerts that led to no incident, or that are not stored."""
    connection.execute(delete(intake_led).where(intake_led.c.at < before, intake_led.c.incident.is_(None)))
    gone = intake_led.c.alert_id.not_in(select(intake_alerts.c.id))
    connection.execute(delete(intake_led).where(intake_led.c.at < before, gone))
