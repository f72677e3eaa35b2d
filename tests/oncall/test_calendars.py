"""Calendars kept elsewhere: read, kept while their server is away, and what they mean for who is on call."""

from collections.abc import Iterator
from datetime import date
from typing import cast

import httpx2
import pytest

from stanch.engine.calendars import fetch, first_timer
from stanch.integrations.calendars import CalendarReader
from stanch.kernel.errors import Invalid, Unavailable
from stanch.oncall.overrides.model import CalendarText
from stanch.oncall.overrides.tables import find_calendars
from stanch.operations.oncall.views import OnCallAnswer
from tests.oncall.rota import utc
from tests.oncall.shift_desk import START, ShiftDesk, shift_desk

URL = "https://calendars.example/rota.ics?key=secret"
ROTA = """BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Example//EN
BEGIN:VEVENT
UID:1
DTSTAMP:20260101T000000Z
DTSTART;TZID=Europe/Helsinki:20260105T090000
DTEND;TZID=Europe/Helsinki:20260106T090000
RRULE:FREQ=DAILY
EXDATE;TZID=Europe/Helsinki:20261122T090000
SUMMARY:On call: alice
END:VEVENT
BEGIN:VEVENT
UID:2
DTSTAMP:20260101T000000Z
DTSTART;VALUE=DATE:20261122
DTEND;VALUE=DATE:20261123
SUMMARY:Rota
ATTENDEE;CN=Bob:mailto:BOB@example.org
END:VEVENT
END:VCALENDAR
"""
TEXT = f"""
[people.dave]
email = "bob@example.org"
[oncall.schedules.shop]
zone = "Europe/Helsinki"
layers = [{{calendar = "{URL}"}}]
"""


class Far:
    """A server of calendars that answers as it is told to."""

    def __init__(self) -> None:
        self.status, self.text = 200, ROTA

    def __call__(self, request: httpx2.Request) -> httpx2.Response:
        """Answer."""
        return httpx2.Response(self.status, text=self.text)


@pytest.fixture
def far() -> Far:
    """Give a server."""
    return Far()


@pytest.fixture
def desk(database_url: str, far: Far) -> Iterator[ShiftDesk]:
    """Give a desk whose schedule is a calendar at that server, once on each database."""
    reader = CalendarReader(transport=httpx2.MockTransport(far))
    with shift_desk(database_url, text=TEXT, calendars=reader) as opened:
        yield opened


def fetched(desk: ShiftDesk) -> CalendarText:
    """Fetch the calendars and return what is stored."""
    effect = fetch(first_timer(desk.clock.now()), desk.world)
    with desk.world.store.writing() as tx:
        effect(tx)
    with desk.world.store.reading() as view:
        return find_calendars(view.connection)[URL]


def on_at(desk: ShiftDesk, at: str) -> str:
    """Return who is on call."""
    answer = cast("OnCallAnswer", desk.ask("oncall.at", at=f"{at}:00Z", schedule="shop"))
    return answer.schedules[0].now.person if answer.schedules[0].now else ""


def test_an_event_names_who_is_on(desk: ShiftDesk) -> None:
    """A repeated event names a person by its title, a day-long one by its attendee, in the schedule's zone."""
    fetched(desk)

    assert ["alice", "dave", "dave", ""] == [
        on_at(desk, at) for at in ("2026-11-21T14:30", "2026-11-22T07:30", "2026-11-22T21:59", "2026-11-22T22:01")
    ]


def test_before_it_was_read(desk: ShiftDesk) -> None:
    """Until a calendar was read nobody is on, and the answer says why."""
    answer = cast("OnCallAnswer", desk.ask("oncall.now"))

    assert ("oncall.schedules.shop.layers.0.calendar: was never read: not fetched yet",) == answer.problems


def test_what_was_read_stays(desk: ShiftDesk, far: Far) -> None:
    """While the server is away, what was read last holds, and the trouble is stored."""
    fetched(desk)
    far.status = 503
    desk.clock.set(utc("2026-11-21T15:00"))
    found = fetched(desk)

    assert (START, "the calendar answered 503", "alice") == (
        found.fetched_at,
        found.error,
        on_at(desk, "2026-11-21T15:00"),
    )


def test_a_page_is_no_calendar(desk: ShiftDesk, far: Far) -> None:
    """A login page that is answered instead of a calendar does not replace it."""
    fetched(desk)
    far.text = "<html>please log in</html>"
    fetched(desk)

    assert "alice" == on_at(desk, "2026-11-21T14:30")


def test_too_large(far: Far) -> None:
    """A calendar without an end is not read to its end."""
    far.text = "x" * 5_000_001
    with pytest.raises(Unavailable):
        CalendarReader(transport=httpx2.MockTransport(far)).fetch(URL)


def test_public_holidays() -> None:
    """The sixth of December is a public holiday in Finland; Reformation Day is one in a part of Germany."""
    reader = CalendarReader()

    assert date(2026, 12, 6) in reader.holidays("FI", years=[2026])
    assert date(2026, 10, 31) in reader.holidays("DE-SN", years=[2026])
    assert date(2026, 10, 31) not in reader.holidays("DE-BE", years=[2026])


@pytest.mark.parametrize("place", ["XX", "DE-QQ"])
def test_no_such_place(place: str) -> None:
    """A place that is not known is said."""
    with pytest.raises(Invalid):
        CalendarReader().holidays(place, years=[2026])
