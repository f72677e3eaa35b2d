"""Plans whose far end is looked at before they are shown, and again before they run."""

from dataclasses import replace
from typing import Final

import pytest

from stanch.incidents import events as ev
from stanch.incidents.state import ActionState
from stanch.kernel.errors import Refused
from tests.engine.valve import ACTION, Valve
from tests.operations.desk import ALICE, BOB, Desk

PLAN: Final = "close-payments"


@pytest.fixture
def valve(desk: Desk) -> Valve:
    """Give the valve of payments, which is what its owner declares may be closed."""
    far = Valve()
    payments = replace(desk.world.catalog.services["payments"], actions=(ACTION,))
    desk.world.catalog.services["payments"] = payments
    desk.world.actuators["valve"] = far
    return far


@pytest.fixture
def number(desk: Desk, valve: Valve) -> int:
    """Give an incident whose cause is known."""
    return desk.diagnosed()


def test_nothing_is_shown_before_it_was_looked_at(desk: Desk, number: int) -> None:
    """What is asked of a far end is asked outside the transaction that ranks."""
    assert {} == desk.state(number).actions


def test_what_is_proposed_is_exact(desk: Desk, number: int) -> None:
    """Step, undo, state and warning are those of the far end at that moment."""
    desk.work()
    plan = desk.action(number, PLAN).plan

    assert ({"to": "40", "if": "1"}, {"to": "100"}, "version 1", ("somebody watches it",)) == (
        plan.steps[0].data,
        plan.undo[0].data,
        plan.world["state of step 1"],
        plan.warnings,
    )


def test_it_is_looked_at_once_for_one_ranking(desk: Desk, number: int, valve: Valve) -> None:
    """A ranking that says the same again asks nobody."""
    desk.work()
    desk.diagnose(number)
    desk.work()

    assert 1 == valve.looks


def test_a_dry_run_shows_the_preview(desk: Desk, number: int, valve: Valve) -> None:
    """It changes nothing, and says what would be changed."""
    desk.work()
    desk.ask("mitigation.dry_run", incident=number, plan=PLAN)

    assert ("100 -> 40\nwarning: somebody watches it", 0, "100") == (
        desk.action(number, PLAN).dry_run,
        desk.action(number, PLAN).dry_run_code,
        valve.setting,
    )


def test_a_dry_run_says_that_the_world_has_changed(desk: Desk, number: int, valve: Valve) -> None:
    """Who tries before approving hears it before approving."""
    desk.work()
    valve.turn("90")
    desk.ask("mitigation.dry_run", incident=number, plan=PLAN)

    assert (1, True) == (
        desk.action(number, PLAN).dry_run_code,
        "it was at version 1, and is at version 2 now" in desk.action(number, PLAN).dry_run,
    )


def test_an_approved_plan_does_what_was_shown(desk: Desk, number: int, valve: Valve) -> None:
    """While nothing has changed, the exact step runs."""
    desk.work()
    desk.approve(number, PLAN)
    desk.work()

    assert ("40", ActionState.SUCCEEDED) == (valve.setting, desk.action(number, PLAN).state)


def test_a_changed_world_is_not_acted_on(desk: Desk, number: int, valve: Valve) -> None:
    """Somebody turned the valve after the yes: nothing runs, and the log says what changed."""
    desk.work()
    desk.approve(number, PLAN)
    valve.turn("90")
    desk.work()
    told = [one for event in desk.log(number) if isinstance(one := ev.typed(event), ev.RunRefused)]

    assert (
        [],
        ["world_changed"],
        "Close the valve of payments: it was at version 1, and is at version 2 now",
        ActionState.STALE,
    ) == (valve.ran, [one.reason for one in told], told[0].detail, desk.action(number, PLAN).state)


def test_a_changed_world_brings_a_fresh_plan(desk: Desk, number: int, valve: Valve) -> None:
    """It is for the world as it is now, waits for a yes of its own, and then runs."""
    desk.work()
    desk.approve(number, PLAN)
    valve.turn("90")
    desk.work()
    fresh = desk.action(number, f"{PLAN}~2")
    desk.approve(number, f"{PLAN}~2")
    desk.work()

    assert (ActionState.PROPOSED, PLAN, "90", "40") == (
        fresh.state,
        fresh.plan.replaces,
        fresh.plan.undo[0].data["to"],
        valve.setting,
    )


