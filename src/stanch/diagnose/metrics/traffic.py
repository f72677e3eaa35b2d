"""Evidence of traffic that stops half way: a service that is still called and calls others less. Pure.

Code that raises leaves CPU and latency alone; what shows is the work that is no longer asked for further down.
"""

from collections.abc import Collection, Mapping

import numpy as np

from stanch.alerts.baseline import MINIMUM_SAMPLES, Floats
from stanch.diagnose.metrics.deviation import RELATIVE_FLOOR, Movement, Split, movements
from stanch.diagnose.metrics.evidence import Evidence, EvidenceKind, strength_of
from stanch.diagnose.metrics.frame import Graph, MetricFrame, Role

NEAR_ROWS = 3  # rows just before the guard that stand for "shortly before"
HALF_FAST = 1.5  # deviation of a callee's latency downwards at which half the blame passes to it


def traffic_evidence(frame: MetricFrame, split: Split, graph: Graph, services: Collection[str]) -> list[Evidence]:
    """Return the services that stopped calling others, and the callees that made them stop.

    Per call from p to v, with n the requests a row of a service::

        expected  = n(v) before * min(1, n(p) after / n(p) before), the lower of long before and just before
        noise     = standard deviation of n(v) over windows as long as the incident, at least 5 % of expected
        deviation = (expected - n(v) after) / noise * (1 - n(v) after / expected) / number of callers of v

    and for p the largest over its callees. When a callee of p answers faster than before (it fails at once), the part
    f / (f + 1.5) of p's strength passes to it, f being the fall of the logarithm of its latency in its own spreads.
    Worked: 0.27 requests/s expected, noise 0.06, none come: 4.5 * 1 = 4.5 against the only caller.
    """
    loads = _loads(frame, split)
    faster = _faster(frame, split)
    found: list[Evidence] = []
    for caller in sorted(set(graph.callees) & set(loads)):
        stopped = max(
            (_stopped(loads, split, caller, callee, len(graph.callers[callee])), callee)
            for callee in graph.callees[caller]
        )
        if stopped[0] <= 0:
            continue
        fall, culprit = max((faster.get(callee, 0.0), callee) for callee in graph.callees[caller])
        passed = fall / (fall + HALF_FAST)
        strength = strength_of(EvidenceKind.CALLS_VANISHED, stopped[0])
        level = loads[stopped[1]]
        found.append(
            Evidence(
                kind=EvidenceKind.CALLS_VANISHED,
                service=caller,
                subject=f"requests of {stopped[1]}",
                strength=strength * (1.0 - passed),
                deviation=stopped[0],
                before=float(np.mean(level[split.before])),
                after=float(np.mean(level[split.after])),
            )
        )
        if passed > 0:
            found.append(
                Evidence(
                    kind=EvidenceKind.FAILS_FAST,
                    service=culprit,
                    subject=f"latency, and the calls that {caller} no longer makes",
                    strength=strength * passed,
                    deviation=fall,
                )
            )
    return [evidence for evidence in found if evidence.service in services]


def _loads(frame: MetricFrame, split: Split) -> dict[str, Floats]:
    """The first load series of each service by name that has samples on both sides; missing ones are the median."""
    found = {}
    for name, keys in frame.by_role[Role.LOAD].items():
        series = frame.values[:, frame.columns[keys[0]]]
        known = np.isfinite(series)
        if (split.before & known).sum() >= MINIMUM_SAMPLES and (split.after & known).any():
            found[name] = np.where(known, series, np.median(series[split.before & known]))
    return found


def _stopped(loads: Mapping[str, Floats], split: Split, caller: str, callee: str, callers: int) -> float:
    """How surely the caller calls the callee less than its own requests would have it."""
    if callee not in loads:
        return 0.0
    first = int(np.argmax(split.after))
    near = np.zeros_like(split.before)
    near[max(0, first - 1 - NEAR_ROWS) : max(1, first - 1)] = True
    asked, served = loads[caller], loads[callee]
    now = float(np.mean(asked[split.after]))
    candidates = []
    for rows in (split.before, near):
        then = float(np.mean(asked[rows]))
        candidates.append(float(np.mean(served[rows])) * (min(1.0, now / then) if then > 0 else 1.0))
    expected, seen = min(candidates), float(np.mean(served[split.after]))
    if expected <= 0 or seen >= expected:
        return 0.0
    past = served[split.before]
    length = max(1, min(int(split.after.sum()), past.size))
    noise = float(np.std(np.convolve(past, np.full(length, 1.0 / length), "valid")))
    return (expected - seen) / max(noise, RELATIVE_FLOOR * expected) * (1.0 - seen / expected) / callers


def _faster(frame: MetricFrame, split: Split) -> dict[str, float]:
    """By how many spreads the logarithm of each service's latency fell, the median over its latency series."""
    found = {}
    for name, keys in frame.by_role[Role.LATENCY].items():
        columns = frame.values[:, [frame.columns[key] for key in keys]]
        logarithms = np.log(columns, where=columns > 0, out=np.full(columns.shape, np.nan))
        # A floor relative to a logarithm would depend on the unit; 5 % of the latency is 0.05 in its logarithm.
        fallen: list[Movement] = movements(logarithms, split, floor=0.0)
        found[name] = max(0.0, -float(np.median([movement.deviation for movement in fallen])))
    return found
