"""The grammar of one point in time: what may be written, and which instant it is.

    moment   = ["about"] ( "@" unix-time | "now" | length "ago" | day-time )
    day-time = day [["at"] clock [zone]] | clock [zone] [["on"] day]
    day      = 2026-11-21 | 21 Nov [2026] | Nov 21 [2026] | today | yesterday | [on] monday
    clock    = 14:30[:05[.123]] | 2:30pm | 9 pm | noon

A clock alone is the most recent such time that is not after now; a weekday the most recent such day; a day without a
clock starts at midnight. What has two meanings (11/12, 14:30 IST, "last friday") is `Unread` with the reason, never
a guess. `moment` finds these within sentences.
"""

import re
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final, TypeAlias

from stanch.kernel.duration import match_duration
from stanch.kernel.zone import Resolved, ZoneUnclear, in_zone, match_zone, resolve

# A report typed at 14:29:50 may say 14:30, and two clocks differ: so much later than now is still "just now".
CLOCK_SKEW: Final = timedelta(minutes=2)


class Precision(StrEnum):
    """How exactly the point in time was stated."""

    SECOND = "second"
    MINUTE = "minute"
    HOUR = "hour"
    DAY = "day"


class Shape(StrEnum):
    """How a moment was written; a plain clock or day needs a word such as "since" within a sentence."""

    RELATIVE = "relative"
    DATED = "dated"
    ZONED = "zoned"
    CLOCK = "clock"
    DAY = "day"


@dataclass(frozen=True, kw_only=True)
class Core:
    """A point in time as read, up to `end` of the text; `zone` is the one it was read in."""

    at: datetime
    zone: str
    end: int
    precision: Precision
    shape: Shape
    ambiguous: bool = False
    skipped: bool = False
    approximate: bool = False


@dataclass(frozen=True, kw_only=True)
class Unclear:
    """Something written like a point in time, up to `end`, that cannot be read; `reason` says why."""

    reason: str
    end: int


Outcome: TypeAlias = Core | Unclear | None


@dataclass(frozen=True, kw_only=True)
class _Clock:
    clock: time
    precision: Precision
    end: int


@dataclass(frozen=True, kw_only=True)
class _Day:
    """A day as written: a date, a number of days before today, a weekday, or a month and a day in it."""

    end: int
    day: date | None = None
    days_ago: int = 0
    weekday: int | None = None
    month_day: tuple[int, int] | None = None


@dataclass(frozen=True, kw_only=True)
class _Zone:
    zone: str
    end: int
    written: bool


_SPACE: Final = re.compile(r"[ \t]{0,3}")
# What follows a finished moment must not continue the word, the number or the path.
_GOES_ON: Final = re.compile(r"[A-Za-z0-9_]|[.:/,][0-9]|[/\\][A-Za-z]")
_ABOUT: Final = re.compile(r"(?:about|around|approximately|approx\.?|roughly|circa|ca\.?)[ \t]{1,3}|~[ \t]?", re.I)
_UNIX: Final = re.compile(r"@([0-9]{13}|[0-9]{9,10}(?:\.[0-9]{1,6})?)(?![0-9.])")
_NOW: Final = re.compile(r"(?:right |just )?now(?![A-Za-z0-9_])", re.I)
_AGO: Final = re.compile(r"[ \t]{1,3}ago(?![A-Za-z0-9_])", re.I)
_FEW_AGO: Final = re.compile(r"(?:a few|some|several|a couple(?: of)?) (?:seconds|minutes|hours|days) ago\b", re.I)

_CLOCK: Final = re.compile(
    r"([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,9}))?)?(?:[ \t]?([ap])\.?m\b\.?)?(?![0-9:])", re.I
)
_HOUR: Final = re.compile(r"([0-9]{1,2})[ \t]?([ap])\.?m\b\.?", re.I)
_NOON: Final = re.compile(r"noon(?![A-Za-z0-9_])", re.I)
_ODD_CLOCK: Final = re.compile(
    r"[0-9]{1,2}[hH][0-9]{2}(?![0-9A-Za-z])|[0-9]{1,2}\.[0-9]{2}[ \t]?(?:h|Uhr)\b|[0-9]{4}Z\b"
)

