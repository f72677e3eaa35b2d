"""Draws a series as SVG on the server: the line, its normal, and marks for what happened. Pure.

Positions across are percentages and the line is stretched on its own, so that labels keep their size at any width.
"""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from markupsafe import Markup

from stanch.incidents.quantities import quantity
from stanch.operations.views import SeriesView
from stanch.surfaces.web.words import metric

_WIDE: Final = 1000.0
_HIGH: Final = 100.0
_MOST_POINTS: Final = 500

_LINE = Markup(
    '<svg class="chart" role="img" aria-label="{label}" width="100%" height="104">'
    '<svg x="0" y="18" width="100%" height="70" viewBox="0 0 1000 100" preserveAspectRatio="none">'
    "{normal}{area}{line}</svg>{marks}{legend}</svg>"
)


def chart(series: SeriesView) -> Markup:
    """Return the drawing of `series`, with its description in words for those who do not see it."""
    points = _thinned(series.points)
    if len(points) < 2:
        return Markup("")
    start, end = points[0][0], points[-1][0]
    top = max([value for _, value in points] + [series.normal or 0.0]) * 1.08 or 1.0
    path = " ".join(f"{_x(at, start, end):.1f},{_y(value, top):.1f}" for at, value in points)
    return _LINE.format(
        label=_label(series),
        normal=_normal(series.normal, top),
        area=Markup('<polygon class="area" points="0,100 {} 1000,100"/>').format(path),
        line=Markup('<polyline class="line" vector-effect="non-scaling-stroke" points="{}"/>').format(path),
        marks=Markup("").join(_marks(series, start, end)),
        legend=_legend(series, start, end, top),
    )


def spark(series: SeriesView) -> Markup:
    """Return a small drawing of the line alone, for a card."""
    points = _thinned(series.points)
    if len(points) < 2:
        return Markup("")
    start, end = points[0][0], points[-1][0]
    top = max([value for _, value in points] + [series.normal or 0.0]) * 1.08 or 1.0
    path = " ".join(f"{_x(at, start, end):.1f},{_y(value, top):.1f}" for at, value in points)
    return Markup(
        '<svg class="spark" role="img" aria-label="{}" viewBox="0 0 1000 100" preserveAspectRatio="none">{}'
        '<polyline class="line" vector-effect="non-scaling-stroke" points="{}"/></svg>'
    ).format(_label(series), _normal(series.normal, top), path)


def legend_of(series: SeriesView) -> list[tuple[int, datetime, str]]:
    """Return the numbered marks of a chart: number, instant (UTC), what happened."""
    shown = sorted(mark for mark in series.marks if _within(series, mark[0]))
    return [(number, datetime.fromtimestamp(at, UTC), text) for number, (at, text) in enumerate(shown, start=1)]


def _thinned(points: Sequence[tuple[float, float]]) -> Sequence[tuple[float, float]]:
    """Keep the highest of every few points: a spike is never thinned away."""
    if len(points) <= _MOST_POINTS:
        return points
    size = -(-len(points) // _MOST_POINTS)
    return [max(points[index : index + size], key=lambda point: point[1]) for index in range(0, len(points), size)]


def _x(at: float, start: float, end: float) -> float:
    return _WIDE * (at - start) / (end - start) if end > start else 0.0


def _y(value: float, top: float) -> float:
    return _HIGH - _HIGH * min(max(value, 0.0), top) / top


def _normal(normal: float | None, top: float) -> Markup:
    if normal is None:
        return Markup("")
    y = f"{min(_y(normal, top), _HIGH - 0.8):.1f}"
    return Markup(
        '<line class="normal" vector-effect="non-scaling-stroke" x1="0" x2="1000" y1="{0}" y2="{0}"/>'
    ).format(y)


def _within(series: SeriesView, at: float) -> bool:
    return bool(series.points) and series.points[0][0] <= at <= series.points[-1][0]


def _marks(series: SeriesView, start: float, end: float) -> list[Markup]:
    drawn = []
    for number, at, text in legend_of(series):
        share = f"{_x(at.timestamp(), start, end) / 10:.2f}%"
        drawn.append(
            Markup(
                '<g class="mark"><title>{text}</title><line x1="{x}" x2="{x}" y1="16" y2="88"/>'
                '<text x="{x}" y="12" text-anchor="middle">{number}</text></g>'
            ).format(text=text, x=share, number=number)
        )
    return drawn


def _legend(series: SeriesView, start: float, end: float, top: float) -> Markup:
    first, last = (datetime.fromtimestamp(at, UTC) for at in (start, end))
    return Markup(
        '<text class="axis" x="2" y="28">{}</text>'
        '<text class="axis" x="2" y="101" data-clock="{}">{}</text>'
        '<text class="axis" x="99.7%" y="101" text-anchor="end" data-clock="{}">{}</text>'
    ).format(quantity(top / 1.08, series.unit), *_clock(first), *_clock(last))


def _clock(at: datetime) -> tuple[str, str]:
    return f"{at:%Y-%m-%dT%H:%M:%SZ}", f"{at:%H:%M:%S} UTC"


def excess(series: SeriesView) -> float:
    """Return how many times its normal a series has reached: the one to show first is the one that left it furthest."""
    highest = max((value for _, value in series.points), default=0.0)
    return highest / max(series.normal or 0.0, 0.01 if series.unit == "ratio" else 1.0)


def _label(series: SeriesView) -> str:
    values = [value for _, value in series.points]
    normal = f", normal {quantity(series.normal, series.unit)}" if series.normal is not None else ""
    return (
        f"{series.service} {metric(series.metric)}: now {quantity(values[-1], series.unit)}, "
        f"highest {quantity(max(values), series.unit)}{normal}"
    )
