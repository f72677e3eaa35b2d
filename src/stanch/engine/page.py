"""Hands notices over: marks before it sends, sends with the notice's id as the key, records how each attempt ended.

A notice is sent under its page's lock only in so far as that nobody has answered when it is marked; what is on its way
when somebody answers arrives. A provider that does not take a notice is followed by the next one that serves the same
kind of method. One that gave no answer is asked again with the same key; where it knows no keys, the notice is left
alone for a minute and then said once more, as what it is.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.catalog.pagers import SERVES
from stanch.engine.escalate import CHANNEL, owe
from stanch.kernel.codec import from_data
from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation import rules
from stanch.oncall.escalation.model import Notice, NoticeState, Purpose
from stanch.oncall.escalation.state import PageState
from stanch.oncall.pages.tables import (
    forget_troubles,
    mark_bounced,
    note_trouble,
    read_pages,
    signing_key,
)
from stanch.operations import paging
from stanch.operations.world import World
from stanch.ports.pager import Failure, NotTaken, Page, Pager, Receipt
from stanch.store import Transaction, deliveries
from stanch.store.deliveries import Ending
from stanch.store.gathering import Gathering, gathering
from stanch.store.model import Delivery, DeliveryState

_KINDS: Final = frozenset(kind for kinds in SERVES.values() for kind in kinds)
_LEASE: Final = timedelta(seconds=15)
_MOST_ATTEMPTS: Final = 12
_SILENT: Final = "whoever was sending it has not said how that ended: the process died, or took too long"
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 120.0
_LONGEST_WAIT_S: Final = 900.0
# Asking again would get the same answer. Only what is refused says something about the address.
_FOR_GOOD: Final = frozenset({Failure.REFUSED, Failure.CREDENTIALS})

log = structlog.get_logger("stanch.page")


@dataclass(frozen=True, kw_only=True)
class Ready:
    """A notice that is marked as being sent: its delivery, what it says, and who is to take it over."""

    delivery: Delivery
    page: Page
    pager: Pager
    number: int
    notice: int
    attempt: int


@dataclass(frozen=True, kw_only=True)
class Ended:
    """How the attempt on a notice ended."""

    ready: Ready
    receipt: Receipt | None = None
    failure: Failure | None = None
    detail: str = ""
    retry_after_s: float | None = None


def claim(world: World, *kinds: str, limit: int) -> list[Delivery]:
    """Take up to `limit` due notices of these kinds for this node."""
    channels = tuple(f"{CHANNEL}{kind}" for kind in kinds)
    now = world.clock.now()
    with world.store.reading() as view:
        if not deliveries.any_due(view.connection, channels=channels, now=now):
            return []
    with world.store.writing() as tx:
        return deliveries.claim(
            tx.connection,
            channels=channels,
            now=now,
            lease_now=tx.lease_now(),
            lease=_LEASE,
            node=world.node,
            token=secrets.token_hex(8),
            limit=limit,
        )


def fail_unserved(world: World, *, limit: int) -> int:
    """Fail due notices of kinds that no provider serves, so that what comes next comes now; return how many."""
    unserved = sorted(_KINDS.difference(paging.kinds_of(world)))
    claimed = claim(world, *unserved, limit=limit)
    begin(world, claimed)
    return len(claimed)


def begin(world: World, claimed: Sequence[Delivery]) -> list[Ready]:
    """Mark as being sent what is still to be sent, and return it; what nobody needs any more is cancelled."""
    if not claimed:
        return []
    try:
        return _begin_some(world, claimed)
    except Exception:  # boundary "engine loop": one notice that cannot be begun must not hold up the others
        log.exception("beginning_together_failed")
        return [ready for delivery in claimed for ready in _begin_alone(world, delivery)]


def _begin_alone(world: World, delivery: Delivery) -> list[Ready]:
    try:
        return _begin_some(world, [delivery])
    except Exception:  # boundary "engine loop": it is tried again when its lease is over
        log.exception("beginning_failed", delivery=delivery.id)
        return []


def _begin_some(world: World, claimed: Sequence[Delivery]) -> list[Ready]:
    now = world.clock.now()
    ready = []
    with world.store.writing() as tx:
        states = _locked(tx, claimed)
        held = deliveries.held(tx.connection, claimed)
        for delivery in claimed:
            place = paging.place_of(delivery.id)
            state = states.get(place[0]) if place else None
            if delivery.id not in held:
                continue
            if state is None or place is None:
                _drop(tx, delivery, now=now)
                continue
            one = _begin_one(tx, world, delivery, state, place[1], now=now)
            if one is not None:
                ready.append(one)
            else:
                # The next notice of the same page must see what was recorded about this one.
                states[place[0]] = paging.load(tx, place[0])
        deliveries.begin_together(tx.connection, [one.delivery for one in ready], node=world.node, now=now)
    return ready


def bring_forward(tx: Transaction, *, now: datetime, by: timedelta) -> None:
    """Let notices that were committed or put off by a clock which was then set back `by` wait no longer for it.

    What quiet hours hold back stays: its time is one of the wall clock.
    """
    waiting = deliveries.find(tx.connection, state=DeliveryState.READY)
    late = {
        one.id: (place, one)
        for one in waiting
        if one.due_at > now and (one.created_at > now or one.attempts) and (place := paging.place_of(one.id))
    }
    states = read_pages(tx.connection, [page for (page, _), _ in late.values()])
    for id, ((page, number), one) in late.items():
        notice = states[page].notice(number) if page in states else None
        if notice is not None and notice.state is not NoticeState.HELD:
            deliveries.hasten(tx.connection, id, due_at=max(now, one.due_at - by))


def _locked(tx: Transaction, claimed: Sequence[Delivery]) -> dict[int, PageState]:
    places = {delivery.id: place for delivery in claimed if (place := paging.place_of(delivery.id))}
    # All before anything is appended: whoever appends holds the lock that orders events, and must wait for nothing.
    tx.lock_all([paging.lock_of(places[one.id][0], one.incident) for one in claimed if one.id in places])
    return read_pages(tx.connection, [number for number, _ in places.values()])


def _begin_one(
    tx: Transaction, world: World, delivery: Delivery, state: PageState, number: int, *, now: datetime
) -> Ready | None:
    notice = state.notice(number)
    pagers = paging.pagers_for(world, delivery.channel.removeprefix(CHANNEL))
    if notice is None:
        _drop(tx, delivery, now=now)
        return None
    pager = _provider(pagers, notice) if pagers else None
    if delivery.state is DeliveryState.SENDING and (pager is None or not pager.idempotent):
        _unknown(tx, world, state, delivery, notice, _SILENT, provider=notice.provider, now=now)
        return None
    if not notice.state.is_waiting:
        # Answered while the lease was held; a node that died after it began may have sent it.
        _drop(tx, delivery, now=now, unknown=delivery.state is DeliveryState.SENDING)
        return None
    if pager is None:
        _unserved(tx, world, state, delivery, notice, now=now)
        return None
    return Ready(
        delivery=delivery,
        page=from_data(delivery.message, Page),
        pager=pager,
        number=state.number,
        notice=number,
        attempt=delivery.attempts + 1,
    )


def _provider(pagers: Sequence[Pager], notice: Notice) -> Pager:
    """Return who takes the notice over next: the same again where no answer came, else the one after the last."""
    names = [pager.name for pager in pagers]
    if notice.provider not in names:
        return pagers[0]
    index = names.index(notice.provider)
    return pagers[index if notice.state is NoticeState.UNSURE else (index + 1) % len(pagers)]


def _unserved(
    tx: Transaction, world: World, state: PageState, delivery: Delivery, notice: Notice, *, now: datetime
) -> None:
    """Fail a notice that no provider can take; nothing is waited for that cannot come."""
    detail = f"no provider serves {notice.kind}"
    deliveries.end(
        tx.connection,
        delivery,
        state=DeliveryState.FAILED,
        outcome=DeliveryState.FAILED.value,
        detail=detail,
        now=now,
        attempt=delivery.attempts,
    )
    moved = ev.NoticeMoved(notice=notice.number, state=NoticeState.FAILED, detail=detail, attempt=delivery.attempts)
    paging.after_failure(tx, world, paging.record(tx, state, moved), notice.number)


def _drop(tx: Transaction, delivery: Delivery, *, now: datetime, unknown: bool = False) -> None:
    deliveries.end(
        tx.connection,
        delivery,
        state=DeliveryState.UNKNOWN if unknown else DeliveryState.CANCELLED,
        outcome="cancelled",
        detail="nobody needs it any more",
        now=now,
        attempt=delivery.attempts,
    )


def send(ready: Ready) -> Ended:
    """Hand one notice over, outside any transaction."""
    try:
        receipt = ready.pager.page(ready.page)
    except NotTaken as error:
        return Ended(ready=ready, failure=error.failure, detail=error.message, retry_after_s=error.retry_after_s)
    except Exception as error:  # boundary "integration": a provider's own defect must not stop the others
        log.exception("pager_failed", pager=ready.pager.name, delivery=ready.delivery.id)
        detail = f"{type(error).__name__} in provider {ready.pager.name}"
        return Ended(ready=ready, failure=Failure.UNREACHABLE, detail=detail)
    return Ended(ready=ready, receipt=receipt, detail=receipt.detail)


def finish(world: World, group: Sequence[Ended]) -> None:
    """Record how attempts ended, and what follows from each."""
    if not group:
        return
    with world.store.writing() as tx:
        states = _locked(tx, [one.ready.delivery for one in group])
        _note_troubles(tx, group, now=world.clock.now())
        held = deliveries.held(tx.connection, [one.ready.delivery for one in group])
        taken = [one for one in group if _is_plain(one, states) and one.ready.delivery.id in held]
        with gathering(tx) as gathered:
            gathered.versions.update({ev.page_stream(number): state.version for number, state in states.items()})
            for one in taken:
                number = one.ready.number
                states[number] = _handed_over(gathered, states[number], one)
        for one in group:
            if one not in taken:
                _finish_one(tx, world, one)


def _note_troubles(tx: Transaction, group: Sequence[Ended], *, now: datetime) -> None:
    """Record which providers accept us and which do not: before anything is appended, as others do it too."""
    refusing = {one.ready.pager.name: one.detail for one in group if one.failure is Failure.CREDENTIALS}
    if accepted := {one.ready.pager.name for one in group if one.failure is None}:
        forget_troubles(tx.connection, accepted)
    for name, detail in sorted(refusing.items()):
        note_trouble(tx.connection, name, detail=detail, now=now)


def _is_plain(ended: Ended, states: dict[int, PageState]) -> bool:
    """Tell whether nothing follows from how an attempt ended but its record: it was taken, as nearly all are."""
    state = states.get(ended.ready.number)
    return ended.failure is None and state is not None and state.purpose is not Purpose.SYNTHETIC


def _handed_over(gathered: Gathering, state: PageState, ended: Ended) -> PageState:
    reference = ended.receipt.reference if ended.receipt else ""
    gathered.end(
        Ending(
            delivery=ended.ready.delivery,
            state=DeliveryState.SENT,
            outcome=DeliveryState.SENT.value,
            detail=ended.detail,
            attempt=ended.ready.attempt,
            reference=reference,
        )
    )
    return _moved(gathered, state, ended, NoticeState.HANDED_OVER, reference=reference)


def _finish_one(tx: Transaction, world: World, ended: Ended) -> None:
    now = world.clock.now()
    ready = ended.ready
    state = paging.load(tx, ready.number)
    notice = state.notice(ready.notice)
    if notice is None:
        return
    if ended.failure is None:
        taken = DeliveryState.SENT
        reference = ended.receipt.reference if ended.receipt else ""
        if _end(tx, ended, taken, now=now, reference=reference):
            after = _moved(tx, state, ended, NoticeState.HANDED_OVER, reference=reference)
            _measured(tx, world, after, now=now)
        return
    if not notice.state.is_waiting:
        _end(tx, ended, DeliveryState.CANCELLED, now=now)
        return
    _failed(tx, world, state, notice, ended, now=now)


def _failed(tx: Transaction, world: World, state: PageState, notice: Notice, ended: Ended, *, now: datetime) -> None:
    ready = ended.ready
    pagers = paging.pagers_for(world, ready.page.kind)
    is_last = not pagers or ready.pager.name == pagers[-1].name or len(pagers) == 1
    if ended.failure is Failure.UNKNOWN and not ready.pager.idempotent:
        provider = ready.pager.name
        _unknown(tx, world, state, ready.delivery, notice, ended.detail, provider=provider, now=now, ended=ended)
        return
    over = ready.attempt >= _MOST_ATTEMPTS
    if over or (ended.failure in _FOR_GOOD and is_last):
        if not _end(tx, ended, DeliveryState.FAILED, now=now):
            # Its lease was over and another has it: how that ends is what counts.
            return
        after = _moved(tx, state, ended, NoticeState.FAILED)
        if ended.failure is Failure.REFUSED:
            mark_bounced(tx.connection, person=notice.person, method=notice.method, now=now)
        paging.after_failure(tx, world, after, notice.number)
        return
    moved, delay_s = _again(ended, is_last=is_last)
    if _end(tx, ended, DeliveryState.READY, now=now, retry_at=now + timedelta(seconds=delay_s)):
        _moved(tx, state, ended, moved)


def _again(ended: Ended, *, is_last: bool) -> tuple[NoticeState, float]:
    """Return what becomes of a notice that is tried again, and after how many seconds."""
    backoff_s = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** (ended.ready.attempt - 1))
    if ended.failure is Failure.UNKNOWN:
        return NoticeState.UNSURE, backoff_s
    if not is_last:
        return NoticeState.FELL_BACK, 0.0
    if ended.failure is Failure.THROTTLED:
        return NoticeState.THROTTLED, min(_LONGEST_WAIT_S, max(ended.retry_after_s or 0.0, backoff_s))
    return NoticeState.RETRYING, backoff_s


def _unknown(
    tx: Transaction,
    world: World,
    state: PageState,
    delivery: Delivery,
    notice: Notice,
    detail: str,
    *,
    provider: str,
    now: datetime,
    ended: Ended | None = None,
) -> None:
    """Leave a notice alone that may have arrived, and say it once more later unless somebody answers."""
    attempt = ended.ready.attempt if ended else delivery.attempts
    held = deliveries.end(
        tx.connection,
        delivery,
        state=DeliveryState.UNKNOWN,
        outcome=DeliveryState.UNKNOWN.value,
        detail=detail,
        now=now,
        attempt=attempt,
    )
    if not held:
        return
    moved = ev.NoticeMoved(
        notice=notice.number, state=NoticeState.UNKNOWN, provider=provider, detail=detail, attempt=attempt
    )
    after = paging.record(tx, state, moved)
    gone = after.notice(notice.number)
    again = rules.repetition(after, gone, now=now) if gone and notice.state.is_waiting else None
    person = world.catalog.people.get(notice.person)
    if again is None or person is None or all(one.id != notice.method for one in person.methods):
        return
    owe(tx, world, paging.record(tx, after, ev.NoticeRepeated(notice=again)), [again], key=signing_key(tx.connection))


def _end(
    tx: Transaction,
    ended: Ended,
    state: DeliveryState,
    *,
    now: datetime,
    reference: str = "",
    retry_at: datetime | None = None,
) -> bool:
    outcome = ended.failure.value if ended.failure else state.value
    return deliveries.end(
        tx.connection,
        ended.ready.delivery,
        state=state,
        outcome=outcome,
        detail=ended.detail,
        now=now,
        attempt=ended.ready.attempt,
        reference=reference,
        retry_at=retry_at,
    )


def _moved(tx: Transaction, state: PageState, ended: Ended, to: NoticeState, *, reference: str = "") -> PageState:
    moved = ev.NoticeMoved(
        notice=ended.ready.notice,
        state=to,
        provider=ended.ready.pager.name,
        detail=ended.detail[:500],
        attempt=ended.ready.attempt,
        reference=reference,
    )
    return paging.record(tx, state, moved)


def _measured(tx: Transaction, world: World, state: PageState, *, now: datetime) -> None:
    """End a synthetic page that arrived where it should: how long that took stands in its log."""
    if state.purpose is Purpose.SYNTHETIC and state.is_paging:
        took_s = (now - state.started_at).total_seconds()
        paging.end(tx, world, state, reason=f"handed over after {took_s:.2f} s")
