"""Operations on plans: try without effect, approve, reject."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from stanch.kernel.redaction import redact
from stanch.mitigate.approval import approve
from stanch.mitigate.foresight import what_changed
from stanch.mitigate.plan import digest_of
from stanch.operations import cases
from stanch.operations.foreseeing import can_be_looked_at, look_at
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call
from stanch.ports.actuator import Step, StepResult
from stanch.store.model import Timer

_MOST_OUTPUT: Final = 64 * 1024


@dataclass(frozen=True, kw_only=True)
class OnePlan:
    """One plan of one incident."""

    incident: int
    plan: str


@dataclass(frozen=True, kw_only=True)
class ApprovePlan:
    """A plan with the digest that was shown: the yes is for that, and for nothing the plan has become since."""

    incident: int
    plan: str
    digest: str


@dataclass(frozen=True, kw_only=True)
class RejectPlan:
    """A plan, and why not."""

    incident: int
    plan: str
    reason: str


@operation("mitigation.dry_run", effect=Effect.WRITE, example={"incident": 1, "plan": "rollback-payments"})
def dry_run(call: Call, request: OnePlan) -> IncidentView:
    """Try a plan without effect, and record what it would do."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
    action = action_in(state, request.plan)
    if can_be_looked_at(call.world, action.plan):
        code, output = _foreseen(call, action.plan)
    elif action.plan.dry_run:
        code, output = _try(call, action.plan.dry_run)
    else:
        raise Refused(f"{action.plan.title} declares no dry run", reason="no_dry_run")
    with call.world.store.writing() as tx:
        cases.load_open(tx, request.incident)
        # As of a run, the first 64 KiB, without secrets: it is kept for ever.
        record = ev.DryRunFinished(plan=request.plan, code=code, output=redact(output[:_MOST_OUTPUT]))
        stream = ev.action_stream(request.incident, request.plan)
        cases.record(tx, request.incident, record, actor=call.actor, via=call.via, stream=stream)
        return incident_view(tx, call.world, cases.load(tx, request.incident), now=call.now)


@operation(
    "mitigation.approve",
    effect=Effect.APPROVE,
    example={"incident": 1, "plan": "rollback-payments", "digest": "0" * 64},
)
def approve_plan(call: Call, request: ApprovePlan) -> IncidentView:
    """Approve a plan as a person, bound to what was shown; when enough have, it runs."""
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        action = action_in(state, request.plan)
        record = approve(
            state, action, actor=call.actor, digest=request.digest, now=call.now, catalog=call.world.catalog
        )
        stream = ev.action_stream(request.incident, request.plan)
        cases.record(tx, request.incident, record, actor=call.actor, via=call.via, stream=stream)
        state = cases.load(tx, request.incident)
        if state.actions[request.plan].state is ActionState.APPROVED:
            tx.schedule(
                Timer(
                    id=f"inc{request.incident}/run/{request.plan}",
                    kind="run",
                    due_at=call.now,
                    incident=request.incident,
                    data={"plan": request.plan},
                )
            )
        return incident_view(tx, call.world, state, now=call.now)


@operation(
    "mitigation.reject",
    effect=Effect.WRITE,
    example={"incident": 1, "plan": "rollback-payments", "reason": "a fix is on its way"},
)
def reject(call: Call, request: RejectPlan) -> IncidentView:
    """Say no to a plan, with the reason. A person does: an agent that could say no could wear a yes out."""
    if not call.actor.is_person:
        raise Forbidden(
            f"{call.actor.label} may propose but not reject",
            reason="rejecting_needs_a_person",
            hint="write what speaks against it in a note",
        )
    if not request.reason.strip():
        raise Invalid("say why not", field="reason")
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        action = action_in(state, request.plan)
        if action.state is not ActionState.PROPOSED:
            raise Refused(f"{action.plan.title} is {action.state.value}", reason="not_waiting")
        record = ev.Rejected(plan=request.plan, reason=request.reason.strip())
        stream = ev.action_stream(request.incident, request.plan)
        cases.record(tx, request.incident, record, actor=call.actor, via=call.via, stream=stream)
        return incident_view(tx, call.world, cases.load(tx, request.incident), now=call.now)


@operation("mitigation.look", effect=Effect.WRITE, example={"incident": 1, "plan": "rollback-payments"})
def look(call: Call, request: OnePlan) -> IncidentView:
    """Look at a plan's far ends again: it becomes what it would be now, and loses its approvals if that changed."""
    with call.world.store.reading() as view:
        before = action_in(cases.load(view, request.incident), request.plan)
    if not can_be_looked_at(call.world, before.plan):
        raise Refused(f"nothing in {before.plan.title!r} can be looked at beforehand", reason="no_look")
    (exact,) = look_at(call.world, before.plan)
    with call.world.store.writing() as tx:
        action = action_in(cases.load_open(tx, request.incident), request.plan)
        if action.state is not ActionState.PROPOSED:
            raise Refused(f"{action.plan.title} is {action.state.value}", reason="not_waiting")
        if action.plan.digest != before.plan.digest:
            raise Conflict("the plan was changed in the meantime", hint="read it again")
        stream = ev.action_stream(request.incident, request.plan)
        cases.record(tx, request.incident, ev.LookedAgain(plan=exact), actor=call.actor, via=call.via, stream=stream)
        return incident_view(tx, call.world, cases.load(tx, request.incident), now=call.now)


def _foreseen(call: Call, plan: ev.Plan) -> tuple[int, str]:
    """Return code and text of a dry run at the far ends: what would be done, and whether it is what was shown."""
    (now,) = look_at(call.world, plan)
    changed = "" if now.unseen else what_changed(plan, now)
    lines = [
        *now.preview,
        *(f"warning: {one}" for one in now.warnings),
        *([f"it has changed since: {changed}; look again: stanch plan look"] if changed else []),
        *([f"it may not be done: {now.refusal}"] if now.refusal else []),
        *([f"could not be looked at: {now.unseen}"] if now.unseen else []),
    ]
    return (1 if changed or now.refusal or now.unseen else 0), "\n".join(lines)


def action_in(state: IncidentState, plan: str) -> Action:
    """Return a plan and what became of it. Raises `NotFound` naming those there are."""
    action = state.actions.get(plan)
    if action is None:
        known = ", ".join(state.actions) or "none"
        raise NotFound(f"{state.key} has no plan {plan!r}", hint=f"its plans: {known}")
    if digest_of(action.plan) != action.plan.digest:
        raise Refused(f"the digest of {plan} does not fit the plan", reason="digest_mismatch")
    return action


def _try(call: Call, steps: tuple[Step, ...]) -> tuple[int, str]:
    lines: list[str] = []
    emit: Callable[[str], None] = lines.append
    for step in steps:
        actuator = call.world.actuators.get(step.actuator)
        if actuator is None:
            raise Refused(f"there is no actuator {step.actuator!r}", reason="no_actuator")
        problems = actuator.problems(step)
        if problems:
            return 1, "\n".join(problems)
        result: StepResult = actuator.run(step, emit=emit)
        if result.code:
            return result.code, "\n".join(lines)
    return 0, "\n".join(lines)
