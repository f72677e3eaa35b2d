"""What would have told sooner: limits from the incident's own samples, tried on what was kept before it."""

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from stanch.alerts.baseline import Floats, baseline_of
from stanch.alerts.replay import firings
from stanch.catalog.checks import MEASURES, Rule
from stanch.catalog.load import read_catalog
from stanch.catalog.model import Catalog, Thresholds
from stanch.kernel.errors import Invalid
from stanch.review.prevention.model import Course, Monitor, Taken
from stanch.review.prevention.monitors import propose
from stanch.review.prevention.writing import as_toml, gain_of, quiet_of, title_of

THRESHOLDS = Thresholds()
# 2026-11-21 03:00:00 UTC; calls turned slow then, and the first alert came ten minutes later.
ONSET = datetime(2026, 11, 21, 3, tzinfo=UTC).timestamp()
COURSE = Course(onset=ONSET, told=ONSET + 600, end=ONSET + 1800)
EVERY_S = 15.0
DAY_S = 86_400.0


def quiet_then(level: float, *, normal: float = 100.0, before_s: float = 2 * DAY_S) -> tuple[Floats, Floats]:
    """Return looks every 15 s: two days that swing a tenth around normal, then half an hour at a level."""
    times = np.arange(ONSET - before_s, ONSET + 1800, EVERY_S)
    swing = 1 + 0.1 * np.sin(times / 97)
    return times, np.where(times >= ONSET, level, normal * swing)


def taken(times: Floats, values: Floats, *, measure: str = "dependency_latency_p95_ms", **labels: str) -> Taken:
    """Return a series of checkout with what was normal in the hour before."""
    hour = (times < ONSET) & (times >= ONSET - 3600)
    return Taken(
        service="checkout",
        measure=measure,
        labels=labels,
        times=times,
        values=values,
        normal=baseline_of(times[hour], values[hour], season_seconds=None),
        window_s=60.0,
        every_s=EVERY_S,
    )


def proposed(*series: Taken, course: Course = COURSE) -> tuple[Monitor, ...]:
    """Return what is proposed."""
    return propose(series, course=course, thresholds=THRESHOLDS)


SLOW = taken(*quiet_then(400.0), target="payments")


def test_it_would_have_fired_before_the_first_alert() -> None:
    """Half of the usual hold is enough: the window's median is beyond at 03:00:30, and 30 s later it has held."""
    (one,) = proposed(SLOW)

    assert (True, 0, True) == (500 <= one.earlier_s < 600, one.false_alarms, one.fired_at.timestamp() > ONSET)


def test_the_limit_lies_between_normal_and_the_incident() -> None:
    """What was normal stays below it, and what the incident was lies above it."""
    (one,) = proposed(SLOW)

    assert one.high < (one.rule.above or 0.0) < 400.0 == one.worst


def test_what_never_left_its_normal_is_not_proposed() -> None:
    """A series that did not move says nothing about the incident."""
    assert () == proposed(taken(*quiet_then(103.0), target="payments"))


def test_what_would_have_told_later_is_not_proposed() -> None:
    """The alert there was is better."""
    assert () == proposed(SLOW, course=replace(COURSE, told=ONSET + 20))


def test_false_alarms_are_counted() -> None:
    """A backup that makes it as slow for ten minutes every night would have fired twice in the two nights before."""
    times, values = quiet_then(400.0)
    for night in (1, 2):
        start = ONSET - night * DAY_S + 3600
        values = np.where((times >= start) & (times < start + 600), 400.0, values)
    (one,) = proposed(taken(times, values, target="payments"))

    assert (2, "warning") == (one.false_alarms, one.rule.severity)


def test_what_cries_wolf_is_not_proposed() -> None:
    """Slow for ten minutes every six hours is what it does."""
    times, values = quiet_then(400.0)
    values = np.where((times < ONSET - 3600) & (np.mod(times, DAY_S / 4) < 600), 400.0, values)

    assert () == proposed(taken(times, values, target="payments"))


def test_what_fired_while_an_alert_was_on_is_no_false_alarm() -> None:
    """It was right then too."""
    times, values = quiet_then(400.0)
    start = ONSET - DAY_S
    values = np.where((times >= start) & (times < start + 600), 400.0, values)
    (one,) = proposed(replace(taken(times, values, target="payments"), spans=((start, start + 700),)))

    assert 0 == one.false_alarms


