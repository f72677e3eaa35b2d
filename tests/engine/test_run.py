"""Running plans: once, after a valid yes, on record before it begins; what it prints is bounded and holds no secret."""

import sys
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import ActionState
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.operations.incident import Resolve, resolve
from stanch.operations.overview import recommended
from stanch.operations.world import Call, World
from stanch.ports.actuator import Step, StepResult
from stanch.store import timers
from tests.engine.incident import action_of, approve, declare, engine, kinds, live, shop, state_of

LEASE = timedelta(seconds=16)


class Scripted:
    """An actuator that does what a test says while a step runs."""

    name = "command"

    def __init__(self, does: Callable[[Callable[[str], None]], None]) -> None:
        self._does = does
        self.runs = 0

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return none."""
        return ()

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Do what the test said, and end well."""
        self.runs += 1
        self._does(emit)
        return StepResult(code=0, output="", took_s=0.0)


class Death(BaseException):
    """The process is killed."""


def die(emit: Callable[[str], None]) -> None:
    """Die while the step runs."""
    raise Death


def printed(world: World, number: int) -> str:
    """Return what the plan printed, as it stands in the log."""
    return "\n".join(action_of(world, number).output)


def test_an_approved_plan_runs_and_is_watched(world: World) -> None:
    """It starts, prints, ends; then its effect and the recovery are looked at."""
    world = shop(world)
    number = declare(world)
    approve(world, number)
    engine(world).run_until_quiet()
    with world.store.reading() as view:
        waiting = {timer.kind for timer in timers.find(view.connection, incident=number)}

    assert (ActionState.SUCCEEDED, "done", Status.MONITORING, True) == (
        action_of(world, number).state,
        printed(world, number),
        state_of(world, number).status,
        {"effect", "verify"} <= waiting,
    )


def test_the_start_is_on_record_before_anything_runs(world: World) -> None:
    """While the command runs, its start can be read."""
    seen: list[str] = []
    world = shop(world, actuator=Scripted(lambda emit: seen.extend(kinds(world, only="action."))))
    number = declare(world)
    approve(world, number)
    engine(world).run_until_quiet()

    assert ["action.approved", "action.run_started"] == seen


def test_two_nodes_run_it_once(world: World) -> None:
    """While one node runs the plan, another finds nothing to do."""
    actuator = Scripted(lambda emit: (engine(replace(world, node="n2")).run_due(), None)[1])
    world = shop(world, actuator=actuator)
    number = declare(world)
    approve(world, number)
    engine(world).run_until_quiet()

    assert (1, 1) == (actuator.runs, kinds(world).count("action.run_started"))


def test_a_run_whose_node_died_is_unknown_and_not_repeated(world: World, clock: ManualClock) -> None:
    """Another node says that the outcome is unknown, and runs nothing."""
    actuator = Scripted(die)
    world = shop(world, actuator=actuator)
    number = declare(world)
    approve(world, number)
    with pytest.raises(Death):
        engine(world).run_until_quiet()
    clock.advance(LEASE)
    engine(replace(world, node="n2")).run_until_quiet()

    assert (1, ActionState.UNKNOWN) == (actuator.runs, action_of(world, number).state)


def test_after_an_unknown_run_the_recovery_is_watched(world: World, clock: ManualClock) -> None:
    """When figures are back to normal, an incident with an unknown run is verified like any other."""
    world = shop(world, actuator=Scripted(die))
    number = declare(world)
    approve(world, number)
    with pytest.raises(Death):
        engine(world).run_until_quiet()
    clock.advance(LEASE)
    live(world, clock, 20)

    assert "verification.passed" in kinds(world, only="verification.")


def test_an_expired_approval_runs_nothing(world: World, clock: ManualClock) -> None:
    """When nobody could run it in time, it says so instead of running late."""
    actuator = Scripted(lambda emit: None)
    world = shop(world, actuator=actuator)
    number = declare(world)
    approve(world, number)
    clock.advance(timedelta(seconds=world.catalog.timing.approval_s))
    engine(world).run_until_quiet()
    with world.store.reading() as view:
        told = [ev.typed(event) for event in view.events() if event.kind == "action.run_refused"]

    assert (0, [("expired", "its approval has expired")]) == (
        actuator.runs,
        [(one.reason, one.detail) for one in told if isinstance(one, ev.RunRefused)],
    )


def test_a_yes_that_has_expired_is_none_of_two(world: World, clock: ManualClock) -> None:
    """Bob's yes after Alice's has expired waits for another, and is not used up by a run that could not be."""
    world = shop(world)
    number = declare(world, people=2)
    approve(world, number, who="alice")
    clock.advance(timedelta(seconds=world.catalog.timing.approval_s))
    approve(world, number, who="bob")
    engine(world).run_until_quiet()
    waited = action_of(world, number).state
    approve(world, number, who="alice")
    engine(world).run_until_quiet()

    assert (ActionState.PROPOSED, ActionState.SUCCEEDED) == (waited, action_of(world, number).state)


def test_what_nobody_knows_the_outcome_of_is_the_first_thing_to_do(world: World, clock: ManualClock) -> None:
    """After a death in the middle of a run, what is wrong now begins with it."""
    world = shop(world, actuator=Scripted(die))
    number = declare(world)
    approve(world, number)
    with pytest.raises(Death):
        engine(world).run_until_quiet()
    clock.advance(LEASE)
    engine(replace(world, node="n2")).run_until_quiet()

    first = recommended(state_of(world, number), world.catalog)[0]
    assert f"Look what became of: Roll payments back to v3.2.0: stanch plan settle INC-{number}" in first


