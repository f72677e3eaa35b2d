"""Feeds of shifts, as the `icalendar` package and its expansion read them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import cast
from urllib.parse import urlsplit

import pytest
import recurring_ical_events  # type: ignore[import-untyped]  # it has no marker for its types
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar

from stanch.integrations.calendars import CalendarReader
from stanch.kernel.errors import NotFound
from stanch.oncall.calendars import shifts_of
from stanch.oncall.feeds.text import FeedShift, escaped, feed_text, folded
from stanch.oncall.roster import shifts
from stanch.operations.oncall.feeding import FeedView, read_feed
from tests.oncall.rota import rota, utc
from tests.oncall.shift_desk import ShiftDesk, shift_desk

NOW = utc("2026-11-21T14:30")


@pytest.fixture
def desk(database_url: str) -> Iterator[ShiftDesk]:
    """Give a desk, once on each database."""
    with shift_desk(database_url) as opened:
        yield opened


def token_of(desk: ShiftDesk, **which: str) -> str:
    """Return the token of a new feed."""
    view = cast("FeedView", desk.ask("feed.make", **which))
    return urlsplit(view.urls[0]).path.removeprefix("/oncall/").removesuffix(".ics")


def read(desk: ShiftDesk, token: str) -> str:
    """Return the text at an address."""
    return read_feed(desk.world, token, now=desk.clock.now())


def test_schedule_against_the_package(desk: ShiftDesk) -> None:
    """The package's own expansion finds the very shifts that the roster has."""
    start, end = utc("2026-11-23T09:00"), utc("2026-12-28T09:00")
    found = recurring_ical_events.of(Calendar.from_ical(read(desk, token_of(desk, schedule="shop")))).between(
        start, end
    )
    expected = [(one.start, one.end) for one in shifts(desk.world.catalog, "shop", start=start, end=end)]

    assert expected == [(one.decoded("DTSTART"), one.decoded("DTEND")) for one in found]


def test_person(desk: ShiftDesk) -> None:
    """The feed of a person has their shifts of every schedule."""
    found = Calendar.from_ical(read(desk, token_of(desk, person="bob"))).walk("VEVENT")

    assert {"On call: shop", "On call: backup"} == {str(one["SUMMARY"]) for one in found}


def test_uids_stay(desk: ShiftDesk) -> None:
    """The same shift has the same UID a day later, so that a program does not double it."""
    token = token_of(desk, schedule="shop")
    first = {str(one["UID"]): one.decoded("DTSTART") for one in Calendar.from_ical(read(desk, token)).walk("VEVENT")}
    desk.clock.advance(timedelta(days=1))
    second = {str(one["UID"]): one.decoded("DTSTART") for one in Calendar.from_ical(read(desk, token)).walk("VEVENT")}
    both = first.keys() & second.keys()

    assert len(both) >= len(first) - 1
    assert {uid: first[uid] for uid in both} == {uid: second[uid] for uid in both}


def test_uids_are_unique(desk: ShiftDesk) -> None:
    """No two events share a UID."""
    found = [str(one["UID"]) for one in Calendar.from_ical(read(desk, token_of(desk, person="alice"))).walk("VEVENT")]

    assert len(found) == len(set(found))


def test_required_properties(desk: ShiftDesk) -> None:
    """Every event has what RFC 5545 requires, its times in UTC."""
    (event, *_) = Calendar.from_ical(read(desk, token_of(desk, schedule="shop"))).walk("VEVENT")

    assert {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY"} <= set(event)
    assert UTC.utcoffset(None) == event.decoded("DTSTART").utcoffset()


def test_ended_address(desk: ShiftDesk) -> None:
    """An address that was ended reads nothing."""
    token = token_of(desk, schedule="shop")
    desk.ask("feed.end", schedule="shop")
    with pytest.raises(NotFound):
        read(desk, token)


def test_guessed_address(desk: ShiftDesk) -> None:
    """An address that was not given out reads nothing."""
    with pytest.raises(NotFound):
        read(desk, "A" * 43)


def test_lines_are_short() -> None:
    """No line is longer than 75 octets, and letters are not cut apart."""
    line = "SUMMARY:" + "päivystys ✓ " * 30
    parts = list(folded(line))

    assert max(len(part.encode()) for part in parts) <= 75
    assert line == parts[0] + "".join(part[1:] for part in parts[1:])


@given(
    st.text(alphabet=st.characters(blacklist_categories=("Cs", "Cc", "Zl", "Zp")), min_size=1)
    .map(str.strip)
    .filter(bool)
)
def test_any_title_survives(title: str) -> None:
    """A title of one line comes out of the package as it went in."""
    one = FeedShift(key="k", title=title, description="a\nb", start=NOW, end=NOW + timedelta(hours=1))
    (event,) = Calendar.from_ical(feed_text("n", [one], now=NOW)).walk("VEVENT")

    assert title == str(event["SUMMARY"])


def test_escaped() -> None:
    """What has a meaning in the format is escaped."""
    assert "a\\, b\\; c\\\\d\\ne" == escaped("a, b; c\\d\ne")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a\x0bb\x0cc\r\nd\re\x85f\u2028g", r"a\nb\nc\nd\ne\nf\ng"),
        ("a\x00b\x1b[0mc\x7fd\ud800e", "ab[0mcde"),
        ("a\tb", "a\tb"),
    ],
)
def test_control_characters_have_no_place(text: str, value: str) -> None:
    """What ends a line somewhere is a line break, a tab stays, all others go."""
    assert value == escaped(text)


def test_nothing_in_a_line_ends_it() -> None:
    """An address with a line break in it begins no property of its own."""
    assert ["URL:https://a.example/ATTENDEE:x"] == list(folded("URL:https://a.example/\x00ATTENDEE:x"))


def test_round_trip_over_a_clock_change() -> None:
    """A schedule that is written as a feed and read as a layer has the same shifts, over a change of clocks."""
    layer = '{people = ["alice", "bob"], rotation = "hourly", length = 12, start = "2026-10-20T09:00"}'
    catalog = rota(layer, zone="Europe/Berlin")
    start, end = datetime(2026, 10, 20, 7, tzinfo=UTC), datetime(2026, 10, 28, 8, tzinfo=UTC)
    written = [
        FeedShift(key=f"{one.turn}", title=f"{one.person} on call", description="", start=one.start, end=one.end)
        for one in shifts(catalog, "shop", start=start, end=end)
    ]
    events = CalendarReader().events(feed_text("shop", written, now=NOW), start=start, end=end, zone="Europe/Berlin")
    found, unknown = shifts_of(catalog, events)

    assert () == unknown
    assert [(one.person, one.start, one.end) for one in shifts(catalog, "shop", start=start, end=end)] == [
        (one.person, one.start, one.end) for one in found
    ]
