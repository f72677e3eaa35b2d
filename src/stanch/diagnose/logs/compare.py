"""Compares the templates of two windows: which kinds of lines are new, gone, spiking or fading, and how surely.

The judge is the service's own volume: a service that logs twice as much of everything has changed its load, not its
kinds of lines. The statistic is a G-test (likelihood ratio) on the table of template against all other lines, before
against after: G = 2 * sum(observed * ln(observed / expected)), chi-squared with one degree of freedom. Worked value:
0 of 1,000 lines before and 10 of 1,000 after give G = 13.9, p = 2e-4.
Source: Sokal and Rohlf, Biometry, chapter 17; for words in two texts Dunning, Computational Linguistics 19 (1993).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType

_NOTHING: Mapping[str, str] = MappingProxyType({})
_MAX_P = 0.01
"""Chance of calling one change by luck among all templates compared; shared out over them (Bonferroni)."""
_MIN_RATIO = 2.0
"""A template that is more or less frequent by less than this is not worth a person's look, however sure."""


class ChangeKind(StrEnum):
    """What became of a template between two windows."""

    NEW = "new"
    VANISHED = "vanished"
    SPIKING = "spiking"
    FADING = "fading"


@dataclass(frozen=True, kw_only=True)
class Window:
    """The lines of one service in one stretch of time: lines by template, one sample each, and its length."""

    counts: Mapping[str, int]
    seconds: float
    samples: Mapping[str, str] = field(default_factory=lambda: _NOTHING)

    @property
    def total(self) -> int:
        """Return the number of lines."""
        return sum(self.counts.values())


@dataclass(frozen=True, kw_only=True)
class TemplateChange:
    """A template whose share changed. `statistic` is G, `p` its chance by luck; rates are lines a minute."""

    template: str
    kind: ChangeKind
    before: int
    after: int
    rate_before: float
    rate_after: float
    statistic: float
    p: float
    sample: str

    @property
    def ratio(self) -> float:
        """Return the rate after over the rate before; infinite for a new template."""
        return self.rate_after / self.rate_before if self.rate_before else math.inf


def compare(before: Window, after: Window, *, max_p: float = _MAX_P) -> list[TemplateChange]:
    """Return the templates whose share of the service's lines changed, the surest first; may be empty.

    Where the service fell silent or had no lines before, shares say nothing and the length of the windows is the
    measure instead.
    """
    names = sorted(set(before.counts) | set(after.counts))
    totals = (float(before.total), float(after.total))
    silent = min(totals) == 0
    exposure = (before.seconds, after.seconds) if silent else totals
    found = []
    for name in names:
        change = _judge(name, before, after, exposure=exposure, open_ended=silent)
        if change is not None and change.p * len(names) <= max_p:
            found.append(change)
    return sorted(found, key=lambda change: (-change.statistic, change.template))


def g_statistic(before: float, after: float, total_before: float, total_after: float) -> float:
    """Return G of `before` of `total_before` against `after` of `total_after`; 0 where a total is 0."""
    total = total_before + total_after
    lines = before + after
    if total_before <= 0 or total_after <= 0 or lines <= 0:
        return 0.0
    g = 0.0
    for observed, size, share in (
        (before, total_before, lines),
        (after, total_after, lines),
        (total_before - before, total_before, total - lines),
        (total_after - after, total_after, total - lines),
    ):
        expected = size * share / total
        if observed > 0 and expected > 0:
            g += observed * math.log(observed / expected)
    return max(0.0, 2.0 * g)


def poisson_g(before: float, after: float, seconds_before: float, seconds_after: float) -> float:
    """Return G of two counts against the lengths of their windows, where there is no volume to compare with."""
    seconds = seconds_before + seconds_after
    if seconds_before <= 0 or seconds_after <= 0:
        return 0.0
    g = 0.0
    for observed, length in ((before, seconds_before), (after, seconds_after)):
        expected = (before + after) * length / seconds
        if observed > 0 and expected > 0:
            g += observed * math.log(observed / expected)
    return max(0.0, 2.0 * g)


def p_value(statistic: float) -> float:
    """Return the chance of a G this large by luck, one degree of freedom: erfc(sqrt(G / 2))."""
    return math.erfc(math.sqrt(max(0.0, statistic) / 2.0))


def _judge(
    name: str, before: Window, after: Window, *, exposure: tuple[float, float], open_ended: bool
) -> TemplateChange | None:
    old, new = before.counts.get(name, 0), after.counts.get(name, 0)
    kind = _kind(old, new, exposure)
    if kind is None:
        return None
    g = (poisson_g if open_ended else g_statistic)(old, new, *exposure)
    return TemplateChange(
        template=name,
        kind=kind,
        before=old,
        after=new,
        rate_before=60 * old / before.seconds if before.seconds > 0 else 0.0,
        rate_after=60 * new / after.seconds if after.seconds > 0 else 0.0,
        statistic=g,
        p=p_value(g),
        sample=after.samples.get(name) or before.samples.get(name) or name,
    )


def _kind(old: int, new: int, exposure: tuple[float, float]) -> ChangeKind | None:
    if old == new == 0:
        return None
    if old == 0:
        return ChangeKind.NEW
    if new == 0:
        return ChangeKind.VANISHED
    if exposure[0] <= 0 or exposure[1] <= 0:
        return None
    ratio = (new / exposure[1]) / (old / exposure[0])
    if ratio >= _MIN_RATIO:
        return ChangeKind.SPIKING
    return ChangeKind.FADING if ratio <= 1 / _MIN_RATIO else None
