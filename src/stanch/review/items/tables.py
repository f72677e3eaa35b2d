"""The projection of action items that lists read. Computed from the log; `Store.rebuild` makes it again."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final

from sqlalchemy import Column, Connection, Index, Integer, Row, Table, Text, func, insert, select, update

from stanch.incidents import events as ev
from stanch.kernel.event import Event
from stanch.store.schema import metadata
from stanch.store.types import Instant

items: Final = Table(
    "items",
    metadata,
    Column("incident", Integer, primary_key=True, autoincrement=False),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("owner", Text, nullable=False),
    # A day as ISO 8601 says it, so that texts compare as days do; empty for none.
    Column("due_on", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("added_at", Instant, nullable=False),
    Column("ended_at", Instant),
    Column("note", Text, nullable=False),
    Column("tracker", Text, nullable=False),
    Column("reference", Text, nullable=False),
    Column("url", Text, nullable=False),
    Index("ix_items_status_due_on", "status", "due_on"),
    Index("ix_items_tracker_reference", "tracker", "reference"),
)


@dataclass(frozen=True, kw_only=True)
class Item:
    """An action item as lists show it."""

    incident: int
    number: int
    title: str
    owner: str
    due_on: date | None
    priority: ev.ItemPriority
    purpose: ev.ItemPurpose
    status: ev.ItemStatus
    added_at: datetime
    ended_at: datetime | None
    note: str
    tracker: str
    reference: str
    url: str

    @property
    def is_open(self) -> bool:
        """Tell whether it has still to be done."""
        return self.status is ev.ItemStatus.OPEN


class ItemProjector:
    """Keeps the table `items`."""

    @property
    def tables(self) -> tuple[Table, ...]:
        """Return the one table."""
        return (items,)

    def project(self, connection: Connection, event: Event) -> None:
        """Bring an item's row up to date with `event`."""
        if event.incident is None or not event.kind.startswith("item."):
            return
        match ev.typed(event):
            case ev.ItemAdded(item=item):
                row = {"incident": event.incident, "number": item.number, "status": ev.ItemStatus.OPEN.value}
                row |= {"added_at": event.at, "note": "", "tracker": "", "reference": "", "url": "", **_said(item)}
                connection.execute(insert(items).values(row))
            case ev.ItemChanged(item=item):
                _change(connection, event.incident, item.number, _said(item))
            case ev.ItemEnded(number=number, status=status, note=note):
                ended_at = None if status is ev.ItemStatus.OPEN else event.at
                changes = {"status": status.value, "note": note, "ended_at": ended_at}
                _change(connection, event.incident, number, changes)
            case ev.ItemLinked(number=number, tracker=tracker, reference=reference, url=url):
                _change(connection, event.incident, number, {"tracker": tracker, "reference": reference, "url": url})
            case _:
                pass


def _said(item: ev.ActionItem) -> dict[str, object]:
    return {
        "title": item.title,
        "owner": item.owner,
        "due_on": item.due_on.isoformat() if item.due_on else "",
        "priority": item.priority.value,
        "purpose": item.purpose.value,
    }


def _change(connection: Connection, incident: int, number: int, changes: Mapping[str, object]) -> None:
    is_it = (items.c.incident == incident) & (items.c.number == number)
    connection.execute(update(items).where(is_it).values(changes))


def find_items(
    connection: Connection,
    *,
    incident: int | None = None,
    owner: str = "",
    open_only: bool = False,
    due_before: date | None = None,
    limit: int = 500,
) -> list[Item]:
    """Return items, those that are due first; without a day they come last."""
    query = select(items).order_by(items.c.due_on == "", items.c.due_on, items.c.incident, items.c.number)
    if incident is not None:
        query = query.where(items.c.incident == incident)
    if owner:
        query = query.where(items.c.owner == owner)
    if open_only:
        query = query.where(items.c.status == ev.ItemStatus.OPEN.value)
    if due_before is not None:
        query = query.where((items.c.due_on != "") & (items.c.due_on < due_before.isoformat()))
    return [_item(row) for row in connection.execute(query.limit(limit))]


def read_item(connection: Connection, incident: int, number: int) -> Item | None:
    """Return one item, None when there is none."""
    query = select(items).where((items.c.incident == incident) & (items.c.number == number))
    row = connection.execute(query).first()
    return _item(row) if row else None


def items_at(connection: Connection, tracker: str, references: Collection[str] = ()) -> list[Item]:
    """Return the items whose tickets are in `tracker`; with `references`, those of these."""
    query = select(items).where(items.c.tracker == tracker)
    if references:
        query = query.where(items.c.reference.in_(set(references)))
    return [_item(row) for row in connection.execute(query.order_by(items.c.incident, items.c.number))]


def next_number(connection: Connection, incident: int) -> int:
    """Return the number that the next item of an incident has."""
    highest = connection.execute(select(func.max(items.c.number)).where(items.c.incident == incident)).scalar()
    return (highest or 0) + 1


def _item(row: Row[tuple[object, ...]]) -> Item:
    return Item(
        incident=row.incident,
        number=row.number,
        title=row.title,
        owner=row.owner,
        due_on=date.fromisoformat(row.due_on) if row.due_on else None,
        priority=ev.ItemPriority(row.priority),
        purpose=ev.ItemPurpose(row.purpose),
        status=ev.ItemStatus(row.status),
        added_at=row.added_at,
        ended_at=row.ended_at,
        note=row.note,
        tracker=row.tracker,
        reference=row.reference,
        url=row.url,
    )
