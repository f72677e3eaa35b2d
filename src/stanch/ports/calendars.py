"""The calendar port: what an iCalendar text says within a time, and which days are public holidays somewhere."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class CalendarEvent:
    """One event, or one repetition of one: from `start` to `end` (UTC). A day-long one is so in the zone asked for.

    `people` are the addresses and names of those who attend, without `mailto:`; `free` that it takes no time, `away`
    that the program which made it says that its owner is out of office.
    """

    uid: str
    title: str
    start: datetime
    end: datetime
    days: tuple[date, ...] = ()
    people: tuple[str, ...] = ()
    free: bool = False
    away: bool = False
    categories: tuple[str, ...] = ()


class Calendars(Protocol):
    """Reads calendars."""

    def events(self, text: str, *, start: datetime, end: datetime, zone: str) -> tuple[CalendarEvent, ...]:
        """Return the events of an iCalendar text that touch the time from `start` to `end`, in order.

        Times without a zone and whole days are those of `zone`. Raises `Invalid` for a text that is no calendar.
        """
        ...

    def holidays(self, place: str, *, years: Iterable[int]) -> frozenset[date]:
        """Return the public holidays of a country such as `FI`, or a part of one such as `DE-BY`.

        Raises `Invalid` for a place that is not known.
        """
        ...

    def fetch(self, url: str) -> str:
        """Return the text at a URL. Raises `Unavailable`."""
        ...
