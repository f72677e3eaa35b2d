"""Operations on what is told: preview a message and who gets it, send an update, see who was told what and when, hand a
role over, catch up."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from stanch.alerts.words import many
from stanch.comms.catchup import Catchup, catch_up, decisions, open_points
from stanch.comms.status.tables import count_subscribers
from stanch.comms.words import AMONG_OURSELVES, AUDIENCES, PURPOSES, Audience
from stanch.incidents import events as ev
from stanch.incidents.roles import TITLES, duty_now
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import ActorKind
from stanch.kernel.errors import Forbidden, Invalid, Problem, Refused
from stanch.operations import cases
from stanch.operations.announcing import (
    FACTS,
    announce,
    changes_since_last,
    keep_facts,
    next_update,
    outgoing,
    values_of,
)
from stanch.operations.incident import ById, person_named, role_named
from stanch.operations.registry import Effect, operation
from stanch.operations.similar import alike, in_words
from stanch.operations.statuspage.offering import offer_of, speaks_to_public
from stanch.operations.world import Call
from stanch.store import Transaction, deliveries
from stanch.store.model import Delivery, DeliveryState

Words = Annotated[str, Meta(max_length=20_000)]

_BY_HAND: Final = tuple(word for word in PURPOSES if word not in AMONG_OURSELVES)
_STATES: Final = {
    DeliveryState.READY: "on its way",
    DeliveryState.SENDING: "on its way",
    DeliveryState.UNKNOWN: "may have arrived",
}


@dataclass(frozen=True, kw_only=True)
class Preview:
    """A message as it would go out now. `text` is for responders and stakeholders, `public_text` for the public;
    `audiences` narrows whom it goes to."""

    incident: int
    purpose: str = "update"
    text: Words = ""
    public_text: Words = ""
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Send:
    """An update by a person, as `Preview` shows it."""

    incident: int
    purpose: str = "update"
    text: Words = ""
    public_text: Words = ""
    audiences: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class DraftView:
    """One message that would go out: to whom, through what, in which words. `to` is an address, empty for whoever
    reads the channel; `stakeholder` the entry of the configuration that names it."""

    channel: str
    kind: str
    audience: str
    to: str
    stakeholder: str
    purpose: str
    subject: str
    text: str
    markdown: str


@dataclass(frozen=True, kw_only=True)
class PreviewView:
    """What would be sent and what is different since the last message. Instants are UTC."""

    incident: int
    key: str
    messages: tuple[DraftView, ...]
    changed: tuple[str, ...]
    next_update_at: datetime | None
    promised_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class ToldView:
    """One message and what became of it. `at` is when it was put on its way, `ended_at` when its fate was known;
    `state` is sent, failed, cancelled, on its way, or may have arrived. `by` is who had it sent."""

    seq: int
    delivery: str
    at: datetime
    purpose: str
    audience: str
    channel: str
    to: str
    stakeholder: str
    by: str
    subject: str
    text: str
    state: str
    ended_at: datetime | None
    attempts: int
    next_try_at: datetime | None
    detail: str


@dataclass(frozen=True, kw_only=True)
class ToldList:
    """Who was told what about one incident, oldest first; `undelivered` counts what has not arrived for certain."""

    incident: int
    key: str
    told: tuple[ToldView, ...]
    undelivered: int


@dataclass(frozen=True, kw_only=True)
class HandOver:
    """A role that one person leaves to another; `summary` is what the next one has to know."""

    incident: int
    role: str
    person: str
    summary: Words = ""


@operation("comms.preview", effect=Effect.READ, example={"incident": 1, "purpose": "update"})
def preview(call: Call, request: Preview) -> PreviewView:
    """Show a message as it would go out now, with exactly who would get it."""
    purpose, audiences = _checked(request)
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        return _preview(view, call, state, request, purpose=purpose, audiences=audiences)


@operation("comms.send", effect=Effect.WRITE, example={"incident": 1, "text": "The rollback is under way."})
def send(call: Call, request: Send) -> PreviewView:
    """Send an update now; the next one is promised with it."""
    purpose, audiences = _checked(request)
    if call.actor.kind is not ActorKind.PERSON and (not audiences or Audience.PUBLIC.value in audiences):
        raise Forbidden(
            f"{call.actor.label} may tell the public nothing by itself",
            reason="public_needs_a_person",
            hint="name the audiences responders and stakeholders, or ask a person",
        )
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        shown = _preview(tx, call, state, request, purpose=purpose, audiences=audiences)
        if not shown.messages:
            raise Refused("nobody would be told", reason="nobody_to_tell", hint="see [channels] and [stakeholders]")
        announce(
            tx,
            call.world,
            state,
            purpose=purpose,
            note=request.text.strip(),
            public_note=request.public_text.strip(),
            audiences=audiences,
            seen=call.actor.kind is ActorKind.PERSON,
            actor=call.actor,
            via=call.via,
        )
        return shown


@operation("comms.told", effect=Effect.READ, example={"incident": 1})
def told(call: Call, request: ById) -> ToldList:
    """Show who was told what and when, and what has not arrived."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        known = {one.id: one for one in deliveries.find(view.connection, incident=state.number)}
        found = []
        for event in view.events(incident=state.number):
            record = ev.typed(event)
            if isinstance(record, ev.MessageOwed):
                found.append(_told(event.seq, event.at, event.actor.label, record, known.get(record.delivery)))
        facts = [one for one in known.values() if one.purpose == FACTS]
        found += [_facts(one) for one in facts[-1:] if one.state is not DeliveryState.SENT]
    late = sum(one.state not in ("sent", "cancelled") for one in found)
    return ToldList(incident=state.number, key=state.key, told=tuple(found), undelivered=late)


