"""Time zones: their names as people write them, and wall-clock times in them.

A zone is a string everywhere: `UTC`, an offset such as `+05:30`, or an IANA name such as `Europe/Berlin`. Owns what
a daylight-saving change does to a wall-clock time: a time that happens twice is the earlier one and says so, one
that does not exist is moved over the gap and says so. What a sentence means is `moment`'s business.
"""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Final

from whenever import Instant, PlainDateTime, RepeatedTime, SkippedTime, TimeZoneNotFoundError, ZonedDateTime

from stanch.kernel.errors import Invalid

# Abbreviations with one common meaning, and their offset in minutes. They are offsets, not regions: 14:30 CET is
# 13:30 UTC in July too.
_ABBREVIATIONS: Final = {
    "WET": 0,
    "WEST": 60,
    "CET": 60,
    "CEST": 120,
    "EET": 120,
    "EEST": 180,
    "MSK": 180,
    "EST": -300,
    "EDT": -240,
    "CDT": -300,
    "MST": -420,
    "MDT": -360,
    "PST": -480,
    "PDT": -420,
    "AKST": -540,
    "AKDT": -480,
    "HST": -600,
    "JST": 540,
    "KST": 540,
    "SGT": 480,
    "HKT": 480,
    "AEST": 600,
    "AEDT": 660,
    "NZST": 720,
    "NZDT": 780,
}
_AMBIGUOUS: Final = {
    "IST": "India, Ireland or Israel",
    "BST": "British or Bangladesh time",
    "CST": "Chicago, China or Cuba",
    "AST": "Atlantic or Arabia",
    "ET": "winter or summer time",
    "CT": "winter or summer time",
    "MT": "winter or summer time",
    "PT": "winter or summer time",
}
# In lower case these are plain words, or parts of them ("14:30 west region").
_ONLY_UPPER: Final = frozenset({"WEST", "ET", "CT", "MT", "PT"})
# In lower case these may be a zone or a word of another language ("14:30 est en panne"): asked, not guessed.
_CLEAR_IN_UPPER: Final = frozenset({"EST"})
_AREAS: Final = frozenset(
    {"africa", "america", "antarctica", "arctic", "asia", "atlantic", "australia", "europe", "indian", "pacific"}
    | {"etc", "us", "canada"}
)

_UTC: Final = re.compile(r"(?:UTC|GMT|Zulu|Z)(?![A-Za-z0-9_/]|[+\-−][0-9])", re.IGNORECASE)
_UTC_PREFIX: Final = re.compile(r"(?:UTC|GMT)(?=[+\-−])", re.IGNORECASE)
_OFFSET: Final = re.compile(r"([+\-−])([0-9]{1,2})(?::?([0-9]{2}))?(?![0-9:])")
_NAME: Final = re.compile(r"[A-Za-z]{2,14}(?:/[A-Za-z0-9_+\-]{1,30}){1,2}(?![A-Za-z0-9_/])")
_WORD: Final = re.compile(r"[A-Za-z]{2,4}(?![A-Za-z0-9_/\-])")


@dataclass(frozen=True, kw_only=True)
class ZoneFound:
    """A zone written in a text, up to `end`."""

    zone: str
    end: int


@dataclass(frozen=True, kw_only=True)
class ZoneUnclear:
    """Something that stands for a zone, up to `end`, but not for exactly one; `reason` says why."""

    reason: str
    end: int


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """A wall-clock time as an instant (UTC). `ambiguous`: it happened twice; `skipped`: it did not exist."""

    at: datetime
    ambiguous: bool = False
    skipped: bool = False


def match_zone(text: str, position: int) -> ZoneFound | ZoneUnclear | None:
    """Return the zone written at `position` of `text`; None when the words there are no zone."""
    if utc := _UTC.match(text, position):
        return ZoneFound(zone="UTC", end=utc.end())
    prefix = _UTC_PREFIX.match(text, position)
    if offset := _OFFSET.match(text, prefix.end() if prefix else position):
        return _offset(offset)
    if name := _NAME.match(text, position):
        return _named(name[0], name.end())
    if word := _WORD.match(text, position):
        return _abbreviated(word[0], word.end())
    return None


