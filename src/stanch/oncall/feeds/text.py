"""Shifts as an iCalendar text that Google, Apple and Outlook subscribe to (RFC 5545). Pure.

Times are in UTC, which every program shows in its own zone and which needs no VTIMEZONE. The same shift has the same
UID in every answer, so that a program moves it and does not double it; it takes no time (TRANSPARENT), as one may have
meetings while on call.
"""

import hashlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_LONGEST_LINE: Final = 75
"""Octets in a line without its end (RFC 5545, 3.1)."""
_AGAIN: Final = "PT1H"


@dataclass(frozen=True, kw_only=True)
class FeedShift:
    """One shift as it is shown: `key` tells it apart from all others and stays the same."""

    key: str
    title: str
    description: str
    start: datetime
    end: datetime


def feed_text(name: str, shifts: Iterable[FeedShift], *, now: datetime, url: str = "") -> str:
    """Return the calendar called `name` with `shifts`; `now` is when it was written."""
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Stanch//On-call//EN",
        "CALSCALE:GREGORIAN",
        "METHOD:PUBLISH",
        f"X-WR-CALNAME:{escaped(name)}",
        # How often to look again: the standard's word (RFC 7986) and the older one that more programs know.
        f"REFRESH-INTERVAL;VALUE=DURATION:{_AGAIN}",
        f"X-PUBLISHED-TTL:{_AGAIN}",
    ]
    for one in shifts:
        lines += [
            "BEGIN:VEVENT",
            f"UID:{uid(one.key)}",
            f"DTSTAMP:{_instant(now)}",
            f"DTSTART:{_instant(one.start)}",
            f"DTEND:{_instant(one.end)}",
            f"SUMMARY:{escaped(one.title)}",
            f"DESCRIPTION:{escaped(one.description)}",
            "TRANSP:TRANSPARENT",
            "STATUS:CONFIRMED",
            *([f"URL:{url}"] if url else []),
            "END:VEVENT",
        ]
    return "".join(f"{part}\r\n" for line in [*lines, "END:VCALENDAR"] for part in folded(line))


def uid(key: str) -> str:
    """Return a globally unique id that is always the same for `key`."""
    return f"{hashlib.sha256(key.encode()).hexdigest()[:32]}@stanch"


def escaped(text: str) -> str:
    """Return a text value: backslash, semicolon, comma and line break are escaped (RFC 5545, 3.3.11)."""
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return text.replace("\r\n", "\\n").replace("\n", "\\n").replace("\r", "")


def folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 octets, never cutting a letter apart; the later ones begin with a space."""
    part, room = "", _LONGEST_LINE
    for letter in line:
        size = len(letter.encode())
        if size > room:
            yield part
            part, room = " ", _LONGEST_LINE - 1
        part += letter
        room -= size
    yield part


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
