"""Operations on action items: write them down, change them, end them, list what is owed."""

from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

from stanch.incidents import events as ev
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.operations import cases
from stanch.operations.registry import OUT_OF_RANGE, Effect, in_range, operation
from stanch.operations.tickets import action_item, follow_item, tracking
from stanch.operations.world import Call, World
from stanch.review.items.rules import next_reminder, overdue_days
from stanch.review.items.tables import Item, find_items, next_number, read_item
from stanch.review.tickets.tables import read_ticket, read_tickets
from stanch.store import Transaction
from stanch.store.model import Timer

KIND: Final = "items"
"""The kind of the timers that remind of action items."""

_LONGEST_TITLE: Final = 500
_LONGEST_NOTE: Final = 4_000
_MOST: Final = 500


@dataclass(frozen=True, kw_only=True)
class ItemQuery:
    """Which items: of one incident, of one owner, those that are open, those that are overdue."""

    incident: int | None = None
    owner: str = ""
    open_only: bool = False
    overdue: bool = False


@dataclass(frozen=True, kw_only=True)
class AddItem:
    """What is to be done, by whom, until when (a day in the installation's zone), how soon, and what for."""

    incident: int
    title: str
    owner: str = ""
    due_on: date | None = None
    priority: ev.ItemPriority = ev.ItemPriority.MEDIUM
    purpose: ev.ItemPurpose = ev.ItemPurpose.PREVENT


@dataclass(frozen=True, kw_only=True)
class ChangeItem:
    """What is different about an item; what is left out stays. `due_on` "none" takes its day away."""

    incident: int
    number: int
    title: str = ""
    owner: str | None = None
    due_on: str = ""
    priority: ev.ItemPriority | None = None
    purpose: ev.ItemPurpose | None = None


@dataclass(frozen=True, kw_only=True)
class EndItem:
    """An item, and what there is to say about its end."""

    incident: int
    number: int
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ItemView:
    """An action item. `age_days` counts from when it was written down, `overdue_days` from the day it was due.

    `tracker`, `reference` and `url` are of its ticket, empty where it has none; `tracking` says that one is on its way,
    or what keeps the two from being the same.
    """

    incident: int
    key: str
    number: int
    title: str
    owner: str
    due_on: date | None
    priority: str
    purpose: str
    status: str
    age_days: int
    overdue_days: int
    added_at: datetime
    ended_at: datetime | None
    note: str
    tracker: str
    reference: str
    url: str
    tracking: str = ""


@operation("item.list", effect=Effect.READ, example={"open_only": True})
def list_items(call: Call, request: ItemQuery) -> tuple[ItemView, ...]:
    """List action items, what is due first."""
    today = _today(call.world, call.now)
    with call.world.store.reading() as view:
        found = find_items(
            view.connection,
            incident=request.incident,
            owner=request.owner,
            open_only=request.open_only or request.overdue,
            due_before=today if request.overdue else None,
            limit=_MOST,
        )
        rows = read_tickets(view.connection, [one.incident for one in found])
    return tuple(
        view_of(one, call.world, now=call.now, tracking=tracking(one, rows.get((one.incident, one.number))))
        for one in found
    )


@operation("item.add", effect=Effect.WRITE, example={"incident": 1, "title": "Add a test for guest checkout"})
def add(call: Call, request: AddItem) -> ItemView:
    """Write down what is to be done after an incident."""
    with call.world.store.writing() as tx:
        cases.load(tx, request.incident, lock=True)
        item = ev.ActionItem(
            number=next_number(tx.connection, request.incident),
            title=_title(request.title),
            owner=_owner(call, request.owner),
            due_on=request.due_on,
            priority=request.priority,
            purpose=request.purpose,
        )
        return _tell(tx, call, request.incident, item.number, ev.ItemAdded(item=item))


@operation("item.change", effect=Effect.WRITE, example={"incident": 1, "number": 1, "owner": "alice"})
def change(call: Call, request: ChangeItem) -> ItemView:
    """Change what an action item says."""
    with call.world.store.writing() as tx:
        cases.load(tx, request.incident, lock=True)
        known = _known(tx, request.incident, request.number)
        before = action_item(known)
        after = replace(
            before,
            title=_title(request.title) if request.title else before.title,
            owner=before.owner if request.owner is None else _owner(call, request.owner),
            due_on=_day(request.due_on) if request.due_on else before.due_on,
            priority=request.priority or before.priority,
            purpose=request.purpose or before.purpose,
        )
        if after == before:
            return tracked_view(tx, known, call.world, now=call.now)
        return _tell(tx, call, request.incident, request.number, ev.ItemChanged(item=after))


@operation("item.done", effect=Effect.WRITE, example={"incident": 1, "number": 1})
def done(call: Call, request: EndItem) -> ItemView:
    """Say that an action item is done."""
    return _end(call, request, ev.ItemStatus.DONE)


@operation("item.drop", effect=Effect.WRITE, example={"incident": 1, "number": 1, "note": "the service is retired"})
def drop(call: Call, request: EndItem) -> ItemView:
    """Say that an action item will not be done, and why."""
    if not request.note.strip():
        raise Invalid("say why nobody will do it", field="note")
    return _end(call, request, ev.ItemStatus.DROPPED)


