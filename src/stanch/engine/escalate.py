"""Moves pages on: fires the levels that are due, and looks whether an acknowledgement went stale.

A level's timer is deleted in the transaction that records who was paged, owes their notices and schedules the next
level: so a level is paged once, whatever dies. Timers that are due together share a transaction; one that cannot be
done is put off alone, and does not hold up the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.catalog.model import Person
from stanch.incidents.model import Status
from stanch.kernel.actor import ActorKind
from stanch.kernel.codec import to_data
from stanch.oncall.contacts import is_verified
from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation import rules
from stanch.oncall.escalation.model import Notice, NoticeState, Purpose
from stanch.oncall.escalation.rules import Reach
from stanch.oncall.escalation.state import PageState
from stanch.oncall.pages.tables import Contact, read_contacts, read_page, read_pages, signing_key
from stanch.operations import paging
from stanch.operations.answering import token_for
from stanch.operations.reaching import Reaching
from stanch.operations.world import World
from stanch.ports.pager import Page
from stanch.store import Transaction, timers
from stanch.store.gathering import Gathering, gathering
from stanch.store.model import Delivery, Timer

CHANNEL: Final = "page/"
"""What the channel of a notice's delivery begins with; its kind follows."""

_AT_ONCE: Final = 50
_FIRST_RETRY_S: Final = 1.0
_LAST_RETRY_S: Final = 60.0
_MOST_DOUBLINGS: Final = 10
# What is ended belongs to nobody, and what is watched until it is verified has been acted on.
_DONE: Final = frozenset({Status.MONITORING})
_ACTORS: Final = frozenset({ActorKind.PERSON, ActorKind.AGENT})

log = structlog.get_logger("stanch.escalate")


@dataclass(frozen=True, kw_only=True)
class Batch:
    """What the timers of one transaction share: who is on call, which methods were proved to work."""

    reaching: Reaching
    key: bytes
    contacts: dict[tuple[str, str], Contact]

    @classmethod
    def of(cls, tx: Transaction, world: World, *, now: datetime) -> "Batch":
        """Return what is shared in `tx`."""
        return cls(
            reaching=Reaching(tx, world, at=now),
            key=signing_key(tx.connection),
            contacts=read_contacts(tx.connection),
        )


def escalate_due(world: World, *, limit: int = _AT_ONCE) -> int:
    """Fire up to `limit` due timers of pages; return how many were worked on."""
    now = world.clock.now()
    with world.store.reading() as view:
        due_at = timers.next_due(view.connection, kinds=(paging.TIMER,))
    if due_at is None or due_at > now:
        return 0
    try:
        return _fire_some(world, limit=limit)
    except Exception:  # boundary "engine loop": one page that cannot be done must not hold up the others
        log.exception("escalating_together_failed")
        return _fire_each(world, limit=limit)


def _fire_some(world: World, *, limit: int) -> int:
    now = world.clock.now()
    with world.store.writing() as tx:
        due = timers.hold_due(tx.connection, kind=paging.TIMER, now=now, limit=limit)
        # Whoever has the lock of one decides on it right now, and may wait for a row that is held here: not waited for.
        locks = {timer.id: paging.lock_of(_page_of(timer), timer.incident) for timer in due}
        got = tx.try_lock_all(list(locks.values()))
        mine = [timer for timer in due if locks[timer.id] in got]
        timers.remove(tx.connection, [timer.id for timer in mine])
        batch = Batch.of(tx, world, now=now)
        states = read_pages(tx.connection, [_page_of(timer) for timer in mine])
        with gathering(tx) as gathered:
            gathered.versions.update({ev.page_stream(number): one.version for number, one in states.items()})
            for timer in mine:
                # A page has at most one timer of each sort; where both are due, the second sees what the first did.
                state = states.pop(_page_of(timer), None) or _fresh(gathered, _page_of(timer))
                _fire(gathered, world, timer, batch, state)
    return len(mine)


