"""Recurrences by the rules of RFC 5545 (https://www.rfc-editor.org/rfc/rfc5545#section-3.3.10), days and above.

Everything is local time without a zone: 02:00 stays 02:00. What an instant that is, is for who knows the zone.
"""

from datetime import datetime
from functools import lru_cache
from typing import Final

from dateutil.rrule import rrule, rrulestr

FREQUENCIES: Final = ("DAILY", "WEEKLY", "MONTHLY", "YEARLY")
EARLIEST_YEAR: Final = 2000
_MOST: Final = 1000
_OFTEN: Final = frozenset({"BYHOUR", "BYMINUTE", "BYSECOND"})


def check_rule(rule: str) -> str:
    """Return what is wrong with a rule, empty when nothing is."""
    parts = dict(part.upper().partition("=")[::2] for part in _plain(rule).split(";"))
    if parts.get("FREQ") not in FREQUENCIES:
        return f"must say FREQ={', FREQ='.join(FREQUENCIES)}, not {rule!r}"
    if _OFTEN & set(parts):
        return "must not say hours or minutes: the time of day is that of the first one"
    try:
        next(iter(_parsed(rule, datetime(2026, 1, 1))), None)  # noqa: DTZ001  (local by design)
    except (ValueError, TypeError, KeyError) as error:
        return f"is no recurrence: {error}"
    return ""


def first_of(text: str) -> datetime:
    """Return the local date-time that `text` says, `2026-01-04T02:00`. Raises `ValueError`."""
    found = datetime.fromisoformat(text.replace(" ", "T"))
    if found.tzinfo is not None or found.year < EARLIEST_YEAR:
        raise ValueError(f"{text!r} is no local time since {EARLIEST_YEAR}")
    return found


@lru_cache(maxsize=256)
def starts_between(rule: str, first: str, after: datetime, before: datetime) -> tuple[datetime, ...]:
    """Return the local starts from `after` to `before`, both included, oldest first, at most a thousand.

    Kept for the next time: who asks whether something holds now asks with the days around it.
    """
    return tuple(_parsed(rule, first_of(first)).between(after, before, inc=True)[:_MOST])


@lru_cache(maxsize=64)
def _parsed(rule: str, first: datetime) -> rrule:
    # An UNTIL in UTC cannot be compared with local times; the date is what people mean by it.
    parts = (part.removesuffix("Z") if part.upper().startswith("UNTIL=") else part for part in _plain(rule).split(";"))
    found = rrulestr(";".join(parts), dtstart=first)
    if not isinstance(found, rrule):
        raise ValueError("one rule is enough")
    return found


def _plain(rule: str) -> str:
    return rule.strip().removeprefix("RRULE:")
