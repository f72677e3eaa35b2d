"""Has a tracker analyse an issue of an incident, within what that may cost, and takes what it says as claims.

A claim is a finding without any signal, so nothing in the ranking rests on it, and a hypothesis that cites it, raised
by an integration: naming it weighs nothing, and findings that contradict it weigh against it (`diagnose.claims`). It is
never known as the cause before a person says so.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import SYSTEM, Actor, ActorKind, Via
from stanch.kernel.codec import to_data
from stanch.kernel.errors import Refused
from stanch.kernel.event import JSON
from stanch.operations import cases
from stanch.operations.diagnosing import rank_now
from stanch.operations.investigation import conclude
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call, World
from stanch.operations.writeback import Issue, issues_of, tracked
from stanch.ports.evidence import Finding, FindingStatus
from stanch.ports.issues import Analysis, AnalysisLimits, AnalysisNews, IssueDesk, line
from stanch.store import Transaction, log, timers
from stanch.store.model import Timer

KIND: Final = "analysis"
POLL_FIRST: Final = timedelta(seconds=20)
POLL_LAST: Final = timedelta(seconds=120)
"""Runs take minutes, and calls are counted: asked after 20 s, then half as often each time, at least every two."""
_DAY: Final = timedelta(days=1)
_LOCK: Final = "analyses"
_LONGEST_TITLE: Final = 200


@dataclass(frozen=True, kw_only=True)
class Analyse:
    """The incident whose issue a tracker is to analyse; its analyses cost money, and are capped."""

    incident: int


@operation("investigate.analyse", effect=Effect.WRITE, example={"incident": 1})
def analyse(call: Call, request: Analyse) -> IncidentView:
    """Have the tracker of errors analyse the incident's issue; what it claims appears as a hypothesis."""
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        ask(tx, call.world, state, actor=call.actor, via=call.via)
        return incident_view(tx, call.world, cases.load(tx, state.number), now=call.now)


def ask(tx: Transaction, world: World, state: IncidentState, *, actor: Actor = SYSTEM, via: Via = Via.ENGINE) -> None:
    """Ask for an analysis. Raises `Refused` where none is configured, no issue is known, or the cost is capped."""
    desk, limits, issue = _whom(world, state)
    # The caps of all incidents are decided on one after the other.
    tx.lock(_LOCK)
    _check_cost(tx, world, state, limits)
    number = len(tracked(tx, state.number).analyses) + 1
    id = f"a{number}"
    asked = ev.AnalysisAsked(analysis=id, desk=desk.name, issue=issue.id, service=issue.service)
    cases.record(tx, state.number, asked, actor=actor, via=via)
    now = world.clock.now()
    data: dict[str, JSON] = {"analysis": id, "desk": desk.name, "issue": issue.id, "service": issue.service}
    timer = Timer(id=timer_id(state.number, id), kind=KIND, due_at=now, incident=state.number, data=data)
    tx.schedule(timer)


def ask_by_itself(tx: Transaction, world: World, state: IncidentState) -> None:
    """Ask for the first analysis of an incident where one is configured; a cap is put on record, once."""
    if not any(desk.analyses is not None for desk in world.desks.values()):
        return
    known = tracked(tx, state.number)
    if known.analyses or known.declined:
        return
    try:
        ask(tx, world, state)
    except Refused as refusal:
        if refusal.reason == "analysis_capped":
            capped = ev.AnalysisEnded(analysis="", outcome=ev.AnalysisOutcome.CAPPED, detail=refusal.message)
            cases.record(tx, state.number, capped)


def timer_id(number: int, analysis: str) -> str:
    """Return the id of the timer by which an analysis is started and asked after."""
    return f"inc{number}/{KIND}/{analysis}"


def hear(tx: Transaction, news: AnalysisNews, *, now: datetime) -> bool:
    """Put off to a timer what a tracker tells about an analysis that is waited for; False where none is."""
    for waiting in timers.find(tx.connection, kind=KIND):
        data = waiting.data
        if "news" in data or str(data.get("issue", "")) != news.issue:
            continue
        run = str(data.get("run", ""))
        if run and news.analysis.run and run != news.analysis.run:
            continue
        told = Timer(
            id=f"{waiting.id}/news/{'solution' if news.analysis.solution else 'cause'}",
            kind=KIND,
            due_at=now,
            incident=waiting.incident,
            data={**data, "news": to_data(news.analysis)},
        )
        tx.schedule(told)
        return True
    return False


