"""What is normal for a stored series: its baseline, with the times cut out in which something was wrong.

The formulas are `baseline`'s. Shares are pooled over their counts, so that a service that fails rarely has the normal
share of 0.2 % and not the median of its looks, which is 0.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np

from stanch.alerts.baseline import BAND_SPREADS, MINIMUM_SAMPLES, Baseline, Floats, baseline_of
from stanch.alerts.model import Metric
from stanch.alerts.samples.tables import read_samples
from stanch.alerts.tables import find_alerts
from stanch.store import Connection

_DAY: Final = timedelta(days=1)
_HALF: Final = timedelta(minutes=30)
_DAYS: Final = 3
_LEAST_DAYS: Final = 2
_UNCERTAIN_S: Final = 1.0
"""What is cut out around an alert on either side, in seconds: looks do not fall on its edges."""


def baseline_before(
    connection: Connection,
    *,
    service: str,
    metric: str,
    onset: datetime,
    window_s: float,
    labels: Mapping[str, str] | None = None,
) -> Baseline | None:
    """Return what was normal in the `window_s` seconds before `onset`, None with fewer than 8 samples.

    Times in which an alert of the service fired do not count. For `error_ratio` the median is the share of all
    requests that failed.
    """
    start = onset - timedelta(seconds=window_s)
    times, values = read_samples(connection, service=service, metric=metric, labels=labels, start=start, end=onset)
    spans = alert_spans(connection, service=service, start=start, now=onset)
    times, values = _without(times, values, spans)
    found = baseline_of(times, values, season_seconds=None)
    if found is None or metric != Metric.ERROR_RATIO:
        return found
    return _pooled(connection, found, service=service, start=start, end=onset, spans=spans)


def usual_before(
    connection: Connection, *, service: str, metric: str, onset: datetime, labels: Mapping[str, str] | None = None
) -> Baseline | None:
    """Return what was normal at this time of day on the three days before, None with fewer than two such days.

    Half an hour either side counts. What is so every night is no news: an alert opens only if it lies outside of this
    as well as outside of what was normal just before. Times in which an alert of the service fired do not count,
    unless it was held back: an incident does not become normal by happening again, what is expected may.
    """
    since = onset - _DAYS * _DAY - _HALF
    spans = alert_spans(connection, service=service, start=since, now=onset, held_back=False)
    found = []
    for day in range(1, _DAYS + 1):
        middle = onset - day * _DAY
        read = read_samples(
            connection, service=service, metric=metric, labels=labels, start=middle - _HALF, end=middle + _HALF
        )
        times, values = _without(*read, spans)
        if times.size >= MINIMUM_SAMPLES:
            found.append((times, values))
    if len(found) < _LEAST_DAYS:
        return None
    times, values = (np.concatenate([one[part] for one in found]) for part in (0, 1))
    usual = baseline_of(times, values, season_seconds=None)
    return replace(usual, seasonal=True) if usual is not None else None


def alert_spans(
    connection: Connection, *, service: str, start: datetime, now: datetime, held_back: bool = True
) -> list[tuple[float, float]]:
    """Return when alerts of a service were on after `start`, as pairs of seconds since 1970; all, or the loud ones."""
    return [
        (alert.starts_low.timestamp() - _UNCERTAIN_S, (alert.ended_at or now).timestamp() + _UNCERTAIN_S)
        for alert in find_alerts(connection, service=service, since=start)
        if alert.metric is not Metric.BLIND and (held_back or not alert.quiet)
    ]


def _without(times: Floats, values: Floats, spans: list[tuple[float, float]]) -> tuple[Floats, Floats]:
    for start, end in spans:
        keep = (times < start) | (times > end)
        times, values = times[keep], values[keep]
    return times, values


def _pooled(
    connection: Connection,
    found: Baseline,
    *,
    service: str,
    start: datetime,
    end: datetime,
    spans: list[tuple[float, float]],
) -> Baseline:
    """Return the baseline of a share around the pooled share instead of the median of the looks."""
    counts = {}
    for metric in (Metric.REQUESTS, Metric.FAILED_REQUESTS):
        read = read_samples(connection, service=service, metric=metric, labels={}, start=start, end=end)
        counts[metric] = float(_without(*read, spans)[1].sum())
    if not counts[Metric.REQUESTS]:
        return found
    share = counts[Metric.FAILED_REQUESTS] / counts[Metric.REQUESTS]
    return replace(
        found,
        median=share,
        low=max(0.0, share - BAND_SPREADS * found.spread_below),
        high=share + BAND_SPREADS * found.spread_above,
    )


def instant(seconds: float) -> datetime:
    """Return seconds since 1970 as an instant (UTC)."""
    return datetime.fromtimestamp(seconds, UTC)
