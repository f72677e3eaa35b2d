"""Sends the collectors out side by side, records each finding as it comes, and ranks the causes when they are back.

Duty of the timer kind `collect`. When it began is estimated first, from what was measured, and everything else uses
it. A collector that hangs, raises or floods costs a finding that says so and nothing else. Rounds are fenced: what
comes back for a round that another node has since replaced is dropped.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from stanch.engine.collectors import built_in
from stanch.engine.crew import Crew, findings_of
from stanch.engine.loop import Duty, Effect, nothing
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.operations import cases
from stanch.operations.analysing import ask_by_itself
from stanch.operations.breadth import broadened
from stanch.operations.dating import date_incident
from stanch.operations.diagnosing import baseline_of, question_of, rank_now
from stanch.operations.topology import with_seen_calls
from stanch.operations.world import World
from stanch.operations.writeback import owe_writings
from stanch.ports.evidence import Finding
from stanch.ports.issues import Moment
from stanch.store import Transaction
from stanch.store.model import Timer

PAUSES: Final = tuple(timedelta(seconds=seconds) for seconds in (10, 20, 40, 80, 160))
"""How long after each round the collectors go out again while the cause is not known: a fault that is seconds old shows
little, and what did not show in five minutes is left to people."""

Conclude = Callable[[Transaction, World, IncidentState], None]


def no_conclusion(tx: Transaction, world: World, state: IncidentState) -> None:
    """Draw no conclusion from a ranking."""


def collect_duty(*, conclude: Conclude = no_conclusion, crew: Crew | None = None) -> Duty:
    """Return the duty of the timer kind `collect`; `conclude` follows the ranking, in the same transaction."""
    sent = crew or Crew()

    def collect(timer: Timer, world: World) -> Effect:
        return _collect(timer, world, crew=sent, conclude=conclude)

    return collect


def _collect(timer: Timer, world: World, *, crew: Crew, conclude: Conclude) -> Effect:
    if timer.incident is None:
        return nothing
    number = timer.incident
    with world.store.writing() as tx:
        state = cases.load(tx, number, lock=True)
        if not state.is_open:
            return nothing
        round = state.round + 1
        now = world.clock.now()
        dated = date_incident(tx, world, state, now=now)
        if dated is not None:
            cases.record(tx, number, dated)
            state = cases.load(tx, number)
        # What is known of who calls whom, declared or measured, decides who is looked at.
        seen = with_seen_calls(tx.connection, world, start=state.started_at - baseline_of(world), end=now)
        question = question_of(state, seen, now=now)
        collectors = (*built_in(seen), *world.collectors)
        names = tuple(dict.fromkeys(collector.name for collector in collectors))
        started = ev.InvestigationStarted(round=round, collectors=names, start=question.start, end=question.end)
        cases.record(tx, number, started)
    budget_s = world.catalog.timing.investigation_s
    counts: dict[str, int] = {}
    for report in crew.send(collectors, question, budget_s=budget_s):
        findings = findings_of(report, question, prefix=f"f{round}", counts=counts)
        if findings and not _record(world, number, round, findings):
            return nothing
    return lambda tx: _finish(tx, world, timer, round=round, conclude=conclude)


def _record(world: World, number: int, round: int, findings: Sequence[Finding]) -> bool:
    """Put findings on record; False when the round is not the present one any more, or the incident is over."""
    with world.store.writing() as tx:
        state = cases.load(tx, number, lock=True)
        if not state.is_open or state.round != round:
            return False
        cases.record(tx, number, *(ev.FindingRecorded(round=round, finding=finding) for finding in findings))
        return True


def _finish(tx: Transaction, world: World, timer: Timer, *, round: int, conclude: Conclude) -> None:
    number = timer.incident
    if number is None:
        return
    state = cases.load(tx, number, lock=True)
    if not state.is_open or state.round != round:
        return
    now = world.clock.now()
    suspects, hypotheses = rank_now(tx, world, state, now=now)
    fresh = [one for one in state.findings.values() if one.id.startswith(f"f{round}-")]
    wider = broadened(state.impact, fresh) if state.impact is not None else None
    told = (ev.ImpactMeasured(impact=replace(wider, at=now)),) if wider is not None and wider != state.impact else ()
    cases.record(tx, number, suspects, hypotheses, *told)
    state = cases.load(tx, number)
    conclude(tx, world, state)
    owe_writings(tx, world, state, Moment.DECLARED)
    ask_by_itself(tx, world, state)
    if not hypotheses.known and round <= len(PAUSES):
        again = replace(timer, due_at=now + PAUSES[round - 1], attempts=0, last_error="", lease_token="")
        tx.schedule(again)
