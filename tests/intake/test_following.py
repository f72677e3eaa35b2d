"""What alerts from outside lead to in the incidents, on both databases: at the v2 API and from senders alike."""

from collections.abc import Iterator
from datetime import timedelta

import pytest

from stanch.alerts.intake.subject import LedTo, check_matchers
from stanch.incidents.model import Severity
from stanch.kernel.actor import Via, person
from stanch.kernel.errors import Invalid
from stanch.operations import registry
from stanch.operations.all import all_operations
from stanch.operations.detection import MOST_LISTED
from stanch.operations.intake import take_parsed
from stanch.operations.world import Call
from stanch.ports.signals import AlertSignal, Parsed, SignalStatus
from tests.intake.outside import BEGAN, SHOP, Outside, outside, with_rules


@pytest.fixture
def world(database_url: str) -> Iterator[Outside]:
    """Give a shop that alerts come into."""
    with outside(database_url) as found:
        yield found


@pytest.mark.parametrize("severity", ["critical", "page", "error", "Critical", "PAGE"])
def test_a_severe_alert_declares(world: Outside, severity: str) -> None:
    """A severe alert about a service of the catalog declares an incident, and says so."""
    alert = world.post(severity=severity, service="payments", note="payments is down")
    led = world.led(alert)

    assert (["payments is down"], "declared INC-1") == ([one.title for one in world.incidents()], led and led.words)


@pytest.mark.parametrize(
    ("labels", "outcome"),
    [
        ({"severity": "warning", "service": "payments"}, None),
        ({"service": "payments"}, None),
        ({"severity": "critical", "service": "nowhere"}, None),
        ({"severity": "critical"}, None),
    ],
    ids=str,
)
def test_what_is_only_listed(world: Outside, labels: dict[str, str], outcome: None) -> None:
    """A mild alert, or one about nothing that is known, declares nothing, and costs nothing more."""
    alert = world.post(**labels)

    assert ([], outcome) == (world.incidents(), world.led(alert))


@pytest.mark.parametrize(
    "labels",
    [{"app": "payments"}, {"job": "shop/payments"}, {"container": "Payments"}, {"service": "x", "job": "payments"}],
    ids=str,
)
def test_the_service_is_found_by_labels(world: Outside, labels: dict[str, str]) -> None:
    """Whichever label senders name the service by, the incident is about the catalog's."""
    world.post(severity="critical", **labels)

    assert [("payments",)] == [one.services for one in world.incidents()]


def test_one_incident_for_one_fault(world: Outside) -> None:
    """An alert about a service that depends on the first one joins its incident."""
    world.post("PaymentsDown", severity="critical", service="payments")
    second = world.post("GatewayErrors", severity="critical", service="gateway")
    led = world.led(second)

    assert (1, "grouped into INC-1") == (len(world.incidents()), led and led.words)


def test_another_fault_is_another_incident(world: Outside) -> None:
    """An alert about a service that has nothing to do with the first one declares its own."""
    world.post(severity="critical", service="payments")
    world.post(severity="critical", service="search")

    assert [("payments",), ("search",)] == [one.services for one in world.incidents()]


def test_repetitions_declare_once(world: Outside) -> None:
    """However often it is told, it is one alert of one incident."""
    for _ in range(3):
        world.post(severity="critical", service="payments")
        world.later(minutes=1)

    assert [1] == [len(one.alerts) for one in world.incidents()]


def test_a_start_that_is_still_to_come_declares_once(world: Outside) -> None:
    """An alert whose sender's clock is ahead belongs to its incident, also where that is resolved before its start."""
    world.post(severity="critical", service="payments", end=world.clock.now() + timedelta(minutes=31))
    all_operations()
    entry = registry.find("incident.resolve")
    call = Call(world=world.world, actor=person("alice"), via=Via.HTTP)
    registry.call(entry, call, registry.decode(entry, {"incident": 1, "force_reason": "a test"}))
    world.later(minutes=10)
    world.post(severity="critical", service="payments", end=world.clock.now() + timedelta(minutes=21, seconds=30))
    world.later(minutes=21, seconds=15)

    assert [1] == [one.number for one in world.incidents()]


def test_the_end_that_is_told(world: Outside) -> None:
    """That the alert has resolved is on the incident's record."""
    alert = world.post(severity="critical", service="payments")
    world.later(minutes=2)
    world.post(severity="critical", service="payments", end=world.clock.now())

    assert [f"x{alert}"] == [id for id, one in world.incidents()[0].alerts.items() if one.ended_at is not None]


def test_the_end_that_nobody_tells(world: Outside) -> None:
    """An alert that is not repeated ends by its time-out, and the incident knows that too."""
    world.post(severity="critical", service="payments")
    world.later(minutes=5, seconds=1)

    assert [True] == [one.ended_at is not None for one in world.incidents()[0].alerts.values()]


