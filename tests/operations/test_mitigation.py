"""Plans at the desk: a person approves what was shown, once, and it runs once."""

import threading
from datetime import timedelta

import pytest

from stanch.incidents import events as ev
from stanch.incidents.state import ActionState
from stanch.kernel.actor import Actor, ActorKind
from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused, StanchError
from tests.operations.desk import AGENT, ALICE, BOB, PLAN, Desk

RUN = ("shopctl", "rollback", "payments", "--to", "v3.2.0")


@pytest.fixture
def number(desk: Desk) -> int:
    """Give an incident whose cause is known and whose roll-back waits for a yes."""
    declared = desk.declare()
    desk.diagnose(declared)
    return declared


def digest(desk: Desk, number: int) -> str:
    """Return the digest of the plan as it is shown."""
    return desk.state(number).actions[PLAN].plan.digest


def approve(desk: Desk, number: int, *, by: Actor = ALICE, given: str = "") -> None:
    """Approve the roll-back as it is shown."""
    desk.ask("mitigation.approve", incident=number, plan=PLAN, digest=given or digest(desk, number), by=by)


def test_a_known_cause_brings_a_plan(desk: Desk, number: int) -> None:
    """The tree proposes to roll back, with the exact command."""
    assert RUN == desk.state(number).actions[PLAN].plan.steps[0].argv


def test_a_known_cause_moves_the_incident_on(desk: Desk, number: int) -> None:
    """Once the cause is known the incident is identified."""
    assert "identified" == desk.state(number).status.value


def test_an_unknown_cause_brings_no_plan(desk: Desk) -> None:
    """Nothing is proposed on a guess."""
    declared = desk.declare()
    desk.diagnose(declared, score=0.3)

    assert {} == desk.state(declared).actions


def test_nothing_runs_by_itself(desk: Desk, number: int) -> None:
    """A proposal alone runs nothing, however long it waits."""
    desk.pass_time(hours=1)
    desk.work()

    assert [] == desk.runner.ran


def test_an_approved_plan_runs(desk: Desk, number: int) -> None:
    """After a person's yes the exact command runs."""
    approve(desk, number)
    desk.work()

    assert [RUN] == desk.runner.ran


def test_a_run_is_on_record_with_its_output(desk: Desk, number: int) -> None:
    """What ran, what it printed and how it ended stand in the log."""
    approve(desk, number)
    desk.work()
    action = desk.state(number).actions[PLAN]

    assert (ActionState.SUCCEEDED, 0, "would run shopctl rollback payments --to v3.2.0") == (
        action.state,
        action.code,
        "".join(action.output).strip(),
    )


def test_a_run_that_fails_says_so(desk: Desk, number: int) -> None:
    """A command that ends with another code than 0 has failed."""
    desk.runner.code = 3
    approve(desk, number)
    desk.work()

    assert (ActionState.FAILED, 3) == (desk.state(number).actions[PLAN].state, desk.state(number).actions[PLAN].code)


def test_an_agent_does_not_approve(desk: Desk, number: int) -> None:
    """The door itself keeps agents from approving."""
    with pytest.raises(Forbidden) as refusal:
        approve(desk, number, by=AGENT)

    assert "approval_needs_a_person" == refusal.value.reason


@pytest.mark.parametrize("kind", [ActorKind.INTEGRATION, ActorKind.SYSTEM])
def test_no_machine_approves(desk: Desk, number: int, kind: ActorKind) -> None:
    """Neither an integration nor Stanch itself says yes."""
    with pytest.raises(Forbidden):
        approve(desk, number, by=Actor(kind=kind, id="machine"))


def test_another_digest_is_a_conflict(desk: Desk, number: int) -> None:
    """What was approved is what was shown."""
    with pytest.raises(Conflict) as refusal:
        approve(desk, number, given="0" * 64)

    assert "digest_mismatch" == refusal.value.reason


def test_two_people_at_once_run_it_once(desk: Desk, number: int) -> None:
    """Alice and Bob say yes in the same moment: one is told that it is approved already, and it runs once."""
    shown = digest(desk, number)
    ready, refused = threading.Barrier(2), list[StanchError]()

    def say_yes(who: Actor) -> None:
        ready.wait(timeout=60)
        try:
            approve(desk, number, by=who, given=shown)
        except StanchError as error:
            refused.append(error)

    people = [threading.Thread(target=say_yes, args=(who,)) for who in (ALICE, BOB)]
    for one in people:
        one.start()
    for one in people:
        one.join()
    desk.work()

    assert (1, 1) == (len(refused), len(desk.runner.ran))


