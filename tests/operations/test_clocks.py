"""Response targets at the desk: met in time, or on record as missed."""

import pytest

from stanch.operations.views import IncidentView
from tests.operations.desk import Desk


def stands(view: IncidentView) -> str:
    """Return how the acknowledgement's target stands."""
    return view.clocks[0].state.value


@pytest.mark.parametrize(("severity", "minutes"), [("SEV1", 5), ("SEV2", 15), ("SEV3", 60), ("SEV4", 240)])
def test_a_missed_target_is_on_record(desk: Desk, severity: str, minutes: int) -> None:
    """Nobody has acknowledged when the target of the severity passes: that stands in the log, once."""
    number = desk.declare(severity=severity, reason="a test")
    desk.pass_time(minutes=minutes, seconds=1)
    desk.work()

    assert 1 == desk.kinds(number).count("incident.target_missed")


def test_a_target_is_not_missed_before_its_time(desk: Desk) -> None:
    """A second before, all is well."""
    number = desk.declare(severity="SEV1", reason="a test")
    desk.pass_time(minutes=4, seconds=59)
    desk.work()

    assert ("running", ()) == (stands(desk.view("incident.show", incident=number)), desk.state(number).missed_targets)


def test_an_acknowledgement_in_time_meets_the_target(desk: Desk) -> None:
    """Whoever takes it on in time has met it, for good."""
    number = desk.declare(severity="SEV1", reason="a test")
    desk.pass_time(minutes=4)
    desk.ask("incident.acknowledge", incident=number)
    desk.pass_time(hours=1)
    desk.work()

    assert ("met", ()) == (stands(desk.view("incident.show", incident=number)), desk.state(number).missed_targets)


def test_a_late_acknowledgement_does_not_meet_the_target(desk: Desk) -> None:
    """Late is late."""
    number = desk.declare(severity="SEV1", reason="a test")
    desk.pass_time(minutes=6)

    assert "missed" == stands(desk.view("incident.acknowledge", incident=number))


def test_a_lower_severity_moves_the_target(desk: Desk) -> None:
    """An incident that turns out small has the time that small ones have."""
    number = desk.declare(severity="SEV1", reason="a test")
    desk.ask("incident.severity", incident=number, severity="SEV4", reason="only the test shop")
    desk.pass_time(minutes=6)
    desk.work()

    assert "running" == stands(desk.view("incident.show", incident=number))


def test_a_moved_target_is_missed_when_it_comes(desk: Desk) -> None:
    """The longer time passes as well."""
    number = desk.declare(severity="SEV1", reason="a test")
    desk.ask("incident.severity", incident=number, severity="SEV3", reason="only the test shop")
    for minutes in (6, 60):
        desk.pass_time(minutes=minutes)
        desk.work()

    assert ("acknowledge",) == desk.state(number).missed_targets
