"""Keeps action items and their tickets the same: makes a ticket once, and lets each follow what the other changed.

Duties of the timer kinds `ticket` (one item) and `tracker` (what changed in one tracker). The timer is what is owed: it
stands until its effect is committed, however often the tracker has to be asked.

A ticket is made once although no tracker knows what it was asked before: that it is being asked for is stored first; an
answer that was lost is looked for by the item's mark, and another is made only when none was found for a while, as what
a tracker finds is behind what it has taken.
"""

import secrets
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.catalog.trackers import TrackerSpec
from stanch.engine.loop import Effect, nothing
from stanch.incidents import events as ev
from stanch.kernel.actor import Actor, ActorKind, person
from stanch.kernel.blocks import clean
from stanch.kernel.errors import Bug, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.operations import cases
from stanch.operations.items import schedule_reminder
from stanch.operations.tickets import TICKET, action_item, said_here, schedule
from stanch.operations.world import World
from stanch.ports.ticketing import (
    Draft,
    Failure,
    Move,
    NotTaken,
    Part,
    Said,
    Ticket,
    TicketState,
    TicketTracker,
    Touched,
)
from stanch.review.items.tables import Item, items_at, read_item
from stanch.review.tickets.rules import Known, changed, last_move, mark_of, merge, owner_here, shortened, taken
from stanch.review.tickets.tables import TicketRow, put_ticket, read_ticket, read_tickets
from stanch.store import Transaction
from stanch.store.model import Timer

TRACKER: Final = "tracker"
"""The kind of the timers that read what changed in a tracker."""

SETTLES: Final = timedelta(seconds=60)
"""How long a tracker may take until it finds what it has taken: no vendor says, seconds were seen."""

_FIRST_RETRY_S: Final = 5.0
_LAST_RETRY_S: Final = 300.0
# What it refuses it will refuse again, until somebody changes a right or a setting.
_REFUSED_RETRY_S: Final = 3600.0
_MOST_DOUBLINGS: Final = 12
_LOOK_BACK: Final = timedelta(days=1)
_CLOCKS_DIFFER: Final = timedelta(minutes=5)
_LONGEST_TITLE: Final = 500
# 128 bits: nobody finds the mark of a ticket by trying.
_KEY_BYTES: Final = 16

log = structlog.get_logger("stanch.tickets")


@dataclass(frozen=True, kw_only=True)
class _Case:
    """One item with its ticket, as they were read."""

    item: Item
    row: TicketRow
    title: str
    spec: TrackerSpec
    tracker: TicketTracker


@dataclass(frozen=True, kw_only=True)
class _Pulled:
    """One event that a ticket's change is on record as, who did it and when (UTC)."""

    record: ev.IncidentEvent
    actor: Actor
    at: datetime


@dataclass(frozen=True, kw_only=True)
class _Outcome:
    """What is to be stored, and when it is to be tried again where it did not work, in seconds."""

    row: TicketRow
    linked: Ticket | None = None
    pulled: tuple[_Pulled, ...] = field(default=())
    retry_s: float | None = None


def first_timers(world: World) -> tuple[Timer, ...]:
    """Return the timers that begin the reading of every tracker; scheduling them again changes nothing."""
    now = world.clock.now()
    return tuple(Timer(id=f"{TRACKER}/{name}", kind=TRACKER, due_at=now) for name in world.ticketing)


def keep_ticket(timer: Timer, world: World) -> Effect:
    """Make the item and its ticket the same, and return what puts that on record."""
    case = _read(timer, world)
    if case is None:
        return nothing
    try:
        outcome = _followed(world, case) if case.item.reference else _made(world, case)
    except Unavailable as error:
        outcome = _failed(world, timer, case, error)

    def apply(tx: Transaction) -> None:
        _store(tx, world, case, outcome)
        if outcome.retry_s is not None:
            tries = _tries(timer) + 1
            due_at = world.clock.now() + timedelta(seconds=outcome.retry_s)
            again = Timer(id=timer.id, kind=TICKET, due_at=due_at, data={**timer.data, "tries": tries})
            tx.schedule(again, replace=True)

    return apply


def poll(timer: Timer, world: World) -> Effect:
    """Read what changed in a tracker, and return what lets those items follow and comes back."""
    name = timer.id.partition("/")[2]
    tracker, spec = world.ticketing.get(name), world.catalog.trackers.get(name)
    if tracker is None or spec is None:
        return nothing
    now = world.clock.now()
    said = timer.data.get("since")
    since = datetime.fromisoformat(said) if isinstance(said, str) else now - _LOOK_BACK
    with world.store.reading() as view:
        has_any = bool(items_at(view.connection, name))
    touched: tuple[Touched, ...] = ()
    tries = 0
    try:
        # Without a ticket there is nothing to ask for.
        touched = tracker.touched(since=since, now=now) if has_any else ()
    except Unavailable as error:
        tries = _tries(timer) + 1
        log.warning("tracker not read", tracker=name, why=error.message)
    newest = max((one.at for one in touched), default=since if has_any or isinstance(said, str) else now)
    wait_s = max(spec.poll_s, _delay_s(tries - 1) if tries else 0.0)

    def apply(tx: Transaction) -> None:
        _follow(tx, world, name, touched)
        data: dict[str, JSON] = {"since": newest.isoformat(), "tries": tries}
        due_at = now + timedelta(seconds=wait_s)
        tx.schedule(Timer(id=timer.id, kind=TRACKER, due_at=due_at, data=data), replace=True)

    return apply


