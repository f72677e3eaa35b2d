"""Draws how an incident went, from its own log: what was measured, its normal, and what happened when. Pure.

The picture stands alone: it is shown in a page, in a file and in print, in light and in dark, and needs nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.model import Impact
from stanch.incidents.quantities import quantity
from stanch.kernel.event import Event

_WIDE: Final = 720.0
_HIGH: Final = 220.0
_LEFT: Final = 64.0
_TOP: Final = 34.0
_BOTTOM: Final = 28.0
_FEWEST: Final = 2
_STYLE: Final = (
    "text{font:12px system-ui,sans-serif;fill:#333}.line{fill:none;stroke:#b3261e;stroke-width:2}"
    ".area{fill:#b3261e;opacity:.12}.normal{stroke:#2e7d32;stroke-dasharray:5 4}.mark{stroke:#666;stroke-width:1}"
    ".axis{stroke:#999}@media(prefers-color-scheme:dark){text{fill:#ddd}.line{stroke:#ff8a80}.area{fill:#ff8a80}"
    ".normal{stroke:#81c784}.mark{stroke:#aaa}.axis{stroke:#777}}"
)


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Something that every measurement of the impact holds: its name, its title, its unit and how it is read."""

    name: str
    title: str
    unit: str
    value: Callable[[Impact], float | None]
    normal: Callable[[Impact], float | None]


MEASURES: Final[tuple[Measure, ...]] = (
    Measure(
        name="error_ratio",
        title="Error rate",
        unit="ratio",
        value=lambda impact: impact.error_ratio,
        normal=lambda impact: impact.normal_error_ratio,
    ),
    Measure(
        name="latency_p95_ms",
        title="p95 latency",
        unit="ms",
        value=lambda impact: impact.latency_p95_ms,
        normal=lambda impact: impact.normal_latency_p95_ms,
    ),
    Measure(
        name="failed_requests",
        title="Failed requests since the start",
        unit="count",
        value=lambda impact: float(impact.failed_requests),
        normal=lambda impact: None,
    ),
)


@dataclass(frozen=True, kw_only=True)
class Chart:
    """One measure over the incident. Points are instants (UTC) and values; marks are instants and what happened."""

    measure: Measure
    points: tuple[tuple[datetime, float], ...]
    normal: float | None
    marks: tuple[tuple[datetime, str], ...]


def charts_of(events: Sequence[Event], *, started_at: datetime) -> tuple[Chart, ...]:
    """Return what can be drawn of an incident: every measure that was taken twice and was ever more than nothing."""
    measured = [record.impact for event in events if isinstance(record := ev.typed(event), ev.ImpactMeasured)]
    marks = tuple(_marks(events, started_at))
    found = []
    for measure in MEASURES:
        points = tuple((one.at, value) for one in measured if (value := measure.value(one)) is not None)
        if len(points) < _FEWEST or not any(value for _, value in points):
            continue
        normals = [value for one in measured if (value := measure.normal(one)) is not None]
        found.append(Chart(measure=measure, points=points, normal=normals[0] if normals else None, marks=marks))
    return tuple(found)


def _marks(events: Sequence[Event], started_at: datetime) -> list[tuple[datetime, str]]:
    marks = [(started_at, "start")]
    for event in events:
        match ev.typed(event):
            case ev.Declared():
                marks.append((event.at, "declared"))
            case ev.RunStarted():
                marks.append((event.at, "mitigation"))
            case ev.VerificationPassed():
                marks.append((event.at, "verified"))
            case ev.Resolved():
                marks.append((event.at, "resolved"))
            case _:
                pass
    return marks


def draw(chart: Chart) -> str:
    """Return a chart as an SVG document, 720 wide, with its description in words."""
    start = min(chart.points[0][0], *(at for at, _ in chart.marks))
    end = max(chart.points[-1][0], *(at for at, _ in chart.marks), start + timedelta(seconds=1))
    top = max(max(value for _, value in chart.points), chart.normal or 0.0) * 1.1 or 1.0

    def x(at: datetime) -> float:
        return _LEFT + (_WIDE - _LEFT - 8) * ((at - start) / (end - start))

    def y(value: float) -> float:
        return _HIGH - _BOTTOM - (_HIGH - _TOP - _BOTTOM) * max(0.0, value) / top

    base = _HIGH - _BOTTOM
    path = " ".join(f"{x(at):.1f},{y(value):.1f}" for at, value in chart.points)
    first, last = x(chart.points[0][0]), x(chart.points[-1][0])
    parts = [
        f'<polygon class="area" points="{first:.1f},{base} {path} {last:.1f},{base}"/>',
        f'<polyline class="line" points="{path}"/>',
        f'<line class="axis" x1="{_LEFT}" x2="{_WIDE}" y1="{base}" y2="{base}"/>',
        f'<text x="{_LEFT - 6}" y="{y(top / 1.1) + 4:.1f}" text-anchor="end">{_said(top / 1.1, chart)}</text>',
        f'<text x="{_LEFT - 6}" y="{base:.1f}" text-anchor="end">0</text>',
        f'<text x="{_LEFT}" y="{_HIGH - 8}">{start:%H:%M:%S}</text>',
        f'<text x="{_WIDE}" y="{_HIGH - 8}" text-anchor="end">{end:%H:%M:%S} UTC</text>',
    ]
    if chart.normal is not None:
        level = y(chart.normal)
        parts.append(f'<line class="normal" x1="{_LEFT}" x2="{_WIDE}" y1="{level:.1f}" y2="{level:.1f}"/>')
    parts += _drawn_marks([(x(at), told) for at, told in chart.marks], base)
    label = escape(describe(chart), quote=True)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDE:.0f} {_HIGH:.0f}" role="img" '
        f'aria-label="{label}"><title>{label}</title><style>{_STYLE}</style>{"".join(parts)}</svg>\n'
    )


def _drawn_marks(marks: Sequence[tuple[float, str]], base: float) -> list[str]:
    drawn, row, before = [], 0, -100.0
    for place, told in sorted(marks):
        # Labels that would lie on each other take the second row.
        row = 1 - row if place - before < 70 else 0
        before = place
        anchor = "end" if place > _WIDE - 60 else "start"
        drawn.append(f'<line class="mark" x1="{place:.1f}" x2="{place:.1f}" y1="{12 + 14 * row}" y2="{base}"/>')
        drawn.append(
            f'<text x="{place + (-3 if anchor == "end" else 3):.1f}" y="{12 + 14 * row}" '
            f'text-anchor="{anchor}">{escape(told)}</text>'
        )
    return drawn


def describe(chart: Chart) -> str:
    """Return what a chart shows in words."""
    highest = max(value for _, value in chart.points)
    normal = f", normal {_said(chart.normal, chart)}" if chart.normal is not None else ""
    last = chart.points[-1][1]
    return f"{chart.measure.title}: {_said(highest, chart)} at most, {_said(last, chart)} at the end{normal}"


def _said(value: float, chart: Chart) -> str:
    return f"{value:,.0f}" if chart.measure.unit == "count" else quantity(value, chart.measure.unit)