def _fire_each(world: World, *, limit: int) -> int:
    with world.store.writing() as tx:
        due = timers.hold_due(tx.connection, kind=paging.TIMER, now=world.clock.now(), limit=limit)
    for timer in due:
        try:
            with world.store.writing() as tx:
                tx.lock(paging.lock_of(_page_of(timer), timer.incident))
                if timers.remove(tx.connection, [timer.id]):
                    state = read_page(tx.connection, _page_of(timer))
                    _fire(tx, world, timer, Batch.of(tx, world, now=world.clock.now()), state)
        except Exception as error:  # boundary "engine loop": the timer stays and is tried again
            log.exception("escalating_failed", timer=timer.id, attempts=timer.attempts)
            # Bounded before it is a power: a float ends at the 1,024th attempt, and with it the loop for everybody.
            delay_s = min(_LAST_RETRY_S, _FIRST_RETRY_S * 2.0 ** min(timer.attempts, _MOST_DOUBLINGS))
            with world.store.writing() as tx:
                due_at = world.clock.now() + timedelta(seconds=delay_s)
                timers.postpone(tx.connection, timer.id, due_at=due_at, error=f"{type(error).__name__}: {error}")
    return len(due)


def _page_of(timer: Timer) -> int:
    return int(str(timer.data["page"]))


def _fresh(gathered: Gathering, number: int) -> PageState | None:
    gathered.write()
    return read_page(gathered.connection, number)


def _fire(tx: Transaction, world: World, timer: Timer, batch: Batch, state: PageState | None) -> None:
    if state is None:
        return
    if timer.data["do"] == "stale":
        _look_for_acts(tx, world, state, timer)
    elif (timer.data["round"], timer.data["step"]) == (state.round, state.step):
        _reach_next(tx, world, state, batch)


def _reach_next(tx: Transaction, world: World, state: PageState, batch: Batch) -> None:
    """Page the next level; one where nobody can be reached leads to the one after it at once."""
    now = world.clock.now()
    # Raised after somebody had it: they are joined by the first level, and nobody is looked for further.
    joined = state.is_acknowledged
    if not state.is_paging and not (joined and state.step == 0):
        return
    while True:
        reach = rules.next_reach(state)
        if reach is None:
            paging.end(tx, world, state, reason="nobody answered for a day")
            return
        if reach.nobody:
            state = paging.record(tx, state, ev.NobodyAnswered(fallback=state.policy.fallback))
        people = [one for one in batch.reaching.people(reach.targets) if one.id != state.acknowledged_by]
        notices = _notices(world, state, reach, people, contacts=batch.contacts, now=now)
        unreached = tuple(one.id for one in people if not one.methods)
        next_at = now + timedelta(seconds=reach.wait_s)
        if notices:
            state = paging.record(tx, state, _paged(state, reach, people, notices, unreached, next_at))
            owe(tx, world, state, notices, key=batch.key)
        else:
            empty = ev.LevelEmpty(
                round=state.round, step=reach.step, level=reach.level, targets=reach.targets, unreached=unreached
            )
            state = paging.record(tx, state, empty)
        if joined:
            return
        in_time = any(one.due_at < next_at for one in notices)
        if in_time or reach.level == 0:
            paging.schedule_next(tx, state, at=next_at, wait_s=reach.wait_s)
            return


def _paged(
    state: PageState,
    reach: Reach,
    people: Sequence[Person],
    notices: tuple[Notice, ...],
    unreached: tuple[str, ...],
    next_at: datetime,
) -> ev.LevelPaged:
    return ev.LevelPaged(
        round=state.round,
        step=reach.step,
        level=reach.level,
        people=tuple(one.id for one in people if one.methods),
        notices=notices,
        unreached=unreached,
        next_at=next_at,
    )


def _notices(
    world: World,
    state: PageState,
    reach: Reach,
    people: Sequence[Person],
    *,
    contacts: dict[tuple[str, str], Contact],
    now: datetime,
) -> tuple[Notice, ...]:
    rule = rules.rule_of(world.catalog.oncall, state.severity)
    first = rules.next_notice(state)
    wanted = [
        (person, one)
        for person in people
        for one in rules.asked(person, rule=rule, severity=state.severity, now=now, zone=world.catalog.zone)
        # What quiet hours hold back comes once when they end, however often the levels were gone through by then.
        if not rules.is_held(state, person=person.id, method=one.method.id)
    ]
    return tuple(
        Notice(
            number=number,
            person=person.id,
            method=one.method.id,
            kind=one.method.kind,
            hint=rules.hint_of(one.method),
            due_at=one.due_at,
            round=state.round,
            level=reach.level,
            verified=is_verified(contacts.get((person.id, one.method.id)), one.method),
            held_until=one.held_until,
            state=NoticeState.HELD if one.held_until else NoticeState.COMMITTED,
        )
        for number, (person, one) in enumerate(wanted, start=first)
    )


