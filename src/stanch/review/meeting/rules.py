"""When the meeting on a post-mortem is, and its invitation as calendars read it (RFC 5545, sent as RFC 6047). Pure.

Times are in UTC, which every program shows in its own zone and which needs no VTIMEZONE.
"""

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.kernel.zone import in_zone, resolve
from stanch.oncall.feeds.text import escaped, folded

_SATURDAY: Final = 5
_A_YEAR: Final = 366


@dataclass(frozen=True, kw_only=True)
class Invitation:
    """What an invitation says besides the meeting: `organizer` is a mail address, `names` are people's by id."""

    organizer: str
    organizer_name: str
    title: str
    description: str
    url: str
    names: dict[str, str]


def meeting_at(
    after: datetime, *, days: int, clock: str, zone: str, holidays: Container[date] = frozenset()
) -> datetime:
    """Return the instant (UTC) at which `zone` shows `clock` on the `days`-th working day after `after`.

    Saturday, Sunday and `holidays` are none: two working days after a Friday is Tuesday, or Wednesday when Monday is a
    holiday. A calendar that leaves no working day in a year is not believed: then it is the last day looked at.
    """
    day = in_zone(after, zone).date()
    left = max(1, days)
    for _ in range(_A_YEAR):
        day += timedelta(days=1)
        left -= day.weekday() < _SATURDAY and day not in holidays
        if left == 0:
            break
    hour, minute = (int(part) for part in clock.split(":"))
    return resolve(day, time(hour, minute), zone).at


def invitation_text(
    meeting: ev.MeetingSet, to: Sequence[ev.Invited], said: Invitation, *, now: datetime, called_off: bool = False
) -> str:
    """Return the calendar object that invites `to`, or takes the meeting back; `now` is when it was written.

    The same `uid` is the same meeting, and a higher `sequence` says something later (RFC 5545, 3.8.7.4).
    """
    ends_at = meeting.starts_at + timedelta(seconds=meeting.length_s)
    lines = [
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Stanch//Post-mortem//EN",
        "CALSCALE:GREGORIAN",
        f"METHOD:{'CANCEL' if called_off else 'REQUEST'}",
        "BEGIN:VEVENT",
        f"UID:{meeting.uid}",
        f"SEQUENCE:{meeting.sequence}",
        f"DTSTAMP:{_instant(now)}",
        f"DTSTART:{_instant(meeting.starts_at)}",
        f"DTEND:{_instant(ends_at)}",
        f"SUMMARY:{escaped(said.title)}",
        f"DESCRIPTION:{escaped(said.description)}",
        *([f"LOCATION:{escaped(meeting.place)}"] if meeting.place else []),
        f"URL:{said.url}",
        f"ORGANIZER;CN={_parameter(said.organizer_name)}:mailto:{said.organizer}",
        *(_attendee(one, said.names.get(one.person, one.person)) for one in to),
        f"STATUS:{'CANCELLED' if called_off else 'CONFIRMED'}",
        "TRANSP:OPAQUE",
        "END:VEVENT",
        "END:VCALENDAR",
    ]
    return "".join(f"{part}\r\n" for line in lines for part in folded(line))


def _attendee(one: ev.Invited, name: str) -> str:
    what = "ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=TRUE"
    return f"ATTENDEE;CN={_parameter(name)};{what}:mailto:{one.address}"


def _parameter(text: str) -> str:
    """Return a quoted parameter value, which can hold neither quotes nor control characters (RFC 5545, 3.2)."""
    return '"' + "".join(letter for letter in text if letter.isprintable() and letter != '"') + '"'


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y%m%dT%H%M%SZ}"
