"""Response targets and update times, to the second."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.incidents import events as ev
from stanch.incidents.clocks import ClockState, respond_within, response_clocks, update_every
from stanch.incidents.model import Severity, SeverityRuling
from tests.incidents.lives import ALICE, DECLARED, NOW, Log


def log(severity: Severity) -> Log:
    """Return the log of an incident of this severity."""
    return Log(replace(DECLARED, ruling=SeverityRuling(severity=severity, rule="a-rule", reason="")))


@pytest.mark.parametrize(
    ("severity", "minutes"),
    [(Severity.SEV1, 5), (Severity.SEV2, 15), (Severity.SEV3, 60), (Severity.SEV4, 240)],
)
def test_how_soon_somebody_must_respond(severity: Severity, minutes: int) -> None:
    """The worse, the sooner."""
    assert timedelta(minutes=minutes) == respond_within(severity)


@pytest.mark.parametrize(
    ("severity", "minutes"), [(Severity.SEV1, 15), (Severity.SEV2, 15), (Severity.SEV3, 30), (Severity.SEV4, None)]
)
def test_how_often_an_update_is_due(severity: Severity, minutes: int | None) -> None:
    """Nothing is promised for the smallest."""
    assert (None if minutes is None else timedelta(minutes=minutes)) == update_every(severity)


@pytest.mark.parametrize(
    ("seconds", "state"), [(0, ClockState.RUNNING), (300, ClockState.RUNNING), (301, ClockState.MISSED)]
)
def test_an_open_target_runs_until_it_is_due(seconds: int, state: ClockState) -> None:
    """SEV1 has five minutes, the last second included."""
    (clock,) = response_clocks(log(Severity.SEV1).state, now=NOW + timedelta(seconds=seconds))

    assert state is clock.state


@pytest.mark.parametrize(("seconds", "state"), [(300, ClockState.MET), (301, ClockState.MISSED)])
def test_an_acknowledgement_meets_it_or_does_not(seconds: int, state: ClockState) -> None:
    """A day later the clock still says how it was."""
    told = log(Severity.SEV1).tell(ev.Acknowledged(), by=ALICE, after_s=seconds)
    (clock,) = response_clocks(told.state, now=NOW + timedelta(days=1))

    assert state is clock.state


def test_the_target_counts_from_the_declaration() -> None:
    """Nobody can respond to what has not been declared, however long ago it began."""
    long_ago = replace(DECLARED, started_at=NOW - timedelta(days=1))
    (clock,) = response_clocks(Log(long_ago).state, now=NOW)

    assert NOW + timedelta(minutes=15) == clock.due_at
