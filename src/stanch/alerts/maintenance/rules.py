"""When maintenance windows hold. Pure.

Recurrences are those of `kernel.recurrence` and follow the clocks of their zone: 02:00 stays 02:00 through a change to
summer time. A local time that does not exist is the same distance after the change; one that exists twice is the first.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stanch.alerts.maintenance.model import Holding, Stretch, Window
from stanch.kernel.errors import Invalid, Problem
from stanch.kernel.recurrence import check_rule, first_of, starts_between

LONGEST: Final = timedelta(days=31)


def holding(windows: Iterable[Window], *, service: str, labels: Mapping[str, str], now: datetime) -> Holding | None:
    """Return the window that covers an alert at `now`, the one that holds longest; None when none does."""
    found = [
        Holding(window=one, end=stretch.end)
        for one in windows
        if one.covers(service, labels) and (stretch := stretch_at(one, now)) is not None
    ]
    return max(found, key=lambda one: one.end, default=None)


def stretch_at(window: Window, now: datetime) -> Stretch | None:
    """Return the stretch that holds at `now`, None between them."""
    if window.ended_at is not None and window.ended_at <= now:
        return None
    around = stretches(window, after=now - LONGEST - timedelta(days=1), before=now + timedelta(days=2))
    held = [one for one in around if one.start <= now < one.end]
    return max(held, key=lambda one: one.end, default=None)


def upcoming(window: Window, now: datetime, *, most: int = 1) -> list[Stretch]:
    """Return the stretch that holds at `now` and those that come, at most `most`, soonest first."""
    if window.ended_at is not None and window.ended_at <= now:
        return []
    found: list[Stretch] = []
    held = stretch_at(window, now)
    if held is not None:
        found.append(held)
    for one in stretches(window, after=now, before=now + timedelta(days=366 * 5)):
        if len(found) >= most:
            break
        if one.start > now:
            found.append(one)
    return found[:most]


def stretches(window: Window, *, after: datetime, before: datetime) -> Iterator[Stretch]:
    """Yield the stretches that start in [after, before), soonest first; ended ones are cut where they were ended."""
    if not window.rrule:
        if window.starts_at is not None and window.ends_at is not None and after <= window.starts_at < before:
            yield _cut(window, Stretch(start=window.starts_at, end=window.ends_at))
        return
    zone = ZoneInfo(window.zone)
    local = (after.astimezone(zone).replace(tzinfo=None) - timedelta(days=1)).date()
    until = (before.astimezone(zone).replace(tzinfo=None) + timedelta(days=1)).date()
    for start in starts_between(
        window.rrule, window.first, datetime.combine(local, time()), datetime.combine(until, time())
    ):
        at = start.replace(tzinfo=zone).astimezone(UTC)
        if after <= at < before:
            yield _cut(window, Stretch(start=at, end=_end(window, start, at, zone)))


def problems_of(window: Window) -> list[Problem]:
    """Return everything that is wrong with a window that somebody wants."""
    found = []
    if not window.services and not window.matchers:
        found.append(Problem(field="services", message='is missing: name services, or matchers, or all: ["*"]'))
    try:
        _ = window.parsed
    except Invalid as error:
        found.append(Problem(field="matchers", message=error.message))
    try:
        ZoneInfo(window.zone)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        found.append(Problem(field="zone", message=f"is not a time zone: {window.zone!r}"))
        return found
    found += _once(window) if not window.rrule else _recurring(window)
    return found


def _once(window: Window) -> list[Problem]:
    if window.starts_at is None or window.ends_at is None:
        return [Problem(field="ends_at", message="is missing: say when it starts and ends, or how it recurs (rrule)")]
    if window.ends_at <= window.starts_at:
        return [Problem(field="ends_at", message="must be after its start")]
    if window.ends_at - window.starts_at > LONGEST:
        return [Problem(field="ends_at", message=f"must be within {LONGEST.days} days of its start")]
    return []


def _recurring(window: Window) -> list[Problem]:
    found = []
    try:
        first_of(window.first)
    except ValueError:
        message = f"must be a local time such as 2026-01-04T02:00, not {window.first!r}"
        found.append(Problem(field="first", message=message))
    if wrong := check_rule(window.rrule):
        found.append(Problem(field="rrule", message=wrong))
    if bool(window.lasts_s) == bool(window.until):
        found.append(Problem(field="lasts_s", message="say how long it lasts, or until which time of day"))
    elif window.until and not _is_clock(window.until):
        found.append(Problem(field="until", message=f"must be a time of day such as 04:00, not {window.until!r}"))
    elif not 0 <= window.lasts_s <= LONGEST.total_seconds():
        found.append(Problem(field="lasts_s", message=f"must be at most {LONGEST.days} days"))
    return found


def instant_of(local: datetime, zone: str) -> datetime:
    """Return the instant (UTC) of a local date-time in `zone`; of two that are meant by it, the first."""
    return local.replace(tzinfo=ZoneInfo(zone), fold=0).astimezone(UTC)


def _cut(window: Window, stretch: Stretch) -> Stretch:
    if window.ended_at is None or window.ended_at >= stretch.end:
        return stretch
    return Stretch(start=stretch.start, end=max(stretch.start, window.ended_at))


def _end(window: Window, start: datetime, at: datetime, zone: ZoneInfo) -> datetime:
    """Return the end: so long after the start as clocks of no zone count, or the next such time of day there."""
    if not window.until:
        return at + timedelta(seconds=window.lasts_s)
    end = datetime.combine(start.date(), time.fromisoformat(window.until))
    if end <= start:
        end += timedelta(days=1)
    return end.replace(tzinfo=zone).astimezone(UTC)


def _is_clock(text: str) -> bool:
    try:
        return time.fromisoformat(text).tzinfo is None and len(text) == len("04:00")
    except ValueError:
        return False