def test_a_silenced_alert_waits(world: Outside) -> None:
    """While it is silenced nothing is declared, and the reason is kept."""
    world.silence({"service": "payments"}, minutes=3)
    alert = world.post(severity="critical", service="payments")
    led = world.led(alert)

    assert ([], LedTo.SILENCED) == (world.incidents(), led and led.outcome)


def test_what_still_fires_after_its_silence_declares(world: Outside) -> None:
    """When the silence ends and the alert still fires, it is an incident."""
    world.silence({"service": "payments"}, minutes=3)
    alert = world.post(severity="critical", service="payments")
    for _ in range(8):
        world.later(seconds=30)
    led = world.led(alert)

    assert (1, LedTo.DECLARED) == (len(world.incidents()), led and led.outcome)


def test_what_ended_while_it_was_silenced_declares_nothing(world: Outside) -> None:
    """An alert that came and went during its silence leads nowhere."""
    world.silence({"service": "payments"}, minutes=30)
    world.post(severity="critical", service="payments")
    world.later(minutes=40)

    assert [] == world.incidents()


@pytest.mark.parametrize(
    ("service", "told", "severity"),
    [
        ("payments", "critical", Severity.SEV2),
        ("payments", "error", Severity.SEV3),
        ("search", "critical", Severity.SEV3),
        ("search", "error", Severity.SEV4),
    ],
)
def test_the_senders_severity_and_the_tier_count(world: Outside, service: str, told: str, severity: Severity) -> None:
    """Without figures of our own the severity follows from what the sender says and from the service's tier."""
    world.post(severity=told, service=service)

    assert severity is world.incidents()[0].ruling.severity


def test_the_ruling_says_what_it_rests_on(world: Outside) -> None:
    """The reason names the sender's word, the tier, and that nothing is measured."""
    world.post(severity="critical", service="payments")
    ruling = world.incidents()[0].ruling
    words = (
        "what a sender calls critical, on a critical path where nothing is measured yet, is SEV2: "
        "affected: gateway, on a critical path, the sender says critical, tier 1, nothing measured here"
    )

    assert ("alerted-critical", words) == (ruling.rule, ruling.reason)


def test_a_storm_is_counted(world: Outside) -> None:
    """More alerts than anybody reads are counted and not listed one by one."""
    alerts = [world.post(f"Down{number}", severity="critical", service="payments") for number in range(MOST_LISTED + 1)]
    led = world.led(alerts[-1])

    assert ((MOST_LISTED,), LedTo.GROUPED) == (
        tuple(len(one.alerts) for one in world.incidents()),
        led and led.outcome,
    )


def test_the_rule_is_configurable(database_url: str) -> None:
    """What declares is what the configuration's matchers say."""
    rules = with_rules(declare_when=('team="shop", severity=~"warn.*"',), known_services_only=False)
    with outside(database_url, rules) as world:
        world.post(severity="critical", service="payments")
        world.post(severity="warning", team="shop", service="anything")
        found = [one.services for one in world.incidents()]

    assert [("anything",)] == found


def test_a_sender_declares_by_the_same_rule(world: Outside) -> None:
    """An alert that came through a webhook declares, and its end is on the record."""
    labels = {"alertname": "DiskFull", "app": "payments"}
    firing = AlertSignal(labels=labels, annotations={"severity": "critical"})
    take_parsed(world.world, "grafana", Parsed(alerts=(firing,)))
    world.engine.run_until_quiet()
    world.later(minutes=5)
    take_parsed(world.world, "grafana", Parsed(alerts=(AlertSignal(labels=labels, status=SignalStatus.RESOLVED),)))
    world.engine.run_until_quiet()
    (state,) = world.incidents()

    assert [BEGAN + timedelta(minutes=5)] == [one.ended_at for one in state.alerts.values()]


def test_the_senders_and_the_api_meet(world: Outside) -> None:
    """One fault told by Prometheus and by another sender is one incident with both alerts."""
    world.post(severity="critical", service="payments")
    other = AlertSignal(labels={"alertname": "Errors", "service": "payments"}, annotations={"severity": "page"})
    take_parsed(world.world, "sentry", Parsed(alerts=(other,)))
    world.engine.run_until_quiet()

    assert [2] == [len(one.alerts) for one in world.incidents()]


def test_a_matcher_that_is_none_is_refused_at_the_start() -> None:
    """A mistake in the configuration is told with its field, before anything runs."""
    with pytest.raises(Invalid) as told:
        check_matchers(with_rules(SHOP, declare_when=("severity", "")))

    assert ["alerting.declare_when"] * 2 == [one.field for one in told.value.problems]