def test_a_race_is_lost_at_the_far_end(desk: Desk, number: int, valve: Valve) -> None:
    """Between the last look and the step somebody turns it: the far end refuses, and the plan has failed."""
    desk.work()
    desk.approve(number, PLAN)
    valve.meanwhile = lambda: valve.turn("90")
    desk.work()

    assert ("90", ActionState.FAILED, ("refused: it is at version 2",)) == (
        valve.setting,
        desk.action(number, PLAN).state,
        desk.action(number, PLAN).output,
    )


def test_a_far_end_that_is_away_is_said_and_keeps_from_approving(desk: Desk, valve: Valve) -> None:
    """Nobody approves what nobody could check."""
    valve.gone = True
    number = desk.diagnosed()
    desk.work()
    with pytest.raises(Refused) as refusal:
        desk.approve(number, PLAN)

    assert ("the valve does not answer", "far_end_down", f"look again: stanch plan look INC-{number} {PLAN}") == (
        desk.action(number, PLAN).plan.unseen,
        refusal.value.reason,
        refusal.value.hint,
    )


def test_it_can_be_looked_at_again(desk: Desk, valve: Valve) -> None:
    """Once the far end answers, the plan is exact and can be approved."""
    valve.gone = True
    number = desk.diagnosed()
    desk.work()
    valve.gone = False
    desk.ask("mitigation.look", incident=number, plan=PLAN)
    desk.approve(number, PLAN)
    desk.work()

    assert "40" == valve.setting


def test_the_next_ranking_looks_again_where_nothing_was_seen(desk: Desk, valve: Valve) -> None:
    """Nobody has to press anything for it."""
    valve.gone = True
    number = desk.diagnosed()
    desk.work()
    valve.gone = False
    desk.diagnose(number)
    desk.work()

    assert ("", "version 1") == (
        desk.action(number, PLAN).plan.unseen,
        desk.action(number, PLAN).plan.world.get("state of step 1"),
    )


def test_a_far_end_that_goes_away_after_the_yes_runs_nothing(desk: Desk, number: int, valve: Valve) -> None:
    """The plan waits again, says why, and its yes is used up."""
    desk.work()
    desk.approve(number, PLAN)
    valve.gone = True
    desk.work()
    now = desk.action(number, PLAN)

    assert (ActionState.PROPOSED, "the valve does not answer", (), []) == (
        now.state,
        now.not_run,
        now.standing,
        valve.ran,
    )


def test_what_the_account_may_not_is_not_approved(desk: Desk, valve: Valve) -> None:
    """The refusal of the far end stands on the plan."""
    valve.refusal = "the account may not patch valves"
    number = desk.diagnosed()
    desk.work()
    with pytest.raises(Refused) as refusal:
        desk.approve(number, PLAN)

    assert ("may_not", "the account may not patch valves") == (
        refusal.value.reason,
        desk.action(number, PLAN).plan.refusal,
    )


def test_looking_again_at_something_else_takes_the_approvals_back(desk: Desk, valve: Valve) -> None:
    """A first of two approvals is for what was shown to that person."""
    payments = desk.world.catalog.services["payments"]
    risky = replace(payments, actions=(replace(ACTION, risk="irreversible"),))
    desk.world.catalog.services["payments"] = risky
    number = desk.diagnosed(severity="SEV2", reason="two must say yes")
    desk.work()
    desk.approve(number, PLAN)
    valve.turn("90")
    desk.ask("mitigation.look", incident=number, plan=PLAN, by=BOB)

    assert () == desk.action(number, PLAN).standing


def test_looking_is_on_record_with_who_asked(desk: Desk, number: int) -> None:
    """Who looked again can be read."""
    desk.work()
    desk.ask("mitigation.look", incident=number, plan=PLAN, by=BOB)

    assert ["bob"] == [one.actor.id for one in desk.log(number) if one.kind == ev.LookedAgain.kind]


def test_what_nobody_can_look_at_says_so(desk: Desk) -> None:
    """A plan of commands has no far end to ask."""
    number = desk.diagnosed()
    with pytest.raises(Refused) as refusal:
        desk.ask("mitigation.look", incident=number, plan="rollback-payments", by=ALICE)

    assert "no_look" == refusal.value.reason
