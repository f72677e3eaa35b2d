"""The operation that gives an action item its ticket by hand: a new one, or one that is there already."""

from dataclasses import dataclass

from stanch.incidents import events as ev
from stanch.kernel.actor import ActorKind
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused
from stanch.operations import cases
from stanch.operations.items import ItemView, tracked_view
from stanch.operations.registry import Effect, operation
from stanch.operations.tickets import home_of, said_here, schedule
from stanch.operations.world import Call
from stanch.ports.ticketing import Failure, NotTaken, Ticket, TicketTracker
from stanch.review.items.tables import Item, items_at, read_item
from stanch.review.tickets.rules import Known
from stanch.review.tickets.tables import TicketRow, put_ticket, read_ticket
from stanch.store import Transaction

_LONGEST = 300


@dataclass(frozen=True, kw_only=True)
class LinkItem:
    """An item, the tracker (empty for the one that its incident's items belong to), and the ticket that is there.

    Without `reference` a ticket is made.
    """

    incident: int
    number: int
    tracker: str = ""
    reference: str = ""


@operation("item.link", effect=Effect.WRITE, example={"incident": 1, "number": 1, "reference": "acme/shop#41"})
def link(call: Call, request: LinkItem) -> ItemView:
    """Give an action item its ticket in a tracker; what both say from now on is kept the same."""
    world = call.world
    reference = request.reference.strip()
    if reference and call.actor.kind is ActorKind.AGENT:
        # What is linked follows the item: any ticket of the project could be closed or renamed by way of one.
        raise Forbidden(
            f"{call.actor.label} may order a ticket, not take one that is there",
            reason="linking_needs_a_person",
            hint="write in a note which ticket it is",
        )
    if len(reference) > _LONGEST:
        raise Invalid(f"at most {_LONGEST} characters", field="reference")
    with world.store.reading() as view:
        _known(view, request)
        tracker = _tracker(view, call, request)
    # Asked before the transaction: a tracker may take its time.
    ticket = _ticket(world.ticketing[tracker], reference) if reference else None
    with world.store.writing() as tx:
        cases.load(tx, request.incident, lock=True)
        item = _known(tx, request)
        if ticket is None:
            _order(tx, item, tracker)
        else:
            _adopt(tx, call, item, tracker, ticket)
        schedule(tx, world, item.incident, item.number)
        return tracked_view(tx, _known(tx, request), world, now=call.now)


def _ticket(tracker: TicketTracker, reference: str) -> Ticket:
    """Return the ticket that was named. Raises `Invalid` where the tracker knows none by that name."""
    try:
        return tracker.read(reference)
    except NotTaken as error:
        if error.failure is Failure.REFUSED:
            raise Invalid(error.message, field="reference") from None
        raise


def _order(tx: Transaction, item: Item, tracker: str) -> None:
    if item.reference:
        raise Refused(f"it is {item.reference} in {item.tracker} already", reason="linked")
    if not item.is_open:
        raise Refused(f"it is {item.status.value}", reason="not_open", hint="stanch item reopen")
    row = read_ticket(tx.connection, item.incident, item.number)
    if row is not None and row.tracker == tracker and row.begun_at is not None:
        # It was asked for, and may stand there: it is looked for before another is made.
        return
    put_ticket(tx.connection, TicketRow(incident=item.incident, number=item.number, tracker=tracker))


def _adopt(tx: Transaction, call: Call, item: Item, tracker: str, ticket: Ticket) -> None:
    """Link what is there. Neither side follows the other in what they said before."""
    if any(
        (one.incident, one.number) != (item.incident, item.number)
        for one in items_at(tx.connection, tracker, (ticket.reference,))
    ):
        raise Refused(f"{ticket.reference} is another item's ticket", reason="taken")
    if (item.tracker, item.reference) != (tracker, ticket.reference):
        linked = ev.ItemLinked(number=item.number, tracker=tracker, reference=ticket.reference, url=ticket.url)
        stream = ev.items_stream(item.incident)
        cases.record(tx, item.incident, linked, actor=call.actor, via=call.via, stream=stream)
    known = Known(here=said_here(item), there=ticket.said, version=ticket.version)
    put_ticket(tx.connection, TicketRow(incident=item.incident, number=item.number, tracker=tracker, known=known))


def _tracker(tx: Transaction, call: Call, request: LinkItem) -> str:
    world = call.world
    if not request.tracker:
        if (spec := home_of(tx, world, request.incident)) is None:
            raise Refused(
                "no tracker is configured for this incident", reason="no_tracker", hint="[trackers] in stanch.toml"
            )
        return spec.name
    if request.tracker not in world.ticketing:
        known = ", ".join(sorted(world.ticketing)) or "none"
        raise Invalid(f"{request.tracker!r} is no tracker: there are {known}", field="tracker")
    return request.tracker


def _known(tx: Transaction, request: LinkItem) -> Item:
    found = read_item(tx.connection, request.incident, request.number)
    if found is None:
        raise NotFound(
            f"INC-{request.incident} has no action item {request.number}",
            hint=f"see them: stanch item list -i INC-{request.incident}",
        )
    return found
