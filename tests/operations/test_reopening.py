"""An incident that was not over goes on as the same incident: taken up by a person, or by the same fault's alert."""

from dataclasses import replace

import pytest

from stanch.alerts.model import Metric
from stanch.catalog.model import Timing
from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.kernel.errors import Refused
from tests.operations.desk import Desk


def resolved(desk: Desk) -> int:
    """Return an incident of checkout that was acknowledged, verified and resolved."""
    desk.alert("checkout")
    desk.ask("incident.acknowledge", incident=1)
    desk.verify(1)
    desk.ask("incident.resolve", incident=1)
    return 1


def test_the_same_fault_takes_its_incident_up_again(desk: Desk) -> None:
    """Ten minutes later the same alert is back: it was not over."""
    number = resolved(desk)
    desk.pass_time(minutes=10)
    desk.alert("checkout")
    state = desk.state(number)

    assert (Status.INVESTIGATING, 1, None) == (state.status, len(numbers(desk)), state.resolved_at)


def test_the_log_says_why(desk: Desk) -> None:
    """Nobody wonders who opened it again."""
    resolved(desk)
    desk.pass_time(minutes=10)
    desk.alert("checkout")
    (reason,) = [event.data["reason"] for event in desk.log(1) if event.kind == ev.Reopened.kind]

    assert "the same fault is back 10m after it was resolved: checkout error rate 45%, normal 0.2 %" == reason


def test_its_clocks_go_on(desk: Desk) -> None:
    """Start, declaration and acknowledgement stay, so that its duration counts from the first failure."""
    number = resolved(desk)
    before = desk.state(number)
    desk.pass_time(minutes=10)
    desk.alert("checkout")
    after = desk.state(number)

    assert (before.started_at, before.declared_at, before.acknowledged_at) == (
        after.started_at,
        after.declared_at,
        after.acknowledged_at,
    )


def test_it_is_verified_anew(desk: Desk) -> None:
    """What was verified before the relapse says nothing about what comes after it."""
    number = resolved(desk)
    desk.pass_time(minutes=10)
    desk.alert("checkout")
    with pytest.raises(Refused) as refusal:
        desk.ask("incident.resolve", incident=number)

    assert "not_verified" == refusal.value.reason


def test_it_is_investigated_and_told_anew(desk: Desk) -> None:
    """Collectors start again, and everybody who heard of the end hears that it was none."""
    number = resolved(desk)
    desk.pass_time(minutes=10)
    desk.alert("checkout")
    with desk.world.store.reading() as view:
        purposes = [
            event.data["purpose"] for event in view.events(incident=number) if event.kind == "comms.message_owed"
        ]

    assert "reopened" in purposes


def test_after_the_configured_time_it_is_another_incident(desk: Desk) -> None:
    """What comes back the next day is told apart."""
    resolved(desk)
    desk.pass_time(hours=1, seconds=1)
    desk.alert("checkout")

    assert [2, 1] == numbers(desk)


def test_the_time_can_be_configured(desk: Desk) -> None:
    """With 0 each alert declares its own."""
    resolved(desk)
    catalog = replace(desk.world.catalog, timing=Timing(reopen_s=0))
    other = replace(desk, world=replace(desk.world, catalog=catalog))
    other.pass_time(seconds=30)
    other.alert("checkout")

    assert [2, 1] == numbers(other)


def test_another_fault_is_another_incident(desk: Desk) -> None:
    """Latency of the same service is not the error rate that was mended."""
    resolved(desk)
    desk.pass_time(minutes=10)
    desk.alert("checkout", metric=Metric.LATENCY_P95_MS, value=4000.0)

    assert [2, 1] == numbers(desk)


def test_what_was_dismissed_stays_so(desk: Desk) -> None:
    """A person said that it was none; an alert does not overrule that."""
    desk.alert("checkout")
    desk.ask("incident.dismiss", incident=1, reason="a load test")
    desk.pass_time(minutes=10)
    desk.alert("checkout")

    assert Status.DISMISSED is desk.state(1).status


def test_the_second_end_counts_from_the_first_start(desk: Desk) -> None:
    """Resolved again, it lasted from the first failure, and the post-mortem has another revision."""
    number = resolved(desk)
    first = desk.state(number)
    desk.pass_time(minutes=10)
    desk.alert("checkout")
    desk.verify(number)
    desk.ask("incident.resolve", incident=number)
    second = desk.state(number)
    assert first.resolution and second.resolution and first.postmortem and second.postmortem

    assert (600.0, 1) == (
        second.resolution.duration_s - first.resolution.duration_s,
        second.postmortem.revision - first.postmortem.revision,
    )


def numbers(desk: Desk) -> list[int]:
    """Return the numbers of all incidents, the newest first."""
    found = desk.ask("incident.list")
    assert isinstance(found, tuple)
    return sorted((card.number for card in found), reverse=True)
