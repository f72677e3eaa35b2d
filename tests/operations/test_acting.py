"""What runs by itself: only what is marked, within its guard, every decision on record, stopped when it fails."""

import threading
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.app.wiring import DUTIES
from stanch.catalog.acting import Automatic, AutomaticRunbook, Guard
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.incidents.model import Reading
from stanch.incidents.state import ActionState
from stanch.kernel.errors import Forbidden, Invalid
from stanch.mitigate.tables import end_run, runs_since
from stanch.operations.acting import consider, ended
from stanch.operations.automatic import AutomaticView
from tests.engine.valve import ACTION, Valve
from tests.operations.desk import AGENT, PLAN, START, Desk, catalog

RUN = ("shopctl", "rollback", "payments", "--to", "v3.2.0")
WIDE = Guard(share=1.0, score=0.8, worst="SEV1", most=2)


def marked(desk: Desk, guard: Guard = WIDE) -> Desk:
    """Let the roll-back of payments run by itself within `guard`."""
    services = dict(catalog().services)
    payments = services["payments"]
    services["payments"] = replace(payments, actions=(replace(payments.actions[0], automatic=True, guard=guard),))
    return replace(desk, world=replace(desk.world, catalog=replace(desk.world.catalog, services=services)))


def diagnosed(desk: Desk, *, score: float = 0.9, measured: bool = True) -> int:
    """Declare an incident whose cause is known, and that nobody looks into by himself."""
    number = desk.declare_alone()
    if measured:
        reading = Reading(metric="error_ratio", service="payments", value=0.45, unit="ratio", normal=0.002, high=0.01)
        desk.tell(number, ev.AlertAttached(alert="a1", summary="", reading=reading, starts_at=desk.clock.now()))
    desk.diagnose(number, score=score)
    return number


def decisions(desk: Desk, number: int) -> list[tuple[bool, str]]:
    """Return every decision on acting by itself, with its reason."""
    found = [ev.typed(event) for event in desk.log(number)]
    return [(one.acts, one.reason) for one in found if isinstance(one, ev.AutomaticDecided)]


def judged(desk: Desk, number: int, outcome: str) -> None:
    """Let it be known what the run did."""
    with desk.world.store.writing() as tx:
        ended(tx, desk.world, number, PLAN, outcome=outcome, detail="errors still 45 %")


def test_what_is_not_marked_never_runs_by_itself(desk: Desk) -> None:
    """By default nothing is, and nothing is said of it."""
    number = diagnosed(desk)
    desk.work()

    assert ([], []) == (desk.runner.ran, decisions(desk, number))


def test_what_is_marked_runs_within_its_guard(desk: Desk) -> None:
    """Nobody said yes; that it acts, and why it may, is on record before it runs."""
    desk = marked(desk)
    number = diagnosed(desk)
    desk.work()
    kinds = [kind for kind in desk.kinds(number) if kind in ("automatic.decided", "action.run_started")]

    assert ([RUN], [(True, "acts")], ["automatic.decided", "action.run_started"], ()) == (
        desk.runner.ran,
        decisions(desk, number),
        kinds,
        desk.state(number).actions[PLAN].approvals,
    )


def test_not_to_act_is_on_record_with_its_reason_once(desk: Desk) -> None:
    """A ranking that says the same again adds nothing; the plan waits for a person."""
    desk = marked(desk, replace(WIDE, score=0.95))
    number = diagnosed(desk)
    desk.diagnose(number)
    desk.work()

    assert ([(False, "score")], [], ActionState.PROPOSED) == (
        decisions(desk, number),
        desk.runner.ran,
        desk.state(number).actions[PLAN].state,
    )


def test_what_nothing_measures_is_left_to_a_person(desk: Desk) -> None:
    """Where nobody would see that it did harm, nothing runs by itself."""
    desk = marked(desk)
    number = diagnosed(desk, measured=False)

    assert [(False, "unchecked")] == decisions(desk, number)


def test_a_person_can_say_yes_where_it_does_not_act(desk: Desk) -> None:
    """A guard binds Stanch, and nobody else."""
    desk = marked(desk, replace(WIDE, score=0.95))
    number = diagnosed(desk)
    digest = desk.state(number).actions[PLAN].plan.digest
    desk.ask("mitigation.approve", incident=number, plan=PLAN, digest=digest)
    desk.work()

    assert [RUN] == desk.runner.ran


