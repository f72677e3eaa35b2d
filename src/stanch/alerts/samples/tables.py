"""The table of samples. Written in one statement a look, read a window at a time, forgotten after the retention.

A window is (start, end]: a count that carries an instant speaks for the time before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from math import isfinite
from typing import Final

import numpy as np
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Double,
    Index,
    Select,
    Table,
    Text,
    and_,
    delete,
    func,
    select,
    type_coerce,
)

from stanch.alerts.baseline import Floats
from stanch.alerts.tables import insert_into, labels_of, labels_text
from stanch.ports.sampler import Sample
from stanch.store.schema import metadata
from stanch.store.types import Instant

MICROS: Final = 1e6

samples: Final = Table(
    "samples",
    metadata,
    Column("service", Text, primary_key=True),
    Column("metric", Text, primary_key=True),
    Column("labels", Text, primary_key=True),
    Column("at", Instant, primary_key=True),
    Column("value", Double, nullable=False),
    Index("ix_samples_at", "at"),
    # The rows of one series lie together, so that reading a window touches few pages.
    sqlite_with_rowid=False,
)


def store_samples(connection: Connection, found: Iterable[Sample]) -> int:
    """Store samples, those that are finite numbers; of one series at one instant the first stays. Return how many."""
    rows = {
        (one.service, one.metric, labels_text(dict(one.labels)), one.at): one.value
        for one in found
        if isfinite(one.value)
    }
    if rows:
        names = ("service", "metric", "labels", "at", "value")
        values = [dict(zip(names, (*key, value), strict=True)) for key, value in rows.items()]
        connection.execute(insert_into(connection, samples).on_conflict_do_nothing(), values)
    return len(rows)


def read_samples(
    connection: Connection,
    *,
    service: str,
    metric: str,
    start: datetime,
    end: datetime,
    labels: Mapping[str, str] | None = None,
) -> tuple[Floats, Floats]:
    """Return the times (seconds since 1970) and values of one series in (start, end], oldest first, may be empty.

    Without `labels` it is the largest value over all label sets at each instant; `{}` means the series without any.
    """
    # Microseconds as they are stored: making a datetime of each would cost more than all the rest.
    at = type_coerce(samples.c.at, BigInteger)
    window = and_(samples.c.service == service, samples.c.metric == metric, samples.c.at > start, samples.c.at <= end)
    if labels is None:
        query = select(at, func.max(samples.c.value)).where(window).group_by(samples.c.at).order_by(samples.c.at)
    else:
        one = samples.c.labels == labels_text(labels)
        query = select(at, samples.c.value).where(window, one).order_by(samples.c.at)
    rows = connection.execute(query).all()
    found = np.array([tuple(row) for row in rows], dtype=np.float64).reshape(-1, 2)
    return found[:, 0] / MICROS, found[:, 1]


def find_labels(
    connection: Connection, *, service: str, metric: str, start: datetime, end: datetime
) -> list[dict[str, str]]:
    """Return the label sets that series of one metric have in (start, end], in the order of their text."""
    query = (
        select(samples.c.labels)
        .where(samples.c.service == service, samples.c.metric == metric, samples.c.at > start, samples.c.at <= end)
        .distinct()
        .order_by(samples.c.labels)
    )
    return [labels_of(row.labels) for row in connection.execute(query)]


def label_sets(
    connection: Connection, *, metric: str, services: Sequence[str], start: datetime, end: datetime
) -> list[tuple[str, dict[str, str]]]:
    """Return the services that have series of one metric in (start, end], each with the labels of one series."""
    query = (
        select(samples.c.service, samples.c.labels)
        .where(samples.c.metric == metric, samples.c.service.in_(list(services)))
        .where(samples.c.at > start, samples.c.at <= end)
        .distinct()
        .order_by(samples.c.service, samples.c.labels)
    )
    return [(row.service, labels_of(row.labels)) for row in connection.execute(query)]


def newest_sample(
    connection: Connection, *, service: str, metric: str, labels: Mapping[str, str] | None = None
) -> tuple[datetime, float] | None:
    """Return the newest sample of one series with its instant (UTC), None when there is none."""
    query = (
        select(samples.c.at, samples.c.value)
        .where(samples.c.service == service, samples.c.metric == metric, samples.c.labels == labels_text(labels or {}))
        .order_by(samples.c.at.desc())
        .limit(1)
    )
    row = connection.execute(query).one_or_none()
    return (row.at, row.value) if row is not None else None


def newest_labels(
    connection: Connection, *, metric: str, start: datetime, services: Sequence[str] | None = None
) -> dict[str, dict[str, str]]:
    """Return by service the labels of the newest sample of `metric` since `start`: how a version is known."""
    query: Select[tuple[str, str, datetime]] = (
        select(samples.c.service, samples.c.labels, func.max(samples.c.at).label("newest"))
        .where(samples.c.metric == metric, samples.c.at > start)
        .group_by(samples.c.service, samples.c.labels)
        .order_by(func.max(samples.c.at))
    )
    if services is not None:
        query = query.where(samples.c.service.in_(list(services)))
    return {row.service: labels_of(row.labels) for row in connection.execute(query)}


def sums_of(
    connection: Connection, *, services: Sequence[str], metrics: Sequence[str], start: datetime, end: datetime
) -> dict[tuple[str, str], float]:
    """Return the sum of each metric without labels, by service and metric, in (start, end]."""
    query = (
        select(samples.c.service, samples.c.metric, func.sum(samples.c.value).label("total"))
        .where(samples.c.service.in_(list(services)), samples.c.metric.in_(list(metrics)), samples.c.labels == "")
        .where(samples.c.at > start, samples.c.at <= end)
        .group_by(samples.c.service, samples.c.metric)
    )
    return {(row.service, row.metric): float(row.total) for row in connection.execute(query)}


def forget_samples(connection: Connection, *, before: datetime) -> int:
    """Delete the samples older than `before`; return how many there were."""
    return connection.execute(delete(samples).where(samples.c.at < before)).rowcount
