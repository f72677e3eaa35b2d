"""When it began and where it showed first: one start with an interval out of all series of the services in question.

An alert dates its own series, and comes late by its own rule. Here every symptom of every service has a say, and the
order in which services left their normal is told beside it. Pure; reading the series is the caller's business.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Final

import numpy as np

from stanch.alerts.baseline import Floats, finite
from stanch.alerts.began import ratio_began
from stanch.diagnose.measure import Track
from stanch.diagnose.metrics.onset import Direction, Onset, common_onset, estimate_onset

_SYMPTOMS: Final = frozenset(
    {"error_ratio", "latency_p95_ms", "up", "dependency_error_ratio", "dependency_latency_p95_ms"}
)
"""What hurts somebody. What fills up or rises before anybody notices is told, and does not date the incident."""
_FORERUNNERS: Final = frozenset({"saturation", "memory_bytes", "request_rate", "restarts"})
_COUNTED: Final = ("requests", "failed_requests")
_REACH: Final = 6.0
"""A start further from the one told than a sixth of the window is that of something else."""
_LEAST_COUNTED: Final = 20
_LEAST_FAILED: Final = 3
_LEAST_RATIO: Final = 0.02
_STRENGTH: Final = 10.0
"""Strength of a start that was counted in requests, in spreads: as much as a level that clearly left its band."""
_LEAST_MISSED: Final = 0.2
_LEAST_LOOKS: Final = 2
_SURE_LOOKS: Final = 3
"""Looks of a health check that must fail for a vote, and for one that counts as much as failing requests."""
_LEAST_RISE: Final = 1.3
"""Times its normal that a latency must reach to date anything: what creeps by a tenth under load hurts nobody."""
_LEAST_RISE_MS: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Moved:
    """One series that left its normal: since when, with its 95 % interval (seconds since 1970)."""

    service: str
    metric: str
    key: str
    at: float
    low: float
    high: float
    strength: float
    symptom: bool


@dataclass(frozen=True, kw_only=True)
class Dated:
    """The start of an incident with its interval (UTC), and what moved, the first first; one entry a series."""

    at: datetime
    low: datetime
    high: datetime
    moved: tuple[Moved, ...]
    agree: int


def date_of(
    tracks: Sequence[Track],
    *,
    told: datetime,
    low: datetime | None = None,
    high: datetime | None = None,
    alerted: Collection[tuple[str, str]] = (),
) -> Dated | None:
    """Return when the incident began, near the instant that was `told`; None when no symptom shows a start.

    Every symptom with a start votes for its interval with ln(1 + strength), the start as it was told (`low`..`high`,
    where an alert gave them) among them; see `common_onset`. Shares of requests are dated by their counts
    (`ratio_began`), everything else by its level (`estimate_onset`). `alerted` are (service, metric) that alerts are
    about: where one of them fills up, as a pool or a memory does, before anything fails, it began when that did.
    """
    moved = sorted(
        (one for one in _moved(tracks, told=told.timestamp()) if one is not None),
        key=lambda one: (one.at, one.service, one.metric, one.key),
    )
    votes = [_as_onset(one) for one in moved if one.symptom]
    filling = common_onset(
        [_as_onset(one) for one in moved if not one.symptom and (one.service, one.metric) in alerted]
    )
    if votes and low is not None and high is not None and low <= told <= high:
        votes.append(_onset(told.timestamp(), low.timestamp(), high.timestamp(), _STRENGTH))
    found = common_onset(votes)
    if filling is not None and (found is None or filling.at < found.at):
        found = _widened(filling, told=told.timestamp())
    if found is None:
        return None
    return Dated(
        at=_instant(found.at),
        low=_instant(found.low),
        high=_instant(found.high),
        moved=tuple(moved),
        agree=found.series,
    )


def first_by_service(moved: Sequence[Moved]) -> list[Moved]:
    """Return the earliest symptom of each service, the first to move first; services without one are left out.

    Health checks count from the third that was missed on: any release misses one, a harmless one too.
    """
    found: dict[str, Moved] = {}
    for one in sorted(moved, key=lambda one: (one.at, -one.strength)):
        if one.symptom and not one.key and (one.metric != "up" or one.strength >= _STRENGTH):
            found.setdefault(one.service, one)
    return sorted(found.values(), key=lambda one: (one.at, one.service))


def _moved(tracks: Sequence[Track], *, told: float) -> list[Moved | None]:
    counts = {(one.service, one.metric): one for one in tracks if one.metric in _COUNTED}
    found: list[Moved | None] = []
    for one in tracks:
        if one.metric == "error_ratio" and not one.labels:
            found.append(_counted(one, counts, told=told))
        elif one.metric == "up":
            found.append(_probed(one, told=told))
        elif one.metric in _SYMPTOMS or one.metric in _FORERUNNERS:
            found.append(_level(one, told=told))
    return found


def _counted(track: Track, counts: dict[tuple[str, str], Track], *, told: float) -> Moved | None:
    requests, failures = (counts.get((track.service, name)) for name in _COUNTED)
    if requests is None or failures is None:
        return _level(track, told=told)
    times, total = finite(requests.times, requests.values)
    failed = np.interp(times, *finite(failures.times, failures.values)) if len(failures.times) else np.zeros(times.size)
    if times.size < 2 or total.sum() < _LEAST_COUNTED:
        return None
    failed = np.minimum(failed, total)
    reach = _reach(times)
    before, after = times < told - reach / 4, times >= told
    if total[before].sum() <= 0 or total[after].sum() <= 0:
        before, after = times < np.quantile(times, 0.3), times >= np.quantile(times, 0.7)
    normal = (failed[before].sum() + 0.5) / (total[before].sum() + 1.0)
    present = float(failed[after].sum() / max(1.0, total[after].sum()))
    if present < max(_LEAST_RATIO, 2 * normal) or failed[after].sum() < _LEAST_FAILED:
        return None
    near = np.abs(times - told) <= max(reach, told - float(times[0]))
    start = ratio_began(times[near], total[near], failed[near], normal=float(normal), present=present)
    if start is None or abs(start.at - told) > reach:
        return None
    return Moved(
        service=track.service,
        metric=track.metric,
        key="",
        at=start.at,
        low=start.low,
        high=max(start.high, start.at),
        strength=_STRENGTH,
        symptom=True,
    )


def _probed(track: Track, *, told: float) -> Moved | None:
    """Date what only a health check sees: each look is one request that fails or not.

    A check that fails every time began to do so between the last look that passed and the first that did not; one that
    flaps, where the share of failures rose. One look that failed is any release's, and dates nothing.
    """
    times, up = finite(track.times, track.values)
    if times.size < 2:
        return None
    failed = 1.0 - np.clip(up, 0.0, 1.0)
    reach = _reach(times)
    before, after = failed[times < told - reach / 4], failed[times >= told]
    if not before.size or not after.size:
        return None
    normal = (float(before.sum()) + 0.5) / (before.size + 1.0)
    present = float(after.mean())
    if present < max(_LEAST_MISSED, 2 * normal):
        return None
    near = times >= told - reach
    start = ratio_began(times[near], np.ones(int(near.sum())), failed[near], normal=normal, present=present)
    if start is None or abs(start.at - told) > reach:
        return None
    missed = float(failed[times >= start.low].sum())
    if missed < _LEAST_LOOKS:
        return None
    return Moved(
        service=track.service,
        metric=track.metric,
        key="",
        at=start.at,
        low=start.low,
        high=max(start.high, start.at),
        strength=min(_STRENGTH, missed * _STRENGTH / _SURE_LOOKS),
        symptom=True,
    )


def _level(track: Track, *, told: float) -> Moved | None:
    times, values = finite(track.times, track.values)
    if times.size < 2:
        return None
    onset = estimate_onset(times, values, around=told)
    if onset is None or onset.direction is not Direction.UP or abs(onset.at - told) > 2 * _reach(times):
        return None
    taken_s = 0.0
    if track.metric.endswith("_ms"):
        if not _is_slow(values, times, onset):
            return None
        # Only requests that have ended are timed: the first slow one began as long before as it took.
        taken_s = float(np.median(values[times >= onset.at])) / 1000
    return Moved(
        service=track.service,
        metric=track.metric,
        key=track.labels.get("target") or track.labels.get("resource") or "",
        at=onset.at,
        low=onset.low - taken_s,
        high=onset.high,
        strength=onset.strength,
        symptom=track.metric in _SYMPTOMS,
    )


def _is_slow(values: Floats, times: Floats, onset: Onset) -> bool:
    before, after = values[times < onset.at], values[times >= onset.at]
    if not before.size or not after.size:
        return False
    normal, present = float(np.median(before)), float(np.quantile(after, 0.75))
    return present >= _LEAST_RISE * normal and present - normal >= _LEAST_RISE_MS


def _reach(times: Floats) -> float:
    step = float(np.median(np.diff(times))) if times.size > 1 else 0.0
    return max((float(times[-1]) - float(times[0])) / _REACH, 3 * step)


def _widened(filling: Onset, *, told: float) -> Onset:
    """Widen the interval of what fills up by its distance to the start told: where a slope begins is hard to see."""
    away = abs(told - filling.at)
    return replace(filling, low=min(filling.low, filling.at - away), high=max(filling.high, told))


def _as_onset(one: Moved) -> Onset:
    return _onset(one.at, one.low, one.high, one.strength)


def _onset(at: float, low: float, high: float, strength: float) -> Onset:
    return Onset(at=at, low=low, high=high, direction=Direction.UP, strength=strength)


def _instant(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
