"""Plans at the terminal besides yes and no: propose, list, undo; and what runs by itself."""

import json

import pytest

from tests.surfaces.cli.terminal import Terminal
from tests.surfaces.cli.test_plan import diagnosed

pytestmark = pytest.mark.slow


def test_what_to_do_when_is_listed_with_exactly_what_runs(terminal: Terminal) -> None:
    """The path, the phases and the command of the plan."""
    diagnosed(terminal)
    ran = terminal("plan", "list", "INC-1")

    assert (0, True, True, True) == (
        ran.code,
        "Did a recent deploy or change cause it? yes: Bad deploy: payments v3.2.1 stands at 93 %" in ran.out,
        "After resolution" in ran.out,
        "$ touch rolled-back-to-v3.2.0" in ran.out,
    )


def test_an_action_is_proposed_by_hand(terminal: Terminal) -> None:
    """What is not known is said; the command that approves it stands below."""
    diagnosed(terminal)
    ran = terminal("plan", "propose", "rollback", "-s", "payments", "--set", "previous=v3.1.9", "--incident", "INC-1")

    assert (0, True, True) == (
        ran.code,
        "$ touch rolled-back-to-v3.1.9" in ran.out,
        "stanch approve INC-1 rollback-payments~2" in ran.err,
    )


def test_what_ran_is_taken_back(terminal: Terminal) -> None:
    """The undo is a plan of its own; approved, it takes the trace away."""
    trace = diagnosed(terminal)
    terminal("approve", "--yes")
    there = trace.exists()
    proposed = terminal("plan", "undo", "INC-1", "rollback-payments")
    terminal("approve", "INC-1", "undo-rollback-payments", "--yes")

    assert (True, 0, False) == (there, proposed.code, trace.exists())


def test_everything_that_runs_by_itself_is_paused_and_resumed(terminal: Terminal) -> None:
    """Who did so, and why, is told."""
    diagnosed(terminal)
    paused = terminal("auto", "pause", "--reason", "moving")
    told = json.loads(terminal("auto", "status", "--json").out)
    resumed = terminal("auto", "resume", "--reason", "moved")

    assert (0, True, "moving", 0, True) == (
        paused.code,
        told["paused"],
        told["reason"],
        resumed.code,
        resumed.out.startswith("Not paused"),
    )
