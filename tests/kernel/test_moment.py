"""Human time: which words mean which instant, which are refused, and how a start is found in a sentence."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from stanch.kernel.errors import Invalid
from stanch.kernel.moment import Moment, Precision, find_moment, read_moment, read_since, scan_moments

NOW = datetime(2026, 11, 21, 15, 0, tzinfo=UTC)  # a Saturday


def utc(month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> datetime:
    """Return an instant of 2026."""
    return datetime(2026, month, day, hour, minute, second, tzinfo=UTC)


def the_instant(text: str, *, now: datetime = NOW, zone: str = "UTC") -> datetime | None:
    """Return the instant that `text` means, or None."""
    moment = read_moment(text, now=now, zone=zone)
    return moment.at if moment else None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:30 UTC", utc(11, 21, 14, 30)),
        ("14:30", utc(11, 21, 14, 30)),
        ("14:30:05", utc(11, 21, 14, 30, 5)),
        ("2:30pm", utc(11, 21, 14, 30)),
        ("2:30 p.m.", utc(11, 21, 14, 30)),
        ("12am", utc(11, 21)),
        ("12pm", utc(11, 21, 12)),
        ("noon", utc(11, 21, 12)),
        ("2026-11-21 14:30Z", utc(11, 21, 14, 30)),
        ("2026-11-21T14:30:00Z", utc(11, 21, 14, 30)),
        ("2026-11-21T14:30:00+01:00", utc(11, 21, 13, 30)),
        ("2026-11-21T14:30:00-05:00", utc(11, 21, 19, 30)),
        ("2026-11-20", utc(11, 20)),
        ("25m ago", utc(11, 21, 14, 35)),
        ("1h 30m ago", utc(11, 21, 13, 30)),
        ("an hour ago", utc(11, 21, 14)),
        ("half an hour ago", utc(11, 21, 14, 30)),
        ("2 days ago", utc(11, 19, 15)),
        ("yesterday", utc(11, 20)),
        ("yesterday 9pm", utc(11, 20, 21)),
        ("Yesterday at 21:00", utc(11, 20, 21)),
        ("9pm yesterday", utc(11, 20, 21)),
        ("14:30 UTC yesterday", utc(11, 20, 14, 30)),
        ("today at 14:30", utc(11, 21, 14, 30)),
        ("monday 9am", utc(11, 16, 9)),
        ("Saturday 9am", utc(11, 21, 9)),
        ("Saturday 16:00", utc(11, 14, 16)),
        ("21 Nov 14:30", utc(11, 21, 14, 30)),
        ("November 20, 2026 at 9 pm", utc(11, 20, 21)),
        ("14:30 CET", utc(11, 21, 13, 30)),
        ("14:30 +01:00", utc(11, 21, 13, 30)),
        ("14:30 Europe/Berlin", utc(11, 21, 13, 30)),
        ("14:30 UTC+1", utc(11, 21, 13, 30)),
        ("@1795271400", datetime.fromtimestamp(1795271400, UTC)),
        ("@1795271400123", datetime.fromtimestamp(1795271400.123, UTC)),
        ("now", NOW),
        ("  14:30  ", utc(11, 21, 14, 30)),
    ],
)
def test_points_in_time_are_read(text: str, expected: datetime) -> None:
    """Each accepted form gives its instant."""
    assert expected == the_instant(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "this morning",
        "last friday",
        "last night",
        "soon",
        "14h30",
        "1430",
        "14:60",
        "25:00",
        "13:30pm",
        "0am",
        "11/12 14:30",
        "11.12.2026 14:30",
        "14:30 IST",
        "14:30 Europe/Berlinn",
        "14:30-05:00",
        "2026-02-30",
        "30 Feb 10:00",
        "2026-11-21T14:30:00Zulu time",
        "14:30 on checkout",
        "14:30:00:00",
        "a few minutes ago",
        "5 ago",
        "@12",
        "@99999999999999999999",
        "99999-01-01",
        "٠٩:٠٠",
    ],
)
def test_everything_else_is_not_understood(text: str) -> None:
    """What is vague, impossible, or has two meanings is None and never a guess."""
    assert the_instant(text) is None


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (utc(11, 21, 14, 28), utc(11, 21, 14, 30)),  # two minutes ahead: still the present
        (utc(11, 21, 14, 27), utc(11, 20, 14, 30)),  # three minutes ahead: yesterday's
        (utc(11, 21, 14, 31), utc(11, 21, 14, 30)),
        (utc(11, 22, 14, 29, 59), utc(11, 22, 14, 30)),
    ],
)
def test_a_time_of_day_is_the_most_recent_one(now: datetime, expected: datetime) -> None:
    """A clock time alone is today's unless that lies more than two minutes ahead, then yesterday's."""
    assert expected == the_instant("14:30", now=now)


def test_a_time_of_day_belongs_to_the_day_of_its_zone() -> None:
    """At 23:30 UTC it is already tomorrow in Berlin, so 00:15 there is a quarter of an hour ago."""
    assert utc(11, 21, 23, 15) == the_instant("00:15", now=utc(11, 21, 23, 30), zone="Europe/Berlin")


def test_a_zone_in_the_text_outweighs_the_given_one() -> None:
    """The zone somebody wrote counts, not the reader's."""
    assert utc(11, 21, 14, 30) == the_instant("14:30 UTC", zone="Asia/Tokyo")


