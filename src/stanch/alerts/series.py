"""Reads what was measured, for diagnosis, verification and the pages: series, windows, how every service is.

Windows are (start, end]: a count that carries an instant speaks for the time before it. Shares over a window are
pooled from counts. What is normal is `normal`'s, errors in logs are `standout`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypedDict, TypeVar

import numpy as np

from stanch.alerts.baseline import Floats
from stanch.alerts.looks.tables import find_seeing
from stanch.alerts.model import Alert, Condition, Metric, Seeing
from stanch.alerts.normal import baseline_before
from stanch.alerts.rules import weighted_median
from stanch.alerts.samples.tables import newest_labels, newest_sample, read_all_samples, read_samples, sums_of
from stanch.alerts.standout import primary_error
from stanch.alerts.tables import find_alerts, find_conditions
from stanch.catalog.model import Catalog, Service
from stanch.store import Connection

__all__ = [
    "Series",
    "ServiceReading",
    "baseline_before",
    "failed_since",
    "latest",
    "mean_between",
    "primary_error",
    "read_series",
    "recent_value",
    "service_readings",
]

LATEST_LOOKS: Final = 2.5
"""A window holds at least this many looks, so that a check that looks seldom is seen too."""

STALE_WINDOWS: Final = 3.0
"""A service that no look has seen for three windows is unknown."""

VERSION_WINDOW: Final = timedelta(hours=24)

T = TypeVar("T", Alert, Condition, Seeing)


class _Figures(TypedDict):
    error_ratio: float | None
    normal_error_ratio: float | None
    latency_p95_ms: float | None
    normal_latency_p95_ms: float | None
    request_rate: float | None


@dataclass(frozen=True, kw_only=True)
class Series:
    """One series: times in seconds since 1970 and values, oldest first, may be empty."""

    service: str
    metric: str
    labels: Mapping[str, str] = field(default_factory=dict)
    times: tuple[float, ...] = ()
    values: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ServiceReading:
    """How a service is now, beside its normal.

    `state` is `ok`, `degraded` (something about it is not as it should be), `down`, or `unknown` when no check sees
    it. Figures are over the detection window, None where nothing was measured; `trouble` says why a check sees nothing.
    `strained` says that all that is wrong is that it runs short of something: what it is asked for it still does.
    """

    service: str
    state: str
    up: bool | None = None
    error_ratio: float | None = None
    normal_error_ratio: float | None = None
    latency_p95_ms: float | None = None
    normal_latency_p95_ms: float | None = None
    request_rate: float | None = None
    version: str = ""
    seen_at: datetime | None = None
    trouble: str = ""
    alerts: tuple[str, ...] = ()
    strained: bool = False


def read_series(
    connection: Connection,
    *,
    service: str,
    metric: str,
    start: datetime,
    end: datetime,
    labels: Mapping[str, str] | None = None,
) -> Series:
    """Return one series in (start, end]; without `labels` the largest over all label sets at each instant."""
    times, values = read_samples(connection, service=service, metric=metric, labels=labels, start=start, end=end)
    return Series(
        service=service,
        metric=metric,
        labels=dict(labels or {}),
        times=tuple(times.tolist()),
        values=tuple(values.tolist()),
    )


def latest(
    connection: Connection, *, service: str, metric: str, labels: Mapping[str, str] | None = None
) -> tuple[datetime, float] | None:
    """Return the newest sample of one series with its instant (UTC), None when there is none."""
    return newest_sample(connection, service=service, metric=metric, labels=labels)


def mean_between(
    connection: Connection,
    *,
    service: str,
    metric: str,
    start: datetime,
    end: datetime,
    labels: Mapping[str, str] | None = None,
) -> float | None:
    """Return the mean in (start, end], of a share the pooled one; None when nothing was measured."""
    if metric == Metric.ERROR_RATIO:
        failed, total = failed_since(connection, services=(service,), since=start, now=end)
        return failed / total if total else None
    values = read_samples(connection, service=service, metric=metric, labels=labels, start=start, end=end)[1]
    return float(values.mean()) if values.size else None


def recent_value(
    connection: Connection,
    *,
    service: str,
    metric: str,
    now: datetime,
    window_s: float,
    labels: Mapping[str, str] | None = None,
) -> float | None:
    """Return what a metric is over the newest `window_s` seconds, as alerts judge it; None when nothing was measured.

    A share is pooled, a P95 is the median weighted by requests, `up` is 1 only when every look was answered, and
    everything else is the median; without `labels` it is of the largest label set at each instant.
    """
    start = now - timedelta(seconds=window_s)
    if metric == Metric.ERROR_RATIO:
        return mean_between(connection, service=service, metric=metric, start=start, end=now)
    times, values = read_samples(connection, service=service, metric=metric, labels=labels, start=start, end=now)
    counted = None
    if metric == Metric.LATENCY_P95_MS and values.size:
        counted = read_samples(connection, service=service, metric=Metric.REQUESTS, labels={}, start=start, end=now)
    return _typical(metric, times, values, counted)


def _typical(metric: str, times: Floats, values: Floats, counted: tuple[Floats, Floats] | None) -> float | None:
    """Return what stands for all of `values`; `counted` are times and numbers of the requests behind a P95."""
    if not values.size:
        return None
    if metric == Metric.UP:
        return float(values.min())
    if counted is not None:
        return weighted_median(values, np.interp(times, *counted) if counted[0].size else np.ones_like(values))
    return float(np.median(values))


_SHOWN: Final = (Metric.REQUESTS, Metric.FAILED_REQUESTS, Metric.LATENCY_P95_MS, Metric.REQUEST_RATE)


class _Recent:
    """What was measured of many services lately, read in one statement; `value` is what `recent_value` returns."""

    def __init__(self, connection: Connection, windows: Mapping[str, float], *, now: datetime) -> None:
        """Read for services by name the newest seconds that are given."""
        self._windows, self._now = windows, now
        start = now - timedelta(seconds=max(windows.values(), default=0.0))
        self._found = (
            read_all_samples(connection, services=tuple(windows), metrics=_SHOWN, start=start, end=now)
            if windows
            else {}
        )

    def value(self, service: str, metric: Metric) -> float | None:
        """Return what a metric of one of the services is over its window, None when nothing was measured."""
        if metric == Metric.ERROR_RATIO:
            failed, total = (
                round(self._plain(service, one)[1].sum()) for one in (Metric.FAILED_REQUESTS, Metric.REQUESTS)
            )
            return failed / total if total else None
        counted = self._plain(service, Metric.REQUESTS) if metric == Metric.LATENCY_P95_MS else None
        return _typical(metric, *self._largest(service, metric), counted)

    def _plain(self, service: str, metric: Metric) -> tuple[Floats, Floats]:
        """Return times and values of the series without labels."""
        rows = [(at, value) for labels, at, value in self._rows(service, metric) if not labels]
        found = np.array(rows, dtype=np.float64).reshape(-1, 2)
        return found[:, 0], found[:, 1]

    def _largest(self, service: str, metric: Metric) -> tuple[Floats, Floats]:
        """Return times and the largest values over all label sets."""
        largest: dict[float, float] = {}
        for _, at, value in self._rows(service, metric):
            largest[at] = max(value, largest.get(at, value))
        return np.array(list(largest)), np.array(list(largest.values()))

    def _rows(self, service: str, metric: Metric) -> list[tuple[str, float, float]]:
        after = (self._now - timedelta(seconds=self._windows.get(service, 0.0))).timestamp()
        return [row for row in self._found.get((service, metric), ()) if row[1] > after]


def failed_since(connection: Connection, *, services: Sequence[str], since: datetime, now: datetime) -> tuple[int, int]:
    """Return how many requests failed and how many there were, over all `services`, after `since`."""
    counted = (Metric.FAILED_REQUESTS, Metric.REQUESTS)
    sums = sums_of(connection, services=services, metrics=counted, start=since, end=now)
    failed, total = (sum(sums.get((name, metric), 0.0) for name in services) for metric in counted)
    return round(failed), round(total)


def service_readings(connection: Connection, catalog: Catalog, *, now: datetime) -> dict[str, ServiceReading]:
    """Return how every service of the catalog is now, by name."""
    alerts = _by_service(find_alerts(connection, firing_only=True))
    conditions = _by_service(find_conditions(connection))
    seeing = _by_service(find_seeing(connection))
    since = now - VERSION_WINDOW
    versions = newest_labels(
        connection, metric=Metric.BUILD_INFO, start=since, end=now, services=tuple(catalog.services)
    )
    seen = {name: _seen_at(seeing.get(name, [])) for name in catalog.services}
    windows = {name: _window_s(catalog, service) for name, service in catalog.services.items()}
    fresh = {
        name: window_s
        for name, window_s in windows.items()
        if (at := seen[name]) is not None and now - at <= timedelta(seconds=STALE_WINDOWS * window_s)
    }
    recent = _Recent(connection, fresh, now=now)
    found = {}
    for name in catalog.services:
        looks, seen_at, is_seen = seeing.get(name, []), seen[name], name in fresh
        stands = {one.metric: one for one in conditions.get(name, []) if not one.labels}
        firing = alerts.get(name, [])
        found[name] = ServiceReading(
            service=name,
            state=_state(firing, conditions.get(name, [])) if is_seen or firing else "unknown",
            up=_up(stands) if is_seen else None,
            version=versions.get(name, {}).get("version", ""),
            seen_at=seen_at,
            trouble=next((look.trouble for look in looks if look.trouble), ""),
            alerts=tuple(alert.summary for alert in firing),
            strained=_is_strained(firing, conditions.get(name, [])),
            **_figures(recent, name, stands, now=now, window_s=windows[name], is_seen=is_seen),
        )
    return found


def _seen_at(looks: Sequence[Seeing]) -> datetime | None:
    return max((look.seen_at for look in looks if look.seen_at), default=None)


def _window_s(catalog: Catalog, service: Service) -> float:
    slowest_s = max((check.every_s for check in service.checks), default=0.0)
    return max(catalog.timing.detect_window_s, LATEST_LOOKS * slowest_s)


def _by_service(found: Sequence[T]) -> dict[str, list[T]]:
    grouped: dict[str, list[T]] = {}
    for one in found:
        grouped.setdefault(one.service, []).append(one)
    return grouped


_STRAINS: Final = frozenset({Metric.MEMORY_BYTES, Metric.SATURATION, Metric.RULE})


def _wrong(firing: Sequence[Alert], conditions: Sequence[Condition]) -> set[Metric]:
    """Return what is not as it should be; what is only worth knowing does not count.

    What is so but has not been so for long enough to be an alert counts too: a neighbour's alert came first.
    """
    found = {alert.metric for alert in firing if not alert.is_warning}
    return found | {one.metric for one in conditions if one.breached_since and one.labels.get("severity") != "warning"}


def _is_strained(firing: Sequence[Alert], conditions: Sequence[Condition]) -> bool:
    wrong = _wrong(firing, conditions) - {Metric.BLIND}
    return bool(wrong) and wrong <= _STRAINS


def _state(firing: Sequence[Alert], conditions: Sequence[Condition]) -> str:
    wrong = _wrong(firing, conditions)
    if wrong & {Metric.UP, Metric.RESTARTS}:
        return "down"
    if wrong - {Metric.BLIND}:
        return "degraded"
    return "unknown" if wrong else "ok"


def _up(stands: Mapping[Metric, Condition]) -> bool | None:
    measured = stands[Metric.UP].measured if Metric.UP in stands else None
    return measured.value >= 0.5 if measured else None


def _figures(
    measured: _Recent,
    service: str,
    stands: Mapping[Metric, Condition],
    *,
    now: datetime,
    window_s: float,
    is_seen: bool,
) -> _Figures:
    span = timedelta(seconds=window_s)

    def recent(metric: Metric) -> float | None:
        if not is_seen:
            # Nothing was measured in a window that is shorter than that.
            return None
        stand = stands.get(metric)
        if stand is not None and stand.breached_since and stand.measured and now - stand.at <= span:
            # Since it began, and not thinned by what the window holds from before.
            return stand.measured.value
        return measured.value(service, metric)

    def normal(metric: Metric) -> float | None:
        judged = stands[metric].measured if metric in stands else None
        return judged.normal if judged else None

    return {
        "error_ratio": recent(Metric.ERROR_RATIO),
        "normal_error_ratio": normal(Metric.ERROR_RATIO),
        "latency_p95_ms": recent(Metric.LATENCY_P95_MS),
        "normal_latency_p95_ms": normal(Metric.LATENCY_P95_MS),
        "request_rate": recent(Metric.REQUEST_RATE),
    }
