"""How one question of the decision tree is answered for an incident, with the reason and the findings. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from stanch.catalog.model import Catalog, Service
from stanch.catalog.tree import Branch, When
from stanch.incidents.events import Fork
from stanch.incidents.model import Hypothesis
from stanch.incidents.state import IncidentState
from stanch.kernel.percentage import percent
from stanch.ports.evidence import Finding, FindingStatus

_MOST_CITED: Final = 4
# What causes that ask for the same must come to together: more than one cause alone, as nobody knows which it is.
_TOGETHER: Final = 0.8

Answer = tuple[bool, str, tuple[str, ...]]
"""Whether it holds, why, and the findings that say so."""


def answer(branch: Branch, state: IncidentState, catalog: Catalog) -> Fork:
    """Return how `branch` is answered: every condition that is given must hold; the first that does not is the reason.

    A yes cites the findings that speak for it, a no those that speak for something else.
    """
    answers = list(_conditions(branch.when, state, catalog))
    failed = next((one for one in answers if not one[0]), None)
    if failed is not None:
        return Fork(question=branch.question, answer="no", reason=failed[1], findings=failed[2][:_MOST_CITED])
    cited = tuple(dict.fromkeys(finding for _, _, findings in answers for finding in findings))
    reason = "; ".join(why for _, why, _ in answers) or "it asks for nothing"
    return Fork(
        question=branch.question, answer="yes" if answers else "no", reason=reason, findings=cited[:_MOST_CITED]
    )


def _conditions(when: When, state: IncidentState, catalog: Catalog) -> Iterable[Answer]:
    top = state.hypotheses[0] if state.hypotheses else None
    if when.kinds:
        yield _kind(when, state, top)
    service = catalog.services.get(top.service if top and top.service else next(iter(state.services), ""))
    if when.services or when.teams or when.environments or when.tier is not None:
        yield _about(when, service)
    if when.words:
        yield _words(when, state)
    if when.signals:
        yield _signals(when, state)


def _kind(when: When, state: IncidentState, top: Hypothesis | None) -> Answer:
    if top is None:
        return False, "no cause is ranked yet", ()
    against = tuple(citation.finding for citation in top.evidence_for)
    together = alike(state)
    total = sum(one.score for one in together)
    if not state.cause_known and len(together) > 1 and top.kind in when.kinds and total >= max(when.score, _TOGETHER):
        names = " or ".join(f"{one.title} ({percent(one.score)})" for one in together)
        return True, f"{names}: whichever it is, the same helps, and together they stand at {percent(total)}", against
    if not state.cause_known:
        nearest = _nearest(when, state)
        return False, f"no cause stands out: {nearest}", ()
    stands = f"{top.title} stands at {percent(top.score)}"
    if top.kind not in when.kinds:
        return False, f"{stands}; {_nearest(when, state)}", against
    if top.score < when.score:
        return False, f"{stands}, and {percent(when.score)} is asked for", against
    return True, stands, against


def alike(state: IncidentState) -> tuple[Hypothesis, ...]:
    """Return the leading cause with those right behind it that blame the same and ask for the same first.

    That a far end is down and that its owner has an outage cannot be told apart from here, and need not be: what is
    done first is the same. Causes that blame different changes are never alike, for each asks to take back its own.
    """
    if not state.hypotheses:
        return ()
    top = state.hypotheses[0]
    found = [top]
    for one in state.hypotheses[1:]:
        if (one.service, one.target, one.change, one.mitigations[:1]) != (
            top.service,
            top.target,
            top.change,
            top.mitigations[:1],
        ):
            break
        found.append(one)
    return tuple(found) if top.mitigations[:1] not in ((), ("investigate",)) else (top,)


def _nearest(when: When, state: IncidentState) -> str:
    """Say how likely the likeliest cause of the wanted kinds is."""
    fitting = [one for one in state.hypotheses if one.kind in when.kinds]
    if not fitting:
        return "nothing of this kind was found"
    best = max(fitting, key=lambda one: one.score)
    return f"{best.title} is at {percent(best.score)}"


def _about(when: When, service: Service | None) -> Answer:
    if service is None:
        return False, "it is not known which service it is about", ()
    wanted: list[tuple[str, str, bool]] = []
    if when.services:
        wanted.append((f"it is about {service.name}", f"not {_or(when.services)}", service.name in when.services))
    if when.teams:
        owner = f"{service.name} is {service.team or 'nobody'}'s"
        wanted.append((owner, f"not {_or(when.teams)}'s", service.team in when.teams))
    if when.environments:
        where = f"{service.name} runs in {service.environment or 'no environment'}"
        wanted.append((where, f"not in {_or(when.environments)}", service.environment in when.environments))
    if when.tier is not None:
        tier = f"{service.name} is of tier {service.tier}"
        wanted.append((tier, f"not of tier {when.tier} or more critical", service.tier <= when.tier))
    for fact, otherwise, holds in wanted:
        if not holds:
            return False, f"{fact}, {otherwise}", ()
    return True, ", ".join(fact for fact, _, _ in wanted), ()


def _words(when: When, state: IncidentState) -> Answer:
    texts = [(one.id, one.summary) for one in _seen(state)]
    if state.error is not None:
        texts.append(("", f"{state.error.title} {state.error.culprit}"))
    for word in when.words:
        looked_for = re.compile(re.escape(word), re.IGNORECASE)
        for id, text in texts:
            if looked_for.search(text):
                return True, f"{word!r} stands in {id or 'the error'}", (id,) if id else ()
    return False, f"nothing says {_or(repr(word) for word in when.words)}", ()


def _signals(when: When, state: IncidentState) -> Answer:
    for finding in _seen(state):
        for signal in finding.signals:
            if signal.name in when.signals:
                return True, f"{finding.collector} found {signal.name.replace('_', ' ')}", (finding.id,)
    return False, f"no finding holds {_or(when.signals)}", ()


def _seen(state: IncidentState) -> Iterable[Finding]:
    return [one for one in state.findings.values() if one.status is FindingStatus.OK]


def _or(names: Iterable[str]) -> str:
    return " or ".join(names)
