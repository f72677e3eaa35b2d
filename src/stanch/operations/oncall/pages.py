"""Operations on pages: the ledger, paging somebody by hand, a test page, taking a page on."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.incidents.severity import parse_severity
from stanch.kernel.actor import Actor
from stanch.kernel.duration import format_duration
from stanch.kernel.errors import Forbidden, Invalid, Problem
from stanch.oncall.escalation import events as ev
from stanch.oncall.escalation.model import FrozenPolicy, FrozenStep, Notice, Purpose
from stanch.oncall.escalation.rules import freeze
from stanch.oncall.escalation.state import PageState
from stanch.oncall.escalation.words import STATES, level_name, words
from stanch.oncall.pages.tables import find_pages
from stanch.operations import cases, paging
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.store import Transaction, deliveries

_MOST: Final = 500
_LONGEST_TITLE: Final = 200
_WAIT_S: Final = 300.0


@dataclass(frozen=True, kw_only=True)
class ListPages:
    """Which pages to list: those about one incident, those that are not over."""

    incident: int | None = None
    open_only: bool = False
    limit: int = 50


@dataclass(frozen=True, kw_only=True)
class OnePage:
    """A page by its number."""

    page: int


@dataclass(frozen=True, kw_only=True)
class SendPage:
    """Whom to page by hand, and what they are told.

    `targets` as in a policy (`person:alice`, `schedule:checkout`, `team:commerce`), or `policy` by its name. With
    `incident` it is about that one and ends with it.
    """

    title: str
    targets: tuple[str, ...] = ()
    policy: str = ""
    severity: str = "SEV2"
    incident: int | None = None


@dataclass(frozen=True, kw_only=True)
class TestPage:
    """Whom to send a page that says that nothing is wrong; by default whoever asks."""

    person: str = ""


@dataclass(frozen=True, kw_only=True)
class PageCard:
    """A page as lists show it. `level` is where it stands in words; instants are UTC."""

    number: int
    incident: int | None
    purpose: str
    severity: str
    title: str
    policy: str
    status: str
    level: str
    people: tuple[str, ...]
    started_at: datetime
    acknowledged_at: datetime | None
    acknowledged_by: str
    next_at: datetime | None
    ended: str


@dataclass(frozen=True, kw_only=True)
class AttemptView:
    """One try to hand a notice over."""

    number: int
    node: str
    started_at: datetime
    ended_at: datetime | None
    outcome: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class NoticeView:
    """One person told through one method, with every attempt. `state` is a word, `said` the same for people."""

    number: int
    person: str
    method: str
    address: str
    level: str
    round: int
    due_at: datetime
    held_until: datetime | None
    verified: bool
    state: str
    said: str
    provider: str
    detail: str
    reference: str
    moved_at: datetime | None
    attempts: tuple[AttemptView, ...]


@dataclass(frozen=True, kw_only=True)
class LedgerEntry:
    """One thing that happened to a page."""

    seq: int
    at: datetime
    title: str
    text: str
    tone: str
    actor: str


@dataclass(frozen=True, kw_only=True)
class PageView:
    """A page with its notices and everything that happened to it, in order. The policy is the one frozen at its start
    or when it was raised: a line per level."""

    card: PageCard
    policy: tuple[str, ...]
    notices: tuple[NoticeView, ...]
    entries: tuple[LedgerEntry, ...]


@operation("page.list", effect=Effect.READ, example={"open_only": True})
def list_pages(call: Call, request: ListPages) -> tuple[PageCard, ...]:
    """List pages, newest first: who was paged, about what, and who has it."""
    limit = max(1, min(request.limit, _MOST))
    with call.world.store.reading() as view:
        found = find_pages(view.connection, incident=request.incident, open_only=request.open_only, limit=limit)
    return tuple(card_of(page) for page in found)


@operation("page.show", effect=Effect.READ, example={"page": 1})
def show_page(call: Call, request: OnePage) -> PageView:
    """Show one page: every notice with every attempt, in the providers' words."""
    with call.world.store.reading() as view:
        return page_view(view, paging.load(view, request.page))


@operation("oncall.page", effect=Effect.WRITE, example={"targets": ["person:alice"], "title": "Please join the call"})
def send_page(call: Call, request: SendPage) -> PageView:
    """Page people by hand, about an incident or about anything."""
    policy = _policy(call.world, request)
    with call.world.store.writing() as tx:
        if request.incident is not None:
            cases.load_open(tx, request.incident)
        page = paging.start(
            tx,
            call.world,
            purpose=Purpose.DIRECT,
            severity=int(parse_severity(request.severity)),
            title=request.title.strip(),
            policy=policy,
            reason=f"{call.actor.label} asks",
            incident=request.incident,
            actor=call.actor,
            via=call.via,
        )
        return page_view(tx, page)


@operation("page.test", effect=Effect.WRITE, example={"person": "alice"})
def test_page(call: Call, request: TestPage) -> PageView:
    """Send somebody a page that says that nothing is wrong, by all their methods in their order."""
    who = request.person.strip() or call.actor.id
    known = call.world.catalog.people.get(who)
    if known is None:
        raise Invalid(f"there is nobody called {who!r}", field="person")
    if not known.methods:
        raise Invalid(f"{who} has no contact method", field="person", hint=f"write [people.{who}] methods.push = ...")
    with call.world.store.writing() as tx:
        page = paging.start(
            tx,
            call.world,
            purpose=Purpose.TEST,
            # As SEV2: quiet hours hold, as they do for most.
            severity=2,
            title=f"Test page asked for by {call.actor.label}",
            policy=_direct((f"person:{who}",)),
            reason="a test",
            actor=call.actor,
            via=call.via,
        )
        return page_view(tx, page)


