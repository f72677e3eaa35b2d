"""When maintenance windows hold: once, again and again, through changes of the clocks, and ended early."""

from datetime import UTC, datetime, timedelta

import pytest

from stanch.alerts.maintenance.model import Window
from stanch.alerts.maintenance.rules import holding, problems_of, stretch_at, upcoming


def at(text: str) -> datetime:
    """Return an instant (UTC)."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


ONCE = Window(
    name="upgrade", services=("db",), starts_at=at("2026-11-21T22:00"), ends_at=at("2026-11-22T00:00"), why="v17"
)
SUNDAYS = Window(
    name="sundays",
    services=("*",),
    rrule="FREQ=WEEKLY;BYDAY=SU",
    first="2026-01-04T02:30",
    lasts_s=3600,
    zone="Europe/Berlin",
)


@pytest.mark.parametrize(
    ("now", "held"),
    [("21:59:59", False), ("22:00:00", True), ("23:59:59", True)],
)
def test_once(now: str, held: bool) -> None:
    """It holds from its start until just before its end."""
    assert held is (stretch_at(ONCE, at(f"2026-11-21T{now}")) is not None)


def test_once_is_over() -> None:
    """At its end it holds no more."""
    assert None is stretch_at(ONCE, at("2026-11-22T00:00"))


@pytest.mark.parametrize(
    ("now", "end"),
    [
        # 02:30 in Berlin is 01:30 UTC in winter and 00:30 in summer.
        ("2026-01-11T01:30", "2026-01-11T02:30"),
        ("2026-07-05T00:30", "2026-07-05T01:30"),
        # On 2026-03-29 clocks go from 02:00 to 03:00: 02:30 does not exist and counts as 03:30, which is 01:30 UTC.
        ("2026-03-29T01:30", "2026-03-29T02:30"),
        # On 2026-10-25 there are two 02:30: it is the first, 00:30 UTC.
        ("2026-10-25T00:30", "2026-10-25T01:30"),
    ],
)
def test_follows_the_clocks_of_its_zone(now: str, end: str) -> None:
    """A local time stays that time through summer and winter."""
    found = stretch_at(SUNDAYS, at(now))

    assert at(end) == (found.end if found else None)


@pytest.mark.parametrize("now", ["2026-01-11T01:29", "2026-07-05T01:30", "2026-10-25T01:45", "2026-03-29T00:45"])
def test_does_not_hold_beside(now: str) -> None:
    """Before its start and from its end it does not hold, also where the clocks change."""
    assert None is stretch_at(SUNDAYS, at(now))


def test_until_a_time_of_day() -> None:
    """Until 04:00 lasts an hour longer in the night that has one more."""
    window = Window(
        name="nights",
        services=("*",),
        rrule="FREQ=DAILY",
        first="2026-01-01T22:00",
        until="04:00",
        zone="Europe/Berlin",
    )
    lengths = [
        found.end - found.start
        for night in ("2026-10-23T21:00", "2026-10-24T21:00", "2026-03-28T22:00")
        if (found := stretch_at(window, at(night))) is not None
    ]

    assert [timedelta(hours=6), timedelta(hours=7), timedelta(hours=5)] == lengths


def test_last_day_of_the_month() -> None:
    """Rules of RFC 5545 know the end of a month."""
    window = Window(
        name="month", services=("*",), rrule="FREQ=MONTHLY;BYMONTHDAY=-1", first="2026-01-31T12:00", lasts_s=60
    )
    found = [one.start for one in upcoming(window, at("2026-02-01T00:00"), most=3)]

    assert [at("2026-02-28T12:00"), at("2026-03-31T12:00"), at("2026-04-30T12:00")] == found


def test_ended_early() -> None:
    """Ended by somebody it holds no more, and does not come back."""
    ended = Window(
        name="sundays",
        services=("*",),
        rrule="FREQ=WEEKLY;BYDAY=SU",
        first="2026-01-04T02:00",
        lasts_s=7200,
        ended_at=at("2026-01-04T03:00"),
    )

    assert (True, None, []) == (
        stretch_at(ended, at("2026-01-04T02:59")) is not None,
        stretch_at(ended, at("2026-01-04T03:00")),
        upcoming(ended, at("2026-01-05T00:00")),
    )


def test_covers_services_and_labels() -> None:
    """Of the services only what the matchers match is covered."""
    window = Window(
        name="x",
        services=("db",),
        matchers='severity!="critical"',
        starts_at=at("2026-11-21T22:00"),
        ends_at=at("2026-11-22T00:00"),
    )
    now = at("2026-11-21T23:00")
    cases = [("db", {"severity": "warning"}), ("db", {"severity": "critical"}), ("web", {"severity": "warning"})]
    held = [holding([window], service=service, labels=labels, now=now) is not None for service, labels in cases]

    assert [True, False, False] == held


def test_the_longest_is_told() -> None:
    """Of several that hold the one that holds longest is the reason."""
    longer = Window(name="longer", services=("*",), starts_at=ONCE.starts_at, ends_at=at("2026-11-22T04:00"))
    held = holding([ONCE, longer], service="db", labels={}, now=at("2026-11-21T23:00"))

    assert "in maintenance longer until 2026-11-22 04:00 UTC" == (held.words if held else "")


@pytest.mark.parametrize(
    ("window", "field"),
    [
        (Window(name="x", starts_at=ONCE.starts_at, ends_at=ONCE.ends_at), "services"),
        (Window(name="x", services=("*",), starts_at=ONCE.ends_at, ends_at=ONCE.starts_at), "ends_at"),
        (Window(name="x", services=("*",), starts_at=ONCE.starts_at), "ends_at"),
        (Window(name="x", services=("*",), rrule="FREQ=HOURLY", first="2026-01-01T00:00", lasts_s=60), "rrule"),
        (Window(name="x", services=("*",), rrule="FREQ=DAILY;BYDAY=XX", first="2026-01-01T00:00", lasts_s=60), "rrule"),
        (Window(name="x", services=("*",), rrule="FREQ=DAILY", first="soon", lasts_s=60), "first"),
        (Window(name="x", services=("*",), rrule="FREQ=DAILY", first="2026-01-01T00:00"), "lasts_s"),
        (Window(name="x", services=("*",), rrule="FREQ=DAILY", first="2026-01-01T00:00", until="25:00"), "until"),
        (Window(name="x", services=("*",), zone="Mars/Olympus"), "zone"),
        (Window(name="x", matchers="severity", starts_at=ONCE.starts_at, ends_at=ONCE.ends_at), "matchers"),
    ],
)
def test_problem(window: Window, field: str) -> None:
    """What makes no sense is named at its field."""
    assert [field] == [problem.field for problem in problems_of(window)]
