"""What an alert leads to: one incident per fault, not per service."""

from dataclasses import replace

from stanch.alerts.model import Metric, Outcome
from stanch.incidents.model import Severity
from tests.operations.desk import START, Desk


def test_an_alert_declares_an_incident(desk: Desk) -> None:
    """Nobody has to be awake for an incident to be open."""
    desk.alert("checkout")

    assert ("alert", "checkout error rate 45%, normal 0.2 %") == (desk.state(1).source, desk.state(1).title)


def test_the_start_is_the_alerts_estimate(desk: Desk) -> None:
    """An incident begins when it began, and not when it was noticed."""
    alert = desk.alert("checkout")

    assert (alert.starts_at, alert.starts_low, alert.starts_high) == (
        desk.state(1).started_at,
        desk.state(1).started_low,
        desk.state(1).started_high,
    )


def test_an_alert_of_a_caller_belongs_to_the_same_incident(desk: Desk) -> None:
    """A fault of payments shows in checkout and in the gateway: one incident."""
    for service in ("payments", "checkout", "gateway"):
        desk.alert(service)

    assert (1, 3) == (number_of_incidents(desk), len(desk.state(1).alerts))


def test_an_alert_of_a_dependency_belongs_to_the_same_incident(desk: Desk) -> None:
    """The caller is often noticed first; what it calls belongs to it."""
    desk.alert("gateway")
    desk.alert("payments")

    assert 1 == number_of_incidents(desk)


def test_an_alert_elsewhere_is_another_incident(desk: Desk) -> None:
    """Search has nothing to do with payments."""
    desk.alert("payments")
    desk.alert("search")

    assert 2 == number_of_incidents(desk)


def test_an_alert_joins_an_incident_declared_by_hand(desk: Desk) -> None:
    """Whoever was faster than the checks has opened the incident that the checks then join."""
    number = desk.declare()
    alert = desk.alert("payments")

    assert {alert.id} == set(desk.state(number).alerts)


def test_the_same_alert_is_attached_once(desk: Desk) -> None:
    """Telling an alert again changes nothing while it is attached."""
    alert = desk.alert("checkout")
    before = desk.kinds(1)
    desk.follow(alert, Outcome.REOPENED)

    assert before == desk.kinds(1)


def test_an_alert_that_goes_on_is_no_news(desk: Desk) -> None:
    """A look at which it is still so writes nothing."""
    alert = desk.alert("checkout")
    before = desk.kinds(1)
    desk.follow(alert, Outcome.STILL_FIRING)

    assert before == desk.kinds(1)


def test_the_end_of_an_alert_is_on_record(desk: Desk) -> None:
    """When an alert is over, its incident says when."""
    alert = desk.alert("checkout")
    desk.follow(alert, Outcome.ENDED)

    assert START == desk.state(1).alerts[alert.id].ended_at


def test_the_end_of_an_alert_is_no_end_of_the_incident(desk: Desk) -> None:
    """An incident ends by a person's word, or is verified first."""
    desk.follow(desk.alert("checkout"), Outcome.ENDED)

    assert desk.state(1).is_open


def test_an_alert_after_the_end_is_a_new_incident(desk: Desk) -> None:
    """What comes after the end is another incident."""
    desk.alert("checkout")
    desk.ask("incident.resolve", incident=1, force_reason="a test")
    desk.alert("checkout", metric=Metric.LATENCY_P95_MS, value=4000.0)

    assert 2 == number_of_incidents(desk)


def test_two_alerts_of_one_moment_are_one_incident(desk: Desk) -> None:
    """Two checks that open an alert at the same time do not open two incidents."""
    first = desk.alert("payments")
    desk.follow(replace(first, id="again", fingerprint="again", service="checkout"), Outcome.OPENED)

    assert 1 == number_of_incidents(desk)


def test_a_lone_alert_on_something_small_is_small(desk: Desk) -> None:
    """Without figures and off the critical path the severity is the lowest."""
    desk.alert("search")

    assert Severity.SEV4 is desk.state(1).ruling.severity


def number_of_incidents(desk: Desk) -> int:
    """Return how many incidents there are."""
    cards = desk.ask("incident.list")
    assert isinstance(cards, tuple)
    return len(cards)
