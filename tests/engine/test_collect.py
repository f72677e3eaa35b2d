"""Investigating: collectors side by side, findings as they come, and what a broken collector costs the others."""

import threading
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import FrameType

import pytest

from stanch.engine.collect import PAUSES, collect_duty
from stanch.engine.crew import Crew
from stanch.engine.loop import Engine
from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import IncidentState
from stanch.kernel.clock import ManualClock
from stanch.operations import cases
from stanch.operations.diagnosing import question_of
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal
from stanch.store import Transaction, timers
from tests.engine.crew import START, Scripted, Stuck, collect_timer, declare, finding, shop, state_of, with_crew

SLOW_CALL = Signal(
    name="dependency_latency_p95_ms", service="payments", value=2300, normal=46, data={"target": "acquirer"}
)
SLOW = (SLOW_CALL, Signal(name="latency_p95_ms", service="payments", value=2350, normal=60))


def knows(question: Question) -> list[Finding]:
    """Find out that the acquirer is slow."""
    return [finding(question, *SLOW)]


def learns_nothing(question: Question) -> list[Finding]:
    """Find nothing out."""
    return [finding(question, status=FindingStatus.NO_DATA, summary="nothing there")]


def fails(question: Question) -> list[Finding]:
    """Break."""
    raise ValueError("the vendor answered in Latin")


def investigate(world: World) -> IncidentState:
    """Declare an incident, run one round, and return the incident."""
    number = declare(world)
    Engine(world, {"collect": collect_duty()}).run_due()
    return state_of(world, number)


def findings_of(state: IncidentState, collector: str) -> list[Finding]:
    """Return the findings of one collector."""
    return [
        each
        for each in state.findings.values()
        if each.collector in (collector, "test") and f"-{collector}-" in each.id
    ]


def test_the_cause_is_ranked(world: World) -> None:
    """When the collectors are back, the causes are on record, likeliest first."""
    state = investigate(with_crew(world, Scripted(knows)))

    assert ("dependency_slow", True) == (state.hypotheses[0].kind, state.cause_known)


def test_the_changes_are_ranked(world: World) -> None:
    """Beside the causes it is on record that no change explains it."""
    state = investigate(with_crew(world, Scripted(knows)))

    assert state.changes is not None and state.changes.none_explains


def test_the_start_says_who_is_sent(world: World) -> None:
    """The record names the collectors before they are back."""
    with_one = with_crew(world, Scripted(knows))
    number = declare(with_one)
    Engine(with_one, {"collect": collect_duty()}).run_due()
    with world.store.reading() as view:
        started = [ev.typed(each) for each in view.events(incident=number) if each.kind == ev.InvestigationStarted.kind]

    assert ["metrics", "calls", "logs", "changes", "alerts", "rootcause", "scripted"] == [
        name for each in started if isinstance(each, ev.InvestigationStarted) for name in each.collectors
    ]


def test_finding_ids_say_round_collector_and_number(world: World) -> None:
    """Ids are given by us and can be said again."""
    state = investigate(with_crew(world, Scripted(lambda question: [finding(question), finding(question)])))

    assert {"f1-scripted-1", "f1-scripted-2"} <= set(state.findings)


def test_hypotheses_cite_findings_that_are_on_record(world: World) -> None:
    """What the top hypothesis cites can be looked up in the incident."""
    state = investigate(with_crew(world, Scripted(knows)))

    assert {each.finding for each in state.hypotheses[0].evidence_for} <= {*state.findings, ""}


def test_a_collector_that_raises_is_a_failed_finding(world: World) -> None:
    """A defect in one collector is told as its finding, with the reason."""
    state = investigate(with_crew(world, Scripted(fails), Scripted(knows, name="other")))
    (told,) = findings_of(state, "scripted")

    assert (FindingStatus.FAILED, True) == (told.status, "the vendor answered in Latin" in told.summary)


def test_a_collector_that_raises_takes_nothing_from_the_others(world: World) -> None:
    """Beside a broken collector the cause is found as ever."""
    state = investigate(with_crew(world, Scripted(fails), Scripted(knows, name="other")))

    assert state.cause_known


def test_a_hanging_collector_costs_its_own_time(world: World) -> None:
    """A collector that never comes back is given up after its time-out; the round ends long before the budget."""
    stuck = Stuck()
    began = time.monotonic()
    state = investigate(with_crew(world, stuck, Scripted(knows)))
    took_s = time.monotonic() - began
    stuck.released.set()
    (told,) = findings_of(state, "stuck")

    assert (True, FindingStatus.FAILED, "stuck: it did not come back within 0.2 s") == (
        took_s < 15,
        told.status,
        told.summary,
    )


