"""Puts an incident together for those who look at it: the view, the time line, the series."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import PurePath

from stanch.alerts.series import Series, read_series
from stanch.diagnose.model import graph_of
from stanch.diagnose.triage import triage
from stanch.incidents import events as ev
from stanch.incidents.checklist import checklist
from stanch.incidents.clocks import TEAM, response_clocks
from stanch.incidents.looking import next_commands
from stanch.incidents.model import Role
from stanch.incidents.quantities import since
from stanch.incidents.roles import TITLES, duty_now
from stanch.incidents.state import IncidentState
from stanch.incidents.telling import tell
from stanch.kernel.event import Event
from stanch.mitigate.tree import as_of_now
from stanch.operations.analyses import analyses_of
from stanch.operations.deciding import plan_step, proposable
from stanch.operations.links import links_of
from stanch.operations.next_tests import next_tests
from stanch.operations.overview import card_of_state
from stanch.operations.recovering import progress_of
from stanch.operations.views import (
    IncidentView,
    MessageCard,
    NextStep,
    PostmortemCard,
    RoleCard,
    SeriesView,
    SeverityCard,
    TimelineEntry,
)
from stanch.operations.world import World
from stanch.store import Transaction

_UNITS = {"error_ratio": "ratio", "latency_p95_ms": "ms", "saturation": "ratio", "request_rate": "1/s"}
_SHOWN = ("error_ratio", "latency_p95_ms")
_BEFORE = timedelta(minutes=15)
# A late entry is one that was learnt at least this long after it happened.
_LATE = timedelta(seconds=30)


def incident_view(tx: Transaction, world: World, state: IncidentState, *, now: datetime) -> IncidentView:
    """Return everything the incident's page shows, as of `now`."""
    acknowledged_by = state.acknowledged_by.label if state.acknowledged_by else ""
    resolution = state.resolution
    return IncidentView(
        card=card_of_state(state, world, now=now),
        summary=state.summary,
        source=state.source,
        text=state.text,
        endpoint=state.endpoint,
        symptom=state.symptom,
        reading=state.reading,
        channel=state.channel,
        severity=SeverityCard(
            label=state.ruling.severity.label,
            rule=state.ruling.rule,
            reason=state.ruling.reason,
            overridden=state.severity_overridden,
            team=TEAM[state.ruling.severity],
        ),
        started_low=state.started_low,
        started_high=state.started_high,
        acknowledged_at=state.acknowledged_at,
        acknowledged_by=acknowledged_by,
        duration_s=((state.resolved_at or now) - state.started_at).total_seconds(),
        drill=state.drill,
        seq=state.seq,
        roles=_roles(state),
        checklist=checklist(state),
        clocks=response_clocks(state, now=now),
        next_update_at=state.next_update_at,
        impact=state.impact,
        readings=tuple(one.alert.reading for one in state.alerts.values() if one.alert.reading),
        changes=state.changes.changes if state.changes else (),
        changes_verdict=state.changes.verdict if state.changes else "",
        hypotheses=state.hypotheses,
        cause_known=state.cause_known,
        diagnosis=state.diagnosis.verdict if state.diagnosis else "",
        next_test=state.diagnosis.next_test if state.diagnosis else "",
        findings=tuple(one for one in state.findings.values() if one.id.startswith((f"f{state.round}-", "t"))),
        proposal=as_of_now(state.proposal, state, world.catalog) if state.proposal else None,
        actions=tuple(sorted(state.actions.values(), key=lambda action: action.proposed_seq)),
        effect=_effect(state),
        progress=progress_of(tx, world, state, now=now),
        messages=_messages(state),
        postmortem=_postmortem(state, world),
        next_step=next_step(state),
        triage=triage(state, graph=graph_of(world.catalog), now=state.resolved_at or now),
        tests=next_tests(state, world),
        links=links_of(state, world, now=now),
        onset=since(state.started_at, state.started_low, state.started_high),
        commands=next_commands(
            state,
            folder=world.catalog.root,
            repositories={
                name: str(PurePath(world.catalog.root, one.repository))
                for name, one in world.catalog.services.items()
                if one.repository
            },
        ),
        cause=resolution.cause if resolution else "",
        mitigation=resolution.mitigation if resolution else "",
        forced=resolution.reason if resolution else "",
        proposable=proposable(state, world.catalog) if state.is_open else (),
        analyses=analyses_of(tx, world, state),
    )


