"""Zone names as people write them, and wall-clock times where the clocks change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.kernel.errors import Invalid
from stanch.kernel.zone import Resolved, ZoneFound, ZoneUnclear, check_zone, in_zone, match_zone, resolve


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("UTC", "UTC"),
        ("utc", "UTC"),
        ("Z", "UTC"),
        ("GMT", "UTC"),
        ("CET", "+01:00"),
        ("cest", "+02:00"),
        ("EST", "-05:00"),
        ("+01:00", "+01:00"),
        ("-0530", None),
        ("-0500", "-05:00"),
        ("+1", "+01:00"),
        ("+00:00", "UTC"),
        ("UTC+2", "+02:00"),
        ("Europe/Berlin", "Europe/Berlin"),
        ("america/argentina/ushuaia", "America/Argentina/Ushuaia"),
    ],
)
def test_zones_are_read(text: str, expected: str | None) -> None:
    """Abbreviations with one meaning, offsets and IANA names are read up to their end."""
    expected = expected or "-05:30"  # minutes belong to the sign: -05:30, not -04:30

    assert ZoneFound(zone=expected, end=len(text)) == match_zone(text, 0)


@pytest.mark.parametrize("text", ["IST", "BST", "CST", "PT", "est", "Europe/Berlinn", "+15:00", "+01:20"])
def test_zones_with_two_meanings_or_none_are_unclear(text: str) -> None:
    """An abbreviation two regions share, a misspelt name or an impossible offset is unclear, with a reason."""
    assert isinstance(match_zone(text, 0), ZoneUnclear)


@pytest.mark.parametrize("text", ["API", "on", "checkout/api", "west region", "", "/", "5"])
def test_other_words_are_no_zone(text: str) -> None:
    """Words that name no zone are left alone."""
    assert match_zone(text, 0) is None


@pytest.mark.parametrize(
    ("day", "clock", "zone", "expected"),
    [
        # 02:30 happens at +02:00 and again at +01:00; the first is 00:30 UTC.
        (
            date(2026, 10, 25),
            time(2, 30),
            "Europe/Berlin",
            Resolved(at=datetime(2026, 10, 25, 0, 30, tzinfo=UTC), ambiguous=True),
        ),
        # 02:30 is skipped: 01:59:59 +01:00 is followed by 03:00 +02:00, so 03:30 +02:00 is 01:30 UTC.
        (
            date(2026, 3, 29),
            time(2, 30),
            "Europe/Berlin",
            Resolved(at=datetime(2026, 3, 29, 1, 30, tzinfo=UTC), skipped=True),
        ),
        # 01:30 happens at -04:00 and again at -05:00; the first is 05:30 UTC.
        (
            date(2026, 11, 1),
            time(1, 30),
            "America/New_York",
            Resolved(at=datetime(2026, 11, 1, 5, 30, tzinfo=UTC), ambiguous=True),
        ),
        # Lord Howe moves by half an hour: 02:15 becomes 02:45 at +11:00, 15:45 UTC the day before.
        (
            date(2026, 10, 4),
            time(2, 15),
            "Australia/Lord_Howe",
            Resolved(at=datetime(2026, 10, 3, 15, 45, tzinfo=UTC), skipped=True),
        ),
        (date(2026, 7, 1), time(12), "Europe/Berlin", Resolved(at=datetime(2026, 7, 1, 10, tzinfo=UTC))),
        (date(2026, 7, 1), time(12), "-05:30", Resolved(at=datetime(2026, 7, 1, 17, 30, tzinfo=UTC))),
    ],
)
def test_wall_clock_times_are_resolved(day: date, clock: time, zone: str, expected: Resolved) -> None:
    """A repeated time is the earlier one, a skipped one moves over the gap, and both say so."""
    assert expected == resolve(day, clock, zone)


@pytest.mark.parametrize("zone", ["", "Nowhere/Land", "../../etc/passwd", "+99:00", "x" * 5000, "a\0b"])
def test_unknown_zones_are_invalid(zone: str) -> None:
    """A name that is no zone is refused."""
    with pytest.raises(Invalid):
        check_zone(zone)


@settings(deadline=None)
@given(
    st.datetimes(
        min_value=datetime.fromisoformat("1990-01-01"),
        max_value=datetime.fromisoformat("2035-01-01"),
    ),
    st.sampled_from(["UTC", "+05:45", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Africa/Cairo"]),
)
def test_resolved_times_show_on_the_clock(wall: datetime, zone: str) -> None:
    """Seen from its zone, a resolved time is the wall-clock time asked for, unless it was skipped."""
    resolved = resolve(wall.date(), wall.time(), zone)
    shown = in_zone(resolved.at, zone).replace(tzinfo=None)

    assert resolved.skipped == (shown != wall) and abs(shown - wall) <= timedelta(hours=1)