def test_a_hanging_collector_takes_nothing_from_the_others(world: World) -> None:
    """Beside a hanging collector the cause is found as ever."""
    stuck = Stuck()
    state = investigate(with_crew(world, stuck, Scripted(knows)))
    stuck.released.set()

    assert state.cause_known


def test_what_comes_too_late_is_dropped(world: World) -> None:
    """A finding that arrives after its collector was given up is not on record."""
    stuck = Stuck()
    state = investigate(with_crew(world, stuck))
    stuck.released.set()

    assert [] == [each for each in state.findings.values() if each.summary == "too late"]


def test_the_budget_ends_all_of_them(world: World) -> None:
    """The budget of the whole investigation cuts a collector whose own time-out is longer."""
    stuck = Stuck(timeout_s=60.0)
    began = time.monotonic()
    investigate(with_crew(world, stuck, catalog=shop(budget_s=0.3)))
    took_s = time.monotonic() - began
    stuck.released.set()

    assert took_s < 15


def test_a_collector_that_still_hangs_is_not_asked_again(world: World, clock: ManualClock) -> None:
    """In the next round a hanging collector is told as hanging and its thread is not doubled."""
    stuck = Stuck()
    crewed = with_crew(world, stuck)
    number = declare(crewed)
    engine = Engine(crewed, {"collect": collect_duty()})
    engine.run_due()
    clock.advance(PAUSES[0])
    engine.run_due()
    stuck.released.set()

    assert (1, True) == (stuck.asked, "still hangs" in state_of(crewed, number).findings["f2-stuck-1"].summary)


def test_a_collector_that_is_back_can_be_asked_at_once(world: World) -> None:
    """Whose findings are told does not hang any more, though its thread has not ended yet."""
    crew, question = Crew(), question_of(state_of(world, declare(world)), with_crew(world), now=START)
    over = threading.Event()

    def linger(frame: FrameType, event: str, called: object) -> None:
        if event == "c_return" and getattr(called, "__name__", "") == "put":
            over.wait(30)

    scripted = Scripted(knows)
    threading.setprofile(linger)
    try:
        told = [list(crew.send([scripted], question, budget_s=60.0)) for _ in range(2)]
    finally:
        threading.setprofile(None)
        over.set()

    assert (2, ["", ""]) == (scripted.asked, [one.trouble for (one,) in told])


def test_a_flooding_collector_is_cut(world: World) -> None:
    """Of a thousand findings forty are kept, and the cut is told."""
    state = investigate(with_crew(world, Scripted(lambda question: [finding(question)] * 1000)))
    told = findings_of(state, "scripted")

    assert (41, "scripted: more than 40 findings, the rest is left out") == (len(told), told[-1].summary)


def test_a_huge_finding_is_cut(world: World) -> None:
    """A finding of a megabyte keeps its summary and says that its data was left out."""

    def floods(question: Question) -> list[Finding]:
        return [finding(question, summary="x" * 10_000, data={"rows": ["x" * 1000] * 1000})]

    told = findings_of(investigate(with_crew(world, Scripted(floods))), "scripted")[0]

    assert (1000, ["left_out"]) == (len(told.summary), list(told.data))


def test_secrets_do_not_go_on_record(world: World) -> None:
    """What a collector quotes is redacted, in the sentence, the command, the signals and the data."""
    secret = "hunter2hunter2"

    def tells(question: Question) -> list[Finding]:
        text = f"password={secret}"
        signal = Signal(name="error_group", service="payments", text=text, value=1, data={"culprit": text})
        return [finding(question, signal, summary=text, command=f"curl https://u:{secret}@h/", data={"sample": text})]

    state = investigate(with_crew(world, Scripted(tells)))

    assert secret not in repr(state.findings)


@pytest.mark.parametrize(("does", "expected"), [(learns_nothing, 1), (knows, 0)], ids=["not known", "known"])
def test_collectors_go_out_again_while_the_cause_is_not_known(
    world: World, does: Callable[[Question], list[Finding]], expected: int
) -> None:
    """Another round is due soon, unless the cause is known."""
    crewed = with_crew(world, Scripted(does))
    number = declare(crewed)
    Engine(crewed, {"collect": collect_duty()}).run_due()
    with crewed.store.reading() as view:
        waiting = [each for each in timers.find(view.connection, incident=number) if each.due_at == START + PAUSES[0]]

    assert expected == len(waiting)