def test_while_paused_nothing_runs_by_itself(desk: Desk) -> None:
    """The reason names who paused it and why."""
    desk = marked(desk)
    desk.ask("automatic.pause", reason="moving the database")
    number = diagnosed(desk)
    desk.work()

    assert ([], [(False, "paused")], "all automatic actions are paused by Alice: moving the database") == (
        desk.runner.ran,
        decisions(desk, number),
        desk.state(number).actions[PLAN].decision,
    )


def test_a_pause_holds_back_what_was_decided_and_has_not_begun(desk: Desk) -> None:
    """Between the decision and the run somebody paused it: it is not run, and waits for a person."""
    desk = marked(desk)
    number = diagnosed(desk)
    desk.ask("automatic.pause", reason="moving")
    desk.work()

    assert ([], ActionState.PROPOSED, "Alice: moving") == (
        desk.runner.ran,
        desk.state(number).actions[PLAN].state,
        desk.state(number).actions[PLAN].not_run,
    )


def test_resumed_it_decides_again(desk: Desk) -> None:
    """What waits is looked at anew, and both switches are in the log of the open incident."""
    desk = marked(desk)
    desk.ask("automatic.pause", reason="moving")
    number = diagnosed(desk)
    desk.ask("automatic.resume", reason="moved")
    desk.work()

    assert ([RUN], [(False, "paused"), (True, "acts")], 1) == (
        desk.runner.ran,
        decisions(desk, number),
        desk.kinds(number).count(ev.AutomaticSwitched.kind),
    )


def test_an_agent_may_pause_and_not_resume(desk: Desk) -> None:
    """To stop is never wrong; to go on is a person's."""
    desk.ask("automatic.pause", reason="odd figures", by=AGENT)
    with pytest.raises(Forbidden):
        desk.ask("automatic.resume", reason="fine again", by=AGENT)


def test_a_switch_has_a_reason(desk: Desk) -> None:
    """Whoever finds it paused must learn why."""
    with pytest.raises(Invalid):
        desk.ask("automatic.pause", reason=" ")


def test_one_at_a_time_at_a_service(desk: Desk) -> None:
    """While it is not known what the first did, a second incident waits."""
    desk = marked(desk)
    diagnosed(desk)
    desk.work()
    second = diagnosed(desk)

    assert [(False, "busy")] == decisions(desk, second)


@pytest.mark.parametrize(
    ("close", "reason"),
    [("incident.resolve", {"force_reason": "a person mended it"}), ("incident.dismiss", {"reason": "a load test"})],
)
def test_what_is_over_before_it_is_judged_keeps_no_service_busy(
    desk: Desk, close: str, reason: dict[str, object]
) -> None:
    """Nobody judges any more what it did; at the next incident it may run again."""
    desk = marked(desk)
    first = diagnosed(desk)
    desk.work()
    desk.ask(close, incident=first, **reason)
    second = diagnosed(desk)
    desk.work()

    assert [(True, "acts")] == decisions(desk, second)


def test_at_most_so_often(desk: Desk) -> None:
    """After two that helped, the third within the hour is a person's; an hour later it acts again."""
    desk = marked(desk)
    for _ in range(2):
        number = diagnosed(desk)
        desk.work()
        judged(desk, number, "helped")
    third = diagnosed(desk)
    desk.pass_time(hours=1)
    fourth = diagnosed(desk)

    assert ([(False, "often")], [(True, "acts")]) == (decisions(desk, third), decisions(desk, fourth))


def test_when_it_did_not_help_it_stops_and_says_so(desk: Desk) -> None:
    """Nothing else runs by itself in this incident."""
    desk = marked(desk)
    number = diagnosed(desk)
    desk.work()
    judged(desk, number, "no_effect")

    assert (
        "Roll payments back to v3.2.0 ran by itself and did not help: errors still 45 %"
        == desk.state(number).automatic_stopped
    )


def test_when_it_helped_nothing_is_stopped(desk: Desk) -> None:
    """The next incident may be mended by itself again."""
    desk = marked(desk)
    number = diagnosed(desk)
    desk.work()
    judged(desk, number, "helped")

    assert "" == desk.state(number).automatic_stopped


def test_a_run_that_fails_stops_it_too(desk: Desk) -> None:
    """A command that ends with another code than 0 did not help."""
    desk = marked(desk)
    desk.runner.code = 3
    number = diagnosed(desk)
    desk.work()

    assert "it ended with code 3" in desk.state(number).automatic_stopped


