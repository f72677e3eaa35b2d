"""Starting, stopping, raising and hurrying pages: what an incident, a person or a missed target does to them.

Everything here happens in the transaction of what led to it. A page about an incident is decided on under the lock of
that incident, any other under its own; whoever takes several takes the incident's first.
"""

from datetime import datetime, timedelta
from typing import Final

from stanch.incidents import rules
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.errors import Bug, NotFound
from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation import rules as escalation
from stanch.oncall.escalation.model import FrozenPolicy, PageStatus, Purpose
from stanch.oncall.escalation.rules import Why, freeze, policy_for
from stanch.oncall.escalation.state import PageState, fold
from stanch.oncall.pages.tables import find_pages, incident_of, read_page
from stanch.operations import cases
from stanch.operations.world import World
from stanch.ports.pager import Pager
from stanch.store import Transaction, deliveries
from stanch.store.model import Timer

TIMER: Final = "page"
"""The kind of the timers that move pages on."""


def lock_of(number: int, incident: int | None) -> str:
    """Return the stream whose lock decides on the page `number`."""
    return f"incident/{incident}" if incident is not None else ev.page_stream(number)


def load(tx: Transaction, number: int, *, lock: bool = False) -> PageState:
    """Return a page; `lock` decides alone on it until the transaction ends. Raises `NotFound`."""
    if lock:
        tx.lock(lock_of(number, incident_of(tx.connection, number)))
    state = read_page(tx.connection, number)
    if state is None:
        raise NotFound(f"there is no page {number}", hint="see the list: stanch page list")
    return state


def record(
    tx: Transaction, state: PageState, *records: ev.PageEvent, actor: Actor = SYSTEM, via: Via = Via.ENGINE
) -> PageState:
    """Append typed events to a page's stream and return the state after them."""
    new = [ev.new_event(one) for one in records]
    after: PageState | None = state
    for event in tx.append(ev.page_stream(state.number), new, actor=actor, via=via, incident=state.incident):
        after = fold(after, event)
    if after is None:
        raise Bug(f"page {state.number} has no start")
    return after


def start(
    tx: Transaction,
    world: World,
    *,
    purpose: Purpose,
    severity: int,
    title: str,
    policy: FrozenPolicy,
    reason: str,
    incident: int | None = None,
    actor: Actor = SYSTEM,
    via: Via = Via.ENGINE,
) -> PageState:
    """Begin to page by `policy`; the first level is due at once."""
    number = tx.next_number("page")
    started = ev.PagingStarted(
        number=number,
        incident=incident,
        purpose=purpose,
        severity=severity,
        title=title,
        policy=policy,
        reason=reason,
    )
    events = tx.append(ev.page_stream(number), [ev.new_event(started)], actor=actor, via=via, incident=incident)
    state = fold(None, events[0])
    if state is None:
        raise Bug(f"page {number} has no start")
    schedule_next(tx, state, at=world.clock.now())
    return state


def schedule_next(tx: Transaction, state: PageState, *, at: datetime, wait_s: float = 0.0) -> None:
    """Let the next level come at `at`, `wait_s` seconds after the last one; any other plan for it is dropped."""
    timer = Timer(
        id=f"page{state.number}/next",
        kind=TIMER,
        due_at=at,
        incident=state.incident,
        data={"do": "step", "page": state.number, "round": state.round, "step": state.step, "wait_s": wait_s},
    )
    tx.schedule(timer, replace=True)


def follow(tx: Transaction, world: World, state: IncidentState, *, actor: Actor = SYSTEM) -> None:
    """Let paging follow an incident: begin when it is new, rise with its severity, end with it."""
    oncall = world.catalog.oncall
    known = find_pages(tx.connection, incident=state.number, open_only=True)
    if not state.is_open:
        for page in known:
            end(tx, world, page, reason=f"{state.key} is {state.status.value}")
        return
    severity = int(state.ruling.severity)
    # Somebody paged by hand does not stand for the policy.
    own = [page for page in known if page.purpose is Purpose.INCIDENT]
    if not own and oncall.policies:
        _begin(tx, world, state, severity=severity)
    for page in own:
        if severity < page.severity:
            _raise(tx, world, state, page, severity=severity)


