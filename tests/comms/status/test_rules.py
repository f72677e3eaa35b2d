"""How days, uptime and states of components are computed."""

from datetime import UTC, datetime, timedelta

import pytest

from stanch.comms.status.model import ComponentState, Span, Stage, Update
from stanch.comms.status.rules import days_of, incidents_of, spans_of, uptime_of

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)
LONG_AGO = NOW - timedelta(days=400)


def span(start: datetime, end: datetime | None, state: ComponentState = ComponentState.PARTIAL) -> Span:
    """Return a span of one component."""
    return Span(component="a", state=state, start=start, end=end)


def update(number: int, at: datetime, stage: Stage, state: ComponentState | None) -> Update:
    """Return an update of one incident."""
    return Update(
        incident=1,
        number=number,
        stage=stage,
        title="t",
        text="",
        severity="SEV2",
        components={"a": state} if state else {},
        started_at=NOW - timedelta(hours=3),
        at=at,
    )


def test_there_are_ninety_days() -> None:
    """The last is today."""
    days = days_of([], now=NOW, since=LONG_AGO)

    assert (90, NOW.date()) == (len(days), days[-1].date)


def test_what_was_before_the_first_event_is_not_known() -> None:
    """Days without data are not called well."""
    days = days_of([], now=NOW, since=NOW - timedelta(days=1))

    assert [None, ComponentState.OPERATIONAL, ComponentState.OPERATIONAL] == [day.state for day in days[-3:]]


def test_an_outage_over_midnight_counts_on_both_days() -> None:
    """An hour before midnight and half an hour after."""
    midnight = NOW.replace(hour=0)
    days = days_of([span(midnight - timedelta(hours=1), midnight + timedelta(minutes=30))], now=NOW, since=LONG_AGO)

    assert [3600.0, 1800.0] == [day.down_s for day in days[-2:]]


def test_two_incidents_at_once_count_once() -> None:
    """From 09:00 to 11:00 and from 10:00 to 12:00 are three hours."""
    spans = [span(NOW - timedelta(hours=3), NOW - timedelta(hours=1)), span(NOW - timedelta(hours=2), None)]

    assert 3 * 3600.0 == days_of(spans, now=NOW, since=LONG_AGO)[-1].down_s


def test_the_worst_state_is_the_days() -> None:
    """Degraded and down at once is down."""
    spans = [
        span(NOW - timedelta(hours=3), NOW, ComponentState.DEGRADED),
        span(NOW - timedelta(hours=2), NOW, ComponentState.MAJOR),
    ]
    today = days_of(spans, now=NOW, since=LONG_AGO)[-1]

    assert (ComponentState.MAJOR, 7200.0, 3600.0) == (today.state, today.down_s, today.degraded_s)


def test_uptime_is_of_the_known_time() -> None:
    """An hour of outage within ten hours is nine tenths."""
    since = NOW - timedelta(hours=10)
    days = days_of([span(NOW - timedelta(hours=1), None)], now=NOW, since=since)

    assert pytest.approx(0.9) == uptime_of(days, now=NOW, since=since)


def test_nothing_known_has_no_uptime() -> None:
    """At the very first moment there is none."""
    assert None is uptime_of([], now=NOW, since=NOW)


def test_updates_hold_until_the_next() -> None:
    """The first from the incident's start, the resolution ends it."""
    told = [
        update(1, NOW - timedelta(hours=2), Stage.INVESTIGATING, ComponentState.MAJOR),
        update(2, NOW - timedelta(hours=1), Stage.MONITORING, ComponentState.DEGRADED),
        update(3, NOW, Stage.RESOLVED, None),
    ]
    (incident,) = incidents_of(told)

    assert [
        (ComponentState.MAJOR, NOW - timedelta(hours=3), NOW - timedelta(hours=1)),
        (ComponentState.DEGRADED, NOW - timedelta(hours=1), NOW),
    ] == [(one.state, one.start, one.end) for one in spans_of(incident)]


def test_a_reopened_incident_goes_on() -> None:
    """What is said after a resolution takes it back."""
    told = [update(1, NOW, Stage.RESOLVED, None), update(2, NOW, Stage.INVESTIGATING, ComponentState.PARTIAL)]

    assert incidents_of(told)[0].is_open


def test_a_day_of_maintenance_is_no_day_with_trouble() -> None:
    """Two hours of planned work are told as that, and take nothing from the uptime."""
    spans = [span(NOW - timedelta(hours=3), NOW - timedelta(hours=1), ComponentState.MAINTENANCE)]
    days = days_of(spans, now=NOW, since=LONG_AGO)

    assert (ComponentState.MAINTENANCE, 7200.0, 0.0, False, 1.0) == (
        days[-1].state,
        days[-1].maintenance_s,
        days[-1].down_s,
        days[-1].has_trouble,
        uptime_of(days, now=NOW, since=LONG_AGO),
    )


def test_an_outage_in_a_maintenance_is_an_outage() -> None:
    """One hour of the three is counted as what it was, and once."""
    spans = [
        span(NOW - timedelta(hours=3), NOW, ComponentState.MAINTENANCE),
        span(NOW - timedelta(hours=2), NOW - timedelta(hours=1)),
    ]
    today = days_of(spans, now=NOW, since=LONG_AGO)[-1]

    assert (ComponentState.PARTIAL, 3600.0, 7200.0) == (today.state, today.down_s, today.maintenance_s)