def _offset(match: re.Match[str]) -> ZoneFound | ZoneUnclear:
    hours, minutes = int(match[2]), int(match[3] or 0)
    total = hours * 60 + minutes
    # Offsets in use run from -12:00 to +14:00 in quarters of an hour.
    longest = 14 * 60 if match[1] == "+" else 12 * 60
    if total > longest or minutes not in (0, 15, 30, 45):
        return ZoneUnclear(reason=f"no place has the offset {match[0]}", end=match.end())
    return ZoneFound(zone=_offset_name(total if match[1] == "+" else -total), end=match.end())


def _offset_name(minutes: int) -> str:
    if minutes == 0:
        return "UTC"
    hours, rest = divmod(abs(minutes), 60)
    return f"{'+' if minutes > 0 else '-'}{hours:02}:{rest:02}"


def _named(name: str, end: int) -> ZoneFound | ZoneUnclear | None:
    if name.partition("/")[0].lower() not in _AREAS:
        return None
    try:
        return ZoneFound(zone=check_zone(name), end=end)
    except Invalid:
        return ZoneUnclear(reason=f"there is no time zone {name}", end=end)


def _abbreviated(word: str, end: int) -> ZoneFound | ZoneUnclear | None:
    upper = word.upper()
    if upper in _ONLY_UPPER and word != upper:
        return None
    if upper in _AMBIGUOUS:
        reason = f"{upper} can mean {_AMBIGUOUS[upper]}; write an offset such as +05:30, or Europe/Berlin"
        return ZoneUnclear(reason=reason, end=end)
    if upper in _CLEAR_IN_UPPER and word != upper:
        return ZoneUnclear(reason=f"{word} may be the zone {upper}; write {upper} or an offset such as -05:00", end=end)
    minutes = _ABBREVIATIONS.get(upper)
    return None if minutes is None else ZoneFound(zone=_offset_name(minutes), end=end)


def check_zone(zone: str) -> str:
    """Return the canonical name of `zone`. Raises `Invalid` when there is no such zone."""
    if zone == "UTC":
        return zone
    if match := _OFFSET.fullmatch(zone):
        found = _offset(match)
        if isinstance(found, ZoneFound):
            return found.zone
        raise Invalid(field="zone", message=found.reason)
    try:
        return ZonedDateTime(2026, 1, 1, tz=zone, disambiguation="compatible").tz_id or zone
    except TimeZoneNotFoundError:
        shown = zone if len(zone) <= 40 else zone[:39] + "…"
        message = f"there is no time zone {shown!r}: write UTC, an offset such as +01:00, or Europe/Berlin"
        raise Invalid(field="zone", message=message) from None


def _fixed(zone: str) -> timedelta | None:
    if zone == "UTC":
        return timedelta(0)
    match = _OFFSET.fullmatch(zone)
    if match is None:
        return None
    length = timedelta(hours=int(match[2]), minutes=int(match[3] or 0))
    return length if match[1] == "+" else -length


def in_zone(at: datetime, zone: str) -> datetime:
    """Return the instant `at` as a wall-clock time in `zone`."""
    fixed = _fixed(zone)
    if fixed is not None:
        return at.astimezone(timezone(fixed) if fixed else UTC)
    return Instant(at).to_tz(zone).to_stdlib()


def resolve(day: date, clock: time, zone: str) -> Resolved:
    """Return the instant at which the wall clock of `zone` shows `clock` on `day`.

    A time that happens twice is the first of the two, a time that is skipped is moved on by the length of the gap
    (02:30 becomes 03:30), as RFC 5545 3.3.5 has it; both are marked.
    """
    wall = datetime.combine(day, clock)
    fixed = _fixed(zone)
    if fixed is not None:
        return Resolved(at=(wall - fixed).replace(tzinfo=UTC))
    plain = PlainDateTime(wall)
    try:
        return Resolved(at=_stdlib(plain.assume_tz(zone, disambiguation="raise")))
    except RepeatedTime:
        return Resolved(at=_stdlib(plain.assume_tz(zone, disambiguation="earlier")), ambiguous=True)
    except SkippedTime:
        return Resolved(at=_stdlib(plain.assume_tz(zone, disambiguation="compatible")), skipped=True)


def _stdlib(zoned: ZonedDateTime) -> datetime:
    return zoned.to_instant().to_stdlib()