def _follow(tx: Transaction, world: World, name: str, touched: tuple[Touched, ...]) -> None:
    """Let the items be compared whose tickets have another version than was seen."""
    versions = {one.reference: one.version for one in touched}
    found = items_at(tx.connection, name, tuple(versions)) if versions else []
    rows = read_tickets(tx.connection, [one.incident for one in found])
    for item in found:
        row = rows.get((item.incident, item.number))
        if row is None or row.known is None or row.known.version != versions[item.reference]:
            schedule(tx, world, item.incident, item.number)


def _read(timer: Timer, world: World) -> _Case | None:
    incident, number = timer.data.get("incident"), timer.data.get("number")
    if not isinstance(incident, int) or not isinstance(number, int):
        raise Bug(f"timer {timer.id} names no item")
    with world.store.reading() as view:
        item = read_item(view.connection, incident, number)
        row = read_ticket(view.connection, incident, number)
        title = cases.load(view, incident).title
    if item is None:
        return None
    name = item.tracker or (row.tracker if row else "")
    spec, tracker = world.catalog.trackers.get(name), world.ticketing.get(name)
    if spec is None or tracker is None:
        return None
    row = row or TicketRow(incident=incident, number=number, tracker=name)
    return _Case(item=item, row=row, title=title, spec=spec, tracker=tracker)


def _made(world: World, case: _Case) -> _Outcome:
    """Return the ticket of an item that has none yet: found where it was asked for before, else made."""
    now = world.clock.now()
    if not case.item.is_open and case.row.begun_at is None:
        return _Outcome(row=case.row)
    row = replace(case.row, key=case.row.key or secrets.token_hex(_KEY_BYTES))
    draft = _draft(world, case, key=row.key)
    if row.begun_at is not None:
        since = row.begun_at - _CLOCKS_DIFFER
        if found := case.tracker.find(draft.mark, since=since, now=now):
            return _found(case, found, draft)
        waited = now - row.tried_at if row.tried_at else SETTLES
        if waited < SETTLES:
            left = (SETTLES - waited).total_seconds()
            waiting = "its answer was lost; whether the ticket is there is looked for before another is made"
            return _Outcome(row=replace(row, error=waiting), retry_s=min(left, _FIRST_RETRY_S * 2))
        if not case.item.is_open:
            return _Outcome(row=replace(row, error=""))
    asked = replace(row, begun_at=row.begun_at or now, tried_at=now)
    with world.store.writing() as tx:
        put_ticket(tx.connection, asked)
    made = case.tracker.create(draft)
    known = Known(here=said_here(case.item), there=made.said, version=made.version)
    return _Outcome(row=replace(asked, known=known, error=""), linked=made)


def _found(case: _Case, ticket: Ticket, draft: Draft) -> _Outcome:
    """Return the ticket that was asked for before. It may say what the item said then: the item's word holds."""
    older = changed(draft.said, ticket.said)
    known = Known(here=taken(said_here(case.item), ticket.said, older), there=ticket.said)
    return _Outcome(row=replace(case.row, known=known, error=""), linked=ticket)


def _followed(world: World, case: _Case) -> _Outcome:
    """Return what follows from comparing an item with its ticket; what the item says is sent on the way."""
    ticket = case.tracker.read(case.item.reference)
    here = said_here(case.item)
    known = case.row.known or Known(here=here, there=ticket.said)
    both = merge(here=here, there=ticket.said, known=known)
    after = ticket
    if both.push:
        after = case.tracker.update(ticket, _draft(world, case, key=case.row.key), parts=both.push)
        # Stored at once: what was sent must not come back as somebody's change when the rest is lost.
        sent = Known(here=taken(known.here, here, both.push), there=taken(known.there, after.said, both.push))
        with world.store.writing() as tx:
            put_ticket(tx.connection, replace(case.row, known=sent))
    moves = case.tracker.moves(ticket) if both.pull else ()
    pulled = _pulled(world, case, ticket.said, known, both.pull, moves)
    followed = here
    for one in pulled:
        match one.record:
            case ev.ItemChanged(item=item):
                followed = replace(followed, title=item.title, owner=item.owner, due_on=item.due_on)
            case ev.ItemEnded(status=status):
                followed = replace(followed, state=TicketState(status.value))
    now_known = Known(here=followed, there=after.said, version=after.version)
    return _Outcome(row=replace(case.row, known=now_known, error=""), pulled=pulled)