@operation("oncall.acknowledge", effect=Effect.WRITE, example={"page": 1})
def acknowledge_page(call: Call, request: OnePage) -> PageView:
    """Take a page on; it stops paging, and with it all pages about the same incident."""
    require_person(call.actor)
    with call.world.store.writing() as tx:
        page = paging.load(tx, request.page, lock=True)
        taken = paging.take_on(tx, call.world, page, actor=call.actor, via=call.via, how=paging.how_of(call.via))
        return page_view(tx, taken)


def require_person(actor: Actor) -> None:
    """Raise `Forbidden` for anybody but a person: a page is there to wake one."""
    if not actor.is_person:
        raise Forbidden(f"{actor.label} is no person and cannot answer a page", reason="needs_a_person")


def _policy(world: World, request: SendPage) -> FrozenPolicy:
    """Return whom `request` means, as a policy. Raises `Invalid` with every mistake."""
    problems = []
    if not request.title.strip() or len(request.title) > _LONGEST_TITLE:
        problems.append(Problem(field="title", message=f"say what it is about, in up to {_LONGEST_TITLE} characters"))
    known = world.catalog.oncall.policies.get(request.policy)
    if bool(request.targets) == bool(request.policy):
        problems.append(Problem(field="targets", message="name targets, or a policy"))
    elif request.policy and known is None:
        problems.append(Problem(field="policy", message=f"there is no policy {request.policy!r}"))
    problems += [
        Problem(field="targets", message=f"{target!r} means nobody")
        for target in request.targets
        if not _exists(world, target)
    ]
    if problems:
        raise Invalid(problems=problems)
    if known is not None:
        return freeze(known, world.catalog, (), severity=int(parse_severity(request.severity)))
    return _direct(request.targets)


def _exists(world: World, target: str) -> bool:
    kind, _, name = target.partition(":")
    if kind == "schedule":
        return name.removesuffix("/all") in world.catalog.oncall.schedules
    if kind == "team":
        return any(name in one.teams for one in world.catalog.people.values())
    return kind == "person" and name in world.catalog.people


def _direct(targets: tuple[str, ...]) -> FrozenPolicy:
    return FrozenPolicy(name="by hand", steps=(FrozenStep(targets=targets, wait_s=_WAIT_S),), repeat=2)


def card_of(page: PageState) -> PageCard:
    """Return a page as lists show it."""
    return PageCard(
        number=page.number,
        incident=page.incident,
        purpose=page.purpose.value,
        severity=f"SEV{page.severity}",
        title=page.title,
        policy=page.policy.name,
        status=page.status.value,
        level=level_name(page.at_level),
        people=tuple(dict.fromkeys(notice.person for notice in page.notices)),
        started_at=page.started_at,
        acknowledged_at=page.acknowledged_at,
        acknowledged_by=page.acknowledged_by,
        next_at=page.next_at,
        ended=page.ended,
    )


def page_view(tx: Transaction, page: PageState) -> PageView:
    """Return a page with its ledger."""
    entries = []
    for event in tx.events(stream=ev.page_stream(page.number)):
        told = words(ev.typed(event))
        entries.append(
            LedgerEntry(
                seq=event.seq,
                at=event.at,
                title=told.title,
                text=told.text,
                tone=told.tone,
                actor=event.actor.label,
            )
        )
    return PageView(
        card=card_of(page),
        policy=_steps(page.policy),
        notices=tuple(_notice_view(tx, page, notice) for notice in page.notices),
        entries=tuple(entries),
    )


def _steps(policy: FrozenPolicy) -> tuple[str, ...]:
    lines = [
        f"level {number}: {', '.join(step.targets)}; {format_duration(timedelta(seconds=step.wait_s))} to answer"
        for number, step in enumerate(policy.steps, start=1)
    ]
    if policy.repeat:
        lines.append(f"all of it {policy.repeat} more times")
    if policy.fallback:
        lines.append(f"the last resort: {', '.join(policy.fallback)}")
    return tuple(lines)


def _notice_view(tx: Transaction, page: PageState, notice: Notice) -> NoticeView:
    id = f"page{page.number}/n{notice.number}"
    return NoticeView(
        number=notice.number,
        person=notice.person,
        method=notice.method,
        address=notice.hint,
        level=level_name(notice.level),
        round=notice.round,
        due_at=notice.due_at,
        held_until=notice.held_until,
        verified=notice.verified,
        state=notice.state.value,
        said=STATES[notice.state],
        provider=notice.provider,
        detail=notice.detail,
        reference=deliveries.reference_of(tx.connection, id),
        moved_at=notice.moved_at,
        attempts=tuple(
            AttemptView(
                number=one.number,
                node=one.node,
                started_at=one.started_at,
                ended_at=one.ended_at,
                outcome=one.outcome,
                detail=one.detail,
            )
            for one in deliveries.attempts_of(tx.connection, id)
        ),
    )
