"""What an incident's events add up to. `fold` is pure: the same events always give the same state."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import singledispatch

from stanch.incidents import events as ev
from stanch.incidents.model import (
    BY_HAND,
    Hypothesis,
    Impact,
    Judged,
    Judgement,
    NearestChange,
    PrimaryError,
    Role,
    SeverityRuling,
    Status,
)
from stanch.incidents.standing import (
    Action,
    ActionState,
    AddedHypothesis,
    Approval,
    AskedTest,
    AttachedAlert,
    Verification,
)
from stanch.kernel.actor import Actor, ActorKind
from stanch.kernel.event import Event
from stanch.ports.evidence import Finding

__all__ = [
    "Action",
    "ActionState",
    "AddedHypothesis",
    "Approval",
    "AskedTest",
    "AttachedAlert",
    "IncidentState",
    "Verification",
    "fold",
    "fold_all",
]


@dataclass(frozen=True, kw_only=True)
class IncidentState:
    """An incident as its log says it is. `seq` is the newest event folded in, `version` its own stream's."""

    number: int
    title: str
    summary: str
    source: str
    status: Status
    ruling: SeverityRuling
    services: tuple[str, ...]
    declared_at: datetime
    started_at: datetime
    channel: str
    seq: int
    version: int
    started_low: datetime | None = None
    started_high: datetime | None = None
    environment: str = ""
    endpoint: str = ""
    symptom: str = ""
    text: str = ""
    reading: tuple[tuple[str, str], ...] = ()
    drill: bool = False
    severity_overridden: bool = False
    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None
    resolved_at: datetime | None = None
    resolution: ev.Resolved | None = None
    roles: dict[Role, str] = field(default_factory=dict)
    alerts: dict[str, AttachedAlert] = field(default_factory=dict)
    error: PrimaryError | None = None
    change: NearestChange | None = None
    impact: Impact | None = None
    impacts: tuple[Impact, ...] = ()
    round: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    changes: ev.ChangesRanked | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    cause_known: bool = False
    diagnosis: ev.HypothesesRanked | None = None
    onset: ev.OnsetEstimated | None = None
    added: dict[str, AddedHypothesis] = field(default_factory=dict)
    judged: dict[str, Judged] = field(default_factory=dict)
    tests: dict[str, AskedTest] = field(default_factory=dict)
    proposal: ev.MitigationProposed | None = None
    actions: dict[str, Action] = field(default_factory=dict)
    runbook_checks: dict[tuple[str, int], ev.RunbookChecked] = field(default_factory=dict)
    verification: Verification | None = None
    messages: dict[str, ev.MessageOwed] = field(default_factory=dict)
    message_ends: dict[str, ev.MessageEnded] = field(default_factory=dict)
    next_update_at: datetime | None = None
    missed_targets: tuple[str, ...] = ()
    postmortem_due_at: datetime | None = None
    meeting: ev.MeetingSet | None = None
    postmortem: ev.PostmortemDrafted | None = None
    postmortem_by: Actor | None = None
    reviews: dict[str, ev.PostmortemReviewed] = field(default_factory=dict)
    published: int = 0
    automatic_stopped: str = ""

    @property
    def key(self) -> str:
        """Return the name people use, `INC-42`."""
        return f"INC-{self.number}"

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to work on it."""
        return self.status.is_open


def fold(state: IncidentState | None, event: Event) -> IncidentState | None:
    """Return the state after `event`. Events before the declaration change nothing."""
    record = ev.typed(event)
    if state is None:
        if not isinstance(record, ev.Declared):
            return None
        state = _declared(record, event)
    else:
        state = _apply(record, state, event)
    own = event.stream == ev.incident_stream(state.number)
    return replace(state, seq=event.seq, version=event.version if own else state.version)


def fold_all(events: Iterable[Event]) -> IncidentState | None:
    """Return the state that all `events` of one incident add up to; None without a declaration."""
    state: IncidentState | None = None
    for event in events:
        state = fold(state, event)
    return state


def _declared(record: ev.Declared, event: Event) -> IncidentState:
    return IncidentState(
        number=record.number,
        title=record.title,
        summary=record.summary,
        source=record.source,
        status=Status.DETECTED,
        ruling=record.ruling,
        services=record.services,
        declared_at=event.at,
        started_at=record.started_at,
        started_low=record.started_low,
        started_high=record.started_high,
        channel=record.channel,
        environment=record.environment,
        endpoint=record.endpoint,
        symptom=record.symptom,
        text=record.text,
        reading=record.reading,
        drill=record.drill,
        # A severity given by hand at the declaration stands against the rules like one given later.
        severity_overridden=record.ruling.rule == BY_HAND,
        seq=event.seq,
        version=event.version,
    )


@singledispatch
def _apply(record: ev.IncidentEvent, state: IncidentState, event: Event) -> IncidentState:
    """Return the state after one typed event; kinds without an effect on the state leave it alone."""
    return state


@_apply.register
def _(record: ev.AlertAttached, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, alerts={**state.alerts, record.alert: AttachedAlert(alert=record)})


@_apply.register
def _(record: ev.AlertEnded, state: IncidentState, event: Event) -> IncidentState:
    attached = state.alerts.get(record.alert)
    if attached is None:
        return state
    return replace(state, alerts={**state.alerts, record.alert: replace(attached, ended_at=event.at)})


@_apply.register
def _(record: ev.SymptomSeen, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, error=record.error or state.error, change=record.change or state.change)


@_apply.register
def _(record: ev.Acknowledged, state: IncidentState, event: Event) -> IncidentState:
    status = Status.ACKNOWLEDGED if state.status is Status.DETECTED else state.status
    return replace(state, status=status, acknowledged_at=event.at, acknowledged_by=event.actor)


@_apply.register
def _(record: ev.StatusChanged, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, status=record.status)


@_apply.register
def _(record: ev.SeverityChanged, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, ruling=record.ruling, severity_overridden=record.overridden)


@_apply.register
def _(record: ev.RoleAssigned, state: IncidentState, event: Event) -> IncidentState:
    roles = {role: holder for role, holder in state.roles.items() if role is not record.role}
    if record.person:
        roles[record.role] = record.person
    return replace(state, roles=roles)


@_apply.register
def _(record: ev.ImpactMeasured, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, impact=record.impact, impacts=(*state.impacts, record.impact))


@_apply.register
def _(record: ev.TargetMissed, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, missed_targets=(*state.missed_targets, record.target))


@_apply.register
def _(record: ev.InvestigationStarted, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, round=record.round)


@_apply.register
def _(record: ev.OnsetEstimated, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, onset=record, started_at=record.at, started_low=record.low, started_high=record.high)


@_apply.register
def _(record: ev.NextTestAsked, state: IncidentState, event: Event) -> IncidentState:
    asked = AskedTest(test=record, by=event.actor.label, at=event.at)
    return replace(state, tests={**state.tests, record.test: asked})


@_apply.register
def _(record: ev.NextTestEnded, state: IncidentState, event: Event) -> IncidentState:
    asked = state.tests.get(record.test)
    if asked is None:
        return state
    return replace(state, tests={**state.tests, record.test: replace(asked, ended=record)})


@_apply.register
def _(record: ev.HypothesisAdded, state: IncidentState, event: Event) -> IncidentState:
    by_program = event.actor.kind in (ActorKind.AGENT, ActorKind.INTEGRATION)
    added = AddedHypothesis(hypothesis=record, by=event.actor.label, by_person=not by_program)
    return replace(state, added={**state.added, record.hypothesis: added})


@_apply.register
def _(record: ev.HypothesisConfirmed, state: IncidentState, event: Event) -> IncidentState:
    return _with_judgement(state, event, record.hypothesis, Judgement.CONFIRMED, record.reason)


@_apply.register
def _(record: ev.HypothesisRefuted, state: IncidentState, event: Event) -> IncidentState:
    return _with_judgement(state, event, record.hypothesis, Judgement.REFUTED, record.reason)


def _with_judgement(
    state: IncidentState, event: Event, hypothesis: str, judgement: Judgement, reason: str
) -> IncidentState:
    judged = Judged(judgement=judgement, reason=reason, by=event.actor.label, at=event.at)
    # Only one can be the cause: whoever confirms another takes the first confirmation back.
    others = {
        id: one
        for id, one in state.judged.items()
        if not (judgement is Judgement.CONFIRMED and one.judgement is Judgement.CONFIRMED)
    }
    return replace(state, judged={**others, hypothesis: judged})


@_apply.register
def _(record: ev.FindingRecorded, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, findings={**state.findings, record.finding.id: record.finding})


@_apply.register
def _(record: ev.ChangesRanked, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, changes=record)


@_apply.register
def _(record: ev.HypothesesRanked, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, hypotheses=record.hypotheses, cause_known=record.known, diagnosis=record)


@_apply.register
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


@_apply.register
def _(record: ev.PlanAdded, state: IncidentState, event: Event) -> IncidentState:
    action = Action(plan=record.plan, state=ActionState.PROPOSED, proposed_seq=event.seq, proposed_at=event.at)
    return replace(state, actions={record.plan.id: action, **state.actions})


@_apply.register
def _(record: ev.RunbookChecked, state: IncidentState, event: Event) -> IncidentState:
    checks = {**state.runbook_checks, (record.runbook, record.block): record}
    return replace(state, runbook_checks=checks)


def _with_action(incident: IncidentState, event: Event, plan: str, /, **changes: object) -> IncidentState:
    action = incident.actions.get(plan)
    if action is None:
        return incident
    changed = replace(action, version=event.version, **changes)  # type: ignore[arg-type]
    return replace(incident, actions={**incident.actions, plan: changed})


@_apply.register
def _(record: ev.DryRunFinished, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, dry_run=record.output, dry_run_code=record.code)


@_apply.register
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


@_apply.register
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


@_apply.register
def _(record: ev.AutomaticStopped, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, automatic_stopped=record.reason)


@_apply.register
def _(record: ev.Rejected, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, state=ActionState.REJECTED)


@_apply.register
def _(record: ev.LookedAgain, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan.id)
    if action is None:
        return state
    same = action.plan.digest == record.plan.digest
    spent = action.spent if same else len(action.approvals)
    return _with_action(state, event, record.plan.id, plan=record.plan, spent=spent, not_run="")


@_apply.register
def _(record: ev.RunRefused, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan)
    spent = len(action.approvals) if action else 0
    became = ActionState.STALE if record.reason == "world_changed" else ActionState.PROPOSED
    return _with_action(state, event, record.plan, state=became, spent=spent, not_run=record.detail, automatic=False)


@_apply.register
def _(record: ev.OutcomeSettled, state: IncidentState, event: Event) -> IncidentState:
    became = ActionState.SUCCEEDED if record.happened else ActionState.FAILED
    action = state.actions.get(record.plan)
    spent = len(action.approvals) if action else 0
    return _with_action(state, event, record.plan, state=became, spent=spent, settled_by=event.actor.label)


@_apply.register
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


@_apply.register
def _(record: ev.RunOutput, state: IncidentState, event: Event) -> IncidentState:
    action = state.actions.get(record.plan)
    output = (*action.output, record.text) if action else ()
    return _with_action(state, event, record.plan, output=output)


@_apply.register
def _(record: ev.RunFinished, state: IncidentState, event: Event) -> IncidentState:
    outcome = ActionState.SUCCEEDED if record.code == 0 else ActionState.FAILED
    action = state.actions.get(record.plan)
    spent = len(action.approvals) if action else 0
    return _with_action(state, event, record.plan, state=outcome, ended_at=event.at, code=record.code, spent=spent)


@_apply.register
def _(record: ev.RunOutcomeUnknown, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, state=ActionState.UNKNOWN, ended_at=event.at)


@_apply.register
def _(record: ev.EffectChecked, state: IncidentState, event: Event) -> IncidentState:
    return _with_action(state, event, record.plan, verdict=record.verdict, effect=record.summary)


@_apply.register
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


@_apply.register
def _(record: ev.VerificationExtended, state: IncidentState, event: Event) -> IncidentState:
    if state.verification is None:
        return state
    longer = replace(state.verification, window_s=record.window_s, shortened=record.shortened, passed_at=None)
    return replace(state, verification=longer)


@_apply.register
def _(record: ev.VerificationRelapsed, state: IncidentState, event: Event) -> IncidentState:
    if state.verification is None:
        return state
    watched = state.verification
    return replace(
        state, verification=replace(watched, since=event.at, relapses=watched.relapses + 1, broken=True, passed_at=None)
    )


@_apply.register
def _(record: ev.VerificationPassed, state: IncidentState, event: Event) -> IncidentState:
    if state.verification is None:
        return state
    return replace(state, verification=replace(state.verification, passed_at=event.at))


@_apply.register
def _(record: ev.MessageOwed, state: IncidentState, event: Event) -> IncidentState:
    messages = {**state.messages, record.delivery: record}
    return replace(state, messages=messages, next_update_at=record.next_update_at or state.next_update_at)


@_apply.register
def _(record: ev.MessageEnded, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, message_ends={**state.message_ends, record.delivery: record})


@_apply.register
def _(record: ev.Resolved, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, status=Status.RESOLVED, resolved_at=event.at, resolution=record, next_update_at=None)


@_apply.register
def _(record: ev.Reopened, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, status=Status.INVESTIGATING, resolved_at=None, resolution=None, verification=None)


@_apply.register
def _(record: ev.Dismissed, state: IncidentState, event: Event) -> IncidentState:
    status = Status.DISMISSED if record.merged_into is None else Status.MERGED
    return replace(state, status=status, next_update_at=None)


@_apply.register
def _(record: ev.PostmortemScheduled, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, postmortem_due_at=record.due_at)


@_apply.register
def _(record: ev.MeetingSet, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, meeting=record)


@_apply.register
def _(record: ev.MeetingCalledOff, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, meeting=None)


@_apply.register
def _(record: ev.PostmortemDrafted, state: IncidentState, event: Event) -> IncidentState:
    # What was agreed with was another text.
    return replace(state, postmortem=record, postmortem_by=event.actor, reviews={})


@_apply.register
def _(record: ev.PostmortemReviewed, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, reviews={**state.reviews, event.actor.id: record})


@_apply.register
def _(record: ev.PostmortemPublished, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, published=record.revision)