def test_proposals_with_false_alarms_come_last() -> None:
    """However soon they would have fired."""
    times, values = quiet_then(4000.0)
    start = ONSET - DAY_S
    loud = taken(times, np.where((times >= start) & (times < start + 600), 4000.0, values), target="acquirer")
    late = taken(times, np.where(times < ONSET + 300, quiet_then(100.0)[1], 400.0), target="payments")

    assert ["payments", "acquirer"] == [one.rule.labels["target"] for one in proposed(loud, late)]


def test_a_fall_has_a_lower_limit() -> None:
    """Requests that stay away are as bad as those that fail."""
    (one,) = proposed(taken(*quiet_then(5.0), measure="request_rate"))

    assert (None, True) == (one.rule.above, 5.0 < (one.rule.below or 0.0) < one.low)


def test_little_quiet_makes_a_warning() -> None:
    """After two hours nobody knows what the night is like."""
    (one,) = proposed(taken(*quiet_then(400.0, before_s=7200), target="payments"))

    assert "warning" == one.rule.severity


def test_a_limit_inside_of_normal_is_no_limit() -> None:
    """It lies at it so often that it is not tried out."""
    rule = Rule(name="x", measure="dependency_latency_p95_ms", above=50.0, for_s=0.0)

    found = firings(
        SLOW.times, SLOW.values, rule, baseline=SLOW.normal, thresholds=THRESHOLDS, window_s=60.0, until=ONSET
    )

    assert None is found


def test_in_words() -> None:
    """What it watches, what it would have done, and how sure that is."""
    (one,) = proposed(SLOW)

    assert (
        f"P95 of the calls from checkout to payments above {one.rule.above:.0f} ms for {one.rule.for_s:g} s",
        True,
        "never in the 48 h of normal operation before that are kept",
    ) == (title_of("checkout", one.rule), "earlier than the first alert" in gain_of(one, COURSE), quiet_of(one))


def read(toml: str) -> Catalog:
    """Return the catalog of a configuration in which checkout has everything that brings a measure."""
    base = """
        [services.checkout]
        health = "http://127.0.0.1:1/health"
        metrics = "http://127.0.0.1:1/metrics"
        logs = ["checkout.log"]
        [services."shop.de"]
        metrics = "http://127.0.0.1:1/metrics"
    """
    return read_catalog(tomllib.loads(base + toml), root=Path("/srv"))


@pytest.mark.parametrize("measure", MEASURES)
def test_a_proposal_is_a_rule_of_the_configuration(measure: str) -> None:
    """What is written is read as the very rule that was tried."""
    rule = Rule(
        name="early",
        measure=measure,
        labels={"target": 'a\\.b"c'},
        above=0.125,
        for_s=30.0,
        severity="warning",
        unit=MEASURES[measure][1],
    )
    found = [one for check in read(as_toml("checkout", rule)).services["checkout"].checks for one in check.rules]

    assert [rule] == found


def test_a_service_with_a_dot_is_quoted() -> None:
    """Its table has a name in quotes."""
    rule = Rule(name="early", measure="memory_bytes", above=2e9, unit="bytes")
    found = [one for check in read(as_toml("shop.de", rule)).services["shop.de"].checks for one in check.rules]

    assert [rule] == found


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ('measure = "latency"', "must be one of"),
        ('measure = "error_ratio"\nmetric = "x"', "give one of the two"),
        ("above = 2", "give one of the two"),
        ('measure = "request_rate"\nrate = true', "goes with metric"),
    ],
)
def test_mistakes_in_a_rule_on_a_measure(lines: str, message: str) -> None:
    """Each is said."""
    with pytest.raises(Invalid) as caught:
        read(f"[[services.checkout.rules]]\nabove = 1\n{lines}".replace("above = 1\nabove = 2", "above = 2"))

    assert any(message in one.message for one in caught.value.problems)


def test_a_measure_needs_a_check_that_brings_it() -> None:
    """A service without a log has no errors in it."""
    with pytest.raises(Invalid) as caught:
        read('[[services."shop.de".rules]]\nmeasure = "error_records"\nabove = 1\n')

    assert ["error_records needs a check of the service that is read with jsonlog"] == [
        one.message for one in caught.value.problems
    ]