def owe(tx: Transaction, world: World, state: PageState, notices: Sequence[Notice], *, key: bytes) -> None:
    """Owe the deliveries of notices that were just committed."""
    now = world.clock.now()
    for notice in notices:
        person = world.catalog.people[notice.person]
        address = next(one.address for one in person.methods if one.id == notice.method)
        page = compose(
            world,
            state,
            notice,
            address=address,
            token=token_for(key, page=state.number, notice=notice.number, now=now),
        )
        tx.owe(
            Delivery(
                id=page.id,
                channel=f"{CHANNEL}{notice.kind}",
                room=notice.person,
                purpose="page",
                message=to_data(page),
                due_at=notice.due_at,
                created_at=now,
                incident=state.incident,
            )
        )


def compose(world: World, state: PageState, notice: Notice, *, address: str, token: str) -> Page:
    """Return what `notice` tells."""
    again = " (said again: the first may not have arrived)" if notice.repeats else ""
    what = {Purpose.TEST: "Test page, nothing is wrong", Purpose.SYNTHETIC: "Synthetic page, nothing is wrong"}
    head = what.get(state.purpose, f"SEV{state.severity}")
    where = f"{world.url}/i/{state.incident}" if state.incident is not None else f"{world.url}/pages/{state.number}"
    return Page(
        id=f"page{state.number}/n{notice.number}",
        kind=notice.kind,
        address=address,
        subject=f"[{head}] {state.title}"[:200],
        text=f"{head}: {state.title}{again}"[:600],
        url=where,
        link=f"{world.url}/a/{token}",
        answer=f"{world.url}/a/{token}",
        urgent=rules.rule_of(world.catalog.oncall, state.severity).urgency == "high",
        number=state.number,
        incident=state.incident,
        callback=f"{world.url}/pager",
        reply_to=_reply_to(world, token) if notice.kind == "email" else "",
        token=token if _is_heard(world, notice.kind) else "",
    )


def _is_heard(world: World, kind: str) -> bool:
    """Tell whether buttons pressed in a chat of this kind reach us: a channel of it proves its requests."""
    return any(one.kind == kind and one.hears for one in world.catalog.channels.values())


def _reply_to(world: World, token: str) -> str:
    name, at, domain = world.catalog.mail.replies.partition("@")
    return f"{name}+{token}@{domain}" if at and world.catalog.mail.listen else ""


def _look_for_acts(tx: Transaction, world: World, state: PageState, timer: Timer) -> None:
    """Page again when nobody has acted on what they acknowledged; look again later when somebody has."""
    if timer.data["acknowledgements"] != state.acknowledgements or not state.is_acknowledged:
        return
    incident = paging.incident_state(tx, state)
    if incident is None or not incident.is_open or state.acknowledged_at is None:
        return
    if incident.status in _DONE:
        # It may turn out not to be mended, and then somebody has to act again.
        if state.policy.stale_after_s > 0:
            paging.schedule_stale(tx, state, at=world.clock.now() + timedelta(seconds=state.policy.stale_after_s))
        return
    acts = [event.at for event in tx.events(incident=incident.number) if event.actor.kind in _ACTORS]
    last_act_at = max(acts, default=state.acknowledged_at)
    snoozed = bool(timer.data.get("snoozed")) and last_act_at <= state.acknowledged_at
    due_at = world.clock.now() if snoozed else rules.stale_at(state, last_act_at=last_act_at)
    if due_at is None:
        return
    if due_at > world.clock.now():
        paging.schedule_stale(tx, state, at=due_at)
        return
    again = paging.record(tx, state, ev.AckWentStale(last_act_at=last_act_at))
    paging.schedule_next(tx, again, at=world.clock.now())
