"""The decision tree (M1): recent change -> roll back; exhausted -> free or scale; dependency -> break the circuit.

The tree is configuration. It reads the ranked hypotheses and the findings and shows the path it took with the reason at
each fork. It chooses a plan and runs nothing.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from stanch.catalog.model import ActionSpec, Catalog, Service
from stanch.catalog.tree import SHIPPED_TREE, Branch
from stanch.incidents.events import Expectation, Fork, MitigationProposed, Plan
from stanch.incidents.impact import upstream_of
from stanch.incidents.model import Hypothesis, Reading
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.kernel.percentage import percent
from stanch.mitigate.forks import answer
from stanch.mitigate.phases import NOW, phases_of
from stanch.mitigate.plan import make_plan
from stanch.mitigate.verification import figure, memory_limit, named

_ALTERNATIVES: Final = 3
_LOOK_ON: Final = "investigate"
# A plan should show its effect within this time, in seconds.
_EFFECT_WITHIN_S: Final = 120.0


def propose(state: IncidentState, catalog: Catalog, *, now: datetime) -> MitigationProposed:
    """Walk the tree for the incident as it is diagnosed and return the path, the first action and the alternatives.

    The first question that is answered yes decides; when none is, the next test is what to do.
    """
    path: list[Fork] = []
    for branch in catalog.tree:
        fork = answer(branch, state, catalog)
        path.append(fork)
        if fork.answer == "yes":
            return _along(branch, state, catalog, path=tuple(path))
    return _investigate(state, catalog, path=tuple(path) if state.hypotheses else ())


def as_of_now(proposal: MitigationProposed, state: IncidentState, catalog: Catalog) -> MitigationProposed:
    """Return a proposal with its phases as the incident stands now: they name figures and times that move on."""
    meant = proposal.plan.hypothesis if proposal.plan else ""
    leading = state.known_cause
    cause = next((one for one in state.hypotheses if one.id == meant), leading)
    first = (proposal.phases.get(NOW) or (proposal.verdict,))[0]
    phases = phases_of(state, catalog, plan=proposal.plan, others=proposal.alternatives, cause=cause, first=first)
    return replace(proposal, phases=phases)


def _along(branch: Branch, state: IncidentState, catalog: Catalog, *, path: tuple[Fork, ...]) -> MitigationProposed:
    # A branch that asks for no kind of cause may be taken while none is known.
    known = state.cause_known or bool(branch.when.kinds)
    top = state.hypotheses[0] if known and state.hypotheses else None
    plans, troubles = _plans(branch, state, catalog, top)
    if not plans:
        about = top.service if top else ", ".join(state.services)
        why = "; ".join(troubles) or f"no action of {about or 'any service'} is declared for it"
        advice = (branch.advice or branch.mitigations[0].replace("_", " ")).capitalize()
        verdict = f"{advice}, by hand: {why}."
        phases = phases_of(state, catalog, plan=None, others=(), cause=top, first=verdict)
        return MitigationProposed(path=path, plan=None, alternatives=(), verdict=verdict, phases=phases)
    first, *others = plans
    alternatives = tuple(others[:_ALTERNATIVES])
    undone = "can be undone" if first.reversible else "cannot be undone"
    because = f"{top.title} ({percent(top.score)})" if top else path[-1].reason
    return MitigationProposed(
        path=path,
        plan=first,
        alternatives=alternatives,
        verdict=f"{first.title}: {because}. Risk {first.risk}, {undone}.",
        phases=phases_of(state, catalog, plan=first, others=alternatives, cause=top, first=""),
    )


def _plans(
    branch: Branch, state: IncidentState, catalog: Catalog, top: Hypothesis | None
) -> tuple[list[Plan], list[str]]:
    """Return the plans that are declared for a branch, best first, and why others cannot be made."""
    plans: list[Plan] = []
    troubles: list[str] = []
    words = _words_for(top, branch)
    expectation = expectation_of(state, catalog, top.service if top else "")
    for service in _services_near(state, catalog, top):
        for spec in _in_order(service, words):
            try:
                plans.append(make_plan(state, catalog, spec, service=service, hypothesis=top, expectation=expectation))
            except Refused as refusal:
                troubles.append(refusal.message)
    return plans, troubles


def _investigate(state: IncidentState, catalog: Catalog, *, path: tuple[Fork, ...]) -> MitigationProposed:
    test = state.diagnosis.next_test if state.diagnosis else ""
    step = f"{test}: stanch hypothesis test {state.key}" if test else "Go on investigating: no cause stands out yet"
    return MitigationProposed(
        path=path,
        plan=None,
        alternatives=(),
        verdict=f"Go on investigating. {test}".strip(),
        phases=phases_of(state, catalog, plan=None, others=(), cause=None, first=step),
    )


def _words_for(top: Hypothesis | None, branch: Branch) -> tuple[str, ...]:
    """Return the mitigations that the hypothesis suggests, best first; those of its branch where it names none.

    Only these: what helps against one cause of a branch can do harm against another, a roll-back of the code after
    a migration for one. A tree that is configured narrows them down to its own, in its order.
    """
    suggested = tuple(word for word in top.mitigations if word != _LOOK_ON) if top else ()
    if branch not in SHIPPED_TREE and suggested:
        return tuple(word for word in branch.mitigations if word in suggested) or branch.mitigations
    return suggested or branch.mitigations


def _services_near(state: IncidentState, catalog: Catalog, top: Hypothesis | None) -> tuple[Service, ...]:
    """Return the hypothesis's own service first, then those that call it: they can break the circuit to it."""
    if top is None:
        names = state.services
    else:
        names = (top.service, *upstream_of(catalog, (top.service,))) if top.service else tuple(catalog.services)
    return tuple(catalog.services[name] for name in names if name in catalog.services)


def _in_order(service: Service, words: tuple[str, ...]) -> list[ActionSpec]:
    ranked = [spec for spec in service.actions if spec.mitigation in words]
    return sorted(ranked, key=lambda spec: words.index(spec.mitigation))


def expectation_of(state: IncidentState, catalog: Catalog, service: str) -> Expectation | None:
    """Return what must get better: the reading that raised the incident, back inside the band of its baseline."""
    readings = [one.alert.reading for one in state.alerts.values() if one.alert.reading]
    if not readings:
        return None
    own = [reading for reading in readings if reading.service == service]
    reading = (own or readings)[0]
    if reading.metric == "up":
        return Expectation(
            service=reading.service,
            metric="up",
            above=0.5,
            within_s=_EFFECT_WITHIN_S,
            describe=f"{reading.service} answers its health check again",
        )
    limit = _back_to_normal(reading, catalog)
    said = f"{named(reading.service, reading.metric)} below {figure(reading.metric, limit)}"
    return Expectation(
        service=reading.service,
        metric=reading.metric,
        below=limit,
        within_s=_EFFECT_WITHIN_S,
        describe=f"{said} within {_EFFECT_WITHIN_S:.0f} s",
    )


def _back_to_normal(reading: Reading, catalog: Catalog) -> float:
    metric, limits = reading.metric, catalog.thresholds
    if metric == "memory_bytes":
        return memory_limit(reading)
    shipped = {
        "error_ratio": limits.error_ratio,
        "dependency_error_ratio": limits.error_ratio,
        "latency_p95_ms": limits.latency_p95_ms,
        "dependency_latency_p95_ms": limits.latency_p95_ms,
        "saturation": limits.saturation,
        "restarts": 1.0,
    }
    return max(shipped.get(metric, 0.0), reading.high or 0.0)
