"""The table of samples. Written in one statement a look, read a window at a time, forgotten after the retention.

A window is (start, end]: a count that carries an instant speaks for the time before it.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from math import isfinite
from typing import Final

import msgspec
import numpy as np
from sqlalchemy import (
    CTE,
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    Double,
    Index,
    Select,
    Table,
    TableValuedAlias,
    Text,
    and_,
    bindparam,
    column,
    delete,
    func,
    select,
    true,
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
    if labels is None:
        asked = _asked(connection, (service,), (metric,), start=start, end=end)
        rows = connection.execute(_largest(connection.dialect.name), asked).all()
    else:
        exactly = and_(
            samples.c.service == service, samples.c.metric == metric, samples.c.labels == labels_text(labels)
        )
        query = select(_AT, samples.c.value).where(exactly, samples.c.at > start, samples.c.at <= end)
        rows = connection.execute(query.order_by(samples.c.at)).all()
    found = np.array([tuple(row) for row in rows if row[0] is not None], dtype=np.float64).reshape(-1, 2)
    return found[:, 0] / MICROS, found[:, 1]


def read_all_samples(
    connection: Connection, *, services: Sequence[str], metrics: Sequence[str], start: datetime, end: datetime
) -> dict[tuple[str, str], list[tuple[str, float, float]]]:
    """Return label text, time (seconds since 1970) and value of all samples in (start, end], by service and metric.

    One statement for many series, oldest first.
    """
    found: dict[tuple[str, str], list[tuple[str, float, float]]] = {}
    asked = _asked(connection, services, metrics, start=start, end=end)
    for service, metric, labels, at, value in connection.execute(_together(connection.dialect.name), asked):
        if at is not None:
            found.setdefault((service, metric), []).append((labels, at / MICROS, value))
    return found


def find_labels(
    connection: Connection, *, service: str, metric: str, start: datetime, end: datetime
) -> list[dict[str, str]]:
    """Return the label sets that series of one metric have in (start, end], in the order of their text."""
    found = label_sets(connection, metric=metric, services=(service,), start=start, end=end)
    return [labels for _, labels in found]


def label_sets(
    connection: Connection, *, metric: str, services: Sequence[str], start: datetime, end: datetime
) -> list[tuple[str, dict[str, str]]]:
    """Return the services that have series of one metric in (start, end], each with the labels of one series."""
    asked = _asked(connection, services, (metric,), start=start, end=end)
    rows = connection.execute(_newest(connection.dialect.name), asked)
    return sorted(((row.service, labels_of(row.labels)) for row in rows), key=lambda one: (one[0], labels_text(one[1])))


def newest_labels(
    connection: Connection, *, metric: str, start: datetime, end: datetime, services: Sequence[str]
) -> dict[str, dict[str, str]]:
    """Return by service the labels of the newest sample of `metric` in (start, end]: how a version is known."""
    asked = _asked(connection, services, (metric,), start=start, end=end)
    rows = connection.execute(_newest(connection.dialect.name), asked)
    return {row.service: labels_of(row.labels) for row in rows}


# Microseconds as they are stored: making a datetime of each would cost more than all the rest.
_AT: Final = type_coerce(samples.c.at, BigInteger)
_IN_TIME: Final = and_(
    samples.c.at > bindparam("start", type_=Instant), samples.c.at <= bindparam("end", type_=Instant)
)
_NAMED: Final = and_(
    samples.c.service.in_(bindparam("services", expanding=True)),
    samples.c.metric.in_(bindparam("metrics", expanding=True)),
)


def _asked(
    connection: Connection, services: Sequence[str], metrics: Sequence[str], *, start: datetime, end: datetime
) -> dict[str, object]:
    """Return the parameters of the statements below; for SQLite names are one text, however many there are."""
    names: dict[str, object] = {"services": list(services), "metrics": list(metrics)}
    if connection.dialect.name == "sqlite":
        names = {name: msgspec.json.encode(given).decode() for name, given in names.items()}
    return {**names, "start": start, "end": end}


# The statements are made once for a database: making one takes ten times as long as running it. PostgreSQL knows how
# its samples are spread and finds a window by itself; SQLite is led from one label set to the next.
@lru_cache
def _largest(dialect: str) -> Select[int, float]:
    """Return what reads the largest value over all label sets at each instant."""
    query = select(_AT, func.max(samples.c.value))
    if dialect == "sqlite":
        series = _series()
        query = query.select_from(series.outerjoin(samples, _within(series)))
    else:
        query = query.where(_NAMED, _IN_TIME)
    return query.group_by(samples.c.at).order_by(samples.c.at)


@lru_cache
def _together(dialect: str) -> Select[str, str, str, int, float]:
    """Return what reads every sample."""
    query = select(samples.c.service, samples.c.metric, samples.c.labels, _AT, samples.c.value)
    if dialect == "sqlite":
        series = _series()
        query = query.select_from(series.outerjoin(samples, _within(series)))
    else:
        query = query.where(_NAMED, _IN_TIME)
    return query.order_by(samples.c.at)


@lru_cache
def _newest(dialect: str) -> Select[str, str]:
    """Return what reads which series have samples, the one with the newest last."""
    if dialect != "sqlite":
        query = select(samples.c.service, samples.c.labels).where(_NAMED, _IN_TIME)
        return query.group_by(samples.c.service, samples.c.labels).order_by(func.max(samples.c.at))
    series = _series()
    newest = select(func.max(samples.c.at)).where(_within(series)).correlate(series).scalar_subquery()
    dated = select(series.c.service, series.c.labels, newest.label("newest")).subquery()
    return select(dated.c.service, dated.c.labels).where(dated.c.newest.is_not(None)).order_by(dated.c.newest)


def _series() -> CTE:
    """Return the label sets there are of these services and metrics, as a table that samples are joined to.

    By an outer join: SQLite may turn round an inner one, and look through all samples of the window instead.
    It goes from one label set to the next by the index: without it, a window would be looked for in all samples that
    are kept of a metric, 300,000 for a week of looks every two seconds.
    """
    service, metric = (_each(name) for name in ("services", "metrics"))
    first = samples.alias("first")
    start = (
        select(func.min(first.c.labels))
        .where(first.c.service == service.c.value, first.c.metric == metric.c.value)
        .scalar_subquery()
    )
    named = (service.c.value.label("service"), metric.c.value.label("metric"))
    found = select(*named, start.label("labels")).select_from(service.join(metric, true()))
    known = found.cte("series", recursive=True)
    following = samples.alias("following")
    after = (
        select(func.min(following.c.labels))
        .where(following.c.service == known.c.service, following.c.metric == known.c.metric)
        .where(following.c.labels > known.c.labels)
        .scalar_subquery()
    )
    return known.union_all(select(known.c.service, known.c.metric, after).where(known.c.labels.is_not(None)))


def _each(name: str) -> TableValuedAlias:
    """Return the names in the parameter `name`, a JSON list, as the column `value` of a table."""
    return func.json_each(bindparam(name, type_=Text)).table_valued(column("value", Text))


def _within(series: CTE) -> ColumnElement[bool]:
    return and_(
        samples.c.service == series.c.service,
        samples.c.metric == series.c.metric,
        samples.c.labels == series.c.labels,
        _IN_TIME,
    )


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
