"""Tables of alerts and of the conditions they are judged by, with the few lines both databases differ in.

Samples, errors seen in logs and the cursors of checks have tables of their own, in `samples`, `errors` and `looks`.
Functions take a connection inside the caller's transaction and behave alike on both databases.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import msgspec
from sqlalchemy import Column, Connection, Index, Integer, Row, Table, Text, select
from sqlalchemy.dialects.postgresql import Insert as PostgresInsert
from sqlalchemy.dialects.postgresql import insert as postgres_insert
from sqlalchemy.dialects.sqlite import Insert as SqliteInsert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from stanch.alerts.board.model import placed_own
from stanch.alerts.board.tables import put
from stanch.alerts.model import Alert, AlertStatus, Condition, Measured, Metric, Outcome
from stanch.kernel.codec import from_data, to_data
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant, Serial

conditions: Final = Table(
    "conditions",
    metadata,
    Column("service", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("labels", Text, primary_key=True),
    Column("at", Instant, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("measured", Document),
    Column("breached_since", Instant),
    Column("well_since", Instant),
)

alerts: Final = Table(
    "alerts",
    metadata,
    Column("id", Text, primary_key=True),
    Column("fingerprint", Text, nullable=False),
    Column("service", Text, nullable=False),
    Column("metric", Text, nullable=False),
    Column("labels", Document, nullable=False),
    Column("status", Text, nullable=False),
    Column("measured", Document, nullable=False),
    Column("starts_at", Instant, nullable=False),
    Column("starts_low", Instant, nullable=False),
    Column("starts_high", Instant, nullable=False),
    Column("detected_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("title", Text, nullable=False),
    Column("summary", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("trend", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("failed_requests", Serial, nullable=False),
    Column("total_requests", Serial, nullable=False),
    Column("openings", Integer, nullable=False),
    Column("quiet", Text, nullable=False),
    Index("ix_alerts_status_service", "status", "service"),
    Index("ix_alerts_fingerprint_detected_at", "fingerprint", "detected_at"),
    Index("ix_alerts_service_ended_at", "service", "ended_at"),
)


def labels_text(labels: Mapping[str, str]) -> str:
    """Return labels as one text, equal for equal labels: JSON with sorted keys, empty for none."""
    return msgspec.json.encode(dict(sorted(labels.items()))).decode() if labels else ""


def labels_of(text: str) -> dict[str, str]:
    """Return the labels that `labels_text` wrote."""
    return msgspec.json.decode(text, type=dict[str, str]) if text else {}


def insert_into(connection: Connection, table: Table) -> PostgresInsert | SqliteInsert:
    """Return an insert that can say what happens on a conflict, for the database of `connection`."""
    return postgres_insert(table) if connection.dialect.name == "postgresql" else sqlite_insert(table)


def store_conditions(connection: Connection, found: Sequence[Condition]) -> None:
    """Store how conditions stand; one row each, the newest."""
    if not found:
        return
    rows = [
        {
            "service": one.service,
            "metric": one.metric.value,
            "labels": labels_text(one.labels),
            "at": one.at,
            "outcome": one.outcome.value,
            "detail": one.detail,
            "measured": to_data(one.measured) if one.measured else None,
            "breached_since": one.breached_since,
            "well_since": one.well_since,
        }
        for one in found
    ]
    statement = insert_into(connection, conditions)
    keys = ["service", "metric", "labels"]
    changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
    connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def find_conditions(connection: Connection, *, service: str | None = None) -> list[Condition]:
    """Return how conditions stand, of one service or of all, in the order of their names."""
    query = select(conditions).order_by(conditions.c.service, conditions.c.metric, conditions.c.labels)
    if service is not None:
        query = query.where(conditions.c.service == service)
    return [
        Condition(
            service=row.service,
            metric=Metric(row.metric),
            labels=labels_of(row.labels),
            at=row.at,
            outcome=Outcome(row.outcome),
            detail=row.detail,
            measured=from_data(row.measured, Measured) if row.measured is not None else None,
            breached_since=row.breached_since,
            well_since=row.well_since,
        )
        for row in connection.execute(query)
    ]


def save_alert(connection: Connection, alert: Alert) -> None:
    """Store `alert` as it is now, and bring its row of the board along."""
    row = {
        **{name: getattr(alert, name) for name in _PLAIN},
        "labels": dict(alert.labels),
        "metric": alert.metric.value,
        "status": alert.status.value,
        "outcome": alert.outcome.value,
        "measured": to_data(alert.measured),
    }
    changed = {name: value for name, value in row.items() if name != "id"}
    statement = insert_into(connection, alerts).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["id"], set_=changed))
    put(connection, [placed_own(alert)])


_PLAIN: Final = tuple(
    column.name for column in alerts.c if column.name not in ("labels", "metric", "status", "outcome", "measured")
)


def find_alerts(
    connection: Connection,
    *,
    service: str | None = None,
    firing_only: bool = False,
    since: datetime | None = None,
    limit: int = 500,
) -> list[Alert]:
    """Return alerts, the newest first; `since` leaves out those that had ended by then."""
    query = select(alerts).order_by(alerts.c.detected_at.desc(), alerts.c.id).limit(limit)
    if service is not None:
        query = query.where(alerts.c.service == service)
    if firing_only:
        query = query.where(alerts.c.status == AlertStatus.FIRING.value)
    if since is not None:
        query = query.where((alerts.c.ended_at.is_(None)) | (alerts.c.ended_at > since))
    return [_alert(row) for row in connection.execute(query)]


def get_alert(connection: Connection, id: str) -> Alert | None:
    """Return the alert `id`, None when there is none."""
    row = connection.execute(select(alerts).where(alerts.c.id == id)).one_or_none()
    return _alert(row) if row is not None else None


def alerts_like(connection: Connection, fingerprint: str, *, most: int) -> list[Alert]:
    """Return the newest alerts with this fingerprint, the newest first."""
    query = select(alerts).where(alerts.c.fingerprint == fingerprint).order_by(alerts.c.detected_at.desc()).limit(most)
    return [_alert(row) for row in connection.execute(query)]


def newest_alert(connection: Connection, fingerprint: str) -> Alert | None:
    """Return the newest alert with this fingerprint, firing or ended, None when there was none."""
    query = select(alerts).where(alerts.c.fingerprint == fingerprint).order_by(alerts.c.detected_at.desc()).limit(1)
    row = connection.execute(query).one_or_none()
    return _alert(row) if row is not None else None


def _alert(row: Row[tuple[object, ...]]) -> Alert:
    return Alert(
        **{name: getattr(row, name) for name in _PLAIN},
        labels=row.labels,
        metric=Metric(row.metric),
        status=AlertStatus(row.status),
        outcome=Outcome(row.outcome),
        measured=from_data(row.measured, Measured),
    )
