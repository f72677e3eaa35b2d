"""What a finding rests on, to be seen: its series as small drawings, its rows as a table. Pure.

A finding's data comes from a collector that read it somewhere else: what does not look as it should is left out.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from stanch.kernel.event import JSON
from stanch.operations.views import SeriesView
from stanch.ports.evidence import Finding

_MOST_SERIES: Final = 6
_MOST_ROWS: Final = 10
_MOST_COLUMNS: Final = 6
_LONGEST_CELL: Final = 160


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A series with the words beside it: its labels, and its newest value."""

    series: SeriesView
    words: str
    newest: float


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of texts under the names of their columns; `more` were left out."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    more: int


def drawn_of(finding: Finding) -> list[Drawn]:
    """Return the series of a finding that can be drawn, at most six."""
    given = finding.data.get("series")
    unit = finding.data.get("unit")
    found = (_drawn(one, unit if isinstance(unit, str) else "") for one in given) if isinstance(given, list) else ()
    return [one for one in found if one is not None][:_MOST_SERIES]


def table_of(finding: Finding) -> Table | None:
    """Return the first ten rows of a finding, None when it has none."""
    given = finding.data.get("rows")
    rows = [one for one in given if isinstance(one, dict)] if isinstance(given, list) else []
    if not rows:
        return None
    columns = tuple(rows[0])[:_MOST_COLUMNS]
    shown = tuple(tuple(_cell(row.get(column)) for column in columns) for row in rows[:_MOST_ROWS])
    return Table(columns=columns, rows=shown, more=max(0, len(rows) - _MOST_ROWS))


def _drawn(given: JSON, unit: str) -> Drawn | None:
    if not isinstance(given, dict):
        return None
    times, values = _numbers(given.get("times")), _numbers(given.get("values"))
    if len(times) < 2 or len(times) != len(values):
        return None
    name, labels = given.get("metric"), given.get("labels")
    words = [f"{key}={value}" for key, value in labels.items()] if isinstance(labels, Mapping) else []
    series = SeriesView(
        service="",
        metric=name if isinstance(name, str) else "",
        unit=unit,
        points=tuple(zip(times, values, strict=True)),
        normal=None,
    )
    return Drawn(series=series, words=", ".join(words)[:_LONGEST_CELL], newest=values[-1])


def _numbers(given: JSON) -> Sequence[float]:
    if not isinstance(given, list):
        return ()
    return [float(one) for one in given if isinstance(one, int | float) and not isinstance(one, bool)]


def _cell(value: JSON) -> str:
    if value is None:
        return ""
    return (f"{value:g}" if isinstance(value, float) else str(value))[:_LONGEST_CELL]
