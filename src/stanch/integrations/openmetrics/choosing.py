"""The series that rules ask for, picked from a page: by name, by labels, added up by the labels that are kept."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Final

import msgspec

from stanch.integrations.openmetrics import conventions
from stanch.integrations.openmetrics.page import Point
from stanch.ports.checks import SeriesChoice

MOST_SERIES: Final = 50
"""Series of one rule, the largest values first: each is judged, and stored at every look."""

LONGEST_VALUE: Final = 200
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """One series of a rule with what was read; `is_rate` says that it counts since the process began."""

    labels: Labels
    value: float
    is_rate: bool

    @property
    def key(self) -> str:
        """Return what it is known by between two looks."""
        return msgspec.json.encode(self.labels).decode()


class Choosing:
    """Takes in a page while it is read for the usual names."""

    def __init__(self, choices: Iterable[SeriesChoice]) -> None:
        self._choices: dict[str, list[tuple[SeriesChoice, dict[str, re.Pattern[str]]]]] = {}
        for one in choices:
            patterns = {name: re.compile(pattern) for name, pattern in one.labels.items()}
            self._choices.setdefault(one.metric, []).append((one, patterns))
        self._found: dict[str, dict[Labels, float]] = {}
        self._rates = {one.rule for some in self._choices.values() for one, _ in some if one.rate}

    def is_wanted(self, name: str) -> bool:
        """Tell whether a series of this name is read at all."""
        return name in self._choices or conventions.is_wanted(name)

    def pick(self, points: Iterable[Point]) -> Iterator[Point]:
        """Pass on the points with usual names, and take in those that rules ask for."""
        for point in points:
            for choice, patterns in self._choices.get(point.name, ()):
                if isfinite(point.value) and _matches(point.labels, patterns):
                    self._take(choice, point)
            if conventions.is_wanted(point.name):
                yield point

    def chosen(self) -> list[Chosen]:
        """Return what was found, of each rule the 50 largest."""
        return [
            Chosen(labels=labels, value=value, is_rate=rule in self._rates)
            for rule, series in self._found.items()
            for labels, value in sorted(series.items(), key=lambda one: (-abs(one[1]), one[0]))[:MOST_SERIES]
        ]

    def _take(self, choice: SeriesChoice, point: Point) -> None:
        kept = choice.keep or tuple(sorted(point.labels))
        labels = (
            ("rule", choice.rule),
            *((name, point.labels[name][:LONGEST_VALUE]) for name in kept if name in point.labels and name != "rule"),
        )
        found = self._found.setdefault(choice.rule, {})
        found[labels] = found.get(labels, 0.0) + point.value


def _matches(labels: Mapping[str, str], patterns: Mapping[str, re.Pattern[str]]) -> bool:
    return all(pattern.fullmatch(labels.get(name, "")) for name, pattern in patterns.items())


def gained_per_second(now: float, before: float | None, elapsed_s: float) -> float | None:
    """Return what a counter gained per second, None without a value before; after a restart all of it is new.

    Worked: 130 after 100 ten seconds before gives 3; 5 after 100 gives 0.5.
    """
    if before is None or elapsed_s <= 0:
        return None
    return (now - before if now >= before else now) / elapsed_s
