"""A drill in which nobody says yes: what is of low risk runs by itself, helps, and every decision is on record."""

from pathlib import Path

import pytest

from stanch.incidents.state import ActionState
from tests.drill.test_drill import Drilled, drill

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.timeout(900)]


@pytest.fixture(scope="module")
def drilled(tmp_path_factory: pytest.TempPathFactory) -> Drilled:
    """Give how the drill went."""
    home: Path = tmp_path_factory.mktemp("automatic")
    return drill("bad-deploy", "--automatic", home=home)


def test_it_is_mended_without_a_yes(drilled: Drilled) -> None:
    """The roll-back ran, nobody approved it, it helped, and the recovery was verified."""
    assert drilled.state is not None, drilled.err
    ran = [one for one in drilled.state.actions.values() if one.started_at]

    assert (0, [("rollback", ActionState.SUCCEEDED, True, ())], True) == (
        drilled.code,
        [(one.plan.mitigation, one.state, one.automatic, one.approvals) for one in ran],
        drilled.told["verified"],
    ), drilled.err


def test_the_decision_says_on_what_it_rests(drilled: Drilled) -> None:
    """Risk, severity, likelihood, share and count stand on the plan."""
    assert drilled.state is not None, drilled.err
    (ran,) = (one for one in drilled.state.actions.values() if one.started_at)

    assert ("acts", True) == (ran.decided[1], ran.decision.startswith("risk low, SEV"))
