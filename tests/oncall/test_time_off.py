"""Which events of a person's calendar take them off call: those that say so, not every meeting."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from stanch.catalog.oncall import ALL_TIME_OFF, TIME_OFF
from stanch.integrations.calendars import CalendarReader
from stanch.oncall.calendars import absences_of

HEAD = "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:-//Example//EN\n"


def away(*lines: str, words: Sequence[str] = TIME_OFF) -> bool:
    """Tell whether an event with these lines takes its owner off call."""
    times = "UID:1\nDTSTAMP:20260101T000000Z\nDTSTART:20261121T090000Z\nDTEND:20261121T100000Z"
    text = f"{HEAD}BEGIN:VEVENT\n{times}\n" + "\n".join(lines) + "\nEND:VEVENT\nEND:VCALENDAR\n"
    start, end = datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC)
    return bool(absences_of("alice", CalendarReader().events(text, start=start, end=end, zone="UTC"), words=words))


@pytest.mark.parametrize(
    ("line", "off"),
    [
        ("SUMMARY:Vacation", True),
        ("SUMMARY:Alice: holidays in Lapland", True),
        ("SUMMARY:OOO", True),
        ("SUMMARY:Out of office (doctor)", True),
        ("SUMMARY:Day off", True),
        ("SUMMARY:Urlaub", True),
        ("SUMMARY:Stand-up", False),
        ("SUMMARY:Review of the bookoo service", False),
        ("SUMMARY:Ptolemy workshop", False),
        ("SUMMARY:Leave the building: fire drill", False),
        ("SUMMARY:Travel\nCATEGORIES:Private,Vacation", True),
        ("SUMMARY:Busy\nX-MICROSOFT-CDO-BUSYSTATUS:OOF", True),
        ("SUMMARY:Busy\nX-MICROSOFT-CDO-BUSYSTATUS:BUSY", False),
        ("SUMMARY:Vacation\nTRANSP:TRANSPARENT", False),
    ],
)
def test_what_is_time_off(line: str, off: bool) -> None:
    """Title, category or the mark of the program say it; a meeting is none, and neither is what takes no time."""
    assert off is away(line)


def test_all_is_every_event() -> None:
    """For a calendar that holds nothing but time off, every event that takes time is some."""
    assert away("SUMMARY:Stand-up", words=(ALL_TIME_OFF,))


def test_words_of_ones_own() -> None:
    """Another expression takes the place of the shipped one."""
    assert (True, False) == (away("SUMMARY:Ferien", words=("ferien",)), away("SUMMARY:Vacation", words=("ferien",)))
