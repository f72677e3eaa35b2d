"""Puts the tickets of action items on their way: which tracker an item belongs to, and the timer that keeps the two."""

from typing import Final

from stanch.catalog.trackers import TrackerSpec, tracker_for
from stanch.incidents import events as ev
from stanch.operations import cases
from stanch.operations.world import World
from stanch.ports.ticketing import Said, TicketState
from stanch.review.items.tables import Item
from stanch.review.tickets.tables import TicketRow, put_ticket, read_ticket
from stanch.store import Transaction
from stanch.store.model import Timer

TICKET: Final = "ticket"
"""The kind of the timers that make an item and its ticket the same."""


def follow_item(tx: Transaction, world: World, item: Item) -> None:
    """Let the ticket of an item be made where its tracker wants every one, or follow what the item says now."""
    row = read_ticket(tx.connection, item.incident, item.number)
    if item.reference:
        if item.tracker in world.catalog.trackers:
            schedule(tx, world, item.incident, item.number)
        return
    if row is None:
        spec = home_of(tx, world, item.incident)
        if spec is None or not spec.automatic or not item.is_open:
            return
        put_ticket(tx.connection, TicketRow(incident=item.incident, number=item.number, tracker=spec.name))
    schedule(tx, world, item.incident, item.number)


def schedule(tx: Transaction, world: World, incident: int, number: int) -> None:
    """Let an item and its ticket be compared now; whoever compares them at this moment begins again."""
    # Its incident is no column of it: what an incident's end cancels is not this.
    timer = Timer(
        id=f"ticket/{incident}/{number}",
        kind=TICKET,
        due_at=world.clock.now(),
        data={"incident": incident, "number": number},
    )
    tx.schedule(timer, replace=True)


def home_of(tx: Transaction, world: World, incident: int) -> TrackerSpec | None:
    """Return the tracker that an incident's items belong to, None for none."""
    if not world.catalog.trackers:
        return None
    services = cases.load(tx, incident).services
    teams = {world.catalog.services[one].team for one in services if one in world.catalog.services}
    return tracker_for(world.catalog.trackers, services=services, teams=teams - {""})


def said_here(item: Item) -> Said:
    """Return what an item says, its owner as a person."""
    return Said(title=item.title, owner=item.owner, due_on=item.due_on, state=TicketState(item.status.value))


def action_item(item: Item) -> ev.ActionItem:
    """Return an item as its events hold it."""
    return ev.ActionItem(
        number=item.number,
        title=item.title,
        owner=item.owner,
        due_on=item.due_on,
        priority=item.priority,
        purpose=item.purpose,
    )


def tracking(item: Item, row: TicketRow | None) -> str:
    """Return what there is to say about an item's ticket besides its link: that it waits, or what went wrong."""
    if row is None:
        return ""
    if row.error:
        return f"{row.tracker}: {row.error}"
    return "" if item.reference else f"on its way to {row.tracker}"