@operation("item.reopen", effect=Effect.WRITE, example={"incident": 1, "number": 1})
def reopen(call: Call, request: EndItem) -> ItemView:
    """Open an action item again."""
    return _end(call, request, ev.ItemStatus.OPEN)


def overdue_notices(tx: Transaction, world: World, *, now: datetime) -> tuple[str, ...]:
    """Return what the overview says of items whose day is over; nothing where there are none."""
    late = find_items(tx.connection, open_only=True, due_before=_today(world, now), limit=_MOST)
    if not late:
        return ()
    owners = ", ".join(sorted({one.owner or "nobody" for one in late}))
    noun = "action item is" if len(late) == 1 else "action items are"
    return (f"{len(late)} {noun} overdue ({owners}): stanch item list --overdue",)


def tracked_view(tx: Transaction, item: Item, world: World, *, now: datetime) -> ItemView:
    """Return an item as surfaces show it, with how its ticket does."""
    row = read_ticket(tx.connection, item.incident, item.number)
    return view_of(item, world, now=now, tracking=tracking(item, row))


def view_of(item: Item, world: World, *, now: datetime, tracking: str = "") -> ItemView:
    """Return an item as surfaces show it at `now` (UTC)."""
    return ItemView(
        incident=item.incident,
        key=f"INC-{item.incident}",
        number=item.number,
        title=item.title,
        owner=item.owner,
        due_on=item.due_on,
        priority=item.priority.value,
        purpose=item.purpose.value,
        status=item.status.value,
        age_days=max(0, ((item.ended_at or now) - item.added_at).days),
        overdue_days=overdue_days(item.due_on, now=now, zone=_zone(world)) if item.is_open else 0,
        added_at=item.added_at,
        ended_at=item.ended_at,
        note=item.note,
        tracker=item.tracker,
        reference=item.reference,
        url=item.url,
        tracking=tracking,
    )


def schedule_reminder(tx: Transaction, world: World, incident: int) -> None:
    """Let whoever owes action items of an incident be reminded at the next of their days."""
    now, zone = world.clock.now(), _zone(world)
    open_items = find_items(tx.connection, incident=incident, open_only=True)
    moments = [next_reminder(one.due_on, now=now, zone=zone) for one in open_items if one.due_on]
    if not moments:
        tx.cancel_timers(prefix=f"inc{incident}/items")
        return
    tx.schedule(Timer(id=f"inc{incident}/items", kind=KIND, due_at=min(moments), incident=incident), replace=True)


def _end(call: Call, request: EndItem, status: ev.ItemStatus) -> ItemView:
    note = request.note.strip()
    if len(note) > _LONGEST_NOTE:
        raise Invalid(f"at most {_LONGEST_NOTE:,} characters", field="note")
    with call.world.store.writing() as tx:
        cases.load(tx, request.incident, lock=True)
        known = _known(tx, request.incident, request.number)
        if known.status is status:
            return tracked_view(tx, known, call.world, now=call.now)
        if status is not ev.ItemStatus.OPEN and not known.is_open:
            raise Refused(f"it is {known.status.value} already", reason="not_open", hint="stanch item reopen")
        ended = ev.ItemEnded(number=request.number, status=status, note=note)
        return _tell(tx, call, request.incident, request.number, ended)


def _tell(tx: Transaction, call: Call, incident: int, number: int, record: ev.IncidentEvent) -> ItemView:
    cases.record(tx, incident, record, actor=call.actor, via=call.via, stream=ev.items_stream(incident))
    schedule_reminder(tx, call.world, incident)
    item = _known(tx, incident, number)
    follow_item(tx, call.world, item)
    return tracked_view(tx, item, call.world, now=call.now)


def _known(tx: Transaction, incident: int, number: int) -> Item:
    found = read_item(tx.connection, incident, number)
    if found is None:
        raise NotFound(
            f"INC-{incident} has no action item {number}", hint=f"see them: stanch item list -i INC-{incident}"
        )
    return found


def _title(text: str) -> str:
    title = " ".join(text.split())
    if not title:
        raise Invalid("say what is to be done", field="title")
    if len(title) > _LONGEST_TITLE:
        raise Invalid(f"at most {_LONGEST_TITLE} characters", field="title")
    return title


def _owner(call: Call, name: str) -> str:
    people = call.world.catalog.people
    name = name.strip()
    if name and people and name not in people:
        raise Invalid(f"{name!r} is not in the catalog: there are {', '.join(sorted(people))}", field="owner")
    return name


def _day(text: str) -> date | None:
    if text == "none":
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise Invalid("is a day such as 2026-12-01, or none", field="due_on") from error
    if not in_range(day):
        raise Invalid(OUT_OF_RANGE, field="due_on")
    return day


def _zone(world: World) -> ZoneInfo:
    return ZoneInfo(world.catalog.zone)


def _today(world: World, now: datetime) -> date:
    return now.astimezone(_zone(world)).date()
