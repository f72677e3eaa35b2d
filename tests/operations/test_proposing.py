"""What a person starts: an action proposed, a plan taken back or tried again, an unknown outcome settled."""

import threading
from dataclasses import replace

import pytest

from stanch.app.wiring import DUTIES
from stanch.catalog.acting import Approvals
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.incidents.state import ActionState
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused, StanchError
from tests.engine.valve import ACTION, Valve
from tests.operations.desk import AGENT, ALICE, BOB, PLAN, Desk

RUN = ("shopctl", "rollback", "payments", "--to", "v3.2.0")
BACK = ("shopctl", "deploy", "payments", "v3.2.1")


@pytest.fixture
def number(desk: Desk) -> int:
    """Give an incident whose cause is known, that nobody looks into by himself."""
    return desk.diagnosed()


def approve(desk: Desk, number: int, plan: str = PLAN) -> None:
    """Approve a plan as it is shown, and let it run."""
    desk.approve(number, plan)
    desk.work()


def lost(desk: Desk, number: int) -> None:
    """Put on record that the plan began, and that its process died."""
    stream = ev.action_stream(number, PLAN)
    desk.tell(number, ev.RunStarted(plan=PLAN, node="n0"), stream=stream)
    desk.tell(number, ev.RunOutcomeUnknown(plan=PLAN, detail="the process died"), stream=stream)


def test_an_action_is_proposed_by_hand(desk: Desk) -> None:
    """What the diagnosis does not know is said, and stays one argument."""
    number = desk.declare()
    desk.ask(
        "mitigation.propose",
        incident=number,
        action="rollback",
        service="payments",
        words=["previous=v3 && rm", "version=v4"],
    )
    plan = desk.action(number).plan

    assert (("shopctl", "rollback", "payments", "--to", "v3 && rm"), "person", "proposed by Alice") == (
        plan.steps[0].argv,
        plan.origin,
        plan.why,
    )


def test_an_agent_may_propose(desk: Desk, number: int) -> None:
    """It is a person who says yes."""
    desk.ask(
        "mitigation.propose", incident=number, action="rollback", service="payments", words=["previous=v3"], by=AGENT
    )

    assert ActionState.PROPOSED is desk.action(number, f"{PLAN}~2").state


def test_the_same_is_not_proposed_twice(desk: Desk, number: int) -> None:
    """What waits already is named."""
    with pytest.raises(Refused) as refusal:
        desk.ask("mitigation.propose", incident=number, action="rollback", service="payments")

    assert "already_proposed" == refusal.value.reason


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ({"action": "rolback", "service": "payments"}, "its actions: rollback"),
        ({"action": "rollback", "service": "payment"}, "did you mean payments?"),
    ],
)
def test_what_is_not_declared_is_not_proposed(desk: Desk, number: int, body: dict[str, object], hint: str) -> None:
    """The hint says what there is."""
    with pytest.raises(NotFound) as refusal:
        desk.ask("mitigation.propose", incident=number, **body)

    assert hint == refusal.value.hint


@pytest.mark.parametrize(
    ("word", "kind"), [("previous", Invalid), ("nonsense=1", Invalid), ("previous=--force", Refused)]
)
def test_words_that_fill_nothing_or_look_like_options_are_refused(
    desk: Desk, number: int, word: str, kind: type[StanchError]
) -> None:
    """No plan is made of them."""
    with pytest.raises(kind):
        desk.ask("mitigation.propose", incident=number, action="rollback", service="payments", words=[word])


def test_what_has_run_is_taken_back_by_a_plan_of_its_own(desk: Desk, number: int) -> None:
    """It has its own digest, and runs what was declared as the undo once somebody says yes."""
    approve(desk, number)
    desk.ask("mitigation.undo", incident=number, plan=PLAN)
    undo = desk.action(number, f"undo-{PLAN}").plan
    approve(desk, number, undo.id)

    assert ([RUN, BACK], PLAN, True) == (
        desk.runner.ran,
        undo.undo_of,
        undo.digest != desk.action(number).plan.digest,
    )


def test_what_has_not_run_is_not_taken_back(desk: Desk, number: int) -> None:
    """There is nothing to take back."""
    with pytest.raises(Refused) as refusal:
        desk.ask("mitigation.undo", incident=number, plan=PLAN)

    assert "not_run" == refusal.value.reason


def test_an_undo_of_a_far_end_brings_back_what_was_there(desk: Desk) -> None:
    """Computed when the plan was looked at, and looked at again before it runs."""
    valve = Valve(setting="73")
    desk.world.actuators["valve"] = valve
    payments = desk.world.catalog.services["payments"]
    desk.world.catalog.services["payments"] = replace(payments, actions=(ACTION,))
    number = desk.declare()
    desk.ask("mitigation.propose", incident=number, action="close", service="payments")
    approve(desk, number, "close-payments")
    closed = valve.setting
    desk.ask("mitigation.undo", incident=number, plan="close-payments")
    approve(desk, number, "undo-close-payments")

    assert ("40", "73") == (closed, valve.setting)


