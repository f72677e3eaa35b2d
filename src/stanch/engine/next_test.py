"""Runs the next test of a hypothesis: sends the collectors it names, ranks again, and records what moved.

Duty of the timer kind `test`. It only reads, so one that is run a second time after a node died does no harm.
"""

from collections.abc import Callable
from typing import Final

from stanch.diagnose.lookers import chosen
from stanch.diagnose.moves import moves, told
from stanch.engine.collect import Conclude, no_conclusion
from stanch.engine.collectors import built_in
from stanch.engine.crew import Crew, findings_of
from stanch.engine.loop import Duty, Effect, nothing
from stanch.incidents import events as ev
from stanch.operations import cases
from stanch.operations.diagnosing import baseline_of, question_of, rank_now
from stanch.operations.topology import with_seen_calls
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question
from stanch.store import Transaction
from stanch.store.model import Timer

KIND: Final = "test"
_NOT_HAD: Final = frozenset({FindingStatus.FAILED, FindingStatus.REFUSED})


def next_test_duty(*, conclude: Conclude = no_conclusion, crew: Crew | None = None) -> Duty:
    """Return the duty of the timer kind `test`; `conclude` follows the new ranking, in the same transaction."""
    sent = crew or Crew()

    def look(timer: Timer, world: World) -> Effect:
        return _look(timer, world, crew=sent, conclude=conclude)

    return look


def _look(timer: Timer, world: World, *, crew: Crew, conclude: Callable[..., None]) -> Effect:
    number, id = timer.incident, str(timer.data.get("test", ""))
    if number is None:
        return nothing
    with world.store.reading() as view:
        state = cases.load(view, number)
        asked = state.tests.get(id)
        if asked is None or asked.ended is not None or not state.is_open:
            return nothing
        now = world.clock.now()
        seen = with_seen_calls(view.connection, world, start=state.started_at - baseline_of(world), end=now)
        question = question_of(state, seen, now=now, about=asked.test.about)
    findings = _ask(seen, question, asked.test, crew=crew)
    return lambda tx: _finish(tx, world, number, id, findings, conclude=conclude)


def _ask(world: World, question: Question, test: ev.NextTestAsked, *, crew: Crew) -> list[Finding]:
    everyone = {one.name: one for one in (*built_in(world), *world.collectors)}
    sent = [everyone[name] for name in chosen(test.collectors, available=everyone)]
    counts: dict[str, int] = {}
    found: list[Finding] = []
    for report in crew.send(sent, question, budget_s=world.catalog.timing.investigation_s):
        found += findings_of(report, question, prefix=f"t{test.test}", counts=counts)
    return found


def _finish(
    tx: Transaction, world: World, number: int, id: str, findings: list[Finding], *, conclude: Callable[..., None]
) -> None:
    state = cases.load(tx, number, lock=True)
    if not state.is_open:
        return
    before = state.hypotheses
    cases.record(tx, number, *(ev.FindingRecorded(round=state.round, finding=finding) for finding in findings))
    state = cases.load(tx, number)
    suspects, hypotheses = rank_now(tx, world, state, now=world.clock.now())
    moved = moves(before, hypotheses.hypotheses)
    ended = ev.NextTestEnded(
        test=id,
        findings=tuple(finding.id for finding in findings),
        summary=told(moved, findings=len(findings), trouble=sum(one.status in _NOT_HAD for one in findings)),
        moved=moved,
    )
    cases.record(tx, number, suspects, hypotheses, ended)
    conclude(tx, world, cases.load(tx, number))
