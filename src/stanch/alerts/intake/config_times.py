"""Reads the time intervals of an `alertmanager.yml`."""

from typing import Final, TypeVar

from stanch.alerts.intake.intervals import (
    Interval,
    NamedInterval,
    Span,
    check_zone,
    parse_days_of_month,
    parse_months,
    parse_times,
    parse_weekdays,
    parse_years,
)
from stanch.alerts.intake.yml import Node

T = TypeVar("T")

_RANGES: Final = {
    "weekdays": parse_weekdays,
    "days_of_month": parse_days_of_month,
    "months": parse_months,
    "years": parse_years,
}


def named_intervals(top: Node) -> dict[str, NamedInterval]:
    """Return the time intervals of both lists they may stand in, by name."""
    found: dict[str, NamedInterval] = {}
    for key in ("mute_time_intervals", "time_intervals"):
        for node in top.items(key):
            node.keys(("name", "time_intervals"))
            name = node.text("name")
            if not name:
                node.complain("is missing", name="name")
            elif name in found:
                node.complain(f"{name!r} stands twice", name="name")
            found[name] = NamedInterval(
                name=name, intervals=tuple(_interval(one) for one in node.items("time_intervals"))
            )
    return found


def _interval(node: Node) -> Interval:
    node.keys(("times", "location", *_RANGES))
    ranges: dict[str, tuple[Span, ...]] = {}
    for name, parse in _RANGES.items():
        spans = (item.parsed(str(item.value), parse, default=None) for item in node.items(name))
        ranges[name] = tuple(span for span in spans if span is not None)
    times = tuple(span for span in (_times(item) for item in node.items("times")) if span is not None)
    return Interval(times=times, zone=node.read("location", check_zone, default="UTC"), **ranges)


def _times(node: Node) -> Span | None:
    node.keys(("start_time", "end_time"))
    start, end = node.text("start_time"), node.text("end_time")
    return node.parsed("", lambda _: parse_times(start, end), default=None)
