"""Owes messages: composes what an audience is told, and puts it on its way in the same transaction."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.comms.audience import Recipient, purpose_for, recipients, room_keepers
from stanch.comms.catchup import changed
from stanch.comms.messages import Audience, Composed, compose
from stanch.comms.template import Value
from stanch.comms.words import AMONG_OURSELVES
from stanch.incidents import events as ev
from stanch.incidents.clocks import update_every
from stanch.incidents.folding import fold
from stanch.incidents.model import Role
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.blockdata import write_blocks
from stanch.kernel.codec import from_data, to_data
from stanch.kernel.event import JSON
from stanch.operations import cases
from stanch.operations.casework import case_of
from stanch.operations.statuspage.offering import offer, speaks_to_public
from stanch.operations.world import World
from stanch.ports.channel import Message
from stanch.store import Transaction, deliveries
from stanch.store.model import Delivery, Timer

FACTS: Final = "facts"
"""The purpose of the message that is pinned in an incident's room and kept current there."""

_NOTHING: Final[Mapping[str, Value]] = {}


@dataclass(frozen=True, kw_only=True)
class Outgoing:
    """One message as it would go out now: to whom, what it says, and when it promises the next one (UTC)."""

    recipient: Recipient
    purpose: str
    said: Composed
    next_update_at: datetime | None


def announce(
    tx: Transaction,
    world: World,
    state: IncidentState,
    *,
    purpose: str,
    note: str = "",
    public_note: str = "",
    audiences: Sequence[str] = (),
    more: Mapping[str, Value] = _NOTHING,
    seen: bool = False,
    actor: Actor = SYSTEM,
    via: Via = Via.ENGINE,
) -> int:
    """Owe a message of `purpose` to every recipient, those of `audiences` if any; return how many were new.

    The status page is told as the public is; `seen` says that a person sends what they have seen, and so need not be
    asked again.

    A delivery's id is made of the incident, the purpose and how many of that purpose went before, so that doing the
    same step twice owes one message.
    """
    ready = outgoing(
        tx, world, state, purpose=purpose, note=note, public_note=public_note, audiences=audiences, more=more
    )
    owed = sum(_owe(tx, world, state, one, actor=actor, via=via) for one in ready)
    if speaks_to_public(audiences):
        offer(
            tx,
            world,
            state,
            purpose=purpose,
            public_note=public_note,
            next_update_at=next_update(world, state, purpose=purpose),
            more={**values_of(world), **more},
            approved=seen,
            actor=actor,
            via=via,
        )
    promised = next((one.next_update_at for one in ready if one.next_update_at is not None), None)
    if promised is not None and owed:
        schedule_reminder(tx, world, state.number, due_at=promised)
    if owed:
        keep_facts(tx, world, cases.load(tx, state.number))
    return owed


def outgoing(
    tx: Transaction,
    world: World,
    state: IncidentState,
    *,
    purpose: str,
    note: str = "",
    public_note: str = "",
    audiences: Sequence[str] = (),
    more: Mapping[str, Value] = _NOTHING,
) -> list[Outgoing]:
    """Return what `announce` would send now, without sending it."""
    now = world.clock.now()
    next_update_at = next_update(world, state, purpose=purpose)
    values = {**values_of(world), "changed": changes_since_last(tx, state), **more}
    return [
        Outgoing(
            recipient=one,
            purpose=purpose_for(purpose, one.audience),
            said=compose(
                state,
                purpose=purpose_for(purpose, one.audience),
                audience=one.audience.value,
                now=now,
                url=f"{world.url}/i/{state.number}",
                next_update_at=next_update_at,
                note=note,
                public_note=public_note,
                own=world.templates,
                more=values,
            ),
            next_update_at=next_update_at,
        )
        for one in recipients(world.catalog, state, purpose=purpose)
        if not audiences or one.audience.value in audiences
    ]


def next_update(world: World, state: IncidentState, *, purpose: str) -> datetime | None:
    """Return when a message of `purpose` that is sent now promises the next one (UTC), None where it promises none."""
    every = None if purpose in AMONG_OURSELVES else update_every(state.ruling.severity)
    return world.clock.now() + every if every is not None and state.is_open else None


def changes_since_last(tx: Transaction, state: IncidentState) -> tuple[str, ...]:
    """Return what is different since the last message that promised something, a line each."""
    events = tx.events(incident=state.number)
    before = None
    at_last: IncidentState | None = None
    for event in events:
        before = fold(before, event)
        if event.kind == ev.MessageOwed.kind and event.data.get("purpose") not in AMONG_OURSELVES:
            at_last = before
    return tuple(changed(at_last, state))