def test_what_was_not_run_can_be_approved_again(world: World, clock: ManualClock) -> None:
    """A new yes, from the same person too, runs it."""
    world = shop(world)
    number = declare(world)
    approve(world, number)
    clock.advance(timedelta(seconds=world.catalog.timing.approval_s))
    engine(world).run_until_quiet()
    approve(world, number)
    engine(world).run_until_quiet()

    assert ActionState.SUCCEEDED is action_of(world, number).state


def test_a_yes_is_used_up_by_a_run(world: World) -> None:
    """A plan that failed does not run again on the approval that it had."""
    world = shop(world)
    number = declare(world, argv=("false",))
    approve(world, number)
    engine(world).run_until_quiet()

    assert (ActionState.FAILED, ()) == (action_of(world, number).state, action_of(world, number).standing)


def test_a_failed_plan_says_so_and_promises_nothing(world: World) -> None:
    """Its code is on record, nobody is told of a mitigation, and its effect is not looked for."""
    world = shop(world)
    number = declare(world, argv=("sh", "-c", "exit 3"))
    approve(world, number)
    engine(world).run_until_quiet()
    with world.store.reading() as view:
        waiting = {timer.kind for timer in timers.find(view.connection, incident=number)}

    assert (3, [], False) == (action_of(world, number).code, kinds(world, only="comms."), "effect" in waiting)


def test_a_program_that_is_not_there_fails_before_the_start(world: World) -> None:
    """What cannot run is not begun."""
    world = shop(world)
    number = declare(world, argv=("no-such-program",))
    approve(world, number)
    engine(world).run_until_quiet()

    assert ["action.approved", "action.run_refused"] == kinds(world, only="action.")


def test_secrets_in_output_are_taken_out(world: World) -> None:
    """What a command prints is stored without the password in it."""
    world = shop(world)
    number = declare(world, argv=("echo", "login with password=hunter2 at db1"))
    approve(world, number)
    engine(world).run_until_quiet()

    assert ("hunter2" not in printed(world, number), True) == (True, "login with" in printed(world, number))


def test_a_flood_of_output_is_bounded(world: World) -> None:
    """Of 8 MB the first 64 KiB are kept, in a few entries, and the rest is counted."""
    flood = "for number in range(100_000): print('x' * 79)"
    world = shop(world)
    number = declare(world, argv=(sys.executable, "-c", flood))
    approve(world, number)
    engine(world).run_until_quiet()
    text = printed(world, number)

    assert (True, True, "lines more, beyond 64 KiB") == (
        60_000 < len(text) < 66_000,
        len(action_of(world, number).output) < 60,
        text[-25:],
    )


def test_a_command_that_takes_too_long_is_killed(world: World) -> None:
    """It ends with the code of a time-out, and says after how long."""
    world = shop(world)
    number = declare(world, argv=("sleep", "60"), timeout_s=0.3)
    approve(world, number)
    engine(world).run_until_quiet()

    assert (124, ActionState.FAILED) == (action_of(world, number).code, action_of(world, number).state)


def test_output_is_seen_while_the_command_goes_on_in_silence(world: World) -> None:
    """The last line before a long step can be read before the step is over."""
    seen: list[str] = []

    def wait_for_it(emit: Callable[[str], None]) -> None:
        emit("migrating")
        emit("this takes an hour")
        deadline = time.monotonic() + 60
        while not seen and time.monotonic() < deadline:
            threading.Event().wait(0.02)
            seen.extend(line for text in action_of(world, number).output for line in text.splitlines()[-1:])

    world = shop(world, actuator=Scripted(wait_for_it))
    number = declare(world)
    approve(world, number)
    engine(world).run_until_quiet()

    assert ["this takes an hour"] == seen


def test_a_run_that_outlasts_its_incident_still_tells_its_end(world: World) -> None:
    """Resolved by force while the command ran: how it ended is on record, and the incident stays resolved."""

    def resolve_it(emit: Callable[[str], None]) -> None:
        call = Call(world=world, actor=person("alice"), via=Via.HTTP)
        resolve(call, Resolve(incident=number, force_reason="the fix is known to work"))

    world = shop(world, actuator=Scripted(resolve_it))
    number = declare(world)
    approve(world, number)
    engine(world).run_until_quiet()

    assert (ActionState.SUCCEEDED, Status.RESOLVED) == (action_of(world, number).state, state_of(world, number).status)


def test_a_plan_does_not_run_for_an_incident_that_is_over(world: World) -> None:
    """Approved, then resolved before it began: it is not run, and says why."""
    actuator = Scripted(lambda emit: None)
    world = shop(world, actuator=actuator)
    number = declare(world)
    approve(world, number)
    alice = Call(world=world, actor=person("alice"), via=Via.HTTP)
    resolve(alice, Resolve(incident=number, force_reason="it healed itself"))
    engine(world).run_until_quiet()

    assert (0, ActionState.PROPOSED, Status.RESOLVED) == (
        actuator.runs,
        action_of(world, number).state,
        state_of(world, number).status,
    )
