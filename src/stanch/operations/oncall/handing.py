"""Handoffs: drafted from the log, edited by whoever goes, accepted by whoever comes, sent to where people read.

And the checklist before a shift.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from stanch.kernel.actor import ActorKind
from stanch.kernel.codec import to_data
from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from stanch.kernel.ids import new_id
from stanch.oncall.handing.drafting import CHECKLIST, draft
from stanch.oncall.handing.model import Handoff, HandoffState, Tick
from stanch.oncall.handing.tables import (
    add_handoff,
    find_handoff,
    find_ticks,
    latest_handoffs,
    put_tick,
    write_handoff,
)
from stanch.oncall.roster import next_on_call, on_call, schedule_of
from stanch.operations.oncall.facts import facts_at
from stanch.operations.oncall.gathering import gather
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.ports.channel import Message
from stanch.store import Transaction
from stanch.store.model import Delivery

_MOST_TEXT: Final = 200_000
_ITEMS: Final = dict(CHECKLIST)
# A draft is looked for this long after its moment before a new one is begun.
_FRESH: Final = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class OfSchedule:
    """Of one schedule."""

    schedule: str


@dataclass(frozen=True, kw_only=True)
class OneHandoff:
    """One handoff by its id."""

    id: str


@dataclass(frozen=True, kw_only=True)
class EditHandoff:
    """The whole text, over the revision that was read."""

    id: str
    text: str
    revision: int


@dataclass(frozen=True, kw_only=True)
class ListHandoffs:
    """The newest, of one schedule or all."""

    schedule: str = ""
    limit: int = 20


@dataclass(frozen=True, kw_only=True)
class CheckItem:
    """An item of the checklist before your next shift of a schedule; `done=false` takes it back."""

    schedule: str
    item: str
    done: bool = True


@dataclass(frozen=True, kw_only=True)
class AskChecklist:
    """Before the next shift of `person` (by default yours) of a schedule."""

    schedule: str
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class ChecklistLine:
    """One item, and who has done it when."""

    item: str
    text: str
    done_by: str = ""
    done_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ChecklistView:
    """The checklist before a shift; `ready` when all of it is done."""

    schedule: str
    person: str
    shift: datetime
    ready: bool
    items: tuple[ChecklistLine, ...]


@operation("handoff.draft", effect=Effect.WRITE, example={"schedule": "checkout"})
def draft_handoff(call: Call, request: OfSchedule) -> Handoff:
    """Draft the next handoff of a schedule from the log; the one that was drafted already is begun anew if unedited."""
    catalog, now = call.world.catalog, call.now
    schedule_of(catalog, request.schedule)
    with call.world.store.writing() as tx:
        facts = facts_at(call.world, tx.connection, at=now)
        current = on_call(catalog, request.schedule, at=now, facts=facts)
        following = next_on_call(catalog, request.schedule, at=now, facts=facts)
        if following is None:
            raise Refused(f"nobody comes after {request.schedule}'s present shift", reason="nobody_next")
        giver = current.person if current else call.actor.id
        handing = gather(
            tx,
            call.world,
            schedule=request.schedule,
            giver=giver,
            taker=following.person,
            at=following.start,
            since=current.start if current else now,
            facts=facts,
        )
        old = _standing(tx, request.schedule, at=following.start)
        fresh = Handoff(
            id=old.id if old else new_id(now),
            schedule=request.schedule,
            giver=giver,
            taker=following.person,
            at=following.start,
            text=draft(handing),
            revision=old.revision + 1 if old else 1,
            state=HandoffState.DRAFT,
            drafted_at=now,
        )
        if old is None:
            add_handoff(tx.connection, fresh)
        elif old.edited_by or old.state is not HandoffState.DRAFT:
            raise Conflict(f"handoff {old.id} is {_stands(old)} already", reason="written", hint="edit that one")
        else:
            _put(tx, fresh, over=old.revision)
    return fresh


@operation("handoff.show", effect=Effect.READ, example={"id": "01J0000000000000000000000"})
def show_handoff(call: Call, request: OneHandoff) -> Handoff:
    """Show a handoff."""
    with call.world.store.reading() as view:
        return _found(view, request.id)


@operation("handoff.list", effect=Effect.READ, example={"schedule": "checkout"})
def list_handoffs(call: Call, request: ListHandoffs) -> tuple[Handoff, ...]:
    """List handoffs, newest first."""
    if not 1 <= request.limit <= 200:
        raise Invalid("must be from 1 to 200", field="limit")
    with call.world.store.reading() as view:
        return tuple(latest_handoffs(view.connection, schedule=request.schedule, limit=request.limit))


@operation(
    "handoff.edit", effect=Effect.WRITE, example={"id": "01J0000000000000000000000", "text": "...", "revision": 1}
)
def edit_handoff(call: Call, request: EditHandoff) -> Handoff:
    """Replace the text of a handoff that nobody has accepted yet."""
    if not request.text.strip() or len(request.text) > _MOST_TEXT:
        raise Invalid(f"must have 1 to {_MOST_TEXT} characters", field="text")
    with call.world.store.writing() as tx:
        old = _found(tx, request.id)
        if old.state is HandoffState.ACCEPTED:
            raise Refused(f"{old.taker} has accepted it already", reason="accepted")
        changed = replace(
            old, text=request.text, revision=request.revision + 1, edited_by=call.actor.id, edited_at=call.now
        )
        _put(tx, changed, over=request.revision)
    return changed


@operation("handoff.accept", effect=Effect.WRITE, example={"id": "01J0000000000000000000000"})
def accept_handoff(call: Call, request: OneHandoff) -> Handoff:
    """Accept a handoff: you have read it, and what it says is yours from then on."""
    with call.world.store.writing() as tx:
        old = _found(tx, request.id)
        if call.actor.kind is not ActorKind.PERSON or call.actor.id != old.taker:
            raise Forbidden(f"only {old.taker} may accept it", reason="not_yours")
        if old.state is HandoffState.ACCEPTED:
            return old
        accepted = replace(
            old,
            state=HandoffState.ACCEPTED,
            revision=old.revision + 1,
            accepted_by=call.actor.id,
            accepted_at=call.now,
        )
        _put(tx, accepted, over=old.revision)
    return accepted


@operation("handoff.send", effect=Effect.WRITE, example={"id": "01J0000000000000000000000"})
def send_handoff(call: Call, request: OneHandoff) -> Handoff:
    """Send a handoff to every channel that responders read; sent once for each revision."""
    channels = [one for one in call.world.catalog.channels.values() if "responders" in one.audiences]
    if not channels:
        raise Refused("no channel is read by responders", reason="no_channel", hint="add one, [channels.<name>]")
    with call.world.store.writing() as tx:
        old = _found(tx, request.id)
        for channel in channels:
            tx.owe(_delivery(call, old, channel.name))
        sent = replace(old, sent_at=call.now, sent_to=tuple(one.name for one in channels))
        _put(tx, sent, over=old.revision)
    return sent


@operation("oncall.checklist", effect=Effect.READ, example={"schedule": "checkout"})
def checklist(call: Call, request: AskChecklist) -> ChecklistView:
    """Show what is ready before somebody's next shift, and what is not."""
    person = request.person or call.actor.id
    with call.world.store.reading() as view:
        shift = _next_shift(call, view, schedule=request.schedule, person=person)
        return _checklist(view, schedule=request.schedule, person=person, shift=shift)