def test_what_was_refused_at_the_last_moment_counts_for_nothing(desk: Desk) -> None:
    """The far end went away: nothing ran, so no limit is used up, nothing blocks, and nobody is paged."""
    desk = marked(desk)
    valve = Valve()
    desk.world.actuators["valve"] = valve
    services = desk.world.catalog.services
    services["payments"] = replace(services["payments"], actions=(replace(ACTION, automatic=True, guard=WIDE),))
    number = diagnosed(desk)
    state = desk.state(number)
    while "close-payments" not in state.actions:
        Engine(desk.world, {"look": DUTIES["look"]}).run_due()
        state = desk.state(number)
    valve.gone = True
    desk.work()
    with desk.world.store.reading() as view:
        runs = runs_since(view.connection, START - timedelta(seconds=1))

    assert (["refused"], [], "") == ([one.outcome for one in runs], valve.ran, desk.state(number).automatic_stopped)


def test_two_nodes_decide_once(desk: Desk) -> None:
    """Both look at two incidents of one service at once: one acts, the other is told that it is busy."""
    desk = marked(desk, replace(WIDE, score=0.95))
    numbers = [diagnosed(desk), diagnosed(desk)]
    desk = marked(desk)
    ready = threading.Barrier(2)

    def look(number: int) -> None:
        ready.wait(timeout=30)
        with desk.world.store.writing() as tx:
            consider(tx, desk.world, number)

    threads = [threading.Thread(target=look, args=(number,)) for number in numbers]
    for one in threads:
        one.start()
    for one in threads:
        one.join(timeout=60)

    assert [(False, "busy"), (True, "acts")] == sorted(decisions(desk, number)[-1] for number in numbers)


RUNBOOK = """---
kinds: [bad_deploy]
---
# Caches are cold

## Mitigation
```sh risk=low
shopctl warm {{service}}
```
"""
WARM = ("shopctl", "warm", "payments")


def with_runbook(desk: Desk, folder: Path, *, services: tuple[str, ...] = ("payments",), guard: Guard = WIDE) -> Desk:
    """Let the first block of a runbook run by itself at these services."""
    (folder / "runbooks").mkdir()
    (folder / "runbooks" / "cold-caches.md").write_text(RUNBOOK)
    marked = AutomaticRunbook(runbook="cold-caches", block=1, services=services, guard=guard)
    changed = replace(desk.world.catalog, root=str(folder), automatic=Automatic(runbooks=(marked,)))
    return replace(desk, world=replace(desk.world, catalog=changed))


def test_a_runbook_that_is_marked_and_fits_runs_by_itself(desk: Desk, tmp_path: Path) -> None:
    """Its block is proposed and decided on like an action."""
    desk = with_runbook(desk, tmp_path)
    number = diagnosed(desk)
    desk.work()

    assert ([WARM], [(True, "acts")]) == (desk.runner.ran, decisions(desk, number))


def test_a_runbook_has_a_guard_too(desk: Desk, tmp_path: Path) -> None:
    """Where it does not hold, the block waits for a person, and the reason is on record."""
    desk = with_runbook(desk, tmp_path, guard=replace(WIDE, score=0.99))
    number = diagnosed(desk)
    desk.work()

    assert ([], [(False, "score")], ActionState.PROPOSED) == (
        desk.runner.ran,
        decisions(desk, number),
        desk.state(number).actions["runbook-cold-caches-1"].state,
    )


def test_a_runbook_runs_by_itself_at_its_services_alone(desk: Desk, tmp_path: Path) -> None:
    """Elsewhere it is not even proposed by itself."""
    desk = with_runbook(desk, tmp_path, services=("checkout",))
    number = diagnosed(desk)
    desk.work()

    assert ([], []) == (desk.runner.ran, decisions(desk, number))


def test_the_status_says_what_may_run_and_what_did(desk: Desk) -> None:
    """With the guard in words."""
    desk = marked(desk)
    number = diagnosed(desk)
    view = desk.ask("automatic.status")
    assert isinstance(view, AutomaticView)

    assert (False, [("payments", "rollback")], [(number, PLAN)]) == (
        view.paused,
        [(one.service, one.action) for one in view.actions],
        [(one.incident, one.plan) for one in view.runs],
    )


def test_a_run_ends_once(desk: Desk) -> None:
    """What it did first is what stands."""
    desk = marked(desk)
    number = diagnosed(desk)
    with desk.world.store.writing() as tx:
        found = [
            end_run(tx.connection, incident=number, plan=PLAN, at=desk.clock.now(), outcome=word)
            for word in ("helped", "worse")
        ]

    assert [True, False] == found
