"""The decision tree (M1): recent change -> roll back; exhausted -> free or scale; dependency -> break the circuit.

It reads the ranked hypotheses and shows the path it took. It chooses a plan and runs nothing.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.catalog.model import ActionSpec, Catalog, Service
from stanch.incidents.events import Expectation, Fork, MitigationProposed, Plan
from stanch.incidents.impact import upstream_of
from stanch.incidents.model import Hypothesis, Reading
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.mitigate.plan import make_plan
from stanch.mitigate.verification import figure, memory_limit, named

# The most likely hypothesis must stand at least this high for its mitigation to be proposed first.
PROPOSE_FROM: Final = 0.5
_ALTERNATIVES: Final = 3
_LOOK_ON: Final = "investigate"
# A plan should show its effect within this time, in seconds.
_EFFECT_WITHIN_S: Final = 120.0


@dataclass(frozen=True, kw_only=True)
class Branch:
    """One question: yes when the leading hypothesis is of one of `kinds`; then these mitigations, best first."""

    question: str
    kinds: frozenset[str]
    mitigations: tuple[str, ...]
    advice: str


SHIPPED_TREE: Final[tuple[Branch, ...]] = (
    Branch(
        question="Did a recent deploy or change cause it?",
        kinds=frozenset({"bad_deploy", "bad_config", "flag_change", "migration"}),
        mitigations=("rollback", "rollback_config", "flag_off", "rollback_migration", "revert"),
        advice="undo the change",
    ),
    Branch(
        question="Is a resource exhausted?",
        kinds=frozenset(
            {
                "connection_leak",
                "connection_pool_exhausted",
                "memory_leak",
                "resource_exhausted",
                "traffic_spike",
                "crash_loop_bug",
            }
        ),
        mitigations=("restart", "scale_up"),
        advice="free it or add to it",
    ),
    Branch(
        question="Is a dependency failing?",
        kinds=frozenset({"dependency_slow", "dependency_down", "third_party_outage", "network"}),
        mitigations=("circuit_breaker", "failover"),
        advice="stop waiting for it",
    ),
    Branch(
        question="Is the database overloaded?",
        kinds=frozenset({"slow_query", "lock_contention", "missing_index"}),
        mitigations=("kill_queries", "rollback_migration", "read_replica", "scale_up"),
        advice="take load off it",
    ),
)

_PHASES: Final[dict[str, tuple[str, ...]]] = {
    "next 30 minutes": ("Watch the recovery until it is verified", "Read the evidence for and against the cause"),
    "2-4 hours": ("Write and review a proper fix with a test for the case that failed", "Deploy it gradually"),
    "after resolution": ("Review the post-mortem", "Give every action item an owner and a date"),
}


def propose(state: IncidentState, catalog: Catalog, *, now: datetime) -> MitigationProposed:
    """Walk the tree for the incident as it is diagnosed and return the path, the first action and the alternatives."""
    if not state.cause_known or not state.hypotheses:
        return _investigate(state, path=())
    top = state.hypotheses[0]
    path: list[Fork] = []
    for branch in SHIPPED_TREE:
        yes = top.kind in branch.kinds and top.score >= PROPOSE_FROM
        path.append(_fork(branch, top, yes=yes))
        if yes:
            return _along(branch, state, catalog, top, path=tuple(path))
    return _investigate(state, path=tuple(path))


def _along(
    branch: Branch, state: IncidentState, catalog: Catalog, top: Hypothesis, *, path: tuple[Fork, ...]
) -> MitigationProposed:
    plans: list[Plan] = []
    troubles: list[str] = []
    words = _words_for(top, branch)
    for service in _services_near(catalog, top):
        for spec in _in_order(service, words):
            try:
                plans.append(
                    make_plan(
                        state,
                        catalog,
                        spec,
                        service=service,
                        hypothesis=top,
                        expectation=_expectation(state, catalog, top),
                    )
                )
            except Refused as refusal:
                troubles.append(refusal.message)
    if not plans:
        why = "; ".join(troubles) or f"no action of {top.service or 'any service'} is declared for it"
        verdict = f"{branch.advice.capitalize()}, by hand: {why}."
        return MitigationProposed(path=path, plan=None, alternatives=(), verdict=verdict, phases=_phases((verdict,)))
    first, *others = plans
    undone = "can be undone" if first.reversible else "cannot be undone"
    verdict = f"{first.title}: {top.title} ({top.score:.0%}). Risk {first.risk}, {undone}."
    now_steps = (first.title, "Check that the error rate returns to normal")
    return MitigationProposed(
        path=path, plan=first, alternatives=tuple(others[:_ALTERNATIVES]), verdict=verdict, phases=_phases(now_steps)
    )


def _investigate(state: IncidentState, *, path: tuple[Fork, ...]) -> MitigationProposed:
    test = state.diagnosis.next_test if state.diagnosis else ""
    step = test or "Go on investigating: no cause stands out yet"
    return MitigationProposed(
        path=path, plan=None, alternatives=(), verdict=f"Go on investigating. {test}".strip(), phases=_phases((step,))
    )


def _fork(branch: Branch, top: Hypothesis, *, yes: bool) -> Fork:
    if yes:
        reason = f"{top.title} stands at {top.score:.0%}"
        return Fork(
            question=branch.question,
            answer="yes",
            reason=reason,
            findings=tuple(citation.finding for citation in top.evidence_for),
        )
    return Fork(question=branch.question, answer="no", reason="the leading hypothesis is of another kind")


def _words_for(top: Hypothesis, branch: Branch) -> tuple[str, ...]:
    """Return the mitigations that the hypothesis suggests, best first; those of its branch where it names none.

    Only these: what helps against one cause of a branch can do harm against another, a roll-back of the code after
    a migration for one.
    """
    return tuple(word for word in top.mitigations if word != _LOOK_ON) or branch.mitigations


def _services_near(catalog: Catalog, top: Hypothesis) -> tuple[Service, ...]:
    """Return the hypothesis's own service first, then those that call it: they can break the circuit to it."""
    names = (top.service, *upstream_of(catalog, (top.service,))) if top.service else tuple(catalog.services)
    return tuple(catalog.services[name] for name in names if name in catalog.services)


def _in_order(service: Service, words: tuple[str, ...]) -> list[ActionSpec]:
    ranked = [spec for spec in service.actions if spec.mitigation in words]
    return sorted(ranked, key=lambda spec: words.index(spec.mitigation))


def _expectation(state: IncidentState, catalog: Catalog, top: Hypothesis) -> Expectation | None:
    """Return what must get better: the reading that raised the incident, back inside the band of its baseline."""
    readings = [one.alert.reading for one in state.alerts.values() if one.alert.reading]
    if not readings:
        return None
    own = [reading for reading in readings if reading.service == top.service]
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


def _phases(now_steps: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    return {"now": now_steps, **_PHASES}