def test_a_date_in_the_future_is_read_as_written() -> None:
    """A full date is never moved into the past."""
    assert utc(12, 1, 9) == the_instant("2026-12-01 09:00")


def test_a_time_that_happened_twice_is_the_first_and_says_so() -> None:
    """At the end of summer time, 02:30 in Berlin is the one at +02:00, marked and explained."""
    moment = read_moment("02:30", now=utc(10, 25, 9), zone="Europe/Berlin")
    expected = (utc(10, 25, 0, 30), True, ("02:30 happened twice that day in Europe/Berlin; the first is meant.",))

    assert moment and expected == (moment.at, moment.ambiguous, moment.notes)


def test_a_time_that_never_happened_says_so() -> None:
    """At the start of summer time, 02:30 in Berlin is read as 03:30, marked and explained."""
    moment = read_moment("2026-03-29 02:30", now=NOW, zone="Europe/Berlin")
    expected = (utc(3, 29, 1, 30), True, ("This time did not exist that day in Europe/Berlin; read as 03:30.",))

    assert moment and expected == (moment.at, moment.skipped, moment.notes)


def test_a_day_whose_midnight_is_skipped_starts_at_its_first_minute() -> None:
    """In Cairo summer time begins at midnight, so the day starts at 01:00 (22:00 UTC the day before)."""
    moment = read_moment("2026-04-24", now=NOW, zone="Africa/Cairo")

    assert moment and (utc(4, 23, 22), True) == (moment.at, moment.skipped)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("14:30:05", Precision.SECOND),
        ("@1795271400", Precision.SECOND),
        ("90s ago", Precision.SECOND),
        ("14:30", Precision.MINUTE),
        ("25m ago", Precision.MINUTE),
        ("9pm", Precision.HOUR),
        ("an hour ago", Precision.HOUR),
        ("yesterday", Precision.DAY),
        ("2 days ago", Precision.DAY),
    ],
)
def test_precision_is_what_was_stated(text: str, expected: Precision) -> None:
    """A moment is as exact as its words."""
    moment = read_moment(text, now=NOW, zone="UTC")

    assert moment and expected is moment.precision


@pytest.mark.parametrize(
    ("text", "zone", "expected"),
    [
        ("14:30", "UTC", "2026-11-21 14:30 UTC"),
        ("15:30", "Europe/Berlin", "2026-11-21 15:30 Europe/Berlin (14:30 UTC)"),
        ("yesterday", "Europe/Berlin", "2026-11-20 00:00 Europe/Berlin (2026-11-19 23:00 UTC)"),
        ("about 14:30", "UTC", "about 2026-11-21 14:30 UTC"),
        ("2026-11-21T14:30:05Z", "UTC", "2026-11-21 14:30:05 UTC"),
    ],
)
def test_a_moment_is_echoed_in_full(text: str, zone: str, expected: str) -> None:
    """The echo names the date, the zone and the time in UTC."""
    moment = read_moment(text, now=NOW, zone=zone)

    assert moment and expected == moment.describe()


def test_unknown_zone_is_invalid() -> None:
    """A zone that does not exist is refused, not replaced."""
    with pytest.raises(Invalid):
        read_moment("14:30", now=NOW, zone="Nowhere/Land")


@pytest.mark.parametrize(("text", "minutes"), [("25m", 25), ("2 hours", 120), ("25m ago", 25), ("14:30", 30)])
def test_since_takes_a_length_as_well(text: str, minutes: int) -> None:
    """The value of `--since` is a point in time or a length before now."""
    moment = read_since(text, now=NOW, zone="UTC")

    assert moment and (timedelta(minutes=minutes), text) == (NOW - moment.at, moment.text)


@pytest.mark.parametrize("text", ["25m or so", "ever", "", "ago", "noon ago"])
def test_since_takes_nothing_else(text: str) -> None:
    """A length with more words, or no length at all, is not a `--since`."""
    assert read_since(text, now=NOW, zone="UTC") is None


