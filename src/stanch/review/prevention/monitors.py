"""Monitors that would have told of an incident sooner: limits taken from its own samples, tried on what is kept. Pure.

For every series a few limits between what was normal and what the incident was are tried, each for half as long and as
long as the configuration asks for. Kept is the one that fires soonest without having fired before.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from math import ceil, floor, log10
from typing import Final

from stanch.alerts.baseline import Floats
from stanch.alerts.declared import LEAST_LOOKS, STRONG_LOOKS
from stanch.alerts.replay import Firing, firings
from stanch.catalog.checks import CRITICAL, MEASURES, WARNING, Rule
from stanch.catalog.model import Thresholds
from stanch.review.figures.rules import quantile
from stanch.review.prevention.model import Course, Monitor, Taken

MOST: Final = 5
MOST_FALSE: Final = 2
"""A monitor that would have fired more often while nothing was wrong is not proposed."""

LEAST_GAIN_S: Final = 60.0
"""A rule more is worth a minute at least."""

LEAST_HOURS: Final = 24.0
"""Without a day of quiet a monitor is proposed as a warning: what happens every night is not known yet."""

FALLS: Final = frozenset({"request_rate"})
"""What is bad when it is low; everything else is when it is high."""

_SHARES: Final = (0.15, 0.3, 0.5, 0.7)
_CLEAR: Final = 1.2
"""A limit lies at least a fifth from normal, however narrow the band is."""

_LEAST: Final = {"ratio": 0.01}
_SETTLED: Final = 0.75


def propose(
    series: Iterable[Taken], *, course: Course, thresholds: Thresholds, names: Iterable[str] = ()
) -> tuple[Monitor, ...]:
    """Return what would have told sooner, best first: without false alarms, then the soonest. At most five.

    `names` are taken by checks and rules already.
    """
    found = [best for taken in series if (best := _best(taken, course, thresholds)) is not None]
    ranked = sorted(found, key=lambda one: (one.false_alarms, -one.earlier_s, one.service, one.rule.measure))[:MOST]
    taken_names = set(names)
    named = []
    for one in ranked:
        name = _free(_name(one.rule), taken_names)
        taken_names.add(name)
        named.append(replace(one, rule=replace(one.rule, name=name)))
    return tuple(named)


def has_left(times: Floats, values: Floats, *, onset: float, measure: str) -> bool:
    """Tell whether a series was elsewhere after `onset` than it mostly was before it, so that trying it is worth it.

    Held against the better quarter of what was before, because the worse may be the beginning of it.
    """
    falls = measure in FALLS
    worst = quantile(values[times >= onset].tolist(), 1 - _SETTLED if falls else _SETTLED)
    before = quantile(values[times < onset].tolist(), _SETTLED if falls else 1 - _SETTLED)
    if worst is None or before is None:
        return False
    return worst * _CLEAR < before if falls else worst > max(before * _CLEAR, _LEAST.get(MEASURES[measure][1], 0.0))


def _best(taken: Taken, course: Course, thresholds: Thresholds) -> Monitor | None:
    """Return the monitor on a series that is worth most, None where none is."""
    normal = taken.normal
    during = taken.values[(taken.times >= course.onset) & (taken.times <= course.end)]
    falls = taken.measure in FALLS
    worst = quantile(during.tolist(), 1 - _SETTLED if falls else _SETTLED)
    if normal is None or normal.n < STRONG_LOOKS or worst is None or during.size < LEAST_LOOKS:
        return None
    tried = []
    for limit in _limits(taken, worst=worst, falls=falls):
        for for_s in sorted({thresholds.for_s / 2, thresholds.for_s}):
            rule = _rule(taken, limit, for_s=for_s, falls=falls)
            found = firings(
                taken.times,
                taken.values,
                rule,
                baseline=normal,
                thresholds=thresholds,
                window_s=taken.window_s,
                until=course.end,
            )
            if found is not None and (one := _monitor(taken, rule, found, course, worst=worst)) is not None:
                tried.append(one)
    if not tried:
        return None
    fewest = min(one.false_alarms for one in tried)
    quiet = [one for one in tried if one.false_alarms == fewest]
    soonest = max(one.earlier_s for one in quiet)
    # Of limits that fire within a look of each other the one that is furthest from normal, and holds longest.
    close = [one for one in quiet if soonest - one.earlier_s <= taken.every_s]
    return max(close, key=lambda one: (abs(_limit(one.rule) - normal.median), one.rule.for_s or 0.0))


def _monitor(taken: Taken, rule: Rule, found: tuple[Firing, ...], course: Course, *, worst: float) -> Monitor | None:
    """Return what is to be said of a rule, None where it would not have told sooner, or cries wolf."""
    normal = taken.normal
    # What goes on into the incident belongs to it, also where it began before the onset.
    own = next((one for one in found if one.end >= course.onset), None)
    if normal is None or own is None or course.told - own.start < max(LEAST_GAIN_S, taken.every_s):
        return None
    false = [one for one in found if one.end < course.onset and not _within(one, taken.spans)]
    if len(false) > MOST_FALSE:
        return None
    hours = _hours(taken.times[taken.times < course.onset], taken.every_s)
    severity = CRITICAL if not false and hours >= LEAST_HOURS else WARNING
    return Monitor(
        service=taken.service,
        rule=replace(rule, severity=severity),
        fired_at=datetime.fromtimestamp(own.start, UTC),
        earlier_s=course.told - own.start,
        normal=normal.median,
        low=normal.low,
        high=normal.high,
        worst=worst,
        hours=hours,
        false_alarms=len(false),
    )


def _limits(taken: Taken, *, worst: float, falls: bool) -> Iterator[float]:
    """Yield limits between what was normal and what the incident was, nearest to normal first."""
    normal = taken.normal
    if normal is None:
        return
    unit = MEASURES[taken.measure][1]
    edge = min(normal.low, normal.median / _CLEAR) if falls else max(normal.high, normal.median * _CLEAR)
    edge = max(edge, _LEAST.get(unit, 0.0)) if not falls else edge
    if worst >= edge if falls else worst <= edge:
        return
    seen = set()
    for share in _SHARES:
        limit = _rounded(edge + share * (worst - edge), up=not falls)
        if limit not in seen and (worst < limit if falls else limit < worst):
            seen.add(limit)
            yield limit


def _rule(taken: Taken, limit: float, *, for_s: float, falls: bool) -> Rule:
    return Rule(
        name=taken.measure,
        measure=taken.measure,
        labels={name: re.escape(value) for name, value in taken.labels.items()},
        above=None if falls else limit,
        below=limit if falls else None,
        for_s=for_s,
        unit=MEASURES[taken.measure][1],
    )


def _limit(rule: Rule) -> float:
    return next(one for one in (rule.above, rule.below, 0.0) if one is not None)


def _within(one: Firing, spans: Iterable[tuple[float, float]]) -> bool:
    return any(one.start <= end and one.end >= start for start, end in spans)


def _hours(times: Floats, every_s: float) -> float:
    """Return for how long it was measured: gaps do not count."""
    return float(times.size) * every_s / 3600


def _rounded(value: float, *, up: bool) -> float:
    """Return a value with two digits: 183.2 becomes 190, and 0.0731 becomes 0.074; a lower limit is rounded down."""
    if value <= 0:
        return 0.0
    unit = 10.0 ** (floor(log10(value)) - 1)
    digits = ceil(value / unit - 1e-9) if up else floor(value / unit + 1e-9)
    return float(f"{digits * unit:.6g}")


def _name(rule: Rule) -> str:
    told = "-".join(value.replace("\\", "") for value in rule.labels.values())
    words = re.sub(r"[^A-Za-z0-9]+", "-", f"{rule.measure}-{told}" if told else rule.measure)
    return f"early-{words}".strip("-")[:56]


def _free(name: str, taken: set[str]) -> str:
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
