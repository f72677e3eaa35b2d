"""Evidence of the network: calls that take longer for the caller than the callee says it worked. Pure.

A network fault leaves CPU, memory and the callee's own latency as they are. The gap between the two ends of a call is
nearly its only trace.
"""

from collections.abc import Collection

import numpy as np

from stanch.alerts.baseline import MAD_TO_SIGMA, Floats
from stanch.diagnose.metrics.evidence import Evidence, EvidenceKind, strength_of
from stanch.diagnose.metrics.frame import EdgeFrame, EdgeKey, Marks, latency_rank

GUARD_INTERVALS = 2.0  # of the metrics' interval: calls are sampled finer, so the guard is not a sample but a time
MINIMUM_CALLS = 3  # samples before; calls are rarer than scrapes, and a gap is steadier than a latency
HABIT_QUANTILE = 0.9
OWN_FLOOR = 0.05  # of the call's own latency
COMMON_FLOOR = 0.05  # of the usual latency of all calls: microseconds between two fast services are no outage


def network_evidence(
    edges: EdgeFrame, *, at: float, interval_seconds: float, services: Collection[str]
) -> list[Evidence]:
    """Return how much slower the way to each service has become.

    Per call, with g = client latency - server latency, m its median before::

        spread       = max(1.4826 * MAD, 90 % quantile of |g - m|, 5 % of the client latency, 5 % of all calls')
        deviation    = max(0, (median of g after - m) / spread)
        deviation(v) = exp(mean of ln(1 + deviation) over the calls to v) - 1

    The geometric mean asks that all ways to a service be slow: one slow way is the caller's or the path's.
    Worked: two callers with deviations 2003 and 1002 give 1416; with 50 and 0 they give 6.1.
    """
    before = edges.times < at - GUARD_INTERVALS * interval_seconds
    after = edges.times >= at
    pairs = _pairs(edges)
    usual = [level for client, _ in pairs.values() if np.isfinite(level := _median(edges, client, before))]
    common = COMMON_FLOOR * float(np.median(usual)) if usual else 0.0
    inward: dict[str, list[tuple[float, EdgeKey, float, float]]] = {}
    for client, server in pairs.values():
        measured = _gap(edges, client, server, before=before, after=after, common=common)
        if measured is not None:
            inward.setdefault(client.callee, []).append((measured[0], client, measured[1], measured[2]))
    found = []
    for name in sorted(inward):
        deviation = float(np.expm1(np.mean(np.log1p([entry[0] for entry in inward[name]]))))
        if deviation <= 0 or name not in services:
            continue
        _, key, normal, level = max(inward[name], key=lambda entry: (entry[0], entry[1]))
        found.append(
            Evidence(
                kind=EvidenceKind.NETWORK,
                service=name,
                subject=f"client minus server latency of {key.caller} -> {key.callee}",
                strength=strength_of(EvidenceKind.NETWORK, deviation),
                deviation=deviation,
                before=normal,
                after=level,
            )
        )
    return found


def _pairs(edges: EdgeFrame) -> dict[tuple[str, str], tuple[EdgeKey, EdgeKey]]:
    """The client's and the server's view of each call, in the statistic that adds up best."""
    known = set(edges.keys)
    found: dict[tuple[str, str], tuple[EdgeKey, EdgeKey]] = {}
    for key in sorted(edges.keys, key=lambda key: (latency_rank(key.metric), key)):
        other = key._replace(metric=key.metric.replace("client", "server"))
        if "client" in key.metric and other in known:
            found.setdefault((key.caller, key.callee), (key, other))
    return found


def _gap(
    edges: EdgeFrame, client: EdgeKey, server: EdgeKey, *, before: Marks, after: Marks, common: float
) -> tuple[float, float, float] | None:
    """Deviation of one call's gap, its level before and after; None when there are too few calls."""
    gap = _column(edges, client) - _column(edges, server)
    x, y = gap[before & np.isfinite(gap)], gap[after & np.isfinite(gap)]
    if x.size < MINIMUM_CALLS or not y.size:
        return None
    median, level = float(np.median(x)), float(np.median(y))
    away = np.abs(x - median)
    spread = max(
        MAD_TO_SIGMA * float(np.median(away)),
        float(np.quantile(away, HABIT_QUANTILE)),
        OWN_FLOOR * _median(edges, client, before),
        common,
    )
    return (max(0.0, (level - median) / spread) if spread > 0 else 0.0), median, level


def _column(edges: EdgeFrame, key: EdgeKey) -> Floats:
    return edges.values[:, edges.keys.index(key)]


def _median(edges: EdgeFrame, key: EdgeKey, rows: Marks) -> float:
    series = _column(edges, key)[rows]
    series = series[np.isfinite(series)]
    return float(np.median(series)) if series.size else float("nan")
