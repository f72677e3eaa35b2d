"""Time intervals: the hours, weekdays, days, months and years in which a route is muted or active. Pure.

The words and bounds are those of https://prometheus.io/docs/alerting/latest/configuration/#time_interval: ranges
include both ends, except times of day, whose end is not part of them; days of the month count from the end when they
are negative.
"""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

WEEKDAYS: Final = ("sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday")
_TIME_OF_DAY: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00")
MONTHS: Final = tuple(name.lower() for name in calendar.month_name[1:])


@dataclass(frozen=True, kw_only=True)
class Span:
    """A range of whole numbers; both ends belong to it."""

    low: int
    high: int

    def holds(self, number: int) -> bool:
        """Tell whether `number` lies in the range."""
        return self.low <= number <= self.high


@dataclass(frozen=True, kw_only=True)
class Interval:
    """One alternative; an empty field does not narrow. `times` are minutes of the day, the end excluded."""

    times: tuple[Span, ...] = ()
    weekdays: tuple[Span, ...] = ()
    days_of_month: tuple[Span, ...] = ()
    months: tuple[Span, ...] = ()
    years: tuple[Span, ...] = ()
    zone: str = "UTC"

    def holds(self, at: datetime) -> bool:
        """Tell whether the instant `at` lies in the interval."""
        local = at.astimezone(UTC if self.zone == "UTC" else ZoneInfo(self.zone))
        minute = local.hour * 60 + local.minute
        return (
            (not self.times or any(one.low <= minute < one.high for one in self.times))
            and _any(self.weekdays, local.isoweekday() % 7)
            and (not self.days_of_month or any(_on_day(one, local) for one in self.days_of_month))
            and _any(self.months, local.month)
            and _any(self.years, local.year)
        )


@dataclass(frozen=True, kw_only=True)
class NamedInterval:
    """A name for several intervals; it holds when any of them does."""

    name: str
    intervals: tuple[Interval, ...]

    def holds(self, at: datetime) -> bool:
        """Tell whether `at` lies in any of the intervals."""
        return any(one.holds(at) for one in self.intervals)


def _any(spans: Sequence[Span], number: int) -> bool:
    return not spans or any(one.holds(number) for one in spans)


def _on_day(span: Span, local: datetime) -> bool:
    days = calendar.monthrange(local.year, local.month)[1]
    low = span.low if span.low > 0 else days + span.low + 1
    high = span.high if span.high > 0 else days + span.high + 1
    # 29..31 in a short month ends with the month, and -31 starts with it.
    return max(1, low) <= local.day <= min(high, days)


def parse_times(start: str, end: str) -> Span:
    """Return a range of times of day, `09:00` to `17:00`; `24:00` is the end of the day. Raises `ValueError`."""
    span = Span(low=_minute(start), high=_minute(end))
    if span.low >= span.high:
        raise ValueError("start_time must be before end_time")
    return span


def parse_weekdays(text: str) -> Span:
    """Return a range of weekdays, `monday:friday`; sunday is 0. Raises `ValueError`."""
    return _parse(text, words=WEEKDAYS, first=0, low=0, high=6)


def parse_months(text: str) -> Span:
    """Return a range of months, `january:march` or `1:3`. Raises `ValueError`."""
    return _parse(text, words=MONTHS, first=1, low=1, high=12)


def parse_years(text: str) -> Span:
    """Return a range of years, `2026:2028`. Raises `ValueError`."""
    return _parse(text, words=(), first=0, low=1, high=9999)


def parse_days_of_month(text: str) -> Span:
    """Return a range of days of the month, `1:5` or `-3:-1`. Raises `ValueError`."""
    low, high = _ends(text)
    span = Span(low=_number(low), high=_number(high))
    for day in (span.low, span.high):
        if day == 0 or not -31 <= day <= 31:
            raise ValueError(f"{day} is no day of a month: it is 1 to 31, or -31 to -1 from the end")
    if span.low < 0 < span.high:
        raise ValueError("must not start from the end of the month and end from its start")
    if (span.low < 0) == (span.high < 0) and span.low > span.high:
        raise ValueError(f"{text!r} ends before it starts")
    return span


def check_zone(name: str) -> str:
    """Return `name` when it is a time zone. Raises `ValueError`."""
    if name == "Local":
        raise ValueError("must name a zone such as Europe/Berlin: `Local` differs between machines")
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError(f"{name!r} is no time zone; write an IANA name such as Europe/Berlin") from None
    return name


def _minute(text: str) -> int:
    hours, _, minutes = text.partition(":")
    if _TIME_OF_DAY.fullmatch(text) is None:
        raise ValueError(f"{text!r} is no time of day; write 09:00")
    return int(hours) * 60 + int(minutes)


def _parse(text: str, *, words: tuple[str, ...], first: int, low: int, high: int) -> Span:
    span = _span(text, words=words, first=first)
    if not low <= span.low <= high or not low <= span.high <= high:
        raise ValueError(f"{text!r} must lie within {low} and {high}")
    if span.low > span.high:
        raise ValueError(f"{text!r} ends before it starts")
    return span


def _span(text: str, *, words: tuple[str, ...], first: int) -> Span:
    low, high = _ends(text)
    return Span(low=_word(low, words, first), high=_word(high, words, first))


def _ends(text: str) -> tuple[str, str]:
    low, colon, high = text.strip().lower().partition(":")
    return low.strip(), (high.strip() if colon else low.strip())


def _word(text: str, words: tuple[str, ...], first: int) -> int:
    if text in words:
        return words.index(text) + first
    if words == WEEKDAYS:
        raise ValueError(f"{text!r} is no weekday; write monday")
    return _number(text)


def _number(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{text[:20]!r} is no number") from None
