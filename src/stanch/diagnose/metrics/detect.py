"""Says whether a system has left its normal of late, and since when, with no alert and no time given. Pure.

A watch over many series must not call every first: of 700 series one is always breaking its record. What counts is
movement that several kinds of series share: a service's own CPU and latency, what its neighbours wait for, what is
seen from outside.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

import numpy as np

from stanch.alerts.baseline import MINIMUM_SAMPLES
from stanch.diagnose.metrics.deviation import Split, movements
from stanch.diagnose.metrics.evidence import EvidenceKind, strength_of
from stanch.diagnose.metrics.frame import MetricFrame, Role, SeriesKey, is_client, role_of

NEWEST_ROWS = 8  # onsets looked for: an incident that is over for longer is another question
WIDTHS = (2, 3, 4)  # rows an incident is measured over; the mean of three forgives a start within a row
THRESHOLD = 2.0  # about 6 spreads in three kinds of series at once
OWN_WEIGHT = 0.7  # of what one service shows alone, and of failures and traffic that stops
NEIGHBOURS = 3  # services whose latency or traffic moves together
_ROLES = (Role.CPU, Role.LATENCY, Role.LOAD, Role.SUCCESS, Role.FAILURE)

Strengths = dict[tuple[str, str], float]


@dataclass(frozen=True, kw_only=True)
class Detection:
    """Whether the system is abnormal, since which row's time (None if not), and the score against the threshold."""

    anomalous: bool
    at: float | None
    score: float


def detect_anomaly(frame: MetricFrame, *, outside: Collection[str] = ()) -> Detection:
    """Look for an onset in the newest 8 rows; `outside` names services that observe the system from outside.

    With s = ln(1 + deviation / 3) of the median deviation over a service's series of one kind::

        own(v)   = 0.7 * (cpu + latency + min(latency as its calls see it, latency))
        score(k) = max own + mean of the 3 largest latencies + latency outside
                   + 0.7 * (failures outside + mean of the 3 largest falls of traffic)

    where after are the 2, 3 and 4 rows from k and the three scores are averaged. Anomalous when the best k has at
    least 2.0. A latency of a service's calls counts no more than its own, because clients that call nobody report
    defaults. Worked: CPU at 46 (2.79), its latency and one caller's at 6 (1.10), the third 0, outside at 4 (0.85):
    0.7 * (2.79 + 1.10) + 0.73 + 0.85 = 4.3. Under 10 rows: not anomalous.
    """
    keys = tuple(key for key in frame.keys if role_of(key.metric) in _ROLES)
    first = max(MINIMUM_SAMPLES + 1, frame.times.size - NEWEST_ROWS)
    best = Detection(anomalous=False, at=None, score=0.0)
    if not keys:
        return best
    values = frame.values[:, [frame.columns[key] for key in keys]]
    row = np.arange(frame.times.size)
    for start in range(first, frame.times.size - 1):
        scores = []
        for width in WIDTHS:
            split = Split(before=row < start, recent=row == start - 1, after=(row >= start) & (row < start + width))
            deviations = [movement.deviation for movement in movements(values, split)]
            scores.append(_score(dict(zip(keys, deviations, strict=True)), frozenset(outside)))
        score = float(np.mean(scores))
        if score > best.score:
            best = Detection(anomalous=score >= THRESHOLD, at=float(frame.times[start]), score=score)
    return best if best.anomalous else Detection(anomalous=False, at=None, score=best.score)


def _score(deviations: Mapping[SeriesKey, float], outside: frozenset[str]) -> float:
    strengths = _strengths(deviations)
    services = sorted({service for service, _ in strengths} - outside)

    def of(service: str, kind: str) -> float:
        return strengths.get((service, kind), 0.0)

    own = [of(name, "cpu") + of(name, "latency") + min(of(name, "calls"), of(name, "latency")) for name in services]
    seen = max((of(name, "latency") for name in outside), default=0.0)
    failed = max((of(name, "failures") for name in outside), default=0.0)
    return (
        OWN_WEIGHT * max(own, default=0.0)
        + _together([of(name, "latency") for name in services])
        + seen
        + OWN_WEIGHT * (failed + _together([of(name, "stopped") for name in services]))
    )


def _strengths(deviations: Mapping[SeriesKey, float]) -> Strengths:
    """Strength of the median deviation for every service and kind of series."""
    grouped: dict[tuple[str, str], list[float]] = {}
    for key, deviation in deviations.items():
        role = role_of(key.metric)
        if role is Role.LATENCY:
            grouped.setdefault((key.service, "calls" if is_client(key.metric) else "latency"), []).append(deviation)
        elif role is Role.LOAD:
            grouped.setdefault((key.service, "stopped"), []).append(-deviation)
        elif role is Role.CPU:
            grouped.setdefault((key.service, "cpu"), []).append(deviation)
        else:
            worse = -deviation if role is Role.SUCCESS else deviation
            grouped.setdefault((key.service, "failures"), []).append(worse)
    return {key: strength_of(EvidenceKind.CPU, float(np.median(found))) for key, found in grouped.items()}


def _together(strengths: list[float]) -> float:
    """Mean of the three largest; fewer services count as if the others did not move."""
    return sum(sorted(strengths, reverse=True)[:NEIGHBOURS]) / NEIGHBOURS
