"""The decision tree: only what helps against the cause that was found, with arguments that belong to it."""

import pytest

from stanch.catalog.model import ActionSpec, Catalog
from stanch.incidents.events import MitigationProposed
from stanch.incidents.model import Hypothesis, Reading
from stanch.mitigate.tree import propose
from tests.mitigate.situations import NOW, action, cause_of, incident, shop

ROLLBACK = action("rollback", "rollback", "{service}", "--to", "{previous}")
MIGRATE = action("rollback_migration", "migrate", "{service}", "--to", "{previous_number}")
CONFIG = action("rollback_config", "config", "{service}", "--to", "{previous}")
FLAG = action("flag_off", "flag", "{service}", "{flag}", "{previous_value}", then=(("ctl", "restart", "{service}"),))
RESTART = action("restart", "restart", "{service}")
SCALE = action("scale_up", "scale", "{service}")
CUT = action("circuit_breaker", "cut", "{target}")
ALL = (ROLLBACK, MIGRATE, CONFIG, FLAG, RESTART, SCALE, CUT)

MIGRATION = cause_of(
    "migration", "rollback_migration", "kill_queries", "investigate", version="schema 3", previous="schema 2"
)


def proposed(cause: Hypothesis, *actions: ActionSpec, catalog: Catalog | None = None) -> MitigationProposed:
    """Return what the tree proposes for payments."""
    return propose(incident(cause=cause, services=("payments",)), catalog or shop(*(actions or ALL)), now=NOW)


def commands(found: MitigationProposed) -> list[str]:
    """Return every command of the first plan as a line."""
    return [" ".join(step.argv) for step in found.plan.steps] if found.plan else []


def test_a_migration_is_taken_back_by_its_number() -> None:
    """Of `schema 2`, the 2 is the argument."""
    assert ["ctl migrate payments --to 2"] == commands(proposed(MIGRATION))


def test_a_migration_never_rolls_the_code_back() -> None:
    """With nothing but a roll-back of the code declared, a person is told to do it by hand."""
    assert proposed(MIGRATION, ROLLBACK).plan is None


def test_a_configuration_is_no_release() -> None:
    """A roll-back of the code is not given the revision of a configuration, not even as an alternative."""
    cause = cause_of("bad_config", "rollback_config", "rollback", version="c42", previous="c41")
    found = proposed(cause)

    assert (["ctl config payments --to c41"], ()) == (commands(found), found.alternatives)


def test_a_flag_is_set_back_and_then_the_rest_follows() -> None:
    """A plan runs the further commands of its action in order."""
    cause = cause_of("flag_change", "flag_off", version="fast=on", previous="fast=off")

    assert ["ctl flag payments fast off", "ctl restart payments"] == commands(proposed(cause))


@pytest.mark.parametrize(("version", "previous"), [("fast", "slow"), ("fast=on", "other=off"), ("", "")])
def test_a_flag_of_unknown_value_is_not_guessed(version: str, previous: str) -> None:
    """Without the value from before there is nothing to set it to."""
    assert proposed(cause_of("flag_change", "flag_off", version=version, previous=previous)).plan is None


def test_what_the_cause_suggests_comes_in_its_order() -> None:
    """A spike of traffic asks for more workers first; what it does not name is not offered."""
    found = proposed(cause_of("traffic_spike", "scale_up", "restart", "investigate"))

    assert (["ctl scale payments"], ["restart"]) == (
        commands(found),
        [plan.mitigation for plan in found.alternatives],
    )


def test_a_cause_that_suggests_nothing_gets_what_its_branch_has() -> None:
    """The branch's own mitigations are the fallback."""
    assert ["ctl restart payments"] == commands(proposed(cause_of("resource_exhausted", "investigate")))


def test_an_argument_that_nobody_knows_is_not_run() -> None:
    """Without a target the circuit to it cannot be broken."""
    found = proposed(cause_of("dependency_down", "circuit_breaker"))

    assert (None, True) == (found.plan, "knows no target" in found.verdict)


def test_memory_is_expected_back_near_its_normal() -> None:
    """The effect of a restart on a leak is memory below twice normal, not at zero."""
    grown = Reading(metric="memory_bytes", service="payments", value=90e6, normal=22e6, high=23e6)
    found = propose(incident(grown, cause=cause_of("memory_leak", "restart")), shop(*ALL), now=NOW)

    assert found.plan is not None
    assert found.plan.expectation is not None
    assert 44e6 == found.plan.expectation.below
