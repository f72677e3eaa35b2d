"""Deciding on a plan at the terminal: a person is asked, nothing runs without a yes, and it runs once."""

from pathlib import Path

import pytest

from stanch.catalog.load import load_catalog
from stanch.catalog.model import Catalog
from stanch.incidents import events as ev
from stanch.incidents.model import Hypothesis
from stanch.incidents.tables import IncidentProjector
from stanch.kernel.actor import Via, person
from stanch.operations import cases, registry
from stanch.operations.all import all_operations
from stanch.operations.investigation import conclude
from stanch.operations.world import Call, World
from stanch.store import Store
from tests.surfaces.cli.terminal import Terminal

pytestmark = pytest.mark.slow

CATALOG = """
[services.payments]
tier = 1
[[services.payments.actions]]
name = "rollback"
mitigation = "rollback"
title = "Roll payments back to {previous}"
run = ["touch", "rolled-back-to-{previous}"]
dry_run = ["echo", "would go back to {previous}"]
undo = ["rm", "rolled-back-to-{previous}"]
risk = "RISK"
"""
CAUSE = Hypothesis(
    id="bad_deploy/payments",
    kind="bad_deploy",
    title="Bad deploy: payments v3.2.1",
    score=0.93,
    service="payments",
    version="v3.2.1",
    previous="v3.2.0",
)


def diagnosed(terminal: Terminal, *, risk: str = "low") -> Path:
    """Keep an incident whose roll-back waits for a yes; return the file that running it would make."""
    (terminal.folder / "stanch.toml").write_text(CATALOG.replace("RISK", risk))
    catalog: Catalog = load_catalog(terminal.folder)
    store = Store.open(terminal.state / "stanch" / "stanch.db", projectors=(IncidentProjector(),))
    world = World(store=store, clock=store.clock, catalog=catalog)
    entry = all_operations()["incident.declare"]
    asked = registry.decode(entry, {"title": "Payments fails", "services": ["payments"]})
    registry.call(entry, Call(world=world, actor=person("alice"), via=Via.CLI), asked)
    with store.writing() as tx:
        tx.cancel_timers(incident=1)
        ranked = ev.HypothesesRanked(round=1, hypotheses=(CAUSE,), known=True, verdict="payments v3.2.1 is likely")
        cases.record(tx, 1, ranked)
        conclude(tx, world, cases.load(tx, 1))
    store.close()
    return terminal.folder / "rolled-back-to-v3.2.0"


def test_in_a_pipe_a_yes_must_be_said(terminal: Terminal) -> None:
    """Without a person and without --yes nothing is approved; the error names the flag."""
    trace = diagnosed(terminal)
    ran = terminal("approve")

    assert (2, True, False) == (ran.code, "--yes" in ran.err, trace.exists())


def test_a_yes_runs_it(terminal: Terminal) -> None:
    """With --yes the exact command runs, and how it ended is said."""
    trace = diagnosed(terminal)
    ran = terminal("approve", "--yes")

    assert (0, True, True) == (ran.code, "It succeeded" in ran.out, trace.exists())


def test_a_second_yes_is_refused(terminal: Terminal) -> None:
    """What has run is not run again."""
    diagnosed(terminal)
    terminal("approve", "--yes")
    ran = terminal("approve", "--yes", "--json")

    assert (6, "", "not_waiting") == (ran.code, ran.out, ran.error["reason"])


def test_a_person_is_asked(terminal: Terminal) -> None:
    """On a terminal the command is shown, and y runs it."""
    trace = diagnosed(terminal)
    ran = terminal.typed("approve", answer="y\n")

    assert (0, True, True) == (ran.code, "$ touch rolled-back-to-v3.2.0" in ran.out, trace.exists())


def test_a_no_runs_nothing(terminal: Terminal) -> None:
    """Enter alone is no yes."""
    trace = diagnosed(terminal)
    ran = terminal.typed("approve", answer="\n")

    assert (130, False) == (ran.code, trace.exists())


@pytest.mark.parametrize(("answer", "runs"), [("payments\n", True), ("y\n", False)])
def test_what_is_risky_must_be_typed(terminal: Terminal, answer: str, runs: bool) -> None:
    """For a high risk the target's name is the yes."""
    trace = diagnosed(terminal, risk="high")
    terminal.typed("approve", answer=answer)

    assert runs is trace.exists()


def test_a_dry_run_shows_and_changes_nothing(terminal: Terminal) -> None:
    """What it would do is printed, and not done."""
    trace = diagnosed(terminal)
    ran = terminal("dry-run")

    assert (0, "would go back to v3.2.0\n", False) == (ran.code, ran.out, trace.exists())


def test_a_no_has_its_reason(terminal: Terminal) -> None:
    """After a no there is nothing left to approve."""
    trace = diagnosed(terminal)
    terminal("reject", "--reason", "a fix is on its way")
    ran = terminal("approve", "--yes")

    assert (6, False) == (ran.code, trace.exists())


def test_an_unknown_plan_names_the_plans(terminal: Terminal) -> None:
    """The hint lists what could have been meant."""
    diagnosed(terminal)
    ran = terminal("approve", "INC-1", "moon", "--yes")

    assert (5, True) == (ran.code, "plans: rollback-payments" in ran.err)
