"""What happened between two looks: what counters gained, whether the process is another one, the 95th percentile."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import inf
from typing import Final

from stanch.integrations.openmetrics.totals import Calls

QUANTILE: Final = 0.95
SAME_START_S: Final = 1.0
"""Start times are computed from the boot time and differ by fractions of a second from look to look."""

RESET_SHARE: Final = 0.5
"""Where no start time is given, a counter that fell to under half was reset; one that fell less lost a series."""


@dataclass(frozen=True, kw_only=True)
class Gained:
    """What one place gained between two looks; a part is None where it cannot be told."""

    requests: float | None = None
    failed: float | None = None
    p95_ms: float | None = None


def is_other_process(started_at: float | None, before: float | None) -> bool:
    """Tell whether the page comes from another process than the one before; False where either start is unknown."""
    return started_at is not None and before is not None and abs(started_at - before) > SAME_START_S


def gained(now: Calls, before: Calls, *, restarted: bool, start_known: bool) -> Gained:
    """Return what was gained since `before`. After a restart all that is counted now is new."""
    requests = _gain(now.requests, before.requests, restarted=restarted, start_known=start_known)
    failed = _gain(now.failed, before.failed, restarted=restarted, start_known=start_known)
    if requests is None:
        failed = None
    buckets = _bucket_gain(now.buckets, before.buckets, restarted=restarted, start_known=start_known)
    return Gained(
        requests=requests,
        failed=min(failed, requests) if failed is not None and requests is not None else None,
        p95_ms=quantile(QUANTILE, buckets) if buckets else None,
    )


def quantile(share: float, buckets: Mapping[float, float]) -> float | None:
    """Return the value below which `share` of the observations lie, None without any.

    Linear within a bucket, from 0 in the first, as Prometheus' `histogram_quantile`; above the last finite bound it is
    that bound. Worked: 50 up to 100 ms and 100 up to 200 ms put the 95th percentile at 100 + 100 * 45 / 50 = 190 ms.
    """
    bounds = sorted(buckets)
    total = buckets[bounds[-1]] if bounds else 0.0
    if total <= 0:
        return None
    rank = share * total
    lower, below = 0.0, 0.0
    for bound in bounds:
        count = buckets[bound]
        if count >= rank:
            if bound == inf:
                return lower if lower > 0 else None
            width = count - below
            return lower + (bound - lower) * (rank - below) / width if width > 0 else bound
        lower, below = bound, max(below, count)
    return lower if lower < inf else None


def _gain(now: float | None, before: float | None, *, restarted: bool, start_known: bool) -> float | None:
    if now is None:
        return None
    if restarted or before is None:
        return now
    if now >= before:
        return now - before
    return now if not start_known and now < RESET_SHARE * before else None


def _bucket_gain(
    now: Mapping[float, float], before: Mapping[float, float], *, restarted: bool, start_known: bool
) -> dict[float, float]:
    if restarted or not before:
        return dict(now)
    if now.keys() != before.keys():
        return {}
    change = {bound: now[bound] - before[bound] for bound in now}
    if min(change.values(), default=0.0) >= 0:
        return change
    largest = max(now, default=inf)
    was_reset = not start_known and now[largest] < RESET_SHARE * before[largest]
    return dict(now) if was_reset else {}