def schedule_reminder(tx: Transaction, world: World, number: int, *, due_at: datetime) -> None:
    """Let whoever keeps the promise be reminded before `due_at`, and see at `due_at` whether it was kept."""
    before = timedelta(seconds=world.catalog.comms.remind_before_s)
    soon = max(world.clock.now(), due_at - before)
    data: dict[str, JSON] = {"stage": "soon", "due": due_at.isoformat()}
    tx.schedule(Timer(id=f"inc{number}/remind", kind="remind", due_at=soon, incident=number, data=data), replace=True)


def promise_sooner(tx: Transaction, world: World, state: IncidentState) -> None:
    """Let the next update be due earlier where the severity that holds now asks for more of them than was promised."""
    every = update_every(state.ruling.severity)
    if every is None or not state.is_open:
        return
    due_at = world.clock.now() + every
    if state.next_update_at is None or due_at < state.next_update_at:
        schedule_reminder(tx, world, state.number, due_at=due_at)


def keep_facts(tx: Transaction, world: World, state: IncidentState) -> None:
    """Owe every room of the incident its facts as they are now; those that still wait to be sent are dropped."""
    for spec in room_keepers(world.catalog, state):
        said = _facts(world, state)
        prefix = f"inc{state.number}/{FACTS}/{spec.name}/"
        known = deliveries.newest_below(tx.connection, prefix=prefix, limit=1)
        if known and from_data(known[0].message, Message).text == said.text:
            continue
        number = 1 + (int(known[0].id.rpartition("/")[2]) if known else 0)
        now = world.clock.now()
        deliveries.cancel_below(tx.connection, prefix=prefix, now=now)
        one = Outgoing(
            recipient=Recipient(channel=spec.name, audience=Audience.RESPONDERS),
            purpose=FACTS,
            said=said,
            next_update_at=None,
        )
        tx.owe(_delivery(f"{prefix}{number:06d}", world, state, one, now=now))


def _facts(world: World, state: IncidentState) -> Composed:
    return compose(
        state,
        purpose=FACTS,
        audience=Audience.RESPONDERS.value,
        now=world.clock.now(),
        url=f"{world.url}/i/{state.number}",
        next_update_at=state.next_update_at,
        own=world.templates,
        more=values_of(world),
    )


def values_of(world: World) -> dict[str, Value]:
    """Return the variables of templates that the configuration fills."""
    return {"status_page": world.catalog.status_page, "war_room": world.catalog.war_room}


def _owe(tx: Transaction, world: World, state: IncidentState, one: Outgoing, *, actor: Actor, via: Via) -> bool:
    """Owe one message and put on record that it is; False when it is owed already."""
    key = _key(state, one)
    if not tx.owe(_delivery(key, world, state, one, now=world.clock.now())):
        return False
    record = ev.MessageOwed(
        delivery=key,
        channel=one.recipient.channel,
        audience=one.recipient.audience.value,
        purpose=one.purpose,
        text=one.said.text,
        next_update_at=one.next_update_at,
        to=one.recipient.to,
        stakeholder=one.recipient.stakeholder,
        subject=one.said.subject,
    )
    cases.record(tx, state.number, record, actor=actor, via=via)
    return True


def _key(state: IncidentState, one: Outgoing) -> str:
    whom = one.recipient
    before = sum(
        (message.purpose, message.channel, message.audience, message.to)
        == (one.purpose, whom.channel, whom.audience.value, whom.to)
        for message in state.messages.values()
    )
    parts = (f"inc{state.number}", one.purpose, f"{before + 1}", whom.channel, whom.audience.value, whom.to)
    return "/".join(part for part in parts if part)


def _delivery(key: str, world: World, state: IncidentState, one: Outgoing, *, now: datetime) -> Delivery:
    message = Message(
        id=key,
        room=state.channel,
        subject=one.said.subject,
        text=one.said.text,
        markdown=one.said.markdown,
        incident=state.number,
        blocks=write_blocks(one.said.blocks),
        case=case_of(world, state, one.recipient, purpose=one.purpose),
        to=one.recipient.to,
        pinned=one.purpose == FACTS,
    )
    return Delivery(
        id=key,
        channel=one.recipient.channel,
        room=state.channel,
        purpose=one.purpose,
        message=to_data(message),
        due_at=now,
        created_at=now,
        incident=state.number,
    )


def communications_lead(state: IncidentState) -> str:
    """Return who sends updates, empty for nobody."""
    return state.roles.get(Role.COMMUNICATIONS_LEAD, "")
