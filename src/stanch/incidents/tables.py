"""The projection of incidents that lists and searches read. Computed from the log; `Store.rebuild` makes it again."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, Row, Table, Text, case, insert, select, update

from stanch.incidents import events as ev
from stanch.incidents.model import Severity, Status
from stanch.kernel.event import Event
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant, Serial

incidents: Final = Table(
    "incidents",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("is_open", Integer, nullable=False),
    Column("severity", Integer, nullable=False),
    Column("services", Document, nullable=False),
    Column("declared_at", Instant, nullable=False),
    Column("started_at", Instant, nullable=False),
    Column("resolved_at", Instant),
    Column("channel", Text, nullable=False),
    Column("last_seq", Serial, nullable=False),
    Index("ix_incidents_is_open_severity", "is_open", "severity"),
)


class IncidentProjector:
    """Keeps the table `incidents`."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the one table."""
        return (incidents,)

    def project(self, connection: Connection, event: Event) -> None:
        """Bring the incident's row up to date with `event`."""
        if event.incident is None or event.kind not in ev.EVENT_TYPES:
            return
        if event.kind == ev.Declared.kind:
            record = ev.typed(event)
            if isinstance(record, ev.Declared):
                connection.execute(insert(incidents).values(_row(record, event)))
            return
        changed = {"last_seq": event.seq, **_changes(event)}
        connection.execute(update(incidents).where(incidents.c.number == event.incident).values(changed))


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An incident as lists show it."""

    number: int
    title: str
    status: Status
    severity: Severity
    services: tuple[str, ...]
    declared_at: datetime
    started_at: datetime
    resolved_at: datetime | None
    channel: str

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to work on it."""
        return self.status.is_open


def find(connection: Connection, *, open_only: bool = False, limit: int = 100) -> list[Listed]:
    """Return incidents: open ones first by severity, then the newest."""
    query = select(incidents).order_by(incidents.c.is_open.desc(), incidents.c.severity, incidents.c.number.desc())
    if open_only:
        query = query.where(incidents.c.is_open == 1)
    return [_listed(row) for row in connection.execute(query.limit(limit))]


def resolved_since(connection: Connection, since: datetime) -> list[int]:
    """Return the numbers of the incidents that were resolved after `since` (UTC) and stayed so, the newest first."""
    ended = (incidents.c.status == Status.RESOLVED.value) & (incidents.c.resolved_at > since)
    query = select(incidents.c.number).where(ended).order_by(incidents.c.number.desc())
    return [row.number for row in connection.execute(query)]


def _listed(row: Row[tuple[object, ...]]) -> Listed:
    return Listed(
        number=row.number,
        title=row.title,
        status=Status(row.status),
        severity=Severity(row.severity),
        services=tuple(row.services),
        declared_at=row.declared_at,
        started_at=row.started_at,
        resolved_at=row.resolved_at,
        channel=row.channel,
    )


def _row(record: ev.Declared, event: Event) -> dict[str, object]:
    return {
        "number": record.number,
        "title": record.title,
        "status": Status.DETECTED.value,
        "is_open": 1,
        "severity": record.ruling.severity.value,
        "services": list(record.services),
        "declared_at": event.at,
        "started_at": record.started_at,
        "resolved_at": None,
        "channel": record.channel,
        "last_seq": event.seq,
    }


def _changes(event: Event) -> dict[str, object]:
    record = ev.typed(event)
    match record:
        case ev.Acknowledged():
            # A later status is not undone by a late acknowledgement; the state's own fold says the same.
            now = incidents.c.status
            return {"status": case((now == Status.DETECTED.value, Status.ACKNOWLEDGED.value), else_=now)}
        case ev.StatusChanged(status=status):
            return {"status": status.value, "is_open": int(status.is_open)}
        case ev.OnsetEstimated(at=at):
            return {"started_at": at}
        case ev.SeverityChanged(ruling=ruling):
            return {"severity": ruling.severity.value}
        case ev.Resolved():
            return {"status": Status.RESOLVED.value, "is_open": 0, "resolved_at": event.at}
        case ev.Reopened():
            return {"status": Status.INVESTIGATING.value, "is_open": 1, "resolved_at": None}
        case ev.Dismissed(merged_into=merged_into):
            status = Status.DISMISSED if merged_into is None else Status.MERGED
            return {"status": status.value, "is_open": 0}
        case _:
            return {}
