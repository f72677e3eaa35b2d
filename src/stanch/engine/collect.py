"""Sends the collectors out side by side, records each finding as it comes, and ranks the causes when they are back.

Duty of the timer kind `collect`. A collector that hangs, raises or floods costs a finding that says so and nothing
else. Rounds are fenced: what comes back for a round that another node has since replaced is dropped.
"""

import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import msgspec
import structlog

from stanch.catalog.changes import changes_between
from stanch.catalog.rules import deepest_first, neighbourhood
from stanch.diagnose.model import graph_of
from stanch.diagnose.picture import picture_of
from stanch.diagnose.rank import rank_picture
from stanch.diagnose.suspects import rank_suspects
from stanch.engine.changes import LOOK_BACK
from stanch.engine.collectors import built_in
from stanch.engine.loop import Duty, Effect, nothing
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.redaction import redact, redact_tree
from stanch.operations import cases
from stanch.operations.world import World
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Collector, Finding, FindingStatus, Question, Signal
from stanch.store import Transaction
from stanch.store.model import Timer

AGAIN: Final = timedelta(seconds=30)
"""How soon the collectors go out again while the cause is not known."""
MOST_ROUNDS: Final = 5
_EXPLAINS: Final = timedelta(hours=24)
"""How old a change may be to be weighed as a cause."""
_MOST_SERVICES: Final = 40
_MOST_FINDINGS: Final = 40
"""Findings of one collector in one round; what is beyond them is told to be missing."""
_MOST_SIGNALS: Final = 200
_LONGEST_SUMMARY: Final = 1_000
_MOST_DATA: Final = 60_000
"""Bytes of a finding's data as JSON; a finding stays below 64 KiB."""

Conclude = Callable[[Transaction, World, IncidentState], None]
log = structlog.get_logger("stanch.collect")


@dataclass(frozen=True, kw_only=True)
class _Report:
    """What one collector came back with; `trouble` is why it came back with nothing."""

    collector: Collector
    findings: tuple[Finding, ...] = ()
    trouble: str = ""
    took_s: float = 0.0


def no_conclusion(tx: Transaction, world: World, state: IncidentState) -> None:
    """Draw no conclusion from a ranking."""


def collect_duty(*, conclude: Conclude = no_conclusion) -> Duty:
    """Return the duty of the timer kind `collect`; `conclude` follows the ranking, in the same transaction."""
    crew = Crew()

    def collect(timer: Timer, world: World) -> Effect:
        return _collect(timer, world, crew=crew, conclude=conclude)

    return collect


class Crew:
    """Runs collectors in threads of their own and remembers which of them still hang from an earlier round."""

    def __init__(self) -> None:
        self._busy: dict[tuple[str, int], threading.Thread] = {}
        self._lock = threading.Lock()

    def send(self, collectors: Sequence[Collector], question: Question, *, budget_s: float) -> Iterator[_Report]:
        """Yield the report of each collector as it comes back, at the latest when its time or the budget is over.

        A thread cannot be stopped from outside: one that hangs is left behind, and its collector is not asked again
        before it has come back.
        """
        reports: queue.SimpleQueue[_Report] = queue.SimpleQueue()
        began = time.monotonic()
        waiting: dict[int, tuple[Collector, float]] = {}
        for place, collector in enumerate(collectors):
            if not self._start(collector, place, question, reports):
                yield _Report(collector=collector, trouble="it still hangs from an earlier round")
                continue
            waiting[id(collector)] = (collector, began + min(budget_s, collector.timeout_s))
        while waiting:
            soonest = min(until for _, until in waiting.values())
            try:
                report = reports.get(timeout=max(0.0, soonest - time.monotonic()))
            except queue.Empty:
                yield from _given_up(waiting, began=began)
                continue
            if waiting.pop(id(report.collector), None) is not None:
                yield report

    def _start(
        self, collector: Collector, place: int, question: Question, reports: "queue.SimpleQueue[_Report]"
    ) -> bool:
        key = (collector.name, place)
        with self._lock:
            busy = self._busy.get(key)
            if busy is not None and busy.is_alive():
                return False
            thread = threading.Thread(
                target=lambda: reports.put(_ask(collector, question)), name=f"collect-{collector.name}", daemon=True
            )
            self._busy[key] = thread
        thread.start()
        return True


def _given_up(waiting: dict[int, tuple[Collector, float]], *, began: float) -> Iterator[_Report]:
    now = time.monotonic()
    for key, (collector, until) in list(waiting.items()):
        if until <= now:
            del waiting[key]
            trouble = f"it did not come back within {until - began:.1f} s"
            yield _Report(collector=collector, trouble=trouble, took_s=now - began)


def _ask(collector: Collector, question: Question) -> _Report:
    began = time.monotonic()
    try:
        found = tuple(collector.collect(question)[: _MOST_FINDINGS + 1])
        return _Report(collector=collector, findings=found, took_s=time.monotonic() - began)
    except Exception as error:  # boundary "integration": a collector's own defect is a finding like any other
        log.exception("collector_failed", collector=collector.name)
        trouble = f"{type(error).__name__}: {error}"
        return _Report(collector=collector, trouble=trouble, took_s=time.monotonic() - began)


