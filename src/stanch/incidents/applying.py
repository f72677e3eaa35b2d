"""What each event changes in what is known of an incident; those about plans and recovery are in `acting`."""

from dataclasses import replace
from functools import singledispatch

from stanch.incidents import events as ev
from stanch.incidents.model import (
    Judged,
    Judgement,
    Status,
)
from stanch.incidents.standing import (
    AddedHypothesis,
    AskedTest,
    AttachedAlert,
)
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import ActorKind
from stanch.kernel.event import Event


@singledispatch
def apply(record: ev.IncidentEvent, state: IncidentState, event: Event) -> IncidentState:
    """Return the state after one typed event; kinds without an effect on the state leave it alone."""
    return state


@apply.register
def _(record: ev.AlertAttached, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, alerts={**state.alerts, record.alert: AttachedAlert(alert=record)})


@apply.register
def _(record: ev.AlertEnded, state: IncidentState, event: Event) -> IncidentState:
    attached = state.alerts.get(record.alert)
    if attached is None:
        return state
    return replace(state, alerts={**state.alerts, record.alert: replace(attached, ended_at=event.at)})


@apply.register
def _(record: ev.SymptomSeen, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, error=record.error or state.error, change=record.change or state.change)


@apply.register
def _(record: ev.Acknowledged, state: IncidentState, event: Event) -> IncidentState:
    status = Status.ACKNOWLEDGED if state.status is Status.DETECTED else state.status
    return replace(state, status=status, acknowledged_at=event.at, acknowledged_by=event.actor)


@apply.register
def _(record: ev.StatusChanged, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, status=record.status)


@apply.register
def _(record: ev.SeverityChanged, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, ruling=record.ruling, severity_overridden=record.overridden)


@apply.register
def _(record: ev.RoleAssigned, state: IncidentState, event: Event) -> IncidentState:
    roles = {role: holder for role, holder in state.roles.items() if role is not record.role}
    if record.person:
        roles[record.role] = record.person
    return replace(state, roles=roles)


@apply.register
def _(record: ev.ImpactMeasured, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, impact=record.impact, impacts=(*state.impacts, record.impact))


@apply.register
def _(record: ev.TargetMissed, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, missed_targets=(*state.missed_targets, record.target))


@apply.register
def _(record: ev.InvestigationStarted, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, round=record.round)


@apply.register
def _(record: ev.OnsetEstimated, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, onset=record, started_at=record.at, started_low=record.low, started_high=record.high)


@apply.register
def _(record: ev.NextTestAsked, state: IncidentState, event: Event) -> IncidentState:
    asked = AskedTest(test=record, by=event.actor.label, at=event.at)
    return replace(state, tests={**state.tests, record.test: asked})


@apply.register
def _(record: ev.NextTestEnded, state: IncidentState, event: Event) -> IncidentState:
    asked = state.tests.get(record.test)
    if asked is None:
        return state
    return replace(state, tests={**state.tests, record.test: replace(asked, ended=record)})


@apply.register
def _(record: ev.HypothesisAdded, state: IncidentState, event: Event) -> IncidentState:
    by_program = event.actor.kind in (ActorKind.AGENT, ActorKind.INTEGRATION)
    added = AddedHypothesis(hypothesis=record, by=event.actor.label, by_person=not by_program)
    return replace(state, added={**state.added, record.hypothesis: added})


@apply.register
def _(record: ev.HypothesisConfirmed, state: IncidentState, event: Event) -> IncidentState:
    return _with_judgement(state, event, record.hypothesis, Judgement.CONFIRMED, record.reason)


@apply.register
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


@apply.register
def _(record: ev.FindingRecorded, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, findings={**state.findings, record.finding.id: record.finding})


@apply.register
def _(record: ev.ChangesRanked, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, changes=record)


@apply.register
def _(record: ev.HypothesesRanked, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, hypotheses=record.hypotheses, cause_known=record.known, diagnosis=record)


@apply.register
def _(record: ev.MessageOwed, state: IncidentState, event: Event) -> IncidentState:
    messages = {**state.messages, record.delivery: record}
    return replace(state, messages=messages, next_update_at=record.next_update_at or state.next_update_at)


@apply.register
def _(record: ev.MessageEnded, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, message_ends={**state.message_ends, record.delivery: record})


@apply.register
def _(record: ev.Resolved, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, status=Status.RESOLVED, resolved_at=event.at, resolution=record, next_update_at=None)


@apply.register
def _(record: ev.Reopened, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, status=Status.INVESTIGATING, resolved_at=None, resolution=None, verification=None)


@apply.register
def _(record: ev.Dismissed, state: IncidentState, event: Event) -> IncidentState:
    status = Status.DISMISSED if record.merged_into is None else Status.MERGED
    return replace(state, status=status, next_update_at=None)


@apply.register
def _(record: ev.PostmortemScheduled, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, postmortem_due_at=record.due_at)


@apply.register
def _(record: ev.MeetingSet, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, meeting=record)


@apply.register
def _(record: ev.MeetingCalledOff, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, meeting=None)


@apply.register
def _(record: ev.PostmortemDrafted, state: IncidentState, event: Event) -> IncidentState:
    # What was agreed with was another text.
    return replace(state, postmortem=record, postmortem_by=event.actor, reviews={})


@apply.register
def _(record: ev.PostmortemReviewed, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, reviews={**state.reviews, event.actor.id: record})


@apply.register
def _(record: ev.PostmortemPublished, state: IncidentState, event: Event) -> IncidentState:
    return replace(state, published=record.revision)