def resume(tx: Transaction, world: World, state: IncidentState) -> None:
    """Begin to page again about an open incident where nobody had answered until paging was given up."""
    own = [one for one in find_pages(tx.connection, incident=state.number) if one.purpose is Purpose.INCIDENT]
    if state.is_open and own and all(one.status is PageStatus.ENDED for one in own):
        follow(tx, world, state)


def _begin(tx: Transaction, world: World, state: IncidentState, *, severity: int) -> None:
    policy = policy_for(world.catalog, state.services, severity=severity)
    if isinstance(policy, Why):
        stream = f"incident/{state.number}"
        # Said once: whatever else happens to the incident asks again.
        if all(event.kind != ev.NotPaged.kind for event in tx.events(stream=stream)):
            tx.append(stream, [ev.new_event(ev.NotPaged(reason=policy.value))], incident=state.number)
        return
    page = start(
        tx,
        world,
        purpose=Purpose.INCIDENT,
        severity=severity,
        title=f"{state.key} {state.title}",
        policy=freeze(policy, world.catalog, state.services, severity=severity),
        reason=f"{state.ruling.severity.label}: {state.ruling.reason}",
        incident=state.number,
    )
    if state.acknowledged_by is not None and state.acknowledged_by.is_person:
        # Declared and taken on in one go, or taken up again by somebody who is at it.
        acknowledge(tx, world, page, actor=state.acknowledged_by, via=Via.ENGINE, how="incident")


def _raise(tx: Transaction, world: World, state: IncidentState, page: PageState, *, severity: int) -> None:
    policy = policy_for(world.catalog, state.services, severity=severity)
    # Where the configuration has none any more, the one that holds is begun again: worse than before is no reason to
    # tell nobody.
    frozen = page.policy
    if not isinstance(policy, Why):
        frozen = freeze(policy, world.catalog, state.services, severity=severity)
    raised = record(tx, page, ev.PageRaised(severity=severity, policy=frozen))
    deliveries.cancel_below(tx.connection, prefix=f"page{page.number}/", now=world.clock.now())
    schedule_next(tx, raised, at=world.clock.now())
    if raised.is_acknowledged and page.policy.stale_after_s <= 0 < frozen.stale_after_s:
        # Its acknowledgement never went stale so far, so that nothing looks whether it has.
        schedule_stale(tx, raised, at=world.clock.now() + timedelta(seconds=frozen.stale_after_s))


def acknowledge(
    tx: Transaction, world: World, page: PageState, *, actor: Actor, via: Via, how: str, notice: int = 0
) -> PageState:
    """Take a page on: what waits is dropped in this transaction, so that no notice begins after it.

    A page that somebody has and that is still told to nobody else, or that is over, stays as it is; that another
    answered it stands on its record.
    """
    told = any(one.state.is_waiting for one in page.notices)
    if page.status is PageStatus.ENDED or (page.is_acknowledged and not told):
        if actor.id == page.acknowledged_by:
            return page
        too = ev.PageAnsweredToo(person=actor.id, how=how, notice=notice)
        return record(tx, page, too, actor=actor, via=via)
    taken = record(tx, page, ev.PageAcknowledged(person=actor.id, how=how, notice=notice), actor=actor, via=via)
    drop_waiting(tx, world, page.number)
    if page.incident is None:
        return record(tx, taken, ev.PagingEnded(reason=f"{actor.label} has it"))
    if taken.policy.stale_after_s > 0:
        schedule_stale(tx, taken, at=world.clock.now() + timedelta(seconds=taken.policy.stale_after_s))
    return taken


def schedule_stale(tx: Transaction, state: PageState, *, at: datetime, snoozed: bool = False) -> None:
    """Look at `at` whether anybody acts on what they acknowledged; one that was `snoozed` until then is paged again."""
    tx.schedule(
        Timer(
            id=f"page{state.number}/stale",
            kind=TIMER,
            due_at=at,
            incident=state.incident,
            data={
                "do": "stale",
                "page": state.number,
                "acknowledgements": state.acknowledgements,
                "snoozed": snoozed,
            },
        ),
        replace=True,
    )


