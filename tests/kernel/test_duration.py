"""Lengths of time: what is read, what is refused, and how they are said."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.kernel.duration import before_start, format_age, format_duration, match_duration, parse_duration
from stanch.kernel.errors import Invalid

LENGTHS = st.timedeltas(min_value=timedelta(0), max_value=timedelta(days=9_000))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("15m", timedelta(minutes=15)),
        ("1h30m", timedelta(minutes=90)),
        ("1h 30m", timedelta(minutes=90)),
        ("90s", timedelta(seconds=90)),
        ("500ms", timedelta(milliseconds=500)),
        ("1m500ms", timedelta(seconds=60, milliseconds=500)),
        ("2 days", timedelta(days=2)),
        ("1w2d", timedelta(days=9)),
        ("1.5h", timedelta(minutes=90)),
        ("1 hour, 5 min", timedelta(minutes=65)),
        ("1 hour and 30 minutes", timedelta(minutes=90)),
        ("2 Hours", timedelta(hours=2)),
        ("an hour", timedelta(hours=1)),
        ("half an hour", timedelta(minutes=30)),
        ("an hour and a half", timedelta(minutes=90)),
        ("PT15M", timedelta(minutes=15)),
        ("P1DT2H", timedelta(hours=26)),
        ("PT0.5S", timedelta(milliseconds=500)),
        (" 15m ", timedelta(minutes=15)),
    ],
)
def test_written_lengths_are_read(text: str, expected: timedelta) -> None:
    """Each accepted form gives its length."""
    assert expected == parse_duration(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "15",
        "-5m",
        "15M",
        "30m1h",
        "1h1h",
        "2h30",
        "P",
        "PT",
        "15m!",
        "five minutes",
        "٣m",
        "1 month",
        "99999d",
        "999999999w",
        "999999999d",
    ],
)
def test_other_texts_are_invalid(text: str) -> None:
    """A missing unit, a wrong order, a month, a negative or endless length is refused."""
    with pytest.raises(Invalid):
        parse_duration(text)


def test_refusal_names_the_field_and_the_forms() -> None:
    """The refusal says which field it is about and what may be written."""
    with pytest.raises(Invalid, match="15m, 1h30m, 2 days") as caught:
        parse_duration("soon", field="since")

    assert "since" in {problem.field for problem in caught.value.problems}


def test_length_inside_a_sentence_ends_where_it_ends() -> None:
    """A length that starts at a position is found with its end."""
    assert (timedelta(minutes=20), 14) == match_duration("for 20 minutes now", 4)


@pytest.mark.parametrize(
    ("length", "short", "long"),
    [
        (timedelta(0), "0s", "0 seconds"),
        (timedelta(milliseconds=350), "350ms", "350 milliseconds"),
        (timedelta(seconds=59, milliseconds=900), "59s", "59 seconds"),
        (timedelta(minutes=1), "1m", "1 minute"),
        (timedelta(hours=1, minutes=22, seconds=59), "1h 22m", "1 hour 22 minutes"),
        (timedelta(hours=1, seconds=5), "1h", "1 hour"),
        (timedelta(days=2, hours=3, minutes=4), "2d 3h", "2 days 3 hours"),
        (timedelta(minutes=-5), "-5m", "-5 minutes"),
    ],
)
def test_lengths_are_said_in_their_two_largest_units(length: timedelta, short: str, long: str) -> None:
    """The two largest neighbouring units are said, and the rest is cut off."""
    assert (short, long) == (format_duration(length), format_duration(length, long=True))


@pytest.mark.parametrize(
    ("age", "expected"),
    [
        (timedelta(seconds=4), "just now"),
        (timedelta(seconds=-4), "just now"),
        (timedelta(seconds=5), "5s ago"),
        (timedelta(minutes=4, seconds=30), "4m ago"),
        (timedelta(hours=26), "1d ago"),
        (timedelta(minutes=-5), "in 5m"),
    ],
)
def test_ages_are_said_in_one_unit(age: timedelta, expected: str) -> None:
    """An age is one unit with "ago", or "in" when it lies ahead."""
    assert expected == format_age(age)


@settings(deadline=None)
@given(LENGTHS)
def test_what_is_said_can_be_read_again(length: timedelta) -> None:
    """Reading the short form gives back the length, cut to whole seconds, or milliseconds below one."""
    unit = timedelta(seconds=1) if length >= timedelta(seconds=1) else timedelta(milliseconds=1)

    assert length - length % unit == parse_duration(format_duration(length, parts=4))


@settings(deadline=None)
@given(LENGTHS)
def test_the_long_form_reads_like_the_short_one(length: timedelta) -> None:
    """Both forms mean the same."""
    assert parse_duration(format_duration(length)) == parse_duration(format_duration(length, long=True))


@settings(deadline=None)
@given(st.text() | st.from_regex(r"[0-9PT.hmsdw ]{0,30}", fullmatch=True))
def test_any_text_is_read_or_invalid(text: str) -> None:
    """Arbitrary text gives a length that is not negative, or Invalid, and nothing else."""
    try:
        length = parse_duration(text)
    except Invalid:
        return

    assert length >= timedelta(0)


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.4, "just before the start"),
        (-0.4, "just before the start"),
        (40.2, "40s before the start"),
        (-8.0, "8s after the start"),
        (16_620.0, "4h 37m before the start"),
    ],
)
def test_how_long_before_a_start(seconds: float, said: str) -> None:
    """One way to say it in the terminal, on the pages and in messages; hours are not told in seconds."""
    assert said == before_start(seconds)
