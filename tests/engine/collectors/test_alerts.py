"""Alerts as evidence: what checks and declared rules say counts for the ranking of causes."""

from datetime import timedelta

import pytest

from stanch.alerts.model import Alert, AlertStatus, Measured, Metric, Unit
from stanch.alerts.tables import save_alert
from stanch.engine.collectors import AlertsCollector
from stanch.operations.diagnosing import question_of
from stanch.operations.world import World
from stanch.ports.evidence import Finding
from tests.engine.crew import ONSET, START, declare, state_of

SAID = "checkout: the journey buy fails at step 2: answered 500"


def alert(metric: Metric, **labels: str) -> Alert:
    """Return an alert about checkout that fires since the onset."""
    return Alert(
        id=f"checkout/{metric.value}",
        fingerprint=f"checkout/{metric.value}",
        service="checkout",
        metric=metric,
        status=AlertStatus.FIRING,
        measured=Measured(value=0.0, unit=Unit.COUNT, normal=1.0, low=1.0, high=1.0),
        starts_at=ONSET,
        starts_low=ONSET - timedelta(seconds=5),
        starts_high=ONSET,
        detected_at=START,
        updated_at=START,
        title="checkout: buy",
        summary=SAID,
        labels=labels,
    )


def told(world: World, found: Alert) -> Finding:
    """Return what the collector says with one alert stored."""
    number = declare(world, services=("checkout",))
    with world.store.writing() as tx:
        save_alert(tx.connection, found)
    (finding,) = AlertsCollector(world).collect(question_of(state_of(world, number), world, now=START))
    return finding


@pytest.mark.parametrize(
    ("metric", "label", "name"), [(Metric.CHECK, "probe", "check_failed"), (Metric.RULE, "rule", "rule_broken")]
)
def test_a_check_and_a_rule_are_signals(world: World, metric: Metric, label: str, name: str) -> None:
    """They are told in the words of their alert, with the name of the check or the rule."""
    (signal,) = told(world, alert(metric, **{label: "buy"})).signals

    assert (name, "checkout", SAID, "buy", True) == (
        signal.name,
        signal.service,
        signal.text,
        signal.data["resource"],
        signal.data["raised"],
    )


def test_what_others_measure_is_no_signal_of_alerts(world: World) -> None:
    """An error rate is told by the metrics themselves, with their normal."""
    assert () == told(world, alert(Metric.ERROR_RATIO)).signals


def test_a_warning_is_no_signal(world: World) -> None:
    """A certificate that runs out in a week breaks nothing today."""
    assert () == told(world, alert(Metric.CHECK, probe="tls", severity="warning")).signals