@operation("oncall.check", effect=Effect.WRITE, example={"schedule": "checkout", "item": "charged"})
def check_item(call: Call, request: CheckItem) -> ChecklistView:
    """Say that an item of your checklist is done, or that it is not after all."""
    if request.item not in _ITEMS:
        raise Invalid(f"is none of {', '.join(_ITEMS)}", field="item")
    person = call.actor.id
    with call.world.store.writing() as tx:
        shift = _next_shift(call, tx, schedule=request.schedule, person=person)
        tick = Tick(
            schedule=request.schedule,
            person=person,
            shift=shift,
            item=request.item,
            done_by=call.actor.id,
            done_at=call.now,
        )
        put_tick(tx.connection, tick, done=request.done)
        return _checklist(tx, schedule=request.schedule, person=person, shift=shift)


def _standing(tx: Transaction, schedule: str, *, at: datetime) -> Handoff | None:
    """Return the handoff of that moment, if one was begun."""
    found = latest_handoffs(tx.connection, schedule=schedule, limit=5)
    return next((one for one in found if abs(one.at - at) < _FRESH), None)


def _stands(handoff: Handoff) -> str:
    return "accepted" if handoff.state is HandoffState.ACCEPTED else f"edited by {handoff.edited_by}"


def _found(tx: Transaction, id: str) -> Handoff:
    found = find_handoff(tx.connection, id)
    if found is None:
        raise NotFound(f"there is no handoff {id}", hint="all of them: stanch oncall handoffs")
    return found


def _put(tx: Transaction, handoff: Handoff, *, over: int) -> None:
    if not write_handoff(tx.connection, handoff, over=over):
        raise Conflict("somebody has changed it in the meantime", hint="read it again")


def _delivery(call: Call, handoff: Handoff, channel: str) -> Delivery:
    key = f"handoff/{handoff.id}/{handoff.revision}/{channel}"
    subject = f"Handoff {handoff.schedule}: {handoff.giver} to {handoff.taker}"
    message = Message(id=key, room="", subject=subject, text=handoff.text, markdown=handoff.text)
    return Delivery(
        id=key,
        channel=channel,
        room="",
        purpose="handoff",
        message=to_data(message),
        due_at=call.now,
        created_at=call.now,
    )


def _next_shift(call: Call, tx: Transaction, *, schedule: str, person: str) -> datetime:
    """Return when the next shift of somebody begins. Raises `Refused` when they have none within the year."""
    catalog = call.world.catalog
    schedule_of(catalog, schedule)
    facts = facts_at(call.world, tx.connection, at=call.now)
    moment = call.now
    for _ in range(60):
        following = next_on_call(catalog, schedule, at=moment, facts=facts)
        if following is None:
            break
        if following.person == person:
            return following.start
        moment = following.start
    raise Refused(f"{person} has no shift of {schedule} ahead", reason="no_shift")


def _checklist(tx: Transaction, *, schedule: str, person: str, shift: datetime) -> ChecklistView:
    done = {one.item: one for one in find_ticks(tx.connection, schedule=schedule, person=person, shift=shift)}
    items = tuple(
        ChecklistLine(
            item=item,
            text=text,
            done_by=done[item].done_by if item in done else "",
            done_at=done[item].done_at if item in done else None,
        )
        for item, text in CHECKLIST
    )
    return ChecklistView(schedule=schedule, person=person, shift=shift, ready=len(done) >= len(items), items=items)