@operation(
    "incident.handover",
    effect=Effect.WRITE,
    example={"incident": 1, "role": "commander", "person": "bob", "summary": "The rollback is under way."},
)
def hand_over(call: Call, request: HandOver) -> Catchup:
    """Leave a role to somebody else, with a summary that the responders' rooms are told."""
    role, person = role_named(request.role), person_named(call, request.person.strip())
    if not person:
        raise Invalid("say who takes it over", field="person")
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        before = state.roles.get(role, "")
        if before == person:
            raise Refused(f"{person} is {role.value.replace('_', ' ')} already", reason="has_it_already")
        summary = request.summary.strip()
        record = ev.RoleAssigned(role=role, person=person, before=before, summary=summary)
        cases.record(tx, state.number, record, actor=call.actor, via=call.via)
        after = cases.load(tx, state.number)
        events = tx.events(incident=state.number)
        announce(
            tx,
            call.world,
            after,
            purpose="handover",
            note=summary,
            more={
                "role": TITLES[role],
                "person": person,
                "duty": duty_now(role, after),
                "decisions": tuple(f"{one.at:%H:%M} {one.text} ({one.actor})" for one in decisions(events)),
                "open": tuple(open_points(after)),
            },
            actor=call.actor,
            via=call.via,
        )
        keep_facts(tx, call.world, after)
        return catch_up(after, events, url=f"{call.world.url}/i/{state.number}")


