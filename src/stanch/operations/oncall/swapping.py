"""Swapping shifts: one offers, the other accepts, and only then the roster changes."""

from dataclasses import dataclass
from datetime import datetime

from stanch.catalog.model import Catalog
from stanch.kernel.actor import ActorKind
from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from stanch.kernel.ids import new_id
from stanch.oncall.model import Facts, Override, Span
from stanch.oncall.overrides.model import OverrideRecord, Swap, SwapState
from stanch.oncall.overrides.tables import add_override, add_swap, decide_swap, find_swap, swaps_since
from stanch.oncall.roster import schedule_of, shifts
from stanch.oncall.rules import said
from stanch.operations.oncall.changing import OneById, broken_now, check_people, check_time, newly
from stanch.operations.oncall.facts import facts_at
from stanch.operations.oncall.views import BrokenRule
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.store import Transaction


@dataclass(frozen=True, kw_only=True)
class ProposeSwap:
    """Offer `taker` your shifts of one time, and take theirs of another one, if there is one."""

    schedule: str
    taker: str
    give_start: datetime
    give_end: datetime
    take_start: datetime | None = None
    take_end: datetime | None = None
    giver: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class SwapView:
    """A swap as it stands."""

    id: str
    schedule: str
    giver: str
    taker: str
    give_start: datetime
    give_end: datetime
    take_start: datetime | None
    take_end: datetime | None
    why: str
    state: str
    proposed_by: str
    proposed_at: datetime
    decided_by: str = ""
    decided_at: datetime | None = None
    broken: tuple[BrokenRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListSwaps:
    """Those of shifts that have not ended; of one person, if one is named."""

    person: str = ""


@operation(
    "swap.propose",
    effect=Effect.WRITE,
    example={
        "schedule": "checkout",
        "taker": "bob",
        "give_start": "2026-11-23T09:00:00Z",
        "give_end": "2026-11-30T09:00:00Z",
    },
)
def propose_swap(call: Call, request: ProposeSwap) -> SwapView:
    """Offer somebody your shifts; nothing changes until they accept."""
    catalog, now = call.world.catalog, call.now
    schedule_of(catalog, request.schedule)
    giver = request.giver or call.actor.id
    check_people(catalog, person=request.taker, instead_of=giver)
    if giver == request.taker:
        raise Invalid("is the one who gives", field="taker")
    check_time(request.give_start, request.give_end, now=now)
    take = None
    if request.take_start or request.take_end:
        if not request.take_start or not request.take_end:
            raise Invalid("both ends of what you take are needed", field="take_end")
        check_time(request.take_start, request.take_end, now=now)
        take = Span(start=request.take_start, end=request.take_end)
    swap = Swap(
        id=new_id(now),
        schedule=request.schedule,
        giver=giver,
        taker=request.taker,
        give=Span(start=request.give_start, end=request.give_end),
        take=take,
        why=request.why.strip(),
        proposed_by=call.actor.id,
        proposed_at=now,
        via=call.via.value,
    )
    with call.world.store.writing() as tx:
        facts = facts_at(call.world, tx.connection, at=swap.give.start)
        _check_shifts(catalog, swap, facts)
        add_swap(tx.connection, swap)
    return _swap_view(swap)


@operation("swap.accept", effect=Effect.WRITE, example={"id": "01J0000000000000000000000"})
def accept_swap(call: Call, request: OneById) -> SwapView:
    """Accept a swap that was offered to you: from now on the shifts are changed."""
    now = call.now
    with call.world.store.writing() as tx:
        swap = _open_swap(tx, request.id)
        _only(call, swap.taker, "accept it")
        if swap.give.end <= now:
            raise Refused("its shifts are over", reason="over")
        before = broken_now(call, tx, swap.schedule)
        # Who was on call when it was offered need not be any more.
        _check_shifts(call.world.catalog, swap, facts_at(call.world, tx.connection, at=swap.give.start))
        _decide(tx, call, swap, SwapState.ACCEPTED)
        for person, instead_of, span in _exchanged(swap):
            override = Override(
                id=new_id(now),
                schedule=swap.schedule,
                person=person,
                instead_of=instead_of,
                start=span.start,
                end=span.end,
                why=f"swapped with {instead_of}",
            )
            record = OverrideRecord(
                override=override, made_by=call.actor.id, made_at=now, via=call.via.value, swap=swap.id
            )
            add_override(tx.connection, record)
        after = broken_now(call, tx, swap.schedule)
        decided = find_swap(tx.connection, swap.id) or swap
    return _swap_view(decided, broken=newly(before, after))


@operation("swap.decline", effect=Effect.WRITE, example={"id": "01J0000000000000000000000"})
def decline_swap(call: Call, request: OneById) -> SwapView:
    """Decline a swap that was offered to you, or withdraw one that you offered."""
    with call.world.store.writing() as tx:
        swap = _open_swap(tx, request.id)
        withdrawn = call.actor.id in (swap.giver, swap.proposed_by)
        if not withdrawn:
            _only(call, swap.taker, "decline it")
        _decide(tx, call, swap, SwapState.WITHDRAWN if withdrawn else SwapState.DECLINED)
        decided = find_swap(tx.connection, swap.id) or swap
    return _swap_view(decided)


@operation("swap.list", effect=Effect.READ, example={"person": "bob"})
def list_swaps(call: Call, request: ListSwaps) -> tuple[SwapView, ...]:
    """List the swaps of shifts that have not ended, oldest first."""
    with call.world.store.reading() as view:
        found = swaps_since(view.connection, call.now, person=request.person)
    return tuple(_swap_view(one) for one in found)


def _check_shifts(catalog: Catalog, swap: Swap, facts: Facts) -> None:
    """Raise `Refused` unless each side is on call in what it gives."""
    for _, owner, span in _exchanged(swap):
        found = shifts(catalog, swap.schedule, start=span.start, end=span.end, facts=facts)
        if not any(one.person == owner for one in found):
            raise Refused(
                f"{owner} is not on call for {swap.schedule} {said(span, catalog.zone)}", reason="not_on_call"
            )


def _exchanged(swap: Swap) -> tuple[tuple[str, str, Span], ...]:
    """Return who is on instead of whom, when."""
    given = (swap.taker, swap.giver, swap.give)
    return (given, (swap.giver, swap.taker, swap.take)) if swap.take else (given,)


def _open_swap(tx: Transaction, id: str) -> Swap:
    swap = find_swap(tx.connection, id)
    if swap is None:
        raise NotFound(f"there is no swap {id}", hint="all of them: stanch oncall swaps")
    if swap.state is not SwapState.PROPOSED:
        raise Conflict(f"swap {id} was {swap.state.value} already by {swap.decided_by}")
    return swap


def _only(call: Call, person: str, what: str) -> None:
    if call.actor.kind is not ActorKind.PERSON or call.actor.id != person:
        raise Forbidden(f"only {person} may {what}", reason="not_yours")


def _decide(tx: Transaction, call: Call, swap: Swap, state: SwapState) -> None:
    if not decide_swap(tx.connection, swap.id, state=state, by=call.actor.id, at=call.now):
        raise Conflict(f"swap {swap.id} was decided in the meantime")


def _swap_view(swap: Swap, *, broken: tuple[BrokenRule, ...] = ()) -> SwapView:
    return SwapView(
        id=swap.id,
        schedule=swap.schedule,
        giver=swap.giver,
        taker=swap.taker,
        give_start=swap.give.start,
        give_end=swap.give.end,
        take_start=swap.take.start if swap.take else None,
        take_end=swap.take.end if swap.take else None,
        why=swap.why,
        state=swap.state.value,
        proposed_by=swap.proposed_by,
        proposed_at=swap.proposed_at,
        decided_by=swap.decided_by,
        decided_at=swap.decided_at,
        broken=broken,
    )
