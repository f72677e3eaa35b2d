"""The table of customers' reports and its statements. Both databases."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Column, Connection, Index, Row, Table, Text, func, insert, select

from stanch.store.schema import metadata
from stanch.store.types import Instant, Serial

customer_reports: Final = Table(
    "customer_reports",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=True),
    Column("at", Instant, nullable=False),
    # Empty where the customer could not say.
    Column("service", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("contact", Text, nullable=False),
    # What tells one sender from another for a day: a digest, no address.
    Column("sender", Text, nullable=False),
    Index("ix_customer_reports_at", "at"),
    Index("ix_customer_reports_service_at", "service", "at"),
    Index("ix_customer_reports_sender_at", "sender", "at"),
    sqlite_autoincrement=True,
)


@dataclass(frozen=True, kw_only=True)
class CustomerReport:
    """One report. `contact` is how the customer can be reached, empty where none was left; `at` is UTC."""

    id: int
    at: datetime
    service: str
    text: str
    contact: str


def add_report(connection: Connection, *, at: datetime, service: str, text: str, contact: str, sender: str) -> int:
    """Store a report and return its number."""
    values = {"at": at, "service": service, "text": text, "contact": contact, "sender": sender}
    statement = insert(customer_reports).values(values).returning(customer_reports.c.id)
    return int(connection.execute(statement).scalar_one())


def count_reports(
    connection: Connection, *, since: datetime, service: str | None = None, sender: str | None = None
) -> int:
    """Return how many reports came since an instant, of one service or from one sender."""
    query = select(func.count()).select_from(customer_reports).where(customer_reports.c.at > since)
    if service is not None:
        query = query.where(customer_reports.c.service == service)
    if sender is not None:
        query = query.where(customer_reports.c.sender == sender)
    return int(connection.execute(query).scalar_one())


def find_reports(
    connection: Connection, *, service: str | None = None, before: int | None = None, limit: int
) -> list[CustomerReport]:
    """Return reports, the newest first, of one service or of all; `before` is a number they are below."""
    query = select(customer_reports).order_by(customer_reports.c.id.desc()).limit(limit)
    if service is not None:
        query = query.where(customer_reports.c.service == service)
    if before is not None:
        query = query.where(customer_reports.c.id < before)
    return [_report(row) for row in connection.execute(query)]


def _report(row: Row[Any]) -> CustomerReport:  # Any: the columns of the table
    return CustomerReport(id=row.id, at=row.at, service=row.service, text=row.text, contact=row.contact)