def _collect(timer: Timer, world: World, *, crew: Crew, conclude: Conclude) -> Effect:
    if timer.incident is None:
        return nothing
    number = timer.incident
    collectors = (*built_in(world), *world.collectors)
    with world.store.writing() as tx:
        state = cases.load(tx, number, lock=True)
        if not state.is_open:
            return nothing
        round = state.round + 1
        question = question_of(state, world, now=world.clock.now())
        names = tuple(dict.fromkeys(collector.name for collector in collectors))
        started = ev.InvestigationStarted(round=round, collectors=names, start=question.start, end=question.end)
        cases.record(tx, number, started)
    budget_s = world.catalog.timing.investigation_s
    counts: dict[str, int] = {}
    for report in crew.send(collectors, question, budget_s=budget_s):
        findings = _findings_of(report, question, round=round, counts=counts)
        if findings and not _record(world, number, round, findings):
            return nothing
    return lambda tx: _finish(tx, world, timer, round=round, conclude=conclude)


def question_of(state: IncidentState, world: World, *, now: datetime) -> Question:
    """Return what the collectors of an incident are asked: its services and those around them, since the baseline."""
    own = tuple(
        dict.fromkeys((*state.services, *(one.alert.labels.get("service", "") for one in state.alerts.values())))
    )
    named = [name for name in own if name]
    around = [name for name in neighbourhood(world.catalog, named) if name not in named]
    ordered = (*named, *deepest_first(world.catalog, sorted(around)))
    if not ordered:
        ordered = tuple(world.catalog.services)
    onset = min(state.started_at, now)
    return Question(
        incident=state.number,
        services=ordered[:_MOST_SERVICES],
        start=onset - timedelta(seconds=world.catalog.timing.baseline_s),
        end=now,
        onset=onset,
        endpoint=state.endpoint,
        text=state.text,
    )


def _findings_of(report: _Report, question: Question, *, round: int, counts: dict[str, int]) -> list[Finding]:
    """Return a report's findings with ids of their own, without secrets, and within their bounds."""
    name = report.collector.name
    found = list(report.findings[:_MOST_FINDINGS])
    if report.trouble:
        found.append(_remark(report, question, FindingStatus.FAILED, f"{name}: {report.trouble}"))
    elif len(report.findings) > _MOST_FINDINGS:
        found.append(
            _remark(
                report,
                question,
                FindingStatus.FAILED,
                f"{name}: more than {_MOST_FINDINGS} findings, the rest is left out",
            )
        )
    numbered = []
    for finding in found:
        counts[name] = counts.get(name, 0) + 1
        numbered.append(_bounded(replace(finding, id=f"f{round}-{_slug(name)}-{counts[name]}")))
    return numbered


def _remark(report: _Report, question: Question, status: FindingStatus, summary: str) -> Finding:
    return Finding(
        id="",
        collector=report.collector.name,
        source=report.collector.name,
        command="",
        status=status,
        summary=summary,
        start=question.start,
        end=question.end,
        took_s=report.took_s,
    )


def _slug(name: str) -> str:
    return "".join(letter if letter.isalnum() else "-" for letter in name).strip("-") or "collector"


def _bounded(finding: Finding) -> Finding:
    data = redact_tree(dict(finding.data))
    if not isinstance(data, dict) or len(msgspec.json.encode(data)) > _MOST_DATA:
        data = {"left_out": "the data was more than 60,000 bytes"}
    return replace(
        finding,
        summary=_cut(redact(finding.summary)),
        command=redact(finding.command)[:_LONGEST_SUMMARY],
        source=redact(finding.source)[:_LONGEST_SUMMARY],
        signals=tuple(_clean(signal) for signal in finding.signals[:_MOST_SIGNALS]),
        data=data,
        took_s=round(finding.took_s, 3),
    )


def _clean(signal: Signal) -> Signal:
    data = redact_tree(dict(signal.data))
    return replace(signal, text=_cut(redact(signal.text)), data=data if isinstance(data, dict) else {})


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_SUMMARY else f"{text[: _LONGEST_SUMMARY - 1]}…"


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
    changes, deployed = _changes(tx, world, state, now=now)
    suspects, hypotheses = diagnose(state, world, changes=changes, deployed=deployed, now=now)
    cases.record(tx, number, suspects, hypotheses)
    state = cases.load(tx, number)
    conclude(tx, world, state)
    if not hypotheses.known and round < MOST_ROUNDS:
        again = replace(timer, due_at=now + AGAIN, attempts=0, last_error="", lease_token="")
        tx.schedule(again)


def diagnose(
    state: IncidentState, world: World, *, changes: Sequence[Change], deployed: Iterable[str] = (), now: datetime
) -> tuple[ev.ChangesRanked, ev.HypothesesRanked]:
    """Rank changes and causes from all findings of an incident so far. Pure but for the catalog it is given."""
    picture = picture_of(
        state.findings.values(),
        changes=changes,
        onset=state.started_at,
        graph=graph_of(world.catalog),
        now=now,
        services=state.services,
        onset_low=state.started_low,
        onset_high=state.started_high,
        deployed=deployed,
    )
    hypotheses = rank_picture(picture, round=state.round)
    return rank_suspects(picture, hypotheses), hypotheses


def _changes(
    tx: Transaction, world: World, state: IncidentState, *, now: datetime
) -> tuple[list[Change], frozenset[str]]:
    """Return the changes of the day before around the incident, and the services whose deploys are recorded."""
    services = tuple(neighbourhood(world.catalog, state.services)) if world.catalog.services else ()
    stored = changes_between(
        tx.connection, start=state.started_at - LOOK_BACK, end=now + timedelta(seconds=1), services=services
    )
    deployed = frozenset(change.service for change in stored if change.kind is ChangeKind.DEPLOY)
    return [change for change in stored if state.started_at - change.at <= _EXPLAINS], deployed
