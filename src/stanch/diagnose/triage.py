"""The questions of triage on one screen, answered from what was found: what, since when, what changed, how wide ...

Pure: an incident's state in, short answers out, each with the findings it rests on. "Nobody looked" and "nothing was
found" are different answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from stanch.alerts.words import many
from stanch.diagnose.model import Fact, Graph
from stanch.diagnose.origin import origins, troubles
from stanch.diagnose.picture import Picture, picture_of
from stanch.diagnose.wording import compared, quantity
from stanch.incidents.quantities import since
from stanch.incidents.state import IncidentState
from stanch.kernel.percentage import percent
from stanch.ports.evidence import FindingStatus

_SHOWN: Final = 4
_ITSELF: Final = timedelta(seconds=1)
_WORKAROUNDS: Final = {
    "circuit_breaker": "calls can be cut off or put off",
    "failover": "a stand-by can take over",
    "flag_off": "the feature can be switched off",
    "read_replica": "a replica can take the reads",
}


class Tone(StrEnum):
    """How an answer is to be taken."""

    WELL = "well"
    BAD = "bad"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Answer:
    """One question of triage with its answer; no `findings` where the answer comes from the incident itself."""

    question: str
    text: str
    tone: Tone
    findings: tuple[str, ...] = ()


def triage(state: IncidentState, *, graph: Graph, now: datetime) -> tuple[Answer, ...]:
    """Answer the seven questions of triage, in the order in which they are asked."""
    changes = [each.change for each in state.changes.changes] if state.changes is not None else []
    picture = picture_of(
        state.findings.values(),
        changes=changes,
        onset=state.started_at,
        graph=graph,
        now=now,
        services=state.services,
        onset_low=state.started_low,
        onset_high=state.started_high,
    )
    return (
        _affected(picture, state),
        _since(state),
        _changed(state),
        _wide(state),
        _dependencies(picture),
        _resources(picture),
        _workaround(state),
    )


def _affected(picture: Picture, state: IncidentState) -> Answer:
    question = "What is affected?"
    found = origins(picture)
    if not found:
        named = ", ".join(state.services)
        text = f"{named}, as the incident says; nothing measured shows it yet" if named else "not known yet"
        return Answer(question=question, text=text, tone=Tone.UNKNOWN)
    starts = {origin.service for origin in found}
    victims = [name for name in troubles(picture) if name not in starts]
    with_it = f"; with it {', '.join(victims[:_SHOWN])}" if victims else ""
    text = f"{'; '.join(origin.text for origin in found[:2])}{with_it}"
    return Answer(question=question, text=text, tone=Tone.BAD, findings=_cited(found[0].trouble.facts))


def _since(state: IncidentState) -> Answer:
    text = f"{since(state.started_at, state.started_low, state.started_high)} UTC"
    if state.onset is None:
        text += f", {_told_by(state)}"
    elif state.onset.first:
        text += f"; {state.onset.first}"
    return Answer(question="Since when?", text=text, tone=Tone.BAD)


def _told_by(state: IncidentState) -> str:
    if state.source == "alert":
        return "as the alert dates it"
    # A report that gives no start is dated by itself.
    return "when it was reported" if state.declared_at - state.started_at < _ITSELF else "as it was reported"


def _changed(state: IncidentState) -> Answer:
    question = "What changed?"
    if state.changes is None:
        return Answer(question=question, text="not looked at yet", tone=Tone.UNKNOWN)
    looks = [finding for finding in state.findings.values() if finding.collector == "changes"]
    told = tuple(finding.id for finding in looks)[:_SHOWN]
    if not state.changes.none_explains:
        return Answer(question=question, text=state.changes.verdict, tone=Tone.BAD, findings=told)
    # Of what nobody could look at nothing is known, so it is no comfort either.
    blind = [finding.source for finding in looks if finding.status in (FindingStatus.FAILED, FindingStatus.REFUSED)]
    but = f"; {', '.join(sorted(set(blind)))} could not be asked" if blind else ""
    tone = Tone.UNKNOWN if blind else Tone.WELL
    return Answer(question=question, text=f"{state.changes.verdict}{but}", tone=tone, findings=told)


def _wide(state: IncidentState) -> Answer:
    question = "How wide is it?"
    impact = state.impact
    if impact is None:
        return Answer(question=question, text="not measured yet", tone=Tone.UNKNOWN)
    parts = []
    if impact.total_requests:
        share = impact.failed_requests / impact.total_requests
        parts.append(f"{impact.failed_requests:,} of {impact.total_requests:,} requests failed ({percent(share)})")
    if impact.users is not None:
        parts.append(many(impact.users, "user"))
    if impact.explained:
        parts.append(impact.explained)
    if impact.revenue_per_hour:
        parts.append(f"about {impact.revenue_per_hour:,.0f} {impact.currency}".rstrip() + " an hour lost")
    elif impact.business_share:
        parts.append(f"{percent(impact.business_share)} of the business lost now")
    touched = (*impact.down, *impact.affected)
    if touched:
        parts.append(f"{many(len(touched), 'service')}: {', '.join(touched[:_SHOWN])}")
    return Answer(
        question=question, text="; ".join(parts) or "nothing measured yet", tone=Tone.BAD if parts else Tone.UNKNOWN
    )


def _dependencies(picture: Picture) -> Answer:
    question = "Are dependencies healthy?"
    # A service of ours that nobody calls is looked at from outside too, and is nobody's dependency.
    called = {callee for callees in picture.graph.depends_on.values() for callee in callees}
    looked = [
        fact
        for fact in picture.facts
        if fact.signal.name in ("dependency_error_ratio", "dependency_latency_p95_ms", "dependency_up", "status_page")
        and fact.key
        and not (fact.key in picture.graph.depends_on and fact.key not in called)
    ]
    if not looked:
        return Answer(question=question, text="nobody measures them", tone=Tone.UNKNOWN)
    bad = [fact for fact in looked if fact.raised]
    if not bad:
        names = sorted({fact.key for fact in looked})
        return Answer(question=question, text=f"yes: {', '.join(names)}", tone=Tone.WELL, findings=_cited(looked))
    text = "; ".join(_call(fact) for fact in _worst(bad))
    return Answer(question=question, text=f"no: {text}", tone=Tone.BAD, findings=_cited(bad))


def _call(fact: Fact) -> str:
    if fact.signal.name == "status_page":
        return f"the status page of {fact.key} says {fact.signal.text}"
    if fact.signal.name == "dependency_up":
        return f"{fact.key} does not answer: {fact.signal.text}" if fact.signal.text else f"{fact.key} does not answer"
    return f"{fact.service} calling {fact.key}: {compared(fact.signal)}"


def _resources(picture: Picture) -> Answer:
    question = "Are resources saturated?"
    looked = [fact for name in ("saturation", "memory_bytes", "load_per_cpu") for fact in picture.of(name)]
    if not looked:
        return Answer(question=question, text="nobody measures them", tone=Tone.UNKNOWN)
    full = [fact for fact in looked if fact.raised]
    if not full:
        fullest = max(looked, key=lambda fact: fact.value if fact.signal.name == "saturation" else 0.0)
        most = f"; fullest is {fullest.key} at {quantity(fullest.signal, fullest.value)}" if fullest.key else ""
        return Answer(question=question, text=f"no{most}", tone=Tone.WELL, findings=_cited(looked))
    text = "; ".join(f"{fact.service or 'this machine'}: {compared(fact.signal)}" for fact in _worst(full))
    return Answer(question=question, text=f"yes: {text}", tone=Tone.BAD, findings=_cited(full))


def _workaround(state: IncidentState) -> Answer:
    question = "Is there a workaround?"
    if state.impact is not None and state.impact.workaround:
        return Answer(question=question, text="yes, one is in place", tone=Tone.WELL)
    suggested = state.known_cause.mitigations if state.known_cause else ()
    found = next((_WORKAROUNDS[word] for word in suggested if word in _WORKAROUNDS), "")
    if found:
        return Answer(question=question, text=f"perhaps: {found}", tone=Tone.UNKNOWN)
    return Answer(question=question, text="none is known", tone=Tone.UNKNOWN)


def _worst(facts: Iterable[Fact]) -> list[Fact]:
    return sorted(facts, key=lambda fact: (-fact.excess, fact.service, fact.key))[:_SHOWN]


def _cited(facts: Iterable[Fact]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(fact.finding for fact in facts))[:_SHOWN]
