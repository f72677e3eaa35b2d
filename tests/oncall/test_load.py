"""The load of on-call, per person and month on the clock where they live."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.oncall.load import Kind, PageAt, load, unevenness
from stanch.oncall.model import Facts, Shift
from tests.oncall.rota import catalog_of, utc

CATALOG = catalog_of("")


def shift(person: str, start: str, end: str) -> Shift:
    """Return a shift."""
    return Shift(person=person, start=utc(start), end=utc(end), layer="l")


def test_kinds_of_a_weekday() -> None:
    """A weekday has fifteen hours of day and nine of night where the person lives."""
    (found,) = load(CATALOG, [shift("alice", "2026-01-05T22:00", "2026-01-06T22:00")], [])

    assert {Kind.NIGHT: 9.0, Kind.DAY: 15.0} == found.hours


def test_weekend_begins_where_they_live() -> None:
    """The weekend of somebody in Tokyo begins on Friday afternoon in UTC."""
    (found,) = load(CATALOG, [shift("carol", "2026-01-09T14:00", "2026-01-09T16:00")], [])

    assert {Kind.NIGHT: 1.0, Kind.WEEKEND: 1.0} == found.hours


def test_night_with_a_change_of_clocks() -> None:
    """A night in which the clocks go back has an hour more."""
    (found,) = load(CATALOG, [shift("alice", "2026-10-24T21:00", "2026-10-25T22:00")], [])

    assert 25.0 == found.all_hours


def test_holiday() -> None:
    """A public holiday counts as one, also at night."""
    catalog = catalog_of('[people.dave]\nholidays = "FI"\n')
    facts = Facts(holidays={"FI": frozenset({utc("2026-01-06T00:00").date()})})
    (found,) = load(catalog, [shift("dave", "2026-01-06T00:00", "2026-01-07T00:00")], [], facts=facts)

    assert {Kind.HOLIDAY: 24.0} == found.hours


def test_months_are_split() -> None:
    """A shift over the end of a month counts in both, by their own clock."""
    found = load(CATALOG, [shift("alice", "2026-01-31T20:00", "2026-01-31T23:00")], [])

    assert [("2026-01", 2.0), ("2026-02", 1.0)] == [(one.month, one.all_hours) for one in found]


def test_interrupted_sleep() -> None:
    """Two pages within one hour of the night interrupt one hour of sleep; by day none."""
    pages = [PageAt(person="alice", at=utc(f"2026-01-06T{clock}")) for clock in ("00:10", "00:50", "01:10", "12:00")]
    (found,) = load(CATALOG, [], pages)

    assert (2, {Kind.NIGHT: 3, Kind.DAY: 1}) == (found.sleep_hours, found.pages)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([5.0, 5.0, 5.0], 0.0),
        ([1.0, 1.0, 4.0], 1 / 3),  # (-2 + 0 + 8) / 18
        ([0.0, 0.0], 0.0),
    ],
)
def test_unevenness(values: list[float], expected: float) -> None:
    """The Gini coefficient of what each one has."""
    assert expected == pytest.approx(unevenness(values))


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2027, 12, 1)),  # noqa: DTZ001  (of UTC, which is put on below)
    st.integers(1, 60 * 24 * 70),
)
def test_no_hour_is_lost(begins: datetime, minutes: int) -> None:
    """Whatever the shift, its hours of all kinds are as many as it lasts."""
    start = begins.replace(tzinfo=UTC)
    long = Shift(person="bob", start=start, end=start + timedelta(minutes=minutes), layer="l")

    assert minutes / 60 == pytest.approx(sum(one.all_hours for one in load(CATALOG, [long], [])))