def test_once_more_is_another_plan(desk: Desk, number: int) -> None:
    """The first yes does not count for it."""
    approve(desk, number)
    desk.ask("mitigation.again", incident=number, plan=PLAN)
    desk.work()
    before = list(desk.runner.ran)
    approve(desk, number, f"{PLAN}~2")

    assert ([RUN], [RUN, RUN]) == (before, desk.runner.ran)


def test_an_unknown_outcome_is_the_next_thing_to_look_at(desk: Desk, number: int) -> None:
    """Before anything else is decided."""
    desk.ask("incident.acknowledge", incident=number)
    lost(desk, number)
    step = desk.view("incident.show", incident=number).next_step

    assert ("mitigation.settle", f"stanch plan settle INC-{number} {PLAN} --happened --reason ...") == (
        (step.operation, step.command) if step else None
    )


@pytest.mark.parametrize(("happened", "became"), [(True, ActionState.SUCCEEDED), (False, ActionState.FAILED)])
def test_a_person_says_what_became_of_it(desk: Desk, number: int, happened: bool, became: ActionState) -> None:
    """Who looked and how it is known stand in the log; nothing runs by that."""
    lost(desk, number)
    desk.ask("mitigation.settle", incident=number, plan=PLAN, happened=happened, reason="the pods say so")
    desk.work()

    assert (became, "Alice", []) == (desk.action(number).state, desk.action(number).settled_by, desk.runner.ran)


def test_an_agent_cannot_say_what_became_of_it(desk: Desk, number: int) -> None:
    """A person looks."""
    lost(desk, number)
    with pytest.raises(Forbidden):
        desk.ask("mitigation.settle", incident=number, plan=PLAN, happened=True, reason="it says so", by=AGENT)


def test_what_is_known_is_not_settled(desk: Desk, number: int) -> None:
    """A plan that ended has ended."""
    approve(desk, number)
    with pytest.raises(Refused) as refusal:
        desk.ask("mitigation.settle", incident=number, plan=PLAN, happened=False, reason="x")

    assert "not_unknown" == refusal.value.reason


def test_an_unknown_run_is_not_approved_again(desk: Desk, number: int) -> None:
    """Only another plan runs it once more."""
    lost(desk, number)
    with pytest.raises(Refused) as refusal:
        approve(desk, number)

    assert "not_waiting" == refusal.value.reason


def test_two_different_people_are_needed_above_the_configured_limit(desk: Desk) -> None:
    """The first yes runs nothing, the same person's second is refused, another's runs it."""
    desk = replace(
        desk, world=replace(desk.world, catalog=replace(desk.world.catalog, approvals=Approvals(low=(1, 2, 2, 2))))
    )
    number = desk.declare()
    desk.ask(
        "mitigation.propose",
        incident=number,
        action="rollback",
        service="payments",
        words=["previous=v3.2.0", "version=v3.2.1"],
    )
    digest = desk.action(number).plan.digest
    approve(desk, number)
    first = list(desk.runner.ran)
    with pytest.raises(Refused) as refusal:
        approve(desk, number)
    desk.ask("mitigation.approve", incident=number, plan=PLAN, digest=digest, by=BOB)
    desk.work()

    assert ([], "already_approved", [RUN]) == (first, refusal.value.reason, desk.runner.ran)


def test_two_people_and_two_nodes_at_once_run_it_once(desk: Desk, number: int) -> None:
    """Both say yes in the same moment while two nodes work: one run is on record, and one was carried out."""
    digest = desk.action(number).plan.digest
    ready = threading.Barrier(4)
    nodes = [Engine(replace(desk.world, node=name), DUTIES) for name in ("n1", "n2")]

    def say_yes(who: object) -> None:
        ready.wait(timeout=30)
        try:
            desk.ask("mitigation.approve", incident=number, plan=PLAN, digest=digest, by=who)  # type: ignore[arg-type]
        except StanchError:
            return

    def work(node: Engine) -> None:
        ready.wait(timeout=30)
        for _ in range(20):
            node.run_due()

    threads = [threading.Thread(target=say_yes, args=(who,)) for who in (ALICE, BOB)]
    threads += [threading.Thread(target=work, args=(node,)) for node in nodes]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)
    desk.work()

    assert ([RUN], 1) == (desk.runner.ran, desk.kinds(number).count(ev.RunStarted.kind))
