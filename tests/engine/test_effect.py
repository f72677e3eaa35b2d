"""What a plan did: judged against the figure at its run, and proposed to be undone where it did harm or nothing."""

from dataclasses import replace

import pytest

from stanch.incidents import events as ev
from stanch.incidents.state import ActionState
from stanch.kernel.clock import ManualClock
from stanch.mitigate.plan import digest_of
from stanch.operations import cases
from stanch.operations.world import World
from stanch.ports.actuator import Step
from tests.engine.incident import PLAN, approve, declare, engine, kinds, live, see, shop, state_of

UNDO = f"undo-{PLAN}"


def ran(world: World, *, undo: bool = True) -> int:
    """Declare an incident in which 40 % fail, and run its plan, which can be undone or cannot."""
    number = declare(world)
    plan = state_of(world, number).actions[PLAN].plan
    if undo:
        plan = replace(plan, undo=(Step(actuator="command", argv=("echo", "back")),), reversible=True)
        plan = replace(plan, digest=digest_of(plan))
        with world.store.writing() as tx:
            cases.record(tx, number, ev.LookedAgain(plan=plan), stream=ev.action_stream(number, PLAN))
    see(world, failing=0.4)
    approve(world, number)
    engine(world).run_until_quiet()
    return number


def verdict(world: World, number: int) -> str:
    """Return what was said of the plan."""
    return state_of(world, number).actions[PLAN].verdict


@pytest.mark.parametrize(
    ("failing", "expected"), [(0.0, "helped"), (0.2, "partly"), (0.4, "no_effect"), (0.9, "worse")]
)
def test_it_is_judged_against_what_was_when_it_ran(
    world: World, clock: ManualClock, failing: float, expected: str
) -> None:
    """Little is left of it where it helped, half where it did in part; as much did nothing, more made it worse."""
    world = shop(world)
    number = ran(world)
    live(world, clock, 25, failing=failing)

    assert expected == verdict(world, number)


@pytest.mark.parametrize("failing", [0.4, 0.9])
def test_what_did_harm_or_nothing_is_proposed_to_be_undone(world: World, clock: ManualClock, failing: float) -> None:
    """As a plan of its own, that waits for a yes of its own."""
    world = shop(world)
    number = ran(world)
    live(world, clock, 25, failing=failing)
    action = state_of(world, number).actions[UNDO]

    assert (ActionState.PROPOSED, ("echo", "back"), PLAN, True) == (
        action.state,
        action.plan.steps[0].argv,
        action.plan.undo_of,
        action.plan.digest not in ("", state_of(world, number).actions[PLAN].plan.digest),
    )


@pytest.mark.parametrize("failing", [0.0, 0.2])
def test_what_helped_stays(world: World, clock: ManualClock, failing: float) -> None:
    """Nobody is asked to undo it, though it helped in part only: without it more would fail."""
    world = shop(world)
    number = ran(world)
    live(world, clock, 25, failing=failing)

    assert UNDO not in state_of(world, number).actions


def test_what_cannot_be_undone_is_not_proposed_to_be(world: World, clock: ManualClock) -> None:
    """It says that it made things worse, and that is all."""
    world = shop(world)
    number = ran(world, undo=False)
    live(world, clock, 25, failing=0.9)

    assert ("worse", 0) == (verdict(world, number), kinds(world).count("mitigation.plan_added"))


def test_an_undo_is_not_undone(world: World, clock: ManualClock) -> None:
    """Or a plan and its undo would follow each other for ever."""
    world = shop(world)
    number = ran(world)
    live(world, clock, 25, failing=0.9)
    approve(world, number, plan=UNDO)
    live(world, clock, 25, failing=0.9)

    assert 1 == kinds(world).count("mitigation.plan_added")
