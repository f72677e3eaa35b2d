"""What holds for every schedule: no gap, no overlap, no time lost or doubled, over every change of clocks."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from whenever import Instant

from stanch.catalog.model import Catalog
from stanch.catalog.oncall import Layer, OnCall, Schedule
from stanch.oncall.roster import shifts

ZONES = (
    "Europe/Berlin",
    "Europe/Dublin",  # winter time is the one that is "saved"
    "America/New_York",
    "America/St_Johns",  # half an hour off
    "America/Santiago",  # clocks change at midnight
    "Australia/Lord_Howe",  # changes by half an hour
    "Pacific/Auckland",
    "Africa/Casablanca",  # changes around Ramadan
    "Asia/Tehran",  # has stopped changing
    "Asia/Kathmandu",  # a quarter of an hour off, never changes
)
BEGIN, END = datetime(2024, 1, 1, tzinfo=UTC), datetime(2029, 1, 1, tzinfo=UTC)
ROTATIONS = (
    Layer(name="l", rotation="hourly", length=12, start=datetime(2023, 12, 30, 9)),  # noqa: DTZ001  (a local time)
    Layer(name="l", rotation="hourly", length=1, start=datetime(2023, 12, 30, 0)),  # noqa: DTZ001
    Layer(name="l", rotation="hourly", length=7, start=datetime(2023, 12, 30, 2, 30)),  # noqa: DTZ001
    Layer(name="l", rotation="daily", length=1, start=datetime(2023, 12, 30, 2, 30)),  # noqa: DTZ001
    Layer(name="l", rotation="daily", length=3, start=datetime(2023, 12, 30), hand_over="00:00"),  # noqa: DTZ001
    Layer(name="l", rotation="weekly", start=datetime(2023, 12, 6, 9), hand_over_day="sun", hand_over="02:00"),  # noqa: DTZ001
    Layer(name="l", rotation="monthly", start=datetime(2023, 10, 31, 0)),  # noqa: DTZ001
    Layer(name="l", rotation="custom", length_s=1800.0, start=datetime(2023, 12, 30, 1)),  # noqa: DTZ001
)


def changes(zone: str) -> list[datetime]:
    """Return every change of the clocks of `zone` in the five years."""
    found, at = [], Instant(BEGIN).to_tz(zone)
    while (following := at.next_transition()) is not None and following.to_instant().to_stdlib() < END:
        at = following
        found.append(at.to_instant().to_stdlib())
    return found


def catalog_of(layer: Layer, zone: str) -> Catalog:
    """Return a catalog with the schedule `s` of one layer."""
    schedule = Schedule(name="s", zone=zone, layers=(layer,))
    return Catalog(oncall=OnCall(schedules={"s": schedule}))


def staffed(layer: Layer) -> Layer:
    """Return the layer with three people."""
    return Layer(**{**vars(layer), "people": ("alice", "bob", "carol")})


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("layer", ROTATIONS, ids=lambda one: f"{one.rotation}-{one.length}")
def test_five_years(layer: Layer, zone: str) -> None:
    """Around every change of clocks of five years the shifts follow each other without gap or overlap."""
    catalog = catalog_of(staffed(layer), zone)
    for change in changes(zone) or [BEGIN + timedelta(days=10)]:
        start, end = change - timedelta(days=3), change + timedelta(days=3)
        found = shifts(catalog, "s", start=start, end=end)

        assert all(one.end == two.start for one, two in pairwise(found))
        assert (start, end) == (found[0].start, found[-1].end)
        assert end - start == sum((one.length for one in found), timedelta())


@pytest.mark.parametrize("zone", ZONES)
def test_whole_five_years(zone: str) -> None:
    """The hours of twelve-hour shifts over five years add up to five years exactly."""
    found = shifts(catalog_of(staffed(ROTATIONS[0]), zone), "s", start=BEGIN, end=END)

    assert END - BEGIN == sum((one.length for one in found), timedelta())


@pytest.mark.parametrize("zone", ZONES)
def test_turns_alternate(zone: str) -> None:
    """Nobody is passed over and nobody is on twice in a row, over five years of daily turns."""
    found = shifts(catalog_of(staffed(ROTATIONS[3]), zone), "s", start=BEGIN, end=END)

    assert {1} == {(two.turn - one.turn) for one, two in pairwise(found)}


@settings(max_examples=150, deadline=None)
@given(
    zone=st.sampled_from(ZONES),
    rotation=st.sampled_from(("hourly", "daily", "weekly", "monthly", "custom")),
    length=st.integers(1, 60),
    minutes=st.integers(1, 60 * 24 * 10),
    begins=st.datetimes(datetime(2023, 1, 1), datetime(2026, 1, 1)),  # noqa: DTZ001
    hand_over=st.times().map(lambda clock: f"{clock:%H:%M}") | st.just(""),
    day=st.sampled_from(("", "mon", "thu", "sun")),
    from_day=st.dates(date(2026, 2, 1), date(2028, 12, 1)),
    hours=st.integers(1, 24 * 40),
)
def test_any_rotation(
    zone: str,
    rotation: str,
    length: int,
    minutes: int,
    begins: datetime,
    hand_over: str,
    day: str,
    from_day: date,
    hours: int,
) -> None:
    """Whatever the rotation, the time asked for is covered exactly once; asked in two halves it is the same."""
    layer = Layer(
        name="l",
        people=("alice", "bob", "carol"),
        rotation=rotation,
        length=length,
        length_s=minutes * 60.0,
        start=begins.replace(second=0, microsecond=0),
        hand_over=hand_over,
        hand_over_day=day if rotation == "weekly" else "",
    )
    catalog = catalog_of(layer, zone)
    start = datetime.combine(from_day, datetime.min.time(), tzinfo=UTC)
    middle, end = start + timedelta(hours=hours / 2), start + timedelta(hours=hours)
    found = shifts(catalog, "s", start=start, end=end)
    halves = (*shifts(catalog, "s", start=start, end=middle), *shifts(catalog, "s", start=middle, end=end))

    assert (start, end) == (found[0].start, found[-1].end)
    assert all(one.end == two.start for one, two in pairwise(found))
    assert {(one.turn, one.person) for one in found} == {(one.turn, one.person) for one in halves}