_ISO_DAY: Final = re.compile(r"([0-9]{4})-([0-9]{2})-([0-9]{2})(?![0-9-])")
_SLASHED: Final = re.compile(r"[0-9]{1,2}/[0-9]{1,2}(?:/[0-9]{2,4})?(?![0-9/])|[0-9]{1,2}\.[0-9]{1,2}\.(?:[0-9]{2,4})?")
_NAMED_DAY: Final = re.compile(r"(today|yesterday)(?![A-Za-z0-9_])", re.I)
_WEEKDAY: Final = re.compile(r"(last[ \t])?(mon|tues|wednes|thurs|fri|satur|sun)day(?![A-Za-z0-9_])", re.I)
_MONTH: Final = (
    r"(jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?"
    r"|nov(?:ember)?|dec(?:ember)?)\.?"
)
_YEAR: Final = r"(?:,?[ \t]([0-9]{4})(?![0-9:]))?(?![A-Za-z0-9_])"
_DAY_MONTH: Final = re.compile(rf"([0-9]{{1,2}})(?:st|nd|rd|th)?[ \t]{_MONTH}{_YEAR}", re.I)
_MONTH_DAY: Final = re.compile(rf"{_MONTH}[ \t]([0-9]{{1,2}})(?:st|nd|rd|th)?{_YEAR}", re.I)
_AT: Final = re.compile(r"(?:[ \t]{0,2},)?[ \t]{1,3}(?:at[ \t]{1,3})?(?:about |around )?|[Tt](?=[0-9])", re.I)
_ON: Final = re.compile(r"(?:[ \t]{0,2},)?[ \t]{1,3}(?:on[ \t]{1,3})?", re.I)

_WEEKDAYS: Final = ("mon", "tues", "wednes", "thurs", "fri", "satur", "sun")
_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_FIRST: Final = "day and month can be swapped: write 2026-11-21"


def match_moment(text: str, position: int, *, now: datetime, zone: str) -> Outcome:
    """Read the point in time written at `position` of `text`: where it ends, why it is unclear, or None."""
    about = _ABOUT.match(text, position)
    start = about.end() if about else position
    found = _relative(text, start, now, zone) or _day_time(text, start, now, zone)
    if isinstance(found, Core) and _GOES_ON.match(text, found.end):
        return None
    if isinstance(found, Core) and about:
        return replace(found, approximate=True)
    return found


def _relative(text: str, position: int, now: datetime, zone: str) -> Outcome:
    if match := _UNIX.match(text, position):
        number = float(match[1])
        seconds = number / 1000 if len(match[1]) == 13 else number
        return _exact(datetime.fromtimestamp(seconds, UTC), match.end(), Shape.DATED, zone)
    if match := _NOW.match(text, position):
        return _exact(now.astimezone(UTC), match.end(), Shape.CLOCK, zone)
    if match := _FEW_AGO.match(text, position):
        return Unclear(reason="it gives no number: write 5m ago", end=match.end())
    length = match_duration(text, position)
    if length is None or not (ago := _AGO.match(text, length[1])):
        return None
    return Core(
        at=now.astimezone(UTC) - length[0],
        zone=zone,
        end=ago.end(),
        precision=_length_precision(length[0]),
        shape=Shape.RELATIVE,
    )


def _exact(at: datetime, end: int, shape: Shape, zone: str) -> Core:
    return Core(at=at, zone=zone, end=end, precision=Precision.SECOND, shape=shape)


def _length_precision(length: timedelta) -> Precision:
    for unit, precision in ((86400, Precision.DAY), (3600, Precision.HOUR), (60, Precision.MINUTE)):
        if length and length % timedelta(seconds=unit) == timedelta(0):
            return precision
    return Precision.SECOND


def _day_time(text: str, position: int, now: datetime, zone: str) -> Outcome:
    day = _day(text, position)
    if isinstance(day, Unclear):
        return day
    if day is not None:
        return _day_first(text, day, now, zone)
    clock = _clock(text, position)
    if isinstance(clock, _Clock):
        return _clock_first(text, clock, now, zone)
    return clock


def _day_first(text: str, day: _Day, now: datetime, zone: str) -> Outcome:
    joint = _AT.match(text, day.end)
    clock = _clock(text, joint.end()) if joint else None
    if isinstance(clock, Unclear):
        return clock
    if clock is None:
        midnight = _Clock(clock=time(0), precision=Precision.DAY, end=day.end)
        written = _Zone(zone=zone, end=day.end, written=False)
        return _settle(day, midnight, written, now, shape=Shape.DAY if day.day is None else Shape.DATED)
    found = _zone(text, clock.end, zone, dated=day.day is not None)
    return found if isinstance(found, Unclear) else _settle(day, clock, found, now, shape=Shape.DATED)


def _clock_first(text: str, clock: _Clock, now: datetime, zone: str) -> Outcome:
    found = _zone(text, clock.end, zone, dated=False)
    if isinstance(found, Unclear):
        return found
    joint = _ON.match(text, found.end)
    day = _day(text, joint.end()) if joint else None
    if isinstance(day, Unclear):
        return day
    if day is None:
        return _most_recent(clock, found, now)
    ended = _Zone(zone=found.zone, end=day.end, written=found.written)
    return _settle(day, clock, ended, now, shape=Shape.DATED)


def _zone(text: str, position: int, default: str, *, dated: bool) -> _Zone | Unclear:
    space = _SPACE.match(text, position)
    start = space.end() if space else position
    found = match_zone(text, start)
    if found is None:
        return _Zone(zone=default, end=position, written=False)
    if isinstance(found, ZoneUnclear):
        return Unclear(reason=found.reason, end=found.end)
    if text[start] == "-" and start == position and not dated:
        return Unclear(reason="it can be a span of time or an offset: put a space before the offset", end=found.end)
    return _Zone(zone=found.zone, end=found.end, written=True)