@pytest.mark.parametrize(
    ("sentence", "words", "expected"),
    [
        ("500 errors on /api/checkout since 14:30 UTC", "since 14:30 UTC", utc(11, 21, 14, 30)),
        ("errors from 14:30 to 14:45", "from 14:30", utc(11, 21, 14, 30)),
        ("starting 25m ago, checkout fails", "starting 25m ago", utc(11, 21, 14, 35)),
        ("it began at around 14:10 CET", "began at around 14:10 CET", utc(11, 21, 13, 10)),
        ("slow for the last 2 hours", "for the last 2 hours", utc(11, 21, 13)),
        ("slow over the past hour", "over the past hour", utc(11, 21, 14)),
        ("down for 20 minutes", "for 20 minutes", utc(11, 21, 14, 40)),
        ("down for 20 minutes, no deploy", "for 20 minutes", utc(11, 21, 14, 40)),
        ("disk full on db-1 since yesterday 9pm", "since yesterday 9pm", utc(11, 20, 21)),
        ("payments down 25m ago", "25m ago", utc(11, 21, 14, 35)),
        ("14:30 UTC payments down", "14:30 UTC", utc(11, 21, 14, 30)),
        ("deployed at 14:20, errors since 14:30", "since 14:30", utc(11, 21, 14, 30)),
        ("at 14:40 it got worse, failing since 14:30", "since 14:30", utc(11, 21, 14, 30)),
        ("since 14:30 API errors", "since 14:30", utc(11, 21, 14, 30)),
        ("down since Monday.", "since Monday", utc(11, 16)),
        ("checkout down since 1h", "since 1h", utc(11, 21, 14)),
        ("down since about 20 minutes, users call", "since about 20 minutes", utc(11, 21, 14, 40)),
        ("slow since the last 2 hours", "since the last 2 hours", utc(11, 21, 13)),
    ],
)
def test_the_start_is_found_in_a_sentence(sentence: str, words: str, expected: datetime) -> None:
    """The words that state the start are found, with their span."""
    moment = find_moment(sentence, now=NOW, zone="UTC")

    assert moment and (words, expected, words) == (moment.text, moment.at, sentence[slice(*moment.span)])


@pytest.mark.parametrize(
    "sentence",
    [
        "requests time out for 30s requests",
        "errors until 14:30 UTC",
        "rolled back at 14:30",
        "raised in checkout.py:14:30",
        "errors from mobile users",
        "payments down",
        "ratio 14:30:22:10",
        "in the last 500 requests",
        "10/20 requests fail",
    ],
)
def test_other_times_are_not_taken_for_the_start(sentence: str) -> None:
    """An end, a repair, a line number or a time-out is not the start."""
    assert find_moment(sentence, now=NOW, zone="UTC") is None


@pytest.mark.parametrize(
    ("sentence", "expected"),
    [
        ("down since this morning", "this morning"),
        ("erreurs 500 depuis 14h30", "14h30"),
        ("down since 14:30 IST", "since 14:30 IST"),
        ("payments down 14:30", "14:30"),
        ("failing since the deploy", "since the deploy"),
        ("down since 11/12", "since 11/12"),
        ("errors until 14:30 UTC", "14:30"),
        ("slow for the last few minutes", "the last few minutes"),
    ],
)
def test_a_time_that_was_not_read_is_named(sentence: str, expected: str) -> None:
    """What looks like a time but was not taken for the start is listed, with a reason."""
    unread = scan_moments(sentence, now=NOW, zone="UTC").unread

    assert [(expected, True)] == [(words.text, bool(words.reason)) for words in unread]


TIME_LIKE = st.from_regex(
    r"(since|from|for|at|about|last|the|an? )? ?[0-9@a-zA-Z:+\-/. ]{0,12} ?(ago|UTC|pm|am|yesterday|CET|/)?",
    fullmatch=True,
)
INSTANTS = st.datetimes(
    min_value=datetime.fromisoformat("1990-01-01"),
    max_value=datetime.fromisoformat("2100-01-01"),
    timezones=st.just(UTC),
)


@settings(max_examples=400, deadline=None)
@given(st.text() | TIME_LIKE, INSTANTS, st.sampled_from(["UTC", "Europe/Berlin", "+13:45", "Pacific/Apia"]))
@example("since 1h30m ago \ud800", NOW, "UTC")
def test_any_text_is_read_without_an_error(text: str, now: datetime, zone: str) -> None:
    """Arbitrary text gives moments whose spans hold their words, in UTC, and never an exception."""
    scan = scan_moments(text, now=now, zone=zone)
    whole = [moment for moment in (read_moment(text, now=now, zone=zone),) if moment]
    held = [*whole, *scan.moments]

    assert all(text[slice(*moment.span)] == moment.text and moment.at.tzinfo is UTC for moment in held)


@settings(deadline=None)
@given(INSTANTS, INSTANTS, st.sampled_from(["UTC", "Europe/Berlin", "-03:30"]))
def test_rfc_3339_is_read_back_exactly(at: datetime, now: datetime, zone: str) -> None:
    """What RFC 3339 writes is read back to the microsecond, whatever the zone and the time of reading."""
    assert at == the_instant(at.isoformat(), now=now, zone=zone)


@settings(deadline=None)
@given(INSTANTS, st.times(), st.sampled_from(["UTC", "Europe/Berlin", "+13:45"]))
def test_a_time_of_day_lies_within_the_last_day(now: datetime, clock: object, zone: str) -> None:
    """A clock time alone is at most two minutes ahead and at most 25 hours back (a day with a change of clocks)."""
    moment = read_moment(str(clock)[:8], now=now, zone=zone)

    assert isinstance(moment, Moment) and timedelta(minutes=-2) <= now - moment.at < timedelta(hours=26)