def timeline(events: Sequence[Event], world: World) -> tuple[TimelineEntry, ...]:
    """Return events as entries of the time line, in the order in which things happened."""
    entries = []
    for event in events:
        told = tell(ev.typed(event))
        entries.append(
            TimelineEntry(
                seq=event.seq,
                at=event.at,
                recorded_at=event.recorded_at,
                kind=event.kind,
                title=told.title,
                text=told.text,
                tone=told.tone,
                actor=event.actor.label,
                via=event.via.value,
                late=event.recorded_at - event.at > _LATE,
                url=f"{world.url}/i/{event.incident}#e-{event.seq}",
            )
        )
    return tuple(sorted(entries, key=lambda entry: (entry.at, entry.seq)))


def next_step(state: IncidentState) -> NextStep | None:
    """Return the one thing to do next, None when there is nothing for a person to do but wait."""
    number = {"incident": str(state.number)}
    if not state.is_open:
        if state.postmortem and not state.published:
            return NextStep(
                operation="postmortem.publish",
                title="Read and publish the post-mortem",
                command=f"stanch postmortem show {state.key}",
                arguments=number,
            )
        return None
    if state.acknowledged_at is None:
        return NextStep(
            operation="incident.acknowledge",
            title="Acknowledge",
            command=f"stanch ack {state.key}",
            arguments=number,
        )
    if state.verification and state.verification.passed_at:
        return NextStep(
            operation="incident.resolve", title="Resolve", command=f"stanch resolve {state.key}", arguments=number
        )
    return plan_step(state)


def series_of(tx: Transaction, state: IncidentState, *, now: datetime) -> tuple[SeriesView, ...]:
    """Return error rate and latency of the incident's services from before its start until its end."""
    start, end = state.started_at - _BEFORE, state.resolved_at or now
    services = dict.fromkeys(
        (
            *state.services,
            *(state.impact.down if state.impact else ()),
            *(state.impact.affected if state.impact else ()),
        )
    )
    views = []
    for service in services:
        for metric in _SHOWN:
            found = read_series(tx.connection, service=service, metric=metric, start=start, end=end)
            if len(found.times) >= 2:
                views.append(_series_view(found, state))
    return tuple(views)


def _series_view(found: Series, state: IncidentState) -> SeriesView:
    onset = state.started_at.timestamp()
    before = sorted(value for at, value in zip(found.times, found.values, strict=True) if at < onset)
    marks = [(onset, "start"), (state.declared_at.timestamp(), "declared")]
    marks += [
        (action.started_at.timestamp(), action.plan.title) for action in state.actions.values() if action.started_at
    ]
    if state.resolved_at:
        marks.append((state.resolved_at.timestamp(), "resolved"))
    return SeriesView(
        service=found.service,
        metric=found.metric,
        unit=_UNITS.get(found.metric, ""),
        points=tuple(zip(found.times, found.values, strict=True)),
        normal=before[len(before) // 2] if before else None,
        marks=tuple(marks),
    )


def _roles(state: IncidentState) -> tuple[RoleCard, ...]:
    return tuple(
        RoleCard(role=role.value, title=TITLES[role], person=state.roles.get(role, ""), duty=duty_now(role, state))
        for role in Role
    )


def _effect(state: IncidentState) -> ev.EffectChecked | None:
    checked = [action for action in state.actions.values() if action.verdict]
    if not checked:
        return None
    last = checked[-1]
    return ev.EffectChecked(plan=last.plan.id, verdict=last.verdict, summary=last.effect)


def _messages(state: IncidentState) -> tuple[MessageCard, ...]:
    cards = []
    for key, message in state.messages.items():
        end = state.message_ends.get(key)
        cards.append(
            MessageCard(
                delivery=key,
                channel=message.channel,
                audience=message.audience,
                purpose=message.purpose,
                text=message.text,
                state=end.state if end else "on its way",
                attempts=end.attempts if end else 0,
                detail=end.detail if end else "",
                at=state.declared_at,
            )
        )
    return tuple(cards)


def _postmortem(state: IncidentState, world: World) -> PostmortemCard | None:
    if state.postmortem is None and state.postmortem_due_at is None:
        return None
    return PostmortemCard(
        due_at=state.postmortem_due_at,
        revision=state.postmortem.revision if state.postmortem else 0,
        published=state.published > 0,
        url=f"{world.url}/postmortem/{state.number}",
        meeting_at=state.meeting.starts_at if state.meeting else None,
        invited=tuple(one.person for one in state.meeting.invited) if state.meeting else (),
    )