def _most_recent(clock: _Clock, zone: _Zone, now: datetime) -> Core:
    today = in_zone(now, zone.zone).date()
    resolved = resolve(today, clock.clock, zone.zone)
    if resolved.at > now + CLOCK_SKEW:
        resolved = resolve(today - timedelta(days=1), clock.clock, zone.zone)
    return _core(resolved, clock, zone, shape=Shape.ZONED if zone.written else Shape.CLOCK)


def _settle(day: _Day, clock: _Clock, zone: _Zone, now: datetime, *, shape: Shape) -> Outcome:
    today = in_zone(now, zone.zone).date()
    if day.day is not None:
        return _core(resolve(day.day, clock.clock, zone.zone), clock, zone, shape=shape)
    for candidate in _candidates(day, today):
        resolved = resolve(candidate, clock.clock, zone.zone)
        stated = day.weekday is None and day.month_day is None
        if stated or resolved.at <= now + CLOCK_SKEW:
            return _core(resolved, clock, zone, shape=shape)
    return Unclear(reason="there is no such day", end=zone.end)


def _candidates(day: _Day, today: date) -> list[date]:
    if day.weekday is not None:
        latest = today - timedelta(days=(today.weekday() - day.weekday) % 7)
        return [latest, latest - timedelta(days=7)]
    if day.month_day is not None:
        days = (_make_day(year, *day.month_day) for year in range(today.year, today.year - 9, -1))
        return [found for found in days if found is not None]
    return [today - timedelta(days=day.days_ago)]


def _core(resolved: Resolved, clock: _Clock, zone: _Zone, *, shape: Shape) -> Core:
    return Core(
        at=resolved.at,
        zone=zone.zone,
        end=zone.end,
        precision=clock.precision,
        shape=shape,
        ambiguous=resolved.ambiguous,
        skipped=resolved.skipped,
    )


def _clock(text: str, position: int) -> _Clock | Unclear | None:
    if match := _CLOCK.match(text, position):
        return _clock_from(match, match[5], match[2], match[3], match[4])
    if match := _HOUR.match(text, position):
        return _clock_from(match, match[2])
    if match := _NOON.match(text, position):
        return _Clock(clock=time(12), precision=Precision.MINUTE, end=match.end())
    if match := _ODD_CLOCK.match(text, position):
        return Unclear(reason="write it as 14:30", end=match.end())
    return None


def _clock_from(
    match: re.Match[str],
    half: str | None,
    minutes: str | None = None,
    seconds: str | None = None,
    fraction: str | None = None,
) -> _Clock | Unclear:
    hour = int(match[1])
    if half is not None and not 1 <= hour <= 12:
        return Unclear(reason="there is no such time of day", end=match.end())
    if half is not None:
        hour = hour % 12 + (12 if half.lower() == "p" else 0)
    try:
        clock = time(hour, int(minutes or 0), int(seconds or 0), int(f"{fraction or '':0<6}"[:6]))
    except ValueError:
        return Unclear(reason="there is no such time of day", end=match.end())
    precision = Precision.SECOND if seconds else Precision.MINUTE if minutes else Precision.HOUR
    return _Clock(clock=clock, precision=precision, end=match.end())


def _day(text: str, position: int) -> _Day | Unclear | None:
    if match := _NAMED_DAY.match(text, position):
        return _Day(days_ago=1 if match[1].lower() == "yesterday" else 0, end=match.end())
    if match := _WEEKDAY.match(text, position):
        if match[1]:
            return Unclear(reason="it can be this week's or the one before: write the date", end=match.end())
        return _Day(weekday=_WEEKDAYS.index(match[2].lower()), end=match.end())
    if match := _ISO_DAY.match(text, position):
        return _fixed_day(_make_day(int(match[1]), int(match[2]), int(match[3])), match.end())
    if match := _DAY_MONTH.match(text, position):
        return _month_day(match[2], match[1], match[3], match.end())
    if match := _MONTH_DAY.match(text, position):
        return _month_day(match[1], match[2], match[3], match.end())
    if match := _SLASHED.match(text, position):
        return Unclear(reason=_DAY_FIRST, end=match.end())
    return None


def _month_day(month: str, day: str, year: str | None, end: int) -> _Day | Unclear:
    number = _MONTHS.index(month[:3].lower()) + 1
    if year is not None:
        return _fixed_day(_make_day(int(year), number, int(day)), end)
    if _make_day(2024, number, int(day)) is None:
        return Unclear(reason="there is no such day", end=end)
    return _Day(month_day=(number, int(day)), end=end)


def _fixed_day(day: date | None, end: int) -> _Day | Unclear:
    return Unclear(reason="there is no such day", end=end) if day is None else _Day(day=day, end=end)


def _make_day(year: int, month: int, day: int) -> date | None:
    """Return the day, or None when there is none, or when it lies outside the years that clocks handle safely."""
    if not 1970 <= year <= 2999:
        return None
    try:
        return date(year, month, day)
    except ValueError:
        return None
