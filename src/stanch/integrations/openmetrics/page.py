"""Reads the text format: one series a line, `name{label="value"} 1.5 timestamp # exemplar`. Nothing is believed.

Both formats are read, OpenMetrics 1.0 (https://prometheus.io/docs/specs/om/open_metrics_spec/) and the Prometheus text
format; what differs between them (`# EOF`, exemplars, the suffix `_total`) does not matter here. Lines that do not fit
are left out: a page is read for what it says, not judged.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

MOST_SERIES: Final = 100_000
"""A page of 8 MB has about 80,000; reading them takes half a second."""

LONGEST_LINE: Final = 16_384

_NAME: Final = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]{0,255}")
_LABEL: Final = re.compile(r'[ \t]*([a-zA-Z_][a-zA-Z0-9_.]{0,127})[ \t]*=[ \t]*"((?:[^"\\]|\\.)*)"[ \t]*,?')
_ESCAPE: Final = re.compile(r"\\(.)")
_ESCAPED: Final = {"n": "\n", '"': '"', "\\": "\\"}


@dataclass(frozen=True, kw_only=True)
class Point:
    """One series with its value."""

    name: str
    labels: Mapping[str, str]
    value: float


class TooManySeries(ValueError):
    """The page holds more series than are read."""


def read_page(text: str, *, wanted: Callable[[str], bool]) -> Iterator[Point]:
    """Yield the series whose name is `wanted`, in the order of the page; values may be NaN or infinite.

    Raises `TooManySeries` after 100,000 of them.
    """
    seen = 0
    for line in text.splitlines():
        found = _NAME.match(line)
        if found is None or len(line) > LONGEST_LINE or not wanted(found.group()):
            continue
        point = _point(line, found)
        if point is not None:
            seen += 1
            if seen > MOST_SERIES:
                raise TooManySeries(f"more than {MOST_SERIES:,} series")
            yield point


def _point(line: str, name: re.Match[str]) -> Point | None:
    position = name.end()
    labels: dict[str, str] = {}
    if line[position : position + 1] == "{":
        position += 1
        while found := _LABEL.match(line, position):
            labels[found.group(1)] = _unescaped(found.group(2))
            position = found.end()
        closing = line.find("}", position)
        if closing < 0 or line[position:closing].strip():
            return None
        position = closing + 1
    rest = line[position:].split(None, 1)
    if not rest or line[position] not in " \t":
        return None
    try:
        return Point(name=name.group(), labels=labels, value=float(rest[0]))
    except ValueError:
        return None


def _unescaped(value: str) -> str:
    if "\\" not in value:
        return value
    return _ESCAPE.sub(lambda found: _ESCAPED.get(found.group(1), found.group(0)), value)
