"""When an incident is over: our figures back in their band, whatever stays broken elsewhere."""

from dataclasses import replace

import pytest

from stanch.incidents.model import Reading
from stanch.incidents.state import IncidentState
from stanch.mitigate.verification import RecoveryCheck, checks_for, judge
from tests.mitigate.situations import NOW, incident, shop

DOWN = Reading(metric="up", service="acquirer", value=0.0, normal=1.0)
ERRORS = Reading(metric="error_ratio", service="payments", value=0.4, normal=0.002, high=0.01)


def checked(state: IncidentState) -> set[tuple[str, str]]:
    """Return which figures of which services must hold."""
    return {(check.service, check.metric) for check in checks_for(state, shop())}


def limit_of(reading: Reading) -> float | None:
    """Return the upper limit of the check that a reading leads to."""
    found = {(check.service, check.metric): check.high for check in checks_for(incident(reading), shop())}
    return found[reading.service, reading.metric]


def test_a_declared_check_holds_when_its_alert_has_ended() -> None:
    """What a declared check says is judged by its alert, for its limits are its own."""
    reading = replace(ERRORS, metric="check", labels={"probe": "buy"})
    found = [check for check in checks_for(incident(reading), shop()) if check.metric == "check"]

    assert ["payments buy is not as it must be yet"] == [judge(check, None) for check in found]


def test_what_is_somebody_elses_may_stay_down() -> None:
    """With the acquirer down, what counts is that payments, which calls it, works again."""
    assert {("payments", "error_ratio")} == checked(incident(DOWN))


def test_what_raised_it_must_be_in_its_band() -> None:
    """The figures of our own alerts are checked."""
    assert ("payments", "error_ratio") in checked(incident(DOWN, ERRORS))


def test_restarts_are_not_waited_for() -> None:
    """A count over ten windows would hold up what its other figures show to be well."""
    assert {("payments", "error_ratio")} == checked(incident(replace(ERRORS, metric="restarts")))


def test_who_cannot_be_seen_has_not_recovered() -> None:
    """While a check is blind the incident is not over."""
    assert ("payments", "blind") in checked(incident(replace(ERRORS, metric="blind")))


def test_who_can_be_seen_again_is_judged_by_what_is_seen() -> None:
    """An alert about sight that is over leaves nothing to check but the figures."""
    state = incident(replace(ERRORS, metric="blind"))
    ended = {name: replace(one, ended_at=NOW) for name, one in state.alerts.items()}

    assert {("payments", "error_ratio")} == checked(replace(state, alerts=ended))


@pytest.mark.parametrize(
    ("reading", "limit"),
    [
        (replace(ERRORS, high=0.001), 0.02),
        (replace(ERRORS, high=0.03), 0.03),
        (replace(ERRORS, high=0.2), 0.05),
        (Reading(metric="latency_p95_ms", service="payments", value=4000.0, normal=48.0, high=52.0), 96.0),
        (Reading(metric="latency_p95_ms", service="payments", value=4000.0, normal=48.0, high=130.0), 130.0),
        (Reading(metric="latency_p95_ms", service="payments", value=4000.0, normal=900.0, high=990.0), 1000.0),
        (Reading(metric="memory_bytes", service="payments", value=90e6, normal=22e6, high=23e6), 44e6),
    ],
)
def test_the_band_is_neither_razor_thin_nor_above_the_threshold(reading: Reading, limit: float) -> None:
    """A calm baseline leaves room, a wild one none beyond what would be an alert."""
    assert limit == limit_of(reading)


CHECK = RecoveryCheck(service="payments", metric="error_ratio", high=0.02)


@pytest.mark.parametrize(
    ("check", "value", "idle", "holds"),
    [
        (CHECK, 0.01, False, True),
        (CHECK, 0.03, False, False),
        (CHECK, None, False, False),
        (CHECK, None, True, True),
        (replace(CHECK, metric="dependency_error_ratio"), None, True, True),
        (replace(CHECK, metric="saturation"), None, True, False),
        (RecoveryCheck(service="payments", metric="up", low=1.0), None, True, False),
    ],
)
def test_nothing_asked_is_not_nothing_seen(check: RecoveryCheck, value: float | None, idle: bool, holds: bool) -> None:
    """A service without requests holds nothing up; one that cannot be seen does."""
    assert holds is (judge(check, value, idle=idle) == "")
