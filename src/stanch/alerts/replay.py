"""When a rule would have fired, had it been there: plays kept samples to the judge that decides live. Pure.

The judge is `declared.judge_rule`, so that what is said of a rule is what it would do.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from stanch.alerts.baseline import Baseline, Floats
from stanch.alerts.declared import LEAST_LOOKS, judge_rule
from stanch.alerts.rules import WIDER
from stanch.catalog.checks import Rule
from stanch.catalog.model import Thresholds

MOST_JUDGED: Final = 1_500
"""Looks that are judged of one series: what lies beyond a limit more often is no alert but its habit."""


@dataclass(frozen=True, kw_only=True)
class Firing:
    """From when to when it would have fired, in seconds since 1970."""

    start: float
    end: float


def firings(
    times: Floats,
    values: Floats,
    rule: Rule,
    *,
    baseline: Baseline | None,
    thresholds: Thresholds,
    window_s: float,
    until: float,
) -> tuple[Firing, ...] | None:
    """Return when a rule on a median would have fired up to `until` (seconds since 1970), oldest first.

    What is well for shorter than `resolve_for_s` is one firing. None where it is beyond its limit too often.
    """
    near = np.flatnonzero(_may_fire(times, values, rule, window_s=window_s) & (times <= until))
    if near.size > MOST_JUDGED:
        return None
    found: list[Firing] = []
    for at in _due(times, values, rule, near, baseline=baseline, thresholds=thresholds, window_s=window_s):
        if found and at - found[-1].end <= thresholds.resolve_for_s:
            found[-1] = Firing(start=found[-1].start, end=at)
        else:
            found.append(Firing(start=at, end=at))
    return tuple(found)


def _due(
    times: Floats,
    values: Floats,
    rule: Rule,
    near: NDArray[np.intp],
    *,
    baseline: Baseline | None,
    thresholds: Thresholds,
    window_s: float,
) -> Iterator[float]:
    for last in near.tolist():
        now = float(times[last])
        # As many windows as are read live.
        first = int(np.searchsorted(times, now - WIDER[-1] * window_s, side="right"))
        verdict = judge_rule(
            times[first : last + 1],
            values[first : last + 1],
            rule=rule,
            baseline=baseline,
            thresholds=thresholds,
            now=now,
            window_s=window_s,
        )
        if verdict.is_due:
            yield now


def _may_fire(times: Floats, values: Floats, rule: Rule, *, window_s: float) -> NDArray[np.bool_]:
    """Mark the looks at which a median can lie beyond the limit: its newest value does, and so does half its window.

    Judging every look of three days would take seconds; this leaves the few that matter.
    """
    above, below = rule.above, rule.below
    beyond = values > above if above is not None else values < (below if below is not None else 0.0)
    counted = np.concatenate(([0], np.cumsum(beyond)))
    last = np.arange(1, values.size + 1)
    first = np.searchsorted(times, times - window_s, side="right")
    looks = last - first
    marked: NDArray[np.bool_] = beyond & (looks >= LEAST_LOOKS) & (2 * (counted[last] - counted[first]) >= looks)
    return marked
