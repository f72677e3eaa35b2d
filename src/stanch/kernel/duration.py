"""Lengths of time as people write and read them: `1h30m`, `2 days`, `PT15M`, "4m ago".

Owns the grammar and the words. Instants ("25m ago", "since 14:30 UTC") belong to `moment`. Months and years are not
lengths and are not read; a day is 24 hours, a week seven days.
"""

import re
from datetime import timedelta
from typing import Final

from stanch.kernel.errors import Invalid

ACCEPTED_FORMS: Final = "write it like 90s, 15m, 1h30m, 2 days, 1.5h or PT15M"

# A century: longer than any incident, and far from where timedelta overflows (2.7 million years).
_LONGEST: Final = timedelta(days=36_525)

_UNIT_WORDS: Final = {
    "ms": ("ms", "msec", "msecs", "millisecond", "milliseconds"),
    "s": ("s", "sec", "secs", "second", "seconds"),
    "m": ("m", "min", "mins", "minute", "minutes"),
    "h": ("h", "hr", "hrs", "hour", "hours"),
    "d": ("d", "day", "days"),
    "w": ("w", "wk", "wks", "week", "weeks"),
}
_UNITS: Final = {
    "w": timedelta(weeks=1),
    "d": timedelta(days=1),
    "h": timedelta(hours=1),
    "m": timedelta(minutes=1),
    "s": timedelta(seconds=1),
    "ms": timedelta(milliseconds=1),
}
_UNIT_OF: Final = {word: unit for unit, words in _UNIT_WORDS.items() for word in words}
_RANK: Final = {unit: rank for rank, unit in enumerate(_UNITS)}

# The numbers are bounded so that a megabyte of digits costs no more than nine of them.
_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)[ \t]{0,2}([A-Za-z]{1,12})(?![A-Za-z0-9])")
_TIGHT_PART: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)(ms|[smhdw])(?=[0-9])")
_JOINT: Final = re.compile(r"[ \t]{0,2}(?:,[ \t]{0,2})?(?:and[ \t]{1,2})?(?=[0-9])", re.IGNORECASE)
_WORDED: Final = re.compile(
    r"(half[ \t]an?|an?)[ \t]{1,2}(second|minute|hour|day|week)(?![A-Za-z])([ \t]and[ \t]a[ \t]half\b)?",
    re.IGNORECASE,
)
_ISO: Final = re.compile(
    r"P(?=[0-9T])(?:([0-9]{1,6})W)?(?:([0-9]{1,6})D)?"
    r"(?:T(?=[0-9])(?:([0-9]{1,8})H)?(?:([0-9]{1,8})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,6})?)S)?)?(?![A-Za-z0-9])"
)

_LONG_NAMES: Final = {"d": "day", "h": "hour", "m": "minute", "s": "second", "ms": "millisecond"}


def parse_duration(text: str, *, field: str = "duration") -> timedelta:
    """Read a length of time: `90s`, `15m`, `1h30m`, `2 days`, `an hour`, `1.5h`, `PT15M` (ISO 8601).

    Units stand in falling order, each once, and a number always has a unit. Raises `Invalid` on `field` for
    everything else, for negative lengths and for more than a century.
    """
    stripped = text.strip()
    found = match_duration(stripped, 0)
    if found is None or found[1] != len(stripped):
        shown = stripped if len(stripped) <= 40 else stripped[:39] + "…"
        raise Invalid(field=field, message=f"{shown!r} is not a length of time: {ACCEPTED_FORMS}")
    return found[0]


def match_duration(text: str, position: int) -> tuple[timedelta, int] | None:
    """Return the length of time that starts at `position` of `text` and where it ends, or None."""
    found = _match_iso(text, position) or _match_worded(text, position) or _match_parts(text, position)
    return None if found is None or found[0] > _LONGEST else found


def _match_iso(text: str, position: int) -> tuple[timedelta, int] | None:
    match = _ISO.match(text, position)
    if match is None:
        return None
    weeks, days, hours, minutes, seconds = (float(group or 0) for group in match.groups())
    return timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds), match.end()


def _match_worded(text: str, position: int) -> tuple[timedelta, int] | None:
    match = _WORDED.match(text, position)
    if match is None:
        return None
    amount, word, and_a_half = match.groups()
    unit = _UNITS[_UNIT_OF[word.lower()]]
    half = amount.lower().startswith("half")
    if half and and_a_half:
        return None
    factor = 0.5 if half else 1.5 if and_a_half else 1.0
    return unit * factor, match.end()


def _match_parts(text: str, position: int) -> tuple[timedelta, int] | None:
    total, end, last_rank = timedelta(0), position, -1
    start = position
    while match := (_TIGHT_PART.match(text, start) or _PART.match(text, start)):
        unit = _unit(match[2])
        if unit is None or _RANK[unit] <= last_rank:
            return None
        amount = float(match[1])
        if amount > _LONGEST / _UNITS[unit]:
            return None
        total += amount * _UNITS[unit]
        end, last_rank = match.end(), _RANK[unit]
        joint = _JOINT.match(text, end)
        if joint is None:
            break
        start = joint.end()
    return None if last_rank < 0 else (total, end)


def _unit(word: str) -> str | None:
    # One letter is lower case only: an upper-case M means months to many.
    return _UNIT_OF.get(word if len(word) == 1 else word.lower())


def format_duration(length: timedelta, *, long: bool = False, parts: int = 2) -> str:
    """Say a length of time in its `parts` largest units: `1h 22m`, or `1 hour 22 minutes` when `long`.

    The rest is cut off, never rounded up: 59.9 s is `59s`. Below a second it is milliseconds; zero is `0s`.
    """
    if length < timedelta(0):
        return "-" + format_duration(-length, long=long, parts=parts)
    counts = _counts(length)
    first = next((index for index, (_, count) in enumerate(counts) if count), None)
    if first is None:
        return "0 seconds" if long else "0s"
    shown = [(unit, count) for unit, count in counts[first : first + parts] if count]
    if long:
        return " ".join(f"{count} {_LONG_NAMES[unit]}{'' if count == 1 else 's'}" for unit, count in shown)
    return " ".join(f"{count}{unit}" for unit, count in shown)


def _counts(length: timedelta) -> list[tuple[str, int]]:
    if length < timedelta(seconds=1):
        return [("ms", length // timedelta(milliseconds=1))]
    hours, rest = divmod(length.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    return [("d", length.days), ("h", hours), ("m", minutes), ("s", seconds)]


def format_age(age: timedelta) -> str:
    """Say how long ago something was, in one unit: `just now` (within 5 s), `4m ago`, `in 5m` for the future."""
    if abs(age) < timedelta(seconds=5):
        return "just now"
    if age < timedelta(0):
        return f"in {format_duration(-age, parts=1)}"
    return f"{format_duration(age, parts=1)} ago"


def before_start(seconds: float) -> str:
    """Say how long before a start something was: `40s before the start`, `2h 5m after the start` where it is negative.

    Within a second of it, it is `just before the start`: a start is no better known than that.
    """
    if abs(seconds) < 1:
        return "just before the start"
    side = "before" if seconds > 0 else "after"
    return f"{format_duration(timedelta(seconds=round(abs(seconds))))} {side} the start"