def test_a_yes_is_for_one_run(desk: Desk, number: int) -> None:
    """A plan that has run is not approved again."""
    approve(desk, number)
    desk.work()
    with pytest.raises(Refused) as refusal:
        approve(desk, number, by=BOB)

    assert "not_waiting" == refusal.value.reason


def test_an_expired_yes_runs_nothing(desk: Desk, number: int) -> None:
    """An approval that waited longer than it is valid has no effect."""
    approve(desk, number)
    desk.clock.advance(timedelta(seconds=desk.world.catalog.timing.approval_s + 1))
    desk.work()

    assert [] == desk.runner.ran


def test_a_rejected_plan_does_not_run(desk: Desk, number: int) -> None:
    """A no is a no."""
    desk.ask("mitigation.reject", incident=number, plan=PLAN, reason="a fix is on its way")
    with pytest.raises(Refused) as refusal:
        approve(desk, number)

    assert "not_waiting" == refusal.value.reason


def test_a_no_has_a_reason(desk: Desk, number: int) -> None:
    """Nobody says no without saying why."""
    with pytest.raises(Invalid, match="say why not"):
        desk.ask("mitigation.reject", incident=number, plan=PLAN, reason=" ")


def test_what_was_approved_is_not_rejected(desk: Desk, number: int) -> None:
    """After the yes it is too late for a no."""
    approve(desk, number)
    with pytest.raises(Refused) as refusal:
        desk.ask("mitigation.reject", incident=number, plan=PLAN, reason="wait")

    assert "not_waiting" == refusal.value.reason


@pytest.mark.parametrize("name", ["mitigation.approve", "mitigation.reject", "mitigation.dry_run"])
def test_an_unknown_plan_names_the_plans_there_are(desk: Desk, number: int, name: str) -> None:
    """The hint lists what could have been meant."""
    more = {"mitigation.approve": {"digest": "x"}, "mitigation.reject": {"reason": "x"}}
    with pytest.raises(NotFound) as refusal:
        desk.ask(name, incident=number, plan="restart-moon", **more.get(name, {}))

    assert f"its plans: {PLAN}" == refusal.value.hint


def test_a_dry_run_runs_the_declared_command(desk: Desk, number: int) -> None:
    """Trying without effect runs the command that the owner declared for it, and no other."""
    desk.ask("mitigation.dry_run", incident=number, plan=PLAN)

    assert [(*RUN, "--dry-run")] == desk.runner.ran


def test_a_dry_run_is_on_record(desk: Desk, number: int) -> None:
    """What it printed can be read before the yes."""
    desk.ask("mitigation.dry_run", incident=number, plan=PLAN)

    assert "would run shopctl rollback payments --to v3.2.0 --dry-run" == desk.state(number).actions[PLAN].dry_run


def test_a_dry_run_leaves_the_plan_waiting(desk: Desk, number: int) -> None:
    """A try is no approval."""
    desk.ask("mitigation.dry_run", incident=number, plan=PLAN)

    assert ActionState.PROPOSED is desk.state(number).actions[PLAN].state


def test_nothing_is_approved_after_the_end(desk: Desk, number: int) -> None:
    """An incident that is over takes no approvals."""
    desk.ask("incident.resolve", incident=number, force_reason="a test")
    with pytest.raises(Refused) as refusal:
        approve(desk, number)

    assert "not_open" == refusal.value.reason


def test_a_ranking_that_says_the_same_proposes_nothing_new(desk: Desk, number: int) -> None:
    """The proposal is repeated only when it is news."""
    before = desk.kinds(number).count(ev.MitigationProposed.kind)
    desk.diagnose(number)

    assert before == desk.kinds(number).count(ev.MitigationProposed.kind)


def test_the_next_step_is_to_decide_on_the_plan(desk: Desk, number: int) -> None:
    """Once acknowledged, the one thing to do next is to approve, and the command is ready to be copied."""
    step = desk.view("incident.acknowledge", incident=number).next_step

    assert f"stanch approve INC-{number} {PLAN}" == step.command  # type: ignore[union-attr]