def _pulled(
    world: World, case: _Case, there: Said, known: Known, parts: frozenset[Part], moves: tuple[Move, ...]
) -> tuple[_Pulled, ...]:
    item, found = case.item, []
    before = action_item(item)
    owner = owner_here(now=item.owner, there=there, known=known, people=case.spec.people)
    after = replace(
        before,
        title=_title(there.title) or before.title if Part.TITLE in parts else before.title,
        owner=owner if Part.OWNER in parts else before.owner,
        due_on=there.due_on if Part.DUE in parts else before.due_on,
    )
    if after != before:
        last = [move for part in parts - {Part.STATE} if (move := last_move(moves, part))]
        newest = max(last, key=lambda move: move.at, default=None)
        found.append(_by(world, case, ev.ItemChanged(item=after), newest))
    if Part.STATE in parts and there.state.value != item.status.value:
        word = {
            TicketState.OPEN: "opened again",
            TicketState.DONE: "closed",
            TicketState.DROPPED: "closed as not planned",
        }
        note = f"{word[there.state]} in {item.reference}"
        ended = ev.ItemEnded(number=item.number, status=ev.ItemStatus(there.state.value), note=note)
        found.append(_by(world, case, ended, last_move(moves, Part.STATE)))
    return tuple(found)


def _by(world: World, case: _Case, record: ev.IncidentEvent, move: Move | None) -> _Pulled:
    """Return an event with who did it: the person of an account, else the account itself."""
    now, tracker = world.clock.now(), case.spec.name
    if move is None:
        actor = Actor(kind=ActorKind.INTEGRATION, id=tracker, name=tracker)
        return _Pulled(record=record, actor=actor, at=now)
    who = next((one for one, account in case.spec.people.items() if account == move.by), "")
    if who:
        known = world.catalog.people.get(who)
        actor = person(who, name=known.name if known else "")
    else:
        name = redact(" ".join(move.name.split()))[:100]
        actor = Actor(kind=ActorKind.INTEGRATION, id=f"{tracker}:{move.by}"[:64], name=f"{name or move.by} ({tracker})")
    return _Pulled(record=record, actor=actor, at=max(case.item.added_at, min(now, move.at)))


def _failed(world: World, timer: Timer, case: _Case, error: Unavailable) -> _Outcome:
    """Return that it did not work, when it is tried again, and whether a ticket may stand there nevertheless."""
    with world.store.reading() as view:
        row = read_ticket(view.connection, case.item.incident, case.item.number) or case.row
    unknown = not isinstance(error, NotTaken) or error.failure is Failure.UNKNOWN
    asked_s = (error.retry_after_s or 0.0) if isinstance(error, NotTaken) else 0.0
    delay_s = max(asked_s, _delay_s(_tries(timer))) if error.retry else _REFUSED_RETRY_S
    log.warning("ticket not kept", item=timer.id, tracker=case.spec.name, why=error.message)
    tried_at = row.tried_at if unknown else None
    return _Outcome(row=replace(row, tried_at=tried_at, error=error.message), retry_s=min(delay_s, _REFUSED_RETRY_S))


def _store(tx: Transaction, world: World, case: _Case, outcome: _Outcome) -> None:
    incident = case.item.incident
    stream = ev.items_stream(incident)
    cases.load(tx, incident, lock=True)
    if read_item(tx.connection, incident, case.item.number) != case.item:
        # Changed since it was read: compared again with what is there now.
        schedule(tx, world, incident, case.item.number)
        return
    put_ticket(tx.connection, outcome.row)
    if outcome.linked is not None:
        ticket = outcome.linked
        linked = ev.ItemLinked(
            number=case.item.number, tracker=case.spec.name, reference=ticket.reference, url=ticket.url
        )
        cases.record(tx, incident, linked, stream=stream)
        if outcome.row.known and not outcome.row.known.version:
            schedule(tx, world, incident, case.item.number)
    for one in outcome.pulled:
        cases.record(tx, incident, one.record, actor=one.actor, at=one.at, stream=stream)
    if outcome.pulled:
        schedule_reminder(tx, world, incident)


def _draft(world: World, case: _Case, *, key: str) -> Draft:
    item = case.item
    known = world.catalog.people.get(item.owner)
    said = replace(
        said_here(item),
        title=shortened(item.title, case.tracker.longest_title),
        owner=case.spec.people.get(item.owner, ""),
    )
    return Draft(
        mark=mark_of(world.catalog.name, item.incident, item.number, key=key),
        said=said,
        about=f"Action item {item.number} of INC-{item.incident}: {case.title}",
        url=f"{world.url}/i/{item.incident}",
        facts=(
            ("Owner", (known.name or item.owner) if known else item.owner or "nobody yet"),
            ("Priority", item.priority.value),
            ("To", item.purpose.value),
        ),
    )


def _title(text: str) -> str:
    return clean(redact(" ".join(text.split())))[:_LONGEST_TITLE]


def _tries(timer: Timer) -> int:
    tries = timer.data.get("tries")
    return tries if isinstance(tries, int) else 0


def _delay_s(tries: int) -> float:
    return min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(_MOST_DOUBLINGS, tries))
