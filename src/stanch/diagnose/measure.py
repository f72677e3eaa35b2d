"""One series before and after the onset as one signal: value, normal, shape, and whether it is out of the ordinary.

Pure numbers in, a signal out. Where the samples come from is the collectors' business, what a signal means for a cause
that of `kinds`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

import numpy as np

from stanch.alerts.baseline import Baseline, Floats, deviation, finite
from stanch.alerts.shape import shape_of
from stanch.diagnose.picture import is_raised
from stanch.kernel.event import JSON
from stanch.ports.evidence import Signal

_OUTSIDE: Final = 3.0
"""Spreads above normal from which a value counts as raised: the edge of the baseline's band."""
_NEWEST: Final = 3
"""Samples in a row that a level must be held for; one alone may be a fluke."""
_LONGEST_S: Final = 600.0
"""How much of the time since the onset a value is averaged over, so that a recovery shows within ten minutes."""
_SHAPE_S: Final = 900.0
_LEAST_BEFORE: Final = 3
_FILLS: Final = frozenset({"saturation", "memory_bytes"})
_COUNTS: Final = frozenset({"restarts", "failed_requests"})
_SHARES: Final = frozenset({"up", "error_ratio", "dependency_error_ratio"})
_UNITS: Final = {"request_rate": "1/s", "memory_bytes": "bytes"}
_POINTS: Final = 120


@dataclass(frozen=True, kw_only=True)
class Track:
    """One measured series: times in seconds since 1970, oldest first. `labels` are its `target` or `resource`."""

    service: str
    metric: str
    times: Sequence[float]
    values: Sequence[float]
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rise:
    """How a level went up: the instant it left 10 % of the way (seconds since 1970) and how long it took to 90 %."""

    start: float
    seconds: float


def measure(track: Track, *, onset: datetime, now: datetime, baseline: Baseline | None = None) -> Signal | None:
    """Return what a series says about the time since the onset; None when it has no sample since then.

    All of it within the newest ten minutes: shares are averaged, levels that fill up are the highest that was held for
    three samples (a pool that filled, and was emptied by a restart, was full), counts are added up, and everything else
    is the median. `normal` is the baseline's median;
    without one the median of what lies before, with at least three samples.
    """
    when, level = finite(track.times, track.values)
    after = (when > onset.timestamp()) & (when <= now.timestamp())
    if not after.any():
        return None
    before = level[when <= onset.timestamp()]
    value = _value(track.metric, level[after & (when > now.timestamp() - _LONGEST_S)])
    if value is None:
        return None
    normal = _normal(track.metric, before, baseline, onset=onset, now=now, when=when)
    rise = rise_of(when, level) if track.metric in _FILLS else None
    data: dict[str, JSON] = dict(track.labels)
    if rise is not None:
        data["rise_s"] = round(rise.seconds, 1)
    if track.metric == "latency_p95_ms":
        # What filled while it was slow stays full in this picture; so must the slowness stay, though it be over.
        data["held"] = round(_held(level[after & (when > now.timestamp() - _LONGEST_S)]), 1)
    start = rise.start if rise is not None else _left_normal(when, level, baseline, onset=onset)
    signal = Signal(
        name=track.metric,
        service=track.service,
        value=value,
        normal=normal,
        unit=_UNITS.get(track.metric, "ms" if track.metric.endswith("_ms") else ""),
        trend=_trend(when, level, baseline, onset=onset, now=now),
        at=datetime.fromtimestamp(start, UTC) if start is not None else None,
        data=data,
    )
    raised = is_raised(signal) and _is_outside(track.metric, value, baseline)
    return Signal(**{**vars(signal), "data": {**data, "raised": raised}})


def rise_of(times: Sequence[float] | Floats, values: Sequence[float] | Floats) -> Rise | None:
    """Return how a level rose to its highest, None when it did not rise.

    With lo the first quarter's median and hi the highest level held for three samples, the rise starts at the last
    sample at or below lo + 0.1 (hi - lo) before the first at or above lo + 0.9 (hi - lo). Worked value: 0.1 until
    60 s, then 0.05 more every 2 s until 1.0 at 96 s: it starts at 62 s (0.15) and takes 32 s to 94 s (0.95).
    """
    when, level = finite(times, values)
    if level.size < 2 * _NEWEST:
        return None
    low = float(np.median(level[: max(_NEWEST, level.size // 4)]))
    high = _held(level)
    if high - low <= 0.05 * max(abs(high), abs(low)):
        return None
    arrived = int(np.flatnonzero(level >= low + 0.9 * (high - low))[0])
    below = np.flatnonzero(level[:arrived] <= low + 0.1 * (high - low))
    left = int(below[-1]) if below.size else 0
    return Rise(start=float(when[left]), seconds=float(when[arrived] - when[left]))


def points(track: Track) -> dict[str, JSON]:
    """Return a series for a chart, thinned to at most 120 points (about 3 KiB), the newest kept."""
    when, level = finite(track.times, track.values)
    step = -(-when.size // _POINTS) if when.size else 1
    kept = slice((when.size - 1) % step if when.size else 0, None, step)
    return {
        "metric": track.metric,
        "labels": dict(track.labels),
        "times": [round(each, 1) for each in when[kept].tolist()],
        "values": [float(f"{each:.5g}") for each in level[kept].tolist()],
    }


def _value(metric: str, after: Floats) -> float | None:
    if not after.size:
        return None
    if metric in _COUNTS:
        return float(after.sum())
    if metric in _SHARES:
        return float(after.mean())
    if metric in _FILLS:
        return _held(after)
    return float(np.median(after))


def _held(level: Floats) -> float:
    """Return the highest level that was held for three samples in a row, the median of fewer."""
    if level.size < _NEWEST:
        return float(np.median(level))
    return float(np.min(np.stack([level[:-2], level[1:-1], level[2:]]), axis=0).max())


def _normal(
    metric: str, before: Floats, baseline: Baseline | None, *, onset: datetime, now: datetime, when: Floats
) -> float | None:
    if metric in _COUNTS:
        # As many as an equal stretch had before.
        length = onset.timestamp() - float(when[0])
        stretch = min(_LONGEST_S, (now - onset).total_seconds())
        return float(before.sum()) * stretch / length if length > 0 else None
    if before.size < _LEAST_BEFORE:
        return None
    if metric in _FILLS:
        # What creeps has left its normal before anything fails: only its foot is normal.
        return float(np.quantile(before, 0.25))
    if metric == "up":
        return float(before.mean())
    return float(baseline.median) if baseline is not None else float(np.median(before))


def _is_outside(metric: str, value: float, baseline: Baseline | None) -> bool:
    if baseline is None or metric in _COUNTS or metric in _FILLS or metric == "up":
        return True
    return deviation(value, baseline) >= _OUTSIDE


def _left_normal(when: Floats, level: Floats, baseline: Baseline | None, *, onset: datetime) -> float | None:
    """Return the first sample around the onset that is above the band and followed by another one."""
    if baseline is None:
        return None
    near = when >= onset.timestamp() - _LONGEST_S / 10
    above = (level > baseline.high) & near
    twice = np.flatnonzero(above[:-1] & above[1:])
    return float(when[twice[0]]) if twice.size else None


def _trend(when: Floats, level: Floats, baseline: Baseline | None, *, onset: datetime, now: datetime) -> str:
    since = max(onset.timestamp() - _SHAPE_S, now.timestamp() - 2 * _SHAPE_S)
    window = (when >= since) & (when <= now.timestamp())
    return shape_of(when[window], level[window], baseline).value