def test_they_go_out_less_and_less_often(world: World, clock: ManualClock) -> None:
    """Soon at first, for what is young shows little; what is not known after five minutes is left to people."""
    crewed = with_crew(world, Scripted(learns_nothing))
    number = declare(crewed)
    engine = Engine(crewed, {"collect": collect_duty()})
    rounds = []
    for seconds in (0, 9, 1, 20, 40, 79, 1, 160, 3600):
        clock.advance(timedelta(seconds=seconds))
        engine.run_due()
        rounds.append(state_of(crewed, number).round)

    assert [1, 1, 2, 3, 4, 4, 5, 6, 6] == rounds


def test_a_person_may_ask_for_another_round(world: World) -> None:
    """A timer scheduled by hand runs another round after the cause was known."""
    crewed = with_crew(world, Scripted(knows))
    number = declare(crewed)
    engine = Engine(crewed, {"collect": collect_duty()})
    engine.run_due()
    with crewed.store.writing() as tx:
        tx.schedule(collect_timer(number))
    engine.run_due()

    assert 2 == state_of(crewed, number).round


def test_a_closed_incident_is_left_alone(world: World) -> None:
    """Nobody is sent out for an incident that is over."""
    scripted = Scripted(knows)
    crewed = with_crew(world, scripted)
    number = declare(crewed)
    with crewed.store.writing() as tx:
        cases.record(tx, number, ev.StatusChanged(status=Status.RESOLVED, reason="over"))
    Engine(crewed, {"collect": collect_duty()}).run_due()

    assert 0 == scripted.asked


def test_findings_of_a_replaced_round_are_dropped(world: World) -> None:
    """When another node has begun a later round, what this one finds goes on no record."""

    def overtaken(question: Question) -> list[Finding]:
        started = ev.InvestigationStarted(round=2, collectors=(), start=question.start, end=question.end)
        with world.store.writing() as tx:
            cases.record(tx, question.incident, started)
        return knows(question)

    state = investigate(with_crew(world, Scripted(overtaken)))

    assert ([], ()) == (findings_of(state, "scripted"), state.hypotheses)


def test_what_follows_sees_the_ranking(world: World) -> None:
    """The conclusion runs in the same transaction, with the state after the ranking."""
    seen: list[str] = []

    def conclude(tx: Transaction, world: World, state: IncidentState) -> None:
        seen.append(state.hypotheses[0].kind)

    crewed = with_crew(world, Scripted(knows))
    declare(crewed)
    Engine(crewed, {"collect": collect_duty(conclude=conclude)}).run_due()

    assert ["dependency_slow"] == seen


def test_findings_are_on_record_before_the_slowest_is_back(world: World) -> None:
    """A finding is seen while another collector is still looking."""
    seen: list[int] = []

    def waits(question: Question) -> list[Finding]:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and not seen:
            found = state_of(world, question.incident).findings
            seen.extend([1] if "f1-scripted-1" in found else [])
        return []

    investigate(with_crew(world, Scripted(knows), Scripted(waits, name="slow")))

    assert [1] == seen


def test_everything_around_the_incident_is_asked_about(world: World) -> None:
    """The question names the incident's services first, then those it needs and those that need it."""
    asked: list[tuple[str, ...]] = []

    def listens(question: Question) -> list[Finding]:
        asked.append(question.services)
        return []

    investigate(with_crew(world, Scripted(listens)))

    assert ("checkout", {"acquirer", "payments", "gateway"}) == (asked[0][0], set(asked[0][1:]))


def test_the_window_reaches_back_to_the_baseline(world: World) -> None:
    """The question begins the baseline's length before the onset and ends now."""
    windows: list[tuple[timedelta, timedelta]] = []

    def listens(question: Question) -> list[Finding]:
        windows.append((question.onset - question.start, question.end - question.onset))
        return []

    investigate(with_crew(world, Scripted(listens)))

    assert [(timedelta(minutes=10), timedelta(minutes=2))] == windows


def test_without_a_catalog_it_still_investigates(world: World) -> None:
    """With nothing configured the collectors that are there are asked, and nothing breaks."""
    state = investigate(replace(world, collectors=(Scripted(knows),)))

    assert state.cause_known
