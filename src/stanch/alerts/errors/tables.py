"""Errors seen in logs: merged by kind, counted in buckets of ten seconds, and read back for a window.

Which error stands out is `primary`; how a record becomes a sighting is the sampler's.
"""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, Table, Text, and_, delete, func, select

from stanch.alerts.model import ErrorGroup
from stanch.alerts.tables import insert_into
from stanch.ports.sampler import ErrorSighting
from stanch.store.schema import metadata
from stanch.store.types import Document, Instant, Serial

MOST_VERSIONS: Final = 20
LONGEST_SAMPLE: Final = 16_384

BUCKET_S: Final = 10
"""Seconds of one count of errors; the trend of an incident of ten minutes then has 60 points."""

errors: Final = Table(
    "errors",
    metadata,
    Column("service", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("title", Text, nullable=False),
    Column("culprit", Text, nullable=False),
    Column("versions", Document, nullable=False),
    Column("count", Serial, nullable=False),
    Column("first_seen", Instant, nullable=False),
    Column("last_seen", Instant, nullable=False),
    Column("sample", Text, nullable=False),
    Index("ix_errors_last_seen", "last_seen"),
)

error_counts: Final = Table(
    "error_counts",
    metadata,
    Column("service", Text, primary_key=True),
    Column("fingerprint", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("count", Integer, nullable=False),
    Index("ix_error_counts_at", "at"),
    sqlite_with_rowid=False,
)


def store_errors(connection: Connection, found: Iterable[ErrorSighting]) -> None:
    """Add sightings to the errors of their service and to their counts of ten seconds each."""
    groups: dict[tuple[str, str], list[ErrorSighting]] = {}
    counts: dict[tuple[str, str, datetime], int] = {}
    for one in found:
        groups.setdefault((one.service, one.fingerprint), []).append(one)
        key = (one.service, one.fingerprint, bucket_of(one.last_at))
        counts[key] = counts.get(key, 0) + one.count
    # In one order everywhere, so that two transactions cannot wait for each other.
    for (service, fingerprint), sightings in sorted(groups.items()):
        _merge_error(connection, service, fingerprint, sightings)
    if counts:
        statement = insert_into(connection, error_counts)
        added = statement.on_conflict_do_update(
            index_elements=["service", "fingerprint", "at"],
            set_={"count": error_counts.c.count + statement.excluded.count},
        )
        names = ("service", "fingerprint", "at", "count")
        connection.execute(added, [dict(zip(names, (*key, n), strict=True)) for key, n in sorted(counts.items())])


def bucket_of(at: datetime) -> datetime:
    """Return the start of the ten seconds that `at` lies in (UTC)."""
    return datetime.fromtimestamp(int(at.timestamp()) // BUCKET_S * BUCKET_S, UTC)


def _merge_error(connection: Connection, service: str, fingerprint: str, sightings: Sequence[ErrorSighting]) -> None:
    known = connection.execute(
        select(errors.c.versions, errors.c.last_seen).where(
            and_(errors.c.service == service, errors.c.fingerprint == fingerprint)
        )
    ).one_or_none()
    newest = max(sightings, key=lambda one: one.last_at)
    versions = dict.fromkeys([*(known.versions if known else ()), *(one.version for one in sightings if one.version)])
    row = {
        "service": service,
        "fingerprint": fingerprint,
        "title": newest.title,
        "culprit": newest.culprit,
        "versions": list(versions)[-MOST_VERSIONS:],
        "count": sum(one.count for one in sightings),
        "first_seen": min(one.first_at for one in sightings),
        "last_seen": newest.last_at,
        "sample": newest.sample[:LONGEST_SAMPLE],
    }
    statement = insert_into(connection, errors).values(row)
    changed: dict[str, object] = {
        "count": errors.c.count + statement.excluded.count,
        "first_seen": _least(connection, errors.c.first_seen, statement.excluded.first_seen),
        "last_seen": _greatest(connection, errors.c.last_seen, statement.excluded.last_seen),
        "versions": statement.excluded.versions,
    }
    if known is None or newest.last_at >= known.last_seen:
        changed |= {name: statement.excluded[name] for name in ("title", "culprit", "sample")}
    connection.execute(statement.on_conflict_do_update(index_elements=["service", "fingerprint"], set_=changed))


def _least(connection: Connection, *columns: object) -> object:
    return func.least(*columns) if connection.dialect.name == "postgresql" else func.min(*columns)


def _greatest(connection: Connection, *columns: object) -> object:
    return func.greatest(*columns) if connection.dialect.name == "postgresql" else func.max(*columns)


def find_errors(connection: Connection, *, services: Sequence[str] | None = None, since: datetime) -> list[ErrorGroup]:
    """Return the errors seen since `since` (UTC), the newest first, without counts of a window."""
    query = select(errors).where(errors.c.last_seen >= since).order_by(errors.c.last_seen.desc()).limit(1000)
    if services is not None:
        query = query.where(errors.c.service.in_(list(services)))
    return [
        ErrorGroup(
            service=row.service,
            fingerprint=row.fingerprint,
            title=row.title,
            culprit=row.culprit,
            versions=tuple(row.versions),
            count=row._mapping["count"],
            first_seen=row.first_seen,
            last_seen=row.last_seen,
            sample=row.sample,
        )
        for row in connection.execute(query)
    ]


def counts_of_errors(
    connection: Connection, *, services: Sequence[str], start: datetime, end: datetime
) -> dict[tuple[str, str], dict[datetime, int]]:
    """Return the counts of ten seconds each in [start, end), by service and fingerprint."""
    query = (
        select(error_counts)
        .where(and_(error_counts.c.service.in_(list(services)), error_counts.c.at >= bucket_of(start)))
        .where(error_counts.c.at < end)
        .order_by(error_counts.c.at)
    )
    found: dict[tuple[str, str], dict[datetime, int]] = {}
    for row in connection.execute(query):
        found.setdefault((row.service, row.fingerprint), {})[row.at] = row._mapping["count"]
    return found


def forget_counts(connection: Connection, *, before: datetime) -> int:
    """Delete counts older than `before`; the errors themselves stay. Return how many rows."""
    return connection.execute(delete(error_counts).where(error_counts.c.at < before)).rowcount
