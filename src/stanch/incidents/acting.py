"""What the events about plans, runs and recovery change in what is known of an incident."""

from dataclasses import replace

from stanch.incidents import events as ev
from stanch.incidents.applying import apply
from stanch.incidents.standing import (
    Action,
    ActionState,
    Approval,
    Verification,
)
from stanch.incidents.state import IncidentState
from stanch.kernel.event import Event


@apply.register
def _(record: ev.MitigationProposed, state: IncidentState, event: Event) -> IncidentState:
    actions = dict(state.actions)
    for plan in (*((record.plan,) if record.plan else ()), *record.alternatives):
        before = actions.get(plan.id)
        # A plan that waits gives way to its newer form, with what was said yes to; what has run stays as it ran.
        if before is None or (before.state is ActionState.PROPOSED and before.plan.digest != plan.digest):
            actions[plan.id] = Action(
                plan=plan, state=ActionState.PROPOSED, proposed_seq=event.seq, proposed_at=event.at
            )
    return replace(state, proposal=record, actions=actions)


@apply.register
def _(record: ev.PlanAdded, state: IncidentState, event: Event) -> IncidentState:
    action = Action(plan=record.plan, state=ActionState.PROPOSED, proposed_seq=event.seq, proposed_at=event.at)
    return replace(state, actions={record.plan.id: action, **state.actions})


@apply.register
def _(record: ev.RunbookChecked, state: IncidentState, event: Event) -> IncidentState:
    checks = {**state.runbook_checks, (record.runbook, record.block): record}
    return replace(state, runbook_checks=checks)


def _with_action(incident: IncidentState, event: Event, plan: str, /, **changes: object) -> IncidentState:
    action = incident.actions.get(plan)
    if action is None:
        return incident
    changed = replace(action, version=event.version, **changes)  # type: ignore[arg-type]
    return replace(incident, actions={**incident.actions, plan: changed})


@apply.register
def _(record: ev.DryRunFinished, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, dry_run=record.output, dry_run_code=record.code)


@apply.register
def _(record: ev.Approved, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan)
    if action is None:
        return state
    approval = Approval(
        person=event.actor, digest=record.digest, at=event.at, expires_at=record.expires_at, needed=record.needed
    )
    said = replace(action, approvals=(*action.approvals, approval))
    # Who said yes so long ago that it holds no more is not one of those who say yes now.
    enough = len(said.agreeing(event.at)) >= said.needed
    became = ActionState.APPROVED if enough else action.state
    return _with_action(state, event, record.plan, approvals=said.approvals, state=became)


@apply.register
def _(record: ev.AutomaticDecided, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan)
    if action is None:
        return state
    return _with_action(
        state,
        event,
        record.plan,
        state=ActionState.APPROVED if record.acts else action.state,
        automatic=record.acts,
        automatic_until=record.expires_at if record.acts else None,
        decided=(record.digest, record.reason),
        decision=record.detail,
    )


@apply.register
def _(record: ev.AutomaticStopped, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, automatic_stopped=record.reason)


@apply.register
def _(record: ev.Rejected, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, state=ActionState.REJECTED)


@apply.register
def _(record: ev.LookedAgain, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan.id)
    if action is None:
        return state
    same = action.plan.digest == record.plan.digest
    spent = action.spent if same else len(action.approvals)
    return _with_action(state, event, record.plan.id, plan=record.plan, spent=spent, not_run="")


@apply.register
def _(record: ev.RunRefused, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan)
    spent = len(action.approvals) if action else 0
    became = ActionState.STALE if record.reason == "world_changed" else ActionState.PROPOSED
    return _with_action(state, event, record.plan, state=became, spent=spent, not_run=record.detail, automatic=False)


@apply.register
def _(record: ev.OutcomeSettled, state: IncidentState, event: Event) -> IncidentState:
    became = ActionState.SUCCEEDED if record.happened else ActionState.FAILED
    action = state.actions.get(record.plan)
    spent = len(action.approvals) if action else 0
    return _with_action(state, event, record.plan, state=became, spent=spent, settled_by=event.actor.label)


@apply.register
def _(record: ev.RunStarted, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(
        state,
        event,
        record.plan,
        state=ActionState.RUNNING,
        started_at=event.at,
        ended_at=None,
        output=(),
        verdict="",
        effect="",
        not_run="",
    )


@apply.register
def _(record: ev.RunOutput, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan)
    output = (*action.output, record.text) if action else ()
    return _with_action(state, event, record.plan, output=output)


@apply.register
def _(record: ev.RunFinished, state: IncidentState, event: Event) -> IncidentState:
    outcome = ActionState.SUCCEEDED if record.code == 0 else ActionState.FAILED
    action = state.actions.get(record.plan)
    spent = len(action.approvals) if action else 0
    return _with_action(state, event, record.plan, state=outcome, ended_at=event.at, code=record.code, spent=spent)


@apply.register
def _(record: ev.RunOutcomeUnknown, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, state=ActionState.UNKNOWN, ended_at=event.at)


@apply.register
def _(record: ev.EffectChecked, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, verdict=record.verdict, effect=record.summary)


@apply.register
def _(record: ev.VerificationStarted, state: IncidentState, event: Event) -> IncidentState:
    before = state.verification
    verification = Verification(
        started_at=before.started_at if before else event.at,
        relapses=before.relapses if before else 0,
        since=event.at,
        window_s=record.window_s,
        checks=record.checks,
        shortened=record.shortened,
    )
    return replace(state, verification=verification)


@apply.register
def _(record: ev.VerificationExtended, state: IncidentState, event: Event) -> IncidentState:
    if state.verification is None:
        return state
    longer = replace(state.verification, window_s=record.window_s, shortened=record.shortened, passed_at=None)
    return replace(state, verification=longer)


@apply.register
def _(record: ev.VerificationRelapsed, state: IncidentState, event: Event) -> IncidentState:
    if state.verification is None:
        return state
    watched = state.verification
    return replace(
        state, verification=replace(watched, since=event.at, relapses=watched.relapses + 1, broken=True, passed_at=None)
    )


@apply.register
def _(record: ev.VerificationPassed, state: IncidentState, event: Event) -> IncidentState:
    if state.verification is None:
        return state
    return replace(state, verification=replace(state.verification, passed_at=event.at))