def acknowledge_incident(
    tx: Transaction, world: World, incident: int, *, actor: Actor, via: Via, how: str, notice: int = 0
) -> None:
    """Take on every page about an incident."""
    for page in find_pages(tx.connection, incident=incident, open_only=True):
        acknowledge(tx, world, page, actor=actor, via=via, how=how, notice=notice)


def hurry(tx: Transaction, world: World, page: PageState, *, reason: str) -> None:
    """Let the next level come now, unless it is about to come anyway."""
    now = world.clock.now()
    if not page.is_paging or page.next_at is None or page.next_at <= now:
        return
    schedule_next(tx, record(tx, page, ev.PageHurried(reason=reason)), at=now)


def hurry_incident(tx: Transaction, world: World, incident: int, *, reason: str) -> None:
    """Let the next level of every page about an incident come now."""
    for page in find_pages(tx.connection, incident=incident, open_only=True):
        hurry(tx, world, page, reason=reason)


def how_of(via: Via) -> str:
    """Return how a page was answered through a surface, in words."""
    return {Via.CLI: "terminal", Via.WEB: "web page", Via.CHAT: "chat", Via.HTTP: "API"}.get(via, via.value)


def after_failure(tx: Transaction, world: World, page: PageState, notice: int) -> None:
    """Do at once what was to come later, as one way to a person is closed: their next method, or the next level."""
    now = world.clock.now()
    gone = page.notice(notice)
    following = escalation.hurries(page, gone) if gone else None
    if following is not None:
        deliveries.hasten(tx.connection, f"page{page.number}/n{following.number}", due_at=now)
    elif page.is_paging and escalation.level_is_lost(page):
        hurry(tx, world, page, reason="no notice of this level could be handed over")


def place_of(id: str) -> tuple[int, int] | None:
    """Return page and notice that a delivery's id names, None when it names none."""
    page, _, notice = id.partition("/n")
    number = page.removeprefix("page")
    return (int(number), int(notice)) if number.isdecimal() and notice.isdecimal() else None


def end(tx: Transaction, world: World, page: PageState, *, reason: str) -> None:
    """End a page: nobody is looked for any more."""
    record(tx, page, ev.PagingEnded(reason=reason))
    drop_waiting(tx, world, page.number)


def drop_waiting(tx: Transaction, world: World, number: int) -> None:
    """Drop the timers of a page and the notices that have not begun."""
    tx.cancel_timers(prefix=f"page{number}/")
    deliveries.cancel_below(tx.connection, prefix=f"page{number}/", now=world.clock.now())


def take_on(
    tx: Transaction, world: World, page: PageState, *, actor: Actor, via: Via, how: str, notice: int = 0
) -> PageState:
    """Take a page on together with the incident that it is about, and return it. One that is over takes nothing on."""
    if page.incident is None or page.status is PageStatus.ENDED:
        return acknowledge(tx, world, page, actor=actor, via=via, how=how, notice=notice)
    incident = cases.load(tx, page.incident, lock=True)
    for other in find_pages(tx.connection, incident=page.incident, open_only=True):
        answered = notice if other.number == page.number else 0
        acknowledge(tx, world, other, actor=actor, via=via, how=how, notice=answered)
    if incident.is_open:
        cases.record(tx, incident.number, *rules.acknowledge(incident, actor=actor), actor=actor, via=via)
    return load(tx, page.number)


def incident_state(tx: Transaction, page: PageState) -> IncidentState | None:
    """Return the incident that a page is about, None when it is about none."""
    return None if page.incident is None else cases.load(tx, page.incident)


def kinds_of(world: World) -> tuple[str, ...]:
    """Return the kinds of methods that some provider of this process serves."""
    return tuple(sorted({kind for pager in world.pagers.values() for kind in pager.kinds}))


def pagers_for(world: World, kind: str) -> list[Pager]:
    """Return the providers for a kind of method, in the order in which they are tried."""
    return [pager for pager in world.pagers.values() if kind in pager.kinds]