@operation("incident.catchup", effect=Effect.READ, example={"incident": 1})
def catchup(call: Call, request: ById) -> Catchup:
    """Show what somebody needs who joins now: the state, the last decisions, what is open, who does what."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        caught = catch_up(state, view.events(incident=state.number), url=f"{call.world.url}/i/{state.number}")
        before = alike(view, state.number) or ()
    # Whoever joins late is told of the likest only; the others are a click away.
    return replace(caught, state=(*caught.state, *(in_words(one) for one in before[:1])))


def _checked(request: Preview | Send) -> tuple[str, tuple[str, ...]]:
    """Return purpose and audiences. Raises `Invalid` for words that are none."""
    purpose = request.purpose.strip().lower().replace("-", "_") or "update"
    problems = [
        Problem(field="audiences", message=f"{word!r} is none of {', '.join(AUDIENCES)}")
        for word in request.audiences
        if word not in AUDIENCES
    ]
    if purpose not in _BY_HAND:
        problems.append(Problem(field="purpose", message=f"{purpose!r} is none of {', '.join(_BY_HAND)}"))
    if problems:
        raise Invalid(problems=problems)
    return purpose, request.audiences


def _preview(
    tx: Transaction,
    call: Call,
    state: IncidentState,
    request: Preview | Send,
    *,
    purpose: str,
    audiences: tuple[str, ...],
) -> PreviewView:
    ready = outgoing(
        tx,
        call.world,
        state,
        purpose=purpose,
        note=request.text.strip(),
        public_note=request.public_text.strip(),
        audiences=audiences,
    )
    channels = call.world.catalog.channels
    page = _page_draft(tx, call, state, request, purpose=purpose) if speaks_to_public(audiences) else ()
    return PreviewView(
        incident=state.number,
        key=state.key,
        messages=tuple(
            DraftView(
                channel=one.recipient.channel,
                kind=channels[one.recipient.channel].kind,
                audience=one.recipient.audience.value,
                to=one.recipient.to,
                stakeholder=one.recipient.stakeholder,
                purpose=one.purpose,
                subject=one.said.subject,
                text=one.said.text,
                markdown=one.said.markdown,
            )
            for one in ready
        )
        + page,
        changed=changes_since_last(tx, state),
        next_update_at=ready[0].next_update_at if ready else None,
        promised_at=state.next_update_at,
    )


def _page_draft(
    tx: Transaction, call: Call, state: IncidentState, request: Preview | Send, *, purpose: str
) -> tuple[DraftView, ...]:
    """Return what the status page, and whoever subscribed to it, would be told; nothing where it would say nothing."""
    said = offer_of(
        tx,
        call.world,
        state,
        purpose=purpose,
        public_note=request.public_text.strip(),
        next_update_at=next_update(call.world, state, purpose=purpose),
        more=values_of(call.world),
    )
    if said is None:
        return ()
    subscribed = sum(count_subscribers(tx.connection).values())
    return (
        DraftView(
            channel="status page",
            kind="status",
            audience=Audience.PUBLIC.value,
            to=many(subscribed, "subscriber") if subscribed else "",
            stakeholder="",
            purpose=said.purpose,
            subject=f"{said.stage.value.capitalize()}: {said.title}",
            text=said.text,
            markdown=said.text,
        ),
    )


def _told(seq: int, at: datetime, by: str, record: ev.MessageOwed, delivery: Delivery | None) -> ToldView:
    state, ended, attempts, following, detail = _fate(delivery)
    return ToldView(
        seq=seq,
        delivery=record.delivery,
        at=at,
        purpose=record.purpose,
        audience=record.audience,
        channel=record.channel,
        to=record.to,
        stakeholder=record.stakeholder,
        by=by,
        subject=record.subject,
        text=record.text,
        state=state,
        ended_at=ended,
        attempts=attempts,
        next_try_at=following,
        detail=detail,
    )


def _facts(delivery: Delivery) -> ToldView:
    state, ended, attempts, following, detail = _fate(delivery)
    return ToldView(
        seq=0,
        delivery=delivery.id,
        at=delivery.created_at,
        purpose=delivery.purpose,
        audience=Audience.RESPONDERS.value,
        channel=delivery.channel,
        to="",
        stakeholder="",
        by="Stanch",
        subject="the pinned facts",
        text="",
        state=state,
        ended_at=ended,
        attempts=attempts,
        next_try_at=following,
        detail=detail,
    )


def _fate(delivery: Delivery | None) -> tuple[str, datetime | None, int, datetime | None, str]:
    if delivery is None:
        return "unknown", None, 0, None, ""
    waits = delivery.state in (DeliveryState.READY, DeliveryState.SENDING) and delivery.attempts > 0
    return (
        _STATES.get(delivery.state, delivery.state.value),
        delivery.ended_at,
        delivery.attempts,
        delivery.due_at if waits else None,
        delivery.detail,
    )
