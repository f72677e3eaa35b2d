"""Shifts as an iCalendar text that Google, Apple and Outlook subscribe to (RFC 5545). Pure.

Times are in UTC, which every program shows in its own zone and which needs no VTIMEZONE. The same shift has the same
UID in every answer, so that a program moves it and does not double it; it takes no time (TRANSPARENT), as one may have
meetings while on call.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

_LONGEST_LINE: Final = 75
"""Octets in a line without its end (RFC 5545, 3.1)."""
_AGAIN: Final = "PT1H"
_LINE_END: Final = re.compile("\r\n|[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029]")
# A tab is the one control character that a value may hold (RFC 5545, 3.1); halves of characters can not be written.
_CONTROL: Final = re.compile("[\x00-\x08\x0a-\x1f\x7f-\x9f\ud800-\udfff]")


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
    """Return a text value: backslash, semicolon, comma and line break are escaped (RFC 5545, 3.3.11).

    Whatever some program takes for the end of a line is one; other control characters have no place in a value.
    """
    text = text.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return _CONTROL.sub("", _LINE_END.sub(r"\\n", text))


def folded(line: str) -> Iterator[str]:
    """Yield a line in parts of at most 75 octets, never cutting a letter apart; the later ones begin with a space.

    Nothing in `line` ends it: an address or a name with a line break in it begins no line of its own.
    """
    part, room = "", _LONGEST_LINE
    for letter in _CONTROL.sub("", _LINE_END.sub(" ", line)):
        size = len(letter.encode())
        if size > room:
            yield part
            part, room = " ", _LONGEST_LINE - 1
        part += letter
        room -= size
    yield part


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
