"""Writes into trackers of errors what is owed to them, and asks after the analyses that run there.

Duties of the timer kinds `tracker_writing` and `analysis`. A writing is tried for a day, then it has failed; what may
have arrived is looked for before it is sent again. An analysis that is not had is on record at once, and one that does
not come is waited for no longer than is configured.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from stanch.engine.loop import Effect, nothing, retry_delay_s
from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.tracking import AskedAnalysis
from stanch.kernel.codec import from_data
from stanch.kernel.errors import Bug, Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.operations import cases
from stanch.operations.analysing import POLL_FIRST, POLL_LAST, take_claims
from stanch.operations.world import World
from stanch.operations.writeback import tracked
from stanch.ports.issues import Analysis, IssueDesk, Stage, Writing, line
from stanch.store import Transaction
from stanch.store.model import Timer

_GIVE_UP_AFTER: Final = timedelta(days=1)
_OVER: Final = frozenset({Status.DISMISSED, Status.MERGED})

Outcome = ev.WritingOutcome


def write(timer: Timer, world: World) -> Effect:
    """Make one writing, and return what puts on record how it ended, or tries it again later."""
    writing = from_data(_table(timer.data["writing"]), Writing)
    number, tries = int(str(timer.data["incident"])), int(str(timer.data.get("tries", 0))) + 1
    with world.store.reading() as view:
        if writing.id in tracked(view, number).writings:
            return nothing
        if cases.load(view, number).status in _OVER:
            return _ended(timer, number, writing, Outcome.REFUSED, "the incident was none", tries=tries)
    desk = world.desks.get(str(timer.data["desk"]))
    if desk is None:
        return _ended(timer, number, writing, Outcome.REFUSED, "it is not configured any more", tries=tries)
    try:
        # A claim that lapsed may have been in the middle of sending.
        said = desk.write(replace(writing, again=tries > 1 or timer.attempts > 1))
    except NotFound as error:
        return _ended(timer, number, writing, Outcome.FAILED, error.message, tries=tries)
    except Refused as error:
        return _ended(timer, number, writing, Outcome.REFUSED, error.message, tries=tries)
    except Invalid as error:
        return _ended(timer, number, writing, Outcome.FAILED, error.message, tries=tries)
    except Unavailable as error:
        late = world.clock.now() - datetime.fromisoformat(str(timer.data["owed_at"])) >= _GIVE_UP_AFTER
        if late or not error.retry:
            return _ended(timer, number, writing, Outcome.FAILED, error.message, tries=tries)
        return _later(timer, tries=tries, error=error.message)
    return _ended(timer, number, writing, Outcome.DONE, said, tries=tries)


def _ended(
    timer: Timer, number: int, writing: Writing, outcome: ev.WritingOutcome, detail: str, *, tries: int
) -> Effect:
    record = ev.WritingEnded(
        writing=writing.id,
        desk=str(timer.data["desk"]),
        act=writing.act.value,
        moment=str(timer.data["moment"]),
        outcome=outcome,
        issue=writing.issue,
        service=writing.service,
        detail=line(detail),
        tries=tries,
    )

    def effect(tx: Transaction) -> None:
        cases.record(tx, number, record)

    return effect


def _later(timer: Timer, *, tries: int, error: str) -> Effect:
    def effect(tx: Transaction) -> None:
        due_at = tx.clock.now() + timedelta(seconds=retry_delay_s(tries))
        data: dict[str, JSON] = {**timer.data, "tries": tries}
        tx.schedule(replace(timer, due_at=due_at, data=data, attempts=0, last_error=error, lease_token=""))

    return effect


def analyse(timer: Timer, world: World) -> Effect:
    """Start an analysis, or ask after it, or take what its tracker told by itself."""
    if timer.incident is None:
        raise Bug(f"timer {timer.id} belongs to no incident")
    number, id = timer.incident, str(timer.data["analysis"])
    with world.store.reading() as view:
        known = tracked(view, number).analyses.get(id)
        if known is None or known.ended is not None or not cases.load(view, number).is_open:
            return nothing
    desk = world.desks.get(known.asked.desk)
    if desk is None or desk.analyses is None:
        return _given_up(number, id, ev.AnalysisOutcome.FAILED, "it is not configured any more")
    if news := timer.data.get("news"):
        return _came(number, known, from_data(_table(news), Analysis), timer, world)
    try:
        if known.started is None:
            return _start(timer, world, desk, known)
        return _came(number, known, desk.analysis(known.asked.issue, started=True), timer, world)
    except Refused as error:
        not_had = error.reason == "not_enabled"
        outcome = ev.AnalysisOutcome.NOT_ENABLED if not_had else ev.AnalysisOutcome.FAILED
        return _given_up(number, id, outcome, error.message)
    except Invalid as error:
        return _given_up(number, id, ev.AnalysisOutcome.FAILED, error.message)
    except Unavailable as error:
        if not error.retry or _is_late(world, desk, known):
            return _given_up(number, id, ev.AnalysisOutcome.FAILED, error.message)
        return _again(timer, error=error.message)


def _start(timer: Timer, world: World, desk: IssueDesk, known: AskedAnalysis) -> Effect:
    number, asked = timer.incident or 0, known.asked
    # One that there is costs nothing; one that was begun by a node that died is found here too.
    found = desk.analysis(asked.issue, started=False)
    adopted = found.stage in (Stage.RUNNING, Stage.COMPLETED)
    with world.store.reading() as view:
        state = cases.load(view, number)
    run = found.run if adopted else desk.analyse(asked.issue, context=_context(state.key, world, number))
    wait_s = desk.analyses.wait_s if desk.analyses is not None else 0.0
    started = ev.AnalysisStarted(
        analysis=asked.analysis, run=run, adopted=adopted, until=world.clock.now() + timedelta(seconds=wait_s)
    )

    def effect(tx: Transaction) -> None:
        cases.record(tx, number, started)
        due_at = tx.clock.now() + (timedelta() if found.stage is Stage.COMPLETED else POLL_FIRST)
        data: dict[str, JSON] = {**timer.data, "run": run}
        tx.schedule(replace(timer, due_at=due_at, data=data, attempts=0, last_error="", lease_token=""))

    return effect


def _came(number: int, known: AskedAnalysis, analysis: Analysis, timer: Timer, world: World) -> Effect:
    """Return what takes the claims, and ends the waiting or goes on with it."""
    asked = known.asked
    is_news = "news" in timer.data
    until = known.started.until if known.started is not None else None
    late = until is not None and world.clock.now() >= until

    def effect(tx: Transaction) -> None:
        take_claims(tx, world, number, asked, analysis)
        over = _told_all(tx, number, known) if is_news else _over(analysis, late=late)
        if over is not None:
            outcome, detail = over
            cases.record(tx, number, ev.AnalysisEnded(analysis=asked.analysis, outcome=outcome, detail=detail))
            tx.cancel_timers(prefix=f"inc{number}/analysis/{asked.analysis}")
        elif not is_news:
            _schedule_next(tx, timer, known)

    return effect


def _told_all(tx: Transaction, number: int, known: AskedAnalysis) -> tuple[ev.AnalysisOutcome, str] | None:
    """Return the end of an analysis of which the cause and the solution came by themselves, in whichever order.

    With one of them alone it is asked after as ever: the other may be under way, or never have been sent.
    """
    findings = cases.load(tx, number).findings
    whole = all(f"{known.asked.analysis}-{part}" in findings for part in ("cause", "solution"))
    return (ev.AnalysisOutcome.COMPLETED, "") if whole else None


def _over(analysis: Analysis, *, late: bool) -> tuple[ev.AnalysisOutcome, str] | None:
    match analysis.stage:
        case Stage.COMPLETED if analysis.says_something:
            return ev.AnalysisOutcome.COMPLETED, ""
        case Stage.COMPLETED:
            return ev.AnalysisOutcome.COMPLETED, "it names no cause"
        case Stage.FAILED:
            return ev.AnalysisOutcome.FAILED, analysis.detail
        case _ if late:
            return ev.AnalysisOutcome.TIMED_OUT, "it had not ended in the time that is waited"
    return None


def _schedule_next(tx: Transaction, timer: Timer, known: AskedAnalysis) -> None:
    polls = int(str(timer.data.get("polls", 0))) + 1
    delay = min(POLL_LAST, POLL_FIRST * 2.0 ** min(polls, 8))
    data: dict[str, JSON] = {**timer.data, "polls": polls}
    due_at = tx.clock.now() + delay
    if known.started is not None and known.started.until is not None:
        due_at = min(due_at, max(tx.clock.now() + timedelta(seconds=1), known.started.until))
    tx.schedule(replace(timer, due_at=due_at, data=data, attempts=0, last_error="", lease_token=""))


def _again(timer: Timer, *, error: str) -> Effect:
    def effect(tx: Transaction) -> None:
        data: dict[str, JSON] = {**timer.data, "tries": int(str(timer.data.get("tries", 0))) + 1}
        due_at = tx.clock.now() + POLL_FIRST
        tx.schedule(replace(timer, due_at=due_at, data=data, attempts=0, last_error=error, lease_token=""))

    return effect


def _is_late(world: World, desk: IssueDesk, known: AskedAnalysis) -> bool:
    limits = desk.analyses
    return limits is None or world.clock.now() - known.at >= timedelta(seconds=limits.wait_s)


def _given_up(number: int, id: str, outcome: ev.AnalysisOutcome, detail: str) -> Effect:
    def effect(tx: Transaction) -> None:
        cases.record(tx, number, ev.AnalysisEnded(analysis=id, outcome=outcome, detail=line(detail)))
        tx.cancel_timers(prefix=f"inc{number}/analysis/{id}")

    return effect


def _context(key: str, world: World, number: int) -> str:
    """Return what the tracker is told of the incident: nothing but its link, as what else is known stays here."""
    return f"Part of incident {key}: {world.url}/i/{number}"


def _table(value: JSON) -> Mapping[str, JSON]:
    if not isinstance(value, dict):
        raise Bug("a timer of a tracker holds no record")
    return value
