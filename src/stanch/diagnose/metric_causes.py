"""Root cause on stored samples: puts series with clocks of their own on one clock and ranks services by them. Pure.

The ranking is `metrics.rootcause`'s, which knows nothing of checks, findings or hypotheses; this module translates.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np

from stanch.alerts.baseline import Floats, finite
from stanch.diagnose.measure import Track
from stanch.diagnose.metrics.evidence import Evidence
from stanch.diagnose.metrics.frame import EdgeFrame, EdgeKey, Graph, MetricFrame, SeriesKey
from stanch.diagnose.metrics.rootcause import Ranking, rank_causes
from stanch.diagnose.model import Graph as Calls

_FRAMED: Final = frozenset({"error_ratio", "latency_p95_ms", "request_rate", "saturation", "memory_bytes"})
_CALL: Final = "dependency_latency_p95_ms"
_ROOM: Final = 1.5
"""Steps for which a sample stands; a series that is looked at more seldom has gaps."""
_MOST_ROWS: Final = 1_500
"""Of the common clock: 200 series of 1,500 rows are 2.4 MB, and rank within a second."""
_LEAST_STEP_S: Final = 1.0
_LEAST_LOOKS: Final = 5


def rank_tracks(
    tracks: Sequence[Track], *, at: float, graph: Calls, alert: tuple[str, str] | None = None
) -> Ranking | None:
    """Rank services as causes of what began at `at` (seconds since 1970); None with too little to compare.

    `alert` is the service and metric of the alert, which dates and places what it shows.
    """
    framed = [one for one in tracks if one.metric in _FRAMED and len(one.times) > 1]
    if not framed:
        return None
    clock = _clock(tracks, step_s=_step(framed))
    if clock.size < 2:
        return None
    keys = tuple(SeriesKey(one.service, _name(one)) for one in framed)
    frame = MetricFrame(times=clock, keys=keys, values=_columns(framed, clock))
    edges = frozenset(
        (caller, callee) for caller, callees in graph.depends_on.items() for callee in callees if caller != callee
    )
    return rank_causes(
        frame,
        at=at,
        graph=Graph(edges=edges, nodes=frozenset(graph.services) | {one.service for one in framed}),
        edges=_edges(tracks, clock),
        alert=SeriesKey(*alert) if alert is not None and SeriesKey(*alert) in keys else None,
    )


def can_tell(tracks: Sequence[Track], *, at: float, now: float) -> bool:
    """Tell whether enough was measured since `at` for the ranking to name anybody.

    Five looks at least, since one or two are mostly of requests that began before; and no service that has gone
    silent, since what is not measured any more cannot stand out.
    """
    framed = [one for one in tracks if one.metric in _FRAMED and not one.labels and len(one.times) > _LEAST_LOOKS]
    if not framed:
        return False
    by_service: dict[str, int] = {}
    for one in framed:
        looks = int(np.count_nonzero(np.asarray(one.times) >= at))
        by_service[one.service] = max(by_service.get(one.service, 0), looks)
    silent = now - at > _LEAST_LOOKS * _step(framed) and min(by_service.values()) < max(by_service.values()) / 2
    return max(by_service.values()) >= _LEAST_LOOKS and not silent


def in_words(evidence: Evidence) -> str:
    """Say one piece of evidence: `error_ratio 0.2 % -> 41 %, 23 times its usual variation`."""
    unit = _unit(evidence.subject)
    moved = ""
    if np.isfinite(evidence.before) and np.isfinite(evidence.after):
        moved = f" {_said(evidence.before, unit)} -> {_said(evidence.after, unit)}"
    return f"{evidence.kind.value}: {evidence.subject}{moved}, {evidence.deviation:,.0f} times its usual variation"


def _step(tracks: Sequence[Track]) -> float:
    steps = [float(np.median(np.diff(np.asarray(one.times)))) for one in tracks if len(one.times) > 2]
    return max(_LEAST_STEP_S, float(np.median(steps)) if steps else _LEAST_STEP_S)


def _clock(tracks: Sequence[Track], *, step_s: float) -> Floats:
    known = [one for one in tracks if len(one.times)]
    start, end = min(float(one.times[0]) for one in known), max(float(one.times[-1]) for one in known)
    step_s = max(step_s, (end - start) / _MOST_ROWS)
    # From the end backwards: the newest row holds the newest samples.
    rows = int((end - start) / step_s) + 1
    clock: Floats = end - step_s * np.arange(rows, dtype=np.float64)[::-1]
    return clock


def _columns(tracks: Sequence[Track], clock: Floats) -> Floats:
    """Return for every row of the clock the newest sample of each series, if it is not too old."""
    step = float(np.median(np.diff(clock))) if clock.size > 1 else 1.0
    columns = np.full((clock.size, len(tracks)), np.nan)
    for place, one in enumerate(tracks):
        times, values = finite(one.times, one.values)
        if not times.size:
            continue
        newest = np.searchsorted(times, clock, side="right") - 1
        known = newest >= 0
        fresh = np.zeros(clock.size, dtype=np.bool_)
        fresh[known] = clock[known] - times[newest[known]] < _ROOM * step
        columns[fresh, place] = values[newest[fresh]]
    return columns


def _edges(tracks: Sequence[Track], clock: Floats) -> EdgeFrame | None:
    """Return how long calls take as the caller sees it, beside what the callee says, where both are measured."""
    own = {one.service: one for one in tracks if one.metric == "latency_p95_ms" and not one.labels}
    calls = [one for one in tracks if one.metric == _CALL and one.labels.get("target") in own]
    if not calls:
        return None
    keys: list[EdgeKey] = []
    series: list[Track] = []
    for one in calls:
        callee = one.labels["target"]
        keys += [EdgeKey(one.service, callee, "latency_client"), EdgeKey(one.service, callee, "latency_server")]
        series += [one, own[callee]]
    return EdgeFrame(times=clock, keys=tuple(keys), values=_columns(series, clock))


def _name(track: Track) -> str:
    label = track.labels.get("resource", "")
    return f"{track.metric} {label}".strip()


def _unit(subject: str) -> str:
    if "ratio" in subject or subject.startswith("saturation"):
        return "ratio"
    return "ms" if "_ms" in subject or "latency" in subject else ("bytes" if "bytes" in subject else "")


def _said(value: float, unit: str) -> str:
    match unit:
        case "ratio":
            return f"{value * 100:.3g} %"
        case "ms":
            return f"{value:,.0f} ms"
        case "bytes":
            return f"{value / 1e6:,.0f} MB"
        case _:
            return f"{value:,.3g}"
