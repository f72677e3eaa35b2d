"""Owes messages: composes what an audience is told, and puts it on its way in the same transaction."""

from datetime import datetime

from stanch.comms.messages import Composed, compose
from stanch.incidents import events as ev
from stanch.incidents.clocks import update_every
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.codec import to_data
from stanch.operations import cases
from stanch.operations.world import World
from stanch.ports.channel import Message
from stanch.store import Transaction
from stanch.store.model import Delivery, Timer


def announce(
    tx: Transaction,
    world: World,
    state: IncidentState,
    *,
    purpose: str,
    note: str = "",
    actor: Actor = SYSTEM,
    via: Via = Via.ENGINE,
) -> int:
    """Owe a message of `purpose` to every channel and audience of the catalog; return how many were new.

    A delivery's id is made of the incident, the purpose and how many of that purpose went before, so that doing the
    same step twice owes one message.
    """
    now = world.clock.now()
    every = update_every(state.ruling.severity)
    next_update_at = now + every if every is not None and state.is_open else None
    owed = 0
    for channel in world.catalog.channels.values():
        for audience in channel.audiences:
            said = compose(
                state,
                purpose=purpose,
                audience=audience,
                now=now,
                url=f"{world.url}/i/{state.number}",
                next_update_at=next_update_at,
                note=note,
            )
            key = _key(state, purpose=purpose, channel=channel.name, audience=audience)
            if not tx.owe(_delivery(key, channel.name, state, said, purpose=purpose, now=now)):
                continue
            record = ev.MessageOwed(
                delivery=key,
                channel=channel.name,
                audience=audience,
                purpose=purpose,
                text=said.text,
                next_update_at=next_update_at,
            )
            cases.record(tx, state.number, record, actor=actor, via=via)
            owed += 1
    if next_update_at is not None and owed:
        tx.schedule(
            Timer(id=f"inc{state.number}/remind", kind="remind", due_at=next_update_at, incident=state.number),
            replace=True,
        )
    return owed


def _key(state: IncidentState, *, purpose: str, channel: str, audience: str) -> str:
    before = [
        message
        for message in state.messages.values()
        if (message.purpose, message.channel, message.audience) == (purpose, channel, audience)
    ]
    return f"inc{state.number}/{purpose}/{len(before) + 1}/{channel}/{audience}"


def _delivery(key: str, channel: str, state: IncidentState, said: Composed, *, purpose: str, now: datetime) -> Delivery:
    message = Message(
        id=key, room=state.channel, subject=said.subject, text=said.text, markdown=said.markdown, incident=state.number
    )
    return Delivery(
        id=key,
        channel=channel,
        room=state.channel,
        purpose=purpose,
        message=to_data(message),
        due_at=now,
        created_at=now,
        incident=state.number,
    )
