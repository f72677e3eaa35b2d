"""Operations on plans that a person starts: propose an action, take one back, try again, say what became of one.

What comes of each is a plan like any other: looked at, shown, with a digest of its own that somebody has to approve.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from stanch.catalog.load_acting import PLACEHOLDERS
from stanch.catalog.model import ActionSpec, Service
from stanch.catalog.reader import did_you_mean
from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import ActionState, IncidentState
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused
from stanch.mitigate.foresight import fresh_id, same_wish
from stanch.mitigate.plan import digest_of, make_plan
from stanch.mitigate.tree import expectation_of
from stanch.mitigate.undoing import undo_plan
from stanch.operations import cases
from stanch.operations.acting import ended
from stanch.operations.foreseeing import look_at
from stanch.operations.mitigation import OnePlan, action_in
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call

_ENDED: Final = frozenset({ActionState.SUCCEEDED, ActionState.FAILED, ActionState.UNKNOWN})
_RAN: Final = frozenset({ActionState.SUCCEEDED, ActionState.FAILED})


@dataclass(frozen=True, kw_only=True)
class ProposeAction:
    """An action of the catalog, by its name and service. `words` fill in what is not known, as in `previous=v3`."""

    incident: int
    action: str
    service: str
    words: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class SettleOutcome:
    """A plan whose outcome is unknown: whether it `happened`, and how that is known."""

    incident: int
    plan: str
    happened: bool
    reason: str


@operation(
    "mitigation.propose", effect=Effect.WRITE, example={"incident": 1, "action": "restart", "service": "payments"}
)
def propose(call: Call, request: ProposeAction) -> IncidentView:
    """Propose an action that is declared for a service; it runs when it is approved."""
    catalog = call.world.catalog
    with call.world.store.reading() as view:
        state = cases.load_open(view, request.incident)
    service, spec = _declared(call, request)
    top = state.known_cause
    plan = make_plan(
        state,
        catalog,
        spec,
        service=service,
        hypothesis=top,
        expectation=expectation_of(state, catalog, service.name),
        given=_given(request.words),
    )
    why = request.reason.strip() or f"proposed by {call.actor.label}"
    return _added(call, state, replace(plan, origin="person", why=why), reason=why)


@operation("mitigation.undo", effect=Effect.WRITE, example={"incident": 1, "plan": "rollback-payments"})
def undo(call: Call, request: OnePlan) -> IncidentView:
    """Propose to take back a plan that has run; the undo runs when it is approved."""
    with call.world.store.reading() as view:
        state = cases.load_open(view, request.incident)
    action = action_in(state, request.plan)
    if action.state not in _RAN:
        raise Refused(
            f"{action.plan.title} is {action.state.value}: there is nothing to take back",
            reason="not_run",
            hint=f"say first what became of it: stanch plan settle {state.key} {request.plan}"
            if action.state is ActionState.UNKNOWN
            else "",
        )
    reason = f"asked for by {call.actor.label}"
    return _added(call, state, undo_plan(state, action.plan, call.world.catalog.approvals), reason=reason)


@operation("mitigation.again", effect=Effect.WRITE, example={"incident": 1, "plan": "rollback-payments"})
def again(call: Call, request: OnePlan) -> IncidentView:
    """Propose once more what has run or may have: a new plan for the world as it is now, with a yes of its own."""
    with call.world.store.reading() as view:
        state = cases.load_open(view, request.incident)
    action = action_in(state, request.plan)
    if action.state not in _ENDED:
        raise Refused(f"{action.plan.title} is {action.state.value}", reason="not_run")
    fresh = replace(action.plan, steps=action.plan.asked or action.plan.steps, replaces=action.plan.id)
    return _added(call, state, fresh, reason=f"once more, asked for by {call.actor.label}")


@operation(
    "mitigation.settle",
    effect=Effect.WRITE,
    example={"incident": 1, "plan": "rollback-payments", "happened": True, "reason": "the pods run v3.2.0"},
)
def settle(call: Call, request: SettleOutcome) -> IncidentView:
    """Say as a person what became of a run whose outcome is unknown: it happened, or it did not."""
    if not call.actor.is_person:
        raise Forbidden(f"{call.actor.label} cannot have looked", reason="settling_needs_a_person")
    if not request.reason.strip():
        raise Invalid("say how you know", field="reason")
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        action = action_in(state, request.plan)
        if action.state is not ActionState.UNKNOWN:
            raise Refused(f"{action.plan.title} is {action.state.value}: nothing is unknown", reason="not_unknown")
        record = ev.OutcomeSettled(plan=request.plan, happened=request.happened, reason=request.reason.strip())
        stream = ev.action_stream(request.incident, request.plan)
        cases.record(tx, state.number, record, actor=call.actor, via=call.via, stream=stream)
        ended(tx, call.world, state.number, request.plan, outcome="settled")
        if request.happened and state.status is Status.MITIGATING:
            moved = ev.StatusChanged(status=Status.MONITORING, reason=f"{action.plan.title} is done")
            cases.record(tx, state.number, moved, actor=call.actor, via=call.via)
        return incident_view(tx, call.world, cases.load(tx, state.number), now=call.now)


def _added(call: Call, before: IncidentState, plan: ev.Plan, *, reason: str) -> IncidentView:
    """Look at a plan's far ends, then record it. Raises `Refused` when the same waits already."""
    (exact,) = look_at(call.world, replace(plan, id=fresh_id(plan.id, before.actions)))
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, before.number)
        for one in state.actions.values():
            if one.state is ActionState.PROPOSED and same_wish(one.plan, exact):
                raise Refused(f"{one.plan.title} is proposed already as {one.plan.id}", reason="already_proposed")
        named = replace(exact, id=fresh_id(plan.id, state.actions))
        named = replace(named, digest=digest_of(named))
        cases.record(tx, state.number, ev.PlanAdded(plan=named, reason=reason), actor=call.actor, via=call.via)
        return incident_view(tx, call.world, cases.load(tx, state.number), now=call.now)


def _declared(call: Call, request: ProposeAction) -> tuple[Service, ActionSpec]:
    services = call.world.catalog.services
    service = services.get(request.service)
    if service is None:
        near = did_you_mean(request.service, tuple(services)).lstrip("; ")
        raise NotFound(f"there is no service {request.service!r}", hint=near or "see the list: stanch service list")
    names = {one.name: one for one in service.actions}
    if request.action not in names:
        known = ", ".join(names) or "none"
        raise NotFound(f"{service.name} declares no action {request.action!r}", hint=f"its actions: {known}")
    return service, names[request.action]


def _given(words: tuple[str, ...]) -> Mapping[str, str]:
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in PLACEHOLDERS:
            known = ", ".join(PLACEHOLDERS)
            raise Invalid(f"{word!r} fills nothing: write one of {known}, with = and its value", field="words")
        found[name] = value
    return found