def take_claims(tx: Transaction, world: World, number: int, asked: ev.AnalysisAsked, analysis: Analysis) -> None:
    """Put on record what an analysis says that is not there yet, and rank again."""
    state = cases.load(tx, number, lock=True)
    if not state.is_open:
        return
    said = [
        _finding(state, asked, analysis, part, now=world.clock.now())
        for part, text in (("cause", analysis.cause), ("solution", analysis.solution))
        if text and f"{asked.analysis}-{part}" not in state.findings
    ]
    if not said:
        return
    cases.record(tx, number, *(ev.FindingRecorded(round=state.round, finding=one) for one in said))
    hypothesis = f"claim/{asked.analysis}"
    if analysis.cause and hypothesis not in state.added:
        cites = (f"{asked.analysis}-cause", *_showing(state, world, asked))
        added = ev.HypothesisAdded(
            hypothesis=hypothesis,
            title=analysis.cause[:_LONGEST_TITLE],
            reason=f"claimed by an analysis of issue {asked.issue}, not checked",
            service=asked.service,
            cites=cites,
            about=_fingerprint(world, asked),
        )
        cases.record(tx, number, added, actor=claimant(asked.desk))
    state = cases.load(tx, number)
    cases.record(tx, number, *rank_now(tx, world, state, now=world.clock.now()))
    conclude(tx, world, cases.load(tx, number))


def claimant(desk: str) -> Actor:
    """Return who raises what an analysis claims."""
    return Actor(kind=ActorKind.INTEGRATION, id=f"integration:{desk}", name=f"analysis of {desk}")


def _whom(world: World, state: IncidentState) -> tuple[IssueDesk, AnalysisLimits, Issue]:
    able = [(desk, limits) for desk in world.desks.values() if (limits := desk.analyses) is not None]
    if not able:
        raise Refused(
            "no tracker that may analyse is configured",
            reason="analysis_off",
            hint="it costs money there, so it is off until seer = true stands in the system's table",
        )
    for desk, limits in able:
        for issue in issues_of(state, desk):
            return desk, limits, issue
    names = ", ".join(desk.name for desk, _ in able)
    raise Refused(f"no issue of {names} is known to belong to {state.key}", reason="no_issue")


def _check_cost(tx: Transaction, world: World, state: IncidentState, limits: AnalysisLimits) -> None:
    waiting = [one for one in tracked(tx, state.number).analyses.values() if one.ended is None]
    if waiting:
        raise Refused("an analysis is under way", reason="analysis_under_way", hint="what it says appears as it comes")
    since = world.clock.now() - _DAY
    asked = log.read(tx.connection, kinds=(ev.AnalysisAsked.kind,))
    own = sum(one.incident == state.number for one in asked)
    today = sum(one.recorded_at > since for one in asked)
    if own >= limits.runs_per_incident:
        raise Refused(
            f"{own} of {limits.runs_per_incident} analyses that an incident may have are used", reason="analysis_capped"
        )
    if today >= limits.runs_per_day:
        raise Refused(f"{today} of {limits.runs_per_day} analyses of a day are used", reason="analysis_capped")


def _finding(state: IncidentState, asked: ev.AnalysisAsked, analysis: Analysis, part: str, *, now: datetime) -> Finding:
    text = analysis.cause if part == "cause" else analysis.solution
    what = "the cause" if part == "cause" else "as the way out"
    cause: dict[str, JSON] = {
        "whys": list[JSON](analysis.whys),
        "reproduction": list[JSON](analysis.reproduction),
        "repository": analysis.repository,
    }
    solution: dict[str, JSON] = {"steps": list[JSON](analysis.steps)}
    return Finding(
        id=f"{asked.analysis}-{part}",
        collector=f"{asked.desk}:analysis",
        source=f"analysis of issue {asked.issue} by {asked.desk}",
        command="",
        status=FindingStatus.OK,
        summary=line(f"An analysis claims {what}, unchecked: {text}"),
        start=state.started_at,
        end=now,
        services=(asked.service,) if asked.service else (),
        data={"untrusted": True, "claim": text, "run": analysis.run, **(cause if part == "cause" else solution)},
    )


def _showing(state: IncidentState, world: World, asked: ev.AnalysisAsked) -> tuple[str, ...]:
    """Return the newest finding in which the issue itself was seen, if any was."""
    wanted = _fingerprint(world, asked)
    found = [
        finding.id
        for finding in state.findings.values()
        if any(one.name == "error_group" and one.data.get("fingerprint") == wanted for one in finding.signals)
    ]
    return tuple(found[-1:])


def _fingerprint(world: World, asked: ev.AnalysisAsked) -> str:
    desk = world.desks.get(asked.desk)
    return f"{desk.kind}/{asked.issue}" if desk is not None else ""
