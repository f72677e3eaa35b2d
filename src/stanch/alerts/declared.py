"""When a declared check fails, and when a series that a rule asks for is an alert. Pure, like `rules`.

A check says itself whether all is as it must be; a rule holds a series against a limit, and against what is normal.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from stanch.alerts.baseline import Baseline, Floats
from stanch.alerts.began import Start, level_began
from stanch.alerts.model import Measured, Metric, Outcome, Unit
from stanch.alerts.verdict import Verdict, held_since
from stanch.alerts.words import many, quantity
from stanch.catalog.checks import Check, Rule
from stanch.catalog.model import Thresholds
from stanch.kernel.pattern import pattern
from stanch.ports.sampler import Sample

HOLD_S: Final = 15.0
"""As of a health probe: two looks in a row are enough, but not two within a second."""

LEAST_LOOKS: Final = 3
STRONG_LOOKS: Final = 30
"""Looks of history before what is normal counts, as for the shipped rules."""


def judge_check(
    times: Floats, values: Floats, *, check: Check, note: str, thresholds: Thresholds, now: float
) -> Verdict:
    """Judge a check by its looks (1 all well, 0 not), oldest first: so many in a row as it says must have failed.

    `note` says what is wrong at the newest look.
    """
    if not times.size:
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="it has not looked yet")
    failed = values < 0.5
    in_a_row = int(np.argmax(~failed[::-1])) if not failed.all() else failed.size
    measured = Measured(value=float(values[-1]), normal=1.0, limit=1.0)
    if not in_a_row:
        return Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail="all is as it must be", measured=measured)
    if in_a_row < check.looks:
        detail = f"{note} ({many(in_a_row, 'look')} of {check.looks})"
        return Verdict(breach=False, outcome=Outcome.HELD_TOO_SHORT, detail=detail, measured=measured)
    first = failed.size - in_a_row
    start = Start(at=float(times[first]), low=float(times[max(0, first - 1)]), high=float(times[first]))
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=note,
        measured=measured,
        start=start,
        held_s=now - float(times[first]),
        hold_s=0.0 if check.looks == 1 else min(thresholds.for_s / 4, HOLD_S),
    )


def judge_rule(
    times: Floats,
    values: Floats,
    *,
    rule: Rule,
    baseline: Baseline | None,
    thresholds: Thresholds,
    now: float,
    window_s: float,
    note: str = "",
) -> Verdict:
    """Judge one series of a rule.

    With x the window's median (or what `over` says), m the normal and f the factor, it is so where x > above, or
    x < below; where a factor is given too, x > f m and x is above the band, or x < m / f and x is below it. A factor
    alone is like `above`. Without a limit it is so as long as the series is there.
    """
    window_s = rule.window_s or window_s
    keep = times > now - window_s
    if not keep.any():
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="nothing was measured")
    value = _over(values[keep], rule.over)
    limit, upward, words = _limit(rule, baseline, value)
    measured = _measured(value, rule, baseline, limit)
    shown = f"{quantity(value, measured.unit)}{_of(rule)}"
    if rule.factor is not None and (baseline is None or baseline.n < STRONG_LOOKS):
        detail = f"{shown}, and normal is not known yet"
        return Verdict(breach=False, outcome=Outcome.TOO_FEW_SAMPLES, detail=detail, measured=measured)
    if limit is not None and not _beyond(value, limit, upward=upward):
        outcome = Outcome.WITHIN_NORMAL if _is_plain_breach(rule, value) else Outcome.BELOW_THRESHOLD
        detail = f"{shown} is not {'above' if upward else 'below'} {words}"
        return Verdict(breach=False, outcome=outcome, detail=detail, measured=measured)
    newest = float(values[-1])
    if limit is not None and rule.over in ("median", "mean") and not _beyond(newest, limit, upward=upward):
        detail = f"{shown}, and {quantity(newest, measured.unit)} at the newest look"
        return Verdict(breach=False, outcome=Outcome.NO_LONGER_SO, detail=detail, measured=measured)
    # A single look of a mean or a median says nothing about the window.
    if rule.over in ("median", "mean") and keep.sum() < LEAST_LOOKS:
        detail = f"{shown}, seen {many(float(keep.sum()), 'time')}"
        return Verdict(breach=False, outcome=Outcome.TOO_FEW_SAMPLES, detail=detail, measured=measured)
    start = _start(times, values, rule, baseline, limit, upward=upward)
    bad = times if limit is None else times[_side(values, 0.0 if rule.over == "sum" else limit, upward=upward)]
    said = "" if limit is None else f" is {'above' if upward else 'below'} {words}"
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=f"{shown}{said}{f': {note}' if note else ''}",
        measured=measured,
        start=start,
        held_s=max(held_since(start, bad), 0.0) if bad.size else 0.0,
        hold_s=thresholds.for_s if rule.for_s is None else rule.for_s,
    )


def fits(rule: Rule, labels: Mapping[str, str]) -> bool:
    """Tell whether a series with these labels is one that a rule judges."""
    return all(pattern(expression).fits(labels.get(name, "")) for name, expression in rule.labels.items())


def measured_for(rules: Iterable[Rule], samples: Sequence[Sample]) -> tuple[Sample, ...]:
    """Return what a look measured once more for each rule on it, as the series of that rule."""
    found = []
    for rule in rules:
        if not rule.measure:
            continue
        for sample in samples:
            labels = dict(sample.labels)
            if sample.metric == rule.measure and fits(rule, labels):
                labels |= {"rule": rule.name, "severity": rule.severity}
                found.append(replace(sample, metric=Metric.RULE.value, labels=tuple(sorted(labels.items()))))
    return tuple(found)


def gone(rule: Rule) -> Verdict:
    """Return the verdict on a series that its source does not have any more, while the source itself is seen."""
    detail = "there is no such series any more" if rule.has_limit else "the query does not return it any more"
    return Verdict(breach=False, outcome=Outcome.NO_LONGER_SO, detail=detail)


def unit_of(rule: Rule) -> Unit:
    """Return what the values of a rule are counted in."""
    return Unit(rule.unit) if rule.unit in set(Unit) else Unit.COUNT


def _over(values: Floats, over: str) -> float:
    match over:
        case "mean":
            return float(values.mean())
        case "max":
            return float(values.max())
        case "min":
            return float(values.min())
        case "last":
            return float(values[-1])
        case "sum":
            return float(values.sum())
    return float(np.median(values))


def _of(rule: Rule) -> str:
    return {"sum": " in the window", "max": " at most", "min": " at least", "mean": " on average"}.get(rule.over, "")


def _limit(rule: Rule, baseline: Baseline | None, value: float) -> tuple[float | None, bool, str]:
    """Return the limit that decides for `value`, whether it is an upper one, and its words; None without any."""
    unit = unit_of(rule)
    upward = rule.below is None or (rule.above is not None and value >= rule.below)
    plain = rule.above if upward else rule.below
    words = quantity(plain, unit) if plain is not None else ""
    if rule.factor is None or baseline is None:
        return plain, upward, words
    normal = f"{rule.factor:g} times the normal {quantity(baseline.median, unit)}"
    if upward:
        relative = max(rule.factor * baseline.median, baseline.high)
        return (plain, True, words) if plain is not None and plain >= relative else (relative, True, normal)
    relative = min(baseline.median / rule.factor, baseline.low)
    part = f"a {rule.factor:g}th of the normal {quantity(baseline.median, unit)}"
    return (plain, False, words) if plain is not None and plain <= relative else (relative, False, part)


def _is_plain_breach(rule: Rule, value: float) -> bool:
    above = rule.above is not None and value > rule.above
    return above or (rule.below is not None and value < rule.below)


def _beyond(value: float, limit: float, *, upward: bool) -> bool:
    return value > limit if upward else value < limit


def _side(values: Floats, limit: float, *, upward: bool) -> np.ndarray:
    return values > limit if upward else values < limit


def _start(
    times: Floats, values: Floats, rule: Rule, baseline: Baseline | None, limit: float | None, *, upward: bool
) -> Start:
    """Return when it began: the change of level, or the first look of the newest stretch beyond the limit."""
    if limit is not None and baseline is not None and rule.over in ("median", "mean", "last"):
        present = float(np.median(values[-LEAST_LOOKS:]))
        found = level_began(times, values, normal=baseline.median, present=present, spread=baseline.spread)
        if found is not None:
            return found
    if limit is None:
        # Present since it was first seen without a gap of more than three looks.
        step = float(np.median(np.diff(times))) if times.size > 1 else 0.0
        breaks = np.flatnonzero(np.diff(times) > 3 * step) if step else np.array([], dtype=np.intp)
        first = int(breaks[-1]) + 1 if breaks.size else 0
    else:
        beyond = _side(values, 0.0 if rule.over == "sum" else limit, upward=upward)
        # Over a sum single looks may lie below; what counts is the first of the window.
        well = np.flatnonzero(~beyond)
        first = int(well[-1]) + 1 if well.size and rule.over != "sum" else int(np.argmax(beyond))
        first = min(first, times.size - 1)
    return Start(at=float(times[first]), low=float(times[max(0, first - 1)]), high=float(times[first]))


def _measured(value: float, rule: Rule, baseline: Baseline | None, limit: float | None) -> Measured:
    unit = unit_of(rule)
    # What is normal at a look is not what is normal for the sum of a window.
    if baseline is None or rule.over == "sum":
        return Measured(value=value, unit=unit, limit=limit)
    return Measured(value=value, unit=unit, normal=baseline.median, low=baseline.low, high=baseline.high, limit=limit)
