"""When an incident is over: our figures back in their band, whatever stays broken elsewhere."""

from dataclasses import replace

import pytest

from stanch.incidents import events as ev
from stanch.incidents.model import Reading
from stanch.incidents.state import AttachedAlert, IncidentState
from stanch.mitigate.verification import Band, RecoveryCheck, checks_for, judge, log_check, reports_check
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


@pytest.mark.parametrize(
    ("seen", "says"), [(1.0, ""), (0.0, "payments buy failed"), (None, "payments buy cannot be seen")]
)
def test_a_probe_counts_look_by_look(seen: float | None, says: str) -> None:
    """The alert's end lags behind, so that what the probe says now counts besides it."""
    state = incident(replace(ERRORS, metric="check", labels={"probe": "buy"}))
    ended = {name: replace(one, ended_at=NOW) for name, one in state.alerts.items()}
    found = [check for check in checks_for(replace(state, alerts=ended), shop()) if check.metric == "check"]

    assert [says] == [judge(check, seen) for check in found]


def test_what_is_somebody_elses_may_stay_down() -> None:
    """With the acquirer down, what counts is that payments, which calls it, works again."""
    assert {("payments", "error_ratio")} == checked(incident(DOWN))


def test_what_raised_it_must_be_in_its_band() -> None:
    """The figures of our own alerts are checked."""
    assert ("payments", "error_ratio") in checked(incident(DOWN, ERRORS))


def test_whose_process_died_must_not_die_again() -> None:
    """An incident of restarts waits until there are none."""
    found = checks_for(incident(replace(ERRORS, metric="restarts", value=3.0, high=None)), shop())
    (check,) = [check for check in found if check.metric == "restarts"]

    assert ["payments restarted", ""] == [judge(check, 1.0), judge(check, 0.0)]


def test_who_is_affected_must_be_well_too() -> None:
    """Latency and health of an affected service are held to what was normal for it before the onset."""
    bands = {("payments", metric): Band(normal=40.0, high=60.0) for metric in ("latency_p95_ms", "up")}
    found = {check.metric: (check.high, check.low) for check in checks_for(incident(ERRORS), shop(), bands=bands)}

    assert {"error_ratio": (0.02, None), "latency_p95_ms": (80.0, None), "up": (None, 1.0)} == found


def test_the_errors_of_who_is_affected_are_held_to_its_own_band() -> None:
    """With a baseline before the onset the band counts, without one the threshold of an alert."""
    bands = {("payments", "error_ratio"): Band(normal=0.01, high=0.03)}
    state = incident(services=("payments",))
    limits = [checks_for(state, shop(), bands=known)[0].high for known in (bands, {})]

    assert [0.03, 0.05] == limits


def test_of_several_pools_the_one_that_was_full_counts() -> None:
    """A check is about the series that raised it, and not about the worst of all."""
    labels = {"resource": "db_pool", "severity": "critical"}
    found = checks_for(incident(Reading(metric="saturation", service="payments", value=1.0, labels=labels)), shop())

    assert ((("resource", "db_pool"),), "payments use of resources (db_pool) at most 80 %") == (
        found[0].labels,
        found[0].words,
    )


def test_an_alert_from_outside_must_be_over() -> None:
    """Nobody here measures it: its sender says when it has ended."""
    told = ev.AlertAttached(
        alert="am-7", summary="Queue too long", reading=None, starts_at=NOW, labels={"service": "payments"}
    )
    state = incident(services=("payments",))
    found = [
        judge(check, None)
        for ended in (None, NOW)
        for check in checks_for(replace(state, alerts={"am-7": AttachedAlert(alert=told, ended_at=ended)}), shop())
        if check.metric == "alert"
    ]

    assert ["the alert is not over: Queue too long", ""] == found


@pytest.mark.parametrize(
    ("before", "seen", "holds"),
    [(0.0, 0.0, True), (0.0, 1.0, False), (4.0, 10.0, True), (4.0, 11.0, False), (0.0, None, False)],
)
def test_an_error_is_gone_when_it_is_as_rare_as_before(before: float, seen: float | None, holds: bool) -> None:
    """With 4 a minute before the onset up to 4 + 3 * 2 = 10 are normal; a log that nobody reads is not quiet."""
    assert holds is (judge(log_check("payments", "TypeError", before=before), seen) == "")


def test_a_single_report_is_one_too_many() -> None:
    """Customers know before the figures do."""
    assert "customers still report trouble with payments: a report" == judge(reports_check("payments"), 1.0)


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


def test_without_a_normal_the_end_of_the_alert_counts() -> None:
    """Of a figure of which nobody knows what is normal, nothing is too much: its alert says when it is over."""
    unknown = Reading(metric="memory_bytes", service="payments", value=90e6)
    (check,) = [one for one in checks_for(incident(unknown), shop()) if one.metric in ("memory_bytes", "alert")]

    assert ("alert", False) == (check.metric, check.over)


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


def test_a_dependency_that_nobody_calls_holds_nothing_up() -> None:
    """With the circuit open there is no call to measure; the service itself was seen, and its own figures decide."""
    calls = replace(CHECK, metric="dependency_error_ratio")

    assert ["", "payments error rate of its calls cannot be seen"] == [
        judge(calls, None, called=False),
        judge(calls, None, called=True),
    ]
