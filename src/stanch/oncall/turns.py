"""Whose turn it is in one rotation, and the parts of the week that a window names. Pure, for every zone.

Turns of whole days, and those that divide a day, follow the clock on the wall: a daily 12-hour turn over a change of
clocks really lasts 11 or 13 hours. Other lengths are exact and drift by the hour.
"""

import calendar
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Final

from stanch.catalog.oncall import WEEKDAYS, Layer, Window
from stanch.oncall.model import Span
from stanch.oncall.wallclock import instant_of, local_of

_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)
_UNITS: Final = {"hourly": timedelta(hours=1), "daily": _DAY, "weekly": _WEEK}
_LONGEST_WINDOW: Final = timedelta(days=8)


@dataclass(frozen=True, kw_only=True)
class Turn(Span):
    """Turn number `number` of a rotation, from 0."""

    number: int


def turns(layer: Layer, *, zone: str, start: datetime, end: datetime) -> Iterator[Turn]:
    """Yield the turns of `layer` (local times in `zone`) that touch the time from `start` to `end`, in order, whole.

    The first begins and the last ends as the layer does.
    """
    if layer.start is None or not layer.people:
        return
    begins = instant_of(layer.start, zone)
    ends = instant_of(layer.end, zone) if layer.end else None
    low = max(start, begins)
    high = min(end, ends) if ends else end
    number = max(0, _number_before(layer, zone, low))
    turn_start = _boundary(layer, number, zone)
    while turn_start < high:
        turn_end = _boundary(layer, number + 1, zone)
        if ends:
            turn_end = min(turn_end, ends)
        # A turn of an hour that the clock skips is empty.
        if turn_end > max(turn_start, low):
            yield Turn(start=turn_start, end=turn_end, number=number)
        number, turn_start = number + 1, max(turn_end, turn_start)


def windows(
    window: Window, *, zone: str, start: datetime, end: datetime, holidays: frozenset[date] = frozenset()
) -> Iterator[Span]:
    """Yield the times from `start` to `end` that `window` names, whole; they may overlap."""
    day = (local_of(start, zone) - _LONGEST_WINDOW).date()
    last = local_of(end, zone).date()
    opens, closes = time.fromisoformat(window.start), time.fromisoformat(window.end)
    while day <= last:
        if is_among(day, window.days, holidays):
            until = day + timedelta(days=_days_on(window, day, opens, closes))
            low = instant_of(datetime.combine(day, opens, tzinfo=None), zone)
            high = instant_of(datetime.combine(until, closes, tzinfo=None), zone)
            if low < end and high > start and low < high:
                yield Span(start=low, end=high)
        day += _DAY


def is_among(day: date, words: tuple[str, ...], holidays: frozenset[date]) -> bool:
    """Tell whether one of `words` (`mon`, `weekday`, `workday`, `holiday` ...) names `day`; no words name every day."""
    if not words:
        return True
    at_end = day.weekday() >= 5
    names = {WEEKDAYS[day.weekday()], "weekend" if at_end else "weekday"}
    if day in holidays:
        names.add("holiday")
    elif not at_end:
        names.add("workday")
    return not names.isdisjoint(words)


def _days_on(window: Window, day: date, opens: time, closes: time) -> int:
    if window.end_day:
        return (WEEKDAYS.index(window.end_day) - day.weekday()) % 7 or (7 if closes <= opens else 0)
    return 1 if closes <= opens else 0


def step_of(layer: Layer) -> timedelta | None:
    """Return how long a turn is by the clock on the wall, None for a monthly one."""
    if layer.rotation == "monthly":
        return None
    if layer.rotation == "custom":
        return timedelta(seconds=layer.length_s)
    return _UNITS[layer.rotation] * layer.length


def follows_the_wall(step: timedelta) -> bool:
    """Tell whether turns of this length keep their time of day over a change of clocks."""
    return not step % _DAY or not _DAY % step


def _anchor(layer: Layer) -> datetime:
    """Return the local hand-over that turn 0 counts from: the last one not after the layer's start, or that day's."""
    start = layer.start
    assert start is not None  # noqa: S101  (turns() has looked)
    step = step_of(layer)
    if step is not None and not follows_the_wall(step):
        return start
    clock = time.fromisoformat(layer.hand_over) if layer.hand_over else start.time()
    on_day = datetime.combine(start.date(), clock, tzinfo=None)
    if layer.rotation == "weekly" and layer.hand_over_day:
        return on_day - timedelta(days=(start.weekday() - WEEKDAYS.index(layer.hand_over_day)) % 7)
    return start - (start - on_day) % step if step is not None and step < _DAY else on_day


def _boundary(layer: Layer, number: int, zone: str) -> datetime:
    """Return the instant at which turn `number` begins; the first one begins with its layer."""
    anchor, step = _anchor(layer), step_of(layer)
    if number == 0:
        assert layer.start is not None  # noqa: S101  (turns() has looked)
        return instant_of(layer.start, zone)
    if step is None:
        assert layer.start is not None  # noqa: S101  (turns() has looked)
        return instant_of(_months_on(anchor, number * layer.length, layer.start.day), zone)
    if follows_the_wall(step):
        return instant_of(anchor + number * step, zone)
    return instant_of(anchor, zone) + number * step


def _number_before(layer: Layer, zone: str, at: datetime) -> int:
    """Return a turn that begins at or before `at`, at most two before the one that runs."""
    anchor, step = _anchor(layer), step_of(layer)
    if step is None:
        local = local_of(at, zone)
        months = (local.year - anchor.year) * 12 + local.month - anchor.month
        return months // layer.length - 2
    if follows_the_wall(step):
        return (local_of(at, zone) - anchor) // step - 2
    return (at - instant_of(anchor, zone)) // step


def _months_on(local: datetime, months: int, day: int) -> datetime:
    """Return the same time so many months on; the last day of a month that has no such day."""
    month = local.month - 1 + months
    year, month = local.year + month // 12, month % 12 + 1
    return local.replace(year=year, month=month, day=min(day, calendar.monthrange(year, month)[1]))
