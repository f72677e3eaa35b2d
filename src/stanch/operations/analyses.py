"""How analyses of an incident by a tracker stand, for those who look: asked, running, answered, why not. Only reads."""

from dataclasses import dataclass
from datetime import datetime

from stanch.incidents.recorded.tracker import AnalysisOutcome
from stanch.incidents.state import IncidentState
from stanch.incidents.tracking import AskedAnalysis
from stanch.operations.world import World
from stanch.operations.writeback import issues_of, tracked
from stanch.store import Transaction


@dataclass(frozen=True, kw_only=True)
class AnalysisCard:
    """One analysis. `state` is `asked`, `running`, `answered`, or why there is no answer: a word of its outcome.

    `cause` and `solution` are what it claims, unchecked; `hypothesis` is the one that it raised. `until` is how long
    it is waited for.
    """

    id: str
    desk: str
    issue: str
    at: datetime
    state: str
    detail: str
    until: datetime | None
    cause: str
    solution: str
    hypothesis: str


@dataclass(frozen=True, kw_only=True)
class Analyses:
    """What analyses there were, and whether one more may be asked for; `why_not` says why none may.

    `desk` and `issue` are what would be analysed; `used` of `limit` are used up. `declined` are capped ones.
    """

    desk: str
    issue: str
    may_ask: bool
    why_not: str
    used: int
    limit: int
    asked: tuple[AnalysisCard, ...]
    declined: tuple[str, ...]


def analyses_of(tx: Transaction, world: World, state: IncidentState) -> Analyses | None:
    """Return how analyses stand, None where no tracker that has issues is configured."""
    if not world.desks:
        return None
    known = tracked(tx, state.number)
    asked = tuple(_card(state, one) for one in known.analyses.values())
    able = [(desk, limits) for desk in world.desks.values() if (limits := desk.analyses) is not None]
    found = next(((desk, limits, issue) for desk, limits in able for issue in issues_of(state, desk)), None)
    limit = found[1].runs_per_incident if found else 0
    why_not = ""
    if not able:
        why_not = "not enabled: seer = true in the system's table switches it on, and it costs money there"
    elif not found:
        why_not = f"no issue of {', '.join(desk.name for desk, _ in able)} is known to belong to this incident"
    elif any(one.ended is None for one in known.analyses.values()):
        why_not = "one is under way"
    elif len(asked) >= limit:
        why_not = f"{len(asked)} of {limit} that an incident may have {'is' if limit == 1 else 'are'} used"
    return Analyses(
        desk=found[0].name if found else "",
        issue=found[2].id if found else "",
        may_ask=state.is_open and not why_not,
        why_not=why_not,
        used=len(asked),
        limit=limit,
        asked=asked,
        declined=tuple(one.detail for one in known.declined),
    )


def _card(state: IncidentState, one: AskedAnalysis) -> AnalysisCard:
    id = one.asked.analysis
    hypothesis = f"claim/{id}"
    return AnalysisCard(
        id=id,
        desk=one.asked.desk,
        issue=one.asked.issue,
        at=one.at,
        state=_state(one),
        detail=one.ended.detail if one.ended else "",
        until=one.started.until if one.started and one.ended is None else None,
        cause=_claim(state, f"{id}-cause"),
        solution=_claim(state, f"{id}-solution"),
        hypothesis=hypothesis if hypothesis in state.added else "",
    )


def _state(one: AskedAnalysis) -> str:
    if one.ended is None:
        return "running" if one.started else "asked"
    return "answered" if one.ended.outcome is AnalysisOutcome.COMPLETED else one.ended.outcome.value


def _claim(state: IncidentState, finding: str) -> str:
    found = state.findings.get(finding)
    return str(found.data.get("claim", "")) if found else ""
