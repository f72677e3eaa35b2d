"""When a condition began, from the samples it is judged on. Pure.

A change of level from a known normal to a known present, found by likelihood: what an alert needs at once. The
estimate from the whole shape of a series, without knowing either level, is made later by the diagnosis.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from stanch.alerts.baseline import Floats

INTERVAL_NATS: Final = 1.92
"""Half of chi-squared's 95 % point with one degree of freedom: starts this much less likely stay in the interval."""

CLIP_NATS: Final = 6.0
"""What one look may weigh, so that a single absurd sample does not place the start."""

_LEAST_RATIO: Final = 1e-4
_ROUNDS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Start:
    """A start in seconds since 1970, with its 95 % interval; never shorter than the step between two looks."""

    at: float
    low: float
    high: float


def ratio_began(times: Floats, total: Floats, failed: Floats, *, normal: float, present: float) -> Start | None:
    """Return when the share `failed / total` left `normal`; None without a look that says so.

    With p0 = normal and p1 = present every look weighs ``f ln(p1/p0) + (n - f) ln((1-p1)/(1-p0))``, and the start is
    the look from which on the weights add up to most. `present` may be thinned by looks from before: p1 is measured
    again after each start found, three times. Within its look the start is placed by that look's own share of p1:
    with p1 = 0.4 and looks 10 s apart, a first look with a share of 0.1 began in its last quarter.
    """
    p0 = min(max(normal, _LEAST_RATIO), 0.5)
    found = None
    for _ in range(_ROUNDS):
        p1 = min(max(present, 2 * p0), 1 - _LEAST_RATIO)
        weights = failed * np.log(p1 / p0) + (total - failed) * np.log((1 - p1) / (1 - p0))
        filled = np.divide(failed, total * p1, out=np.zeros(total.shape), where=total > 0)
        found = _start(times, weights, filled)
        if found is None:
            return None
        after = times > found.high
        if total[after].sum() > 0:
            present = float(failed[after].sum() / total[after].sum())
    return found


def level_began(times: Floats, values: Floats, *, normal: float, present: float, spread: float) -> Start | None:
    """Return when a level went from `normal` to `present`, in units of `spread`; None without a look that says so.

    Every look weighs ``((x - normal)^2 - (x - present)^2) / (2 spread^2)``, a normal distribution's log-likelihood.
    """
    width = max(spread, abs(present - normal) / 8, 1e-9)
    weights = (np.square(values - normal) - np.square(values - present)) / (2 * width * width)
    return _start(times, weights, np.ones_like(values))


def _start(times: Floats, weights: Floats, filled: Floats) -> Start | None:
    if not times.size:
        return None
    sums = np.cumsum(np.clip(weights, -CLIP_NATS, CLIP_NATS)[::-1])[::-1]
    # Of equals the last: a look that saw nothing says nothing, and must not make the start earlier.
    first = times.size - 1 - int(np.argmax(sums[::-1]))
    if sums[first] <= 0:
        return None
    step = float(np.median(np.diff(times))) if times.size > 1 else 0.0
    before = float(times[first - 1]) if first else float(times[0]) - step
    # A look speaks for the time since the one before, unless that lies further back than looks usually do.
    before = max(before, float(times[first]) - 2 * step) if step else before
    share = min(1.0, max(0.0, float(filled[first])))
    close = np.flatnonzero(sums >= sums[first] - INTERVAL_NATS)
    earliest = int(close[0])
    low = float(times[earliest - 1]) if earliest else float(times[0]) - step
    return Start(
        at=float(times[first]) - share * (float(times[first]) - before),
        low=min(low, before),
        high=float(times[max(first, int(close[-1]))]),
    )
