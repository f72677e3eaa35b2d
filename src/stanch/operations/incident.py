"""Operations on an incident: declare, look, take on, write down, assign, move on, resolve, reopen, dismiss."""

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final, TypeVar

from msgspec import Meta

from stanch.incidents import events as ev
from stanch.incidents import rules
from stanch.incidents.model import Role, Status
from stanch.incidents.severity import parse_severity
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import find
from stanch.incidents.troubles import Trouble
from stanch.kernel.actor import ActorKind
from stanch.kernel.errors import Forbidden, Invalid, Problem
from stanch.operations import acting, cases, declaring, items, paging
from stanch.operations.announcing import announce, keep_facts, promise_sooner
from stanch.operations.closing import write_postmortem
from stanch.operations.meeting import call_meeting
from stanch.operations.overview import card_of_row, overview
from stanch.operations.prevention import lessons
from stanch.operations.registry import Effect, operation
from stanch.operations.reopening import take_up_again
from stanch.operations.showing import incident_view, series_of, timeline
from stanch.operations.tracking import seen_by_trackers
from stanch.operations.views import IncidentCard, IncidentView, Overview, SeriesView, TimelineEntry
from stanch.operations.world import Call
from stanch.operations.writeback import owe_writings
from stanch.ports.issues import Moment
from stanch.store import Transaction

E = TypeVar("E", bound=StrEnum)

Line = Annotated[str, Meta(max_length=300)]
"""A title or a reason: what lists, channels and messages show as one line."""

Words = Annotated[str, Meta(max_length=20_000)]
"""A report, a summary, a note: about 3,000 words. More than that is a document, and a link to it is the note."""

_LONGEST_NAME: Final = 100


@dataclass(frozen=True, kw_only=True)
class LookAround:
    """What to look for: `error-spike`, `performance-degradation` or `outage`; without `type`, everything.

    With `outside` trackers such as Sentry are asked as well, which takes a second or two.
    """

    type: str = ""
    outside: bool = False


@dataclass(frozen=True, kw_only=True)
class ById:
    """One incident, by its number."""

    incident: int


@dataclass(frozen=True, kw_only=True)
class ListIncidents:
    """Which incidents to list."""

    open_only: bool = False
    limit: int = 50


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """An incident's time line after `after` (a `seq`), oldest first."""

    incident: int
    after: int = 0


@dataclass(frozen=True, kw_only=True)
class Declare:
    """An incident declared by hand. `severity` overrides the rules and then needs a `reason`; times are UTC."""

    title: Line
    services: tuple[str, ...] = ()
    summary: Words = ""
    started_at: datetime | None = None
    severity: str = ""
    reason: Words = ""
    data_loss: bool = False
    security: bool = False
    workaround: bool = False


@dataclass(frozen=True, kw_only=True)
class Report:
    """An incident in somebody's words. `zone` is the time zone that clock times in the text are meant in."""

    text: Words
    zone: str = "UTC"


@dataclass(frozen=True, kw_only=True)
class Note:
    """Something to write down; `at` (UTC) when it happened earlier than now."""

    incident: int
    text: Words
    pinned: bool = False
    at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class Assign:
    """A role for a person; an empty person takes it back."""

    incident: int
    role: str
    person: str = ""


@dataclass(frozen=True, kw_only=True)
class SetSeverity:
    """Another severity than the rules', with the reason."""

    incident: int
    severity: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class SetStatus:
    """Another status, set by hand."""

    incident: int
    status: str
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Resolve:
    """The end: cause and mitigation in words (by default from the log); `force_reason` resolves the unverified."""

    incident: int
    cause: str = ""
    mitigation: str = ""
    force_reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Because:
    """One incident and a reason."""

    incident: int
    reason: str


@dataclass(frozen=True, kw_only=True)
class Dismiss:
    """One incident, why it is none, and the incident it is part of, if any."""

    incident: int
    reason: str
    merged_into: int | None = None


@operation("incident.overview", effect=Effect.READ, example={"type": "error-spike"})
def show_overview(call: Call, request: LookAround) -> Overview:
    """Show what is wrong now: open incidents by severity, and every service beside its normal."""
    trouble = _word(Trouble, request.type.replace("_", "-"), field="type") if request.type else None
    with call.world.store.reading() as view:
        found = overview(view, call.world, now=call.now, trouble=trouble)
    if not request.outside:
        return found
    # Outside of the transaction: nobody waits for a far end while he holds the database.
    seen, asked = seen_by_trackers(call.world, found.incidents, trouble=trouble, now=call.now)
    return replace(found, seen=seen, asked=asked)


@operation("incident.list", effect=Effect.READ, example={"open_only": True})
def list_incidents(call: Call, request: ListIncidents) -> tuple[IncidentCard, ...]:
    """List incidents: open ones first by severity, then the newest."""
    limit = max(1, min(request.limit, 500))
    with call.world.store.reading() as view:
        rows = find(view.connection, open_only=request.open_only, limit=limit)
        return tuple(card_of_row(row, call.world, now=call.now) for row in rows)


@operation("incident.show", effect=Effect.READ, example={"incident": 1})
def show(call: Call, request: ById) -> IncidentView:
    """Show one incident with everything that is known about it."""
    with call.world.store.reading() as view:
        return incident_view(view, call.world, cases.load(view, request.incident), now=call.now)


@operation("incident.timeline", effect=Effect.READ, example={"incident": 1, "after": 0})
def show_timeline(call: Call, request: Timeline) -> tuple[TimelineEntry, ...]:
    """Show an incident's time line, in the order in which things happened."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        return timeline(view.events(incident=state.number, after=request.after), call.world)


@operation("incident.series", effect=Effect.READ, example={"incident": 1})
def show_series(call: Call, request: ById) -> tuple[SeriesView, ...]:
    """Show the measured series of the affected services over the incident, with marks for what happened."""
    with call.world.store.reading() as view:
        return series_of(view, cases.load(view, request.incident), now=call.now)


@operation("incident.declare", effect=Effect.WRITE, example={"title": "Checkout fails", "services": ["checkout"]})
def declare(call: Call, request: Declare) -> IncidentView:
    """Declare an incident by hand."""
    title = " ".join(request.title.split())
    problems = [] if title else [Problem(field="title", message="say what is wrong")]
    known = call.world.catalog.services
    problems += [
        Problem(field="services", message=f"there is no service {name!r} in the catalog")
        for name in request.services
        if name not in known
    ]
    if request.started_at and request.started_at > call.now:
        problems.append(Problem(field="started_at", message="lies in the future"))
    if request.severity and not request.reason.strip():
        problems.append(Problem(field="reason", message="say why the rules do not decide the severity"))
    if problems:
        raise Invalid(problems=problems)
    severity = parse_severity(request.severity) if request.severity else None
    with call.world.store.writing() as tx:
        number = declaring.declare_by_hand(
            tx,
            call,
            declaring.ByHand(
                title=title,
                summary=request.summary,
                services=request.services,
                started_at=request.started_at or call.now,
                severity=severity,
                reason=request.reason,
                data_loss=request.data_loss,
                security=request.security,
                workaround=request.workaround,
            ),
        )
        return incident_view(tx, call.world, cases.load(tx, number), now=call.now)


@operation("incident.report", effect=Effect.WRITE, example={"text": "500 errors on /api/checkout since 14:30 UTC"})
def report(call: Call, request: Report) -> IncidentView:
    """Open an incident from a text in plain words, and show how the text was read."""
    with call.world.store.writing() as tx:
        number = declaring.declare_from_text(tx, call, text=request.text, zone=request.zone)
        return incident_view(tx, call.world, cases.load(tx, number), now=call.now)


@operation("incident.acknowledge", effect=Effect.WRITE, example={"incident": 1})
def acknowledge(call: Call, request: ById) -> IncidentView:
    """Take an incident on; whoever does so first is its commander until somebody else is."""
    with call.world.store.writing() as tx:
        return _acknowledge(tx, call, cases.load_open(tx, request.incident))


@operation("incident.note", effect=Effect.WRITE, example={"incident": 1, "text": "payments pool looks full"})
def add_note(call: Call, request: Note) -> IncidentView:
    """Write something into the log; with `at`, something that happened earlier."""
    if request.at and request.at > call.now:
        raise Invalid("lies in the future", field="at")
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        written = rules.note(request.text, pinned=request.pinned)
        cases.record(tx, state.number, written, actor=call.actor, via=call.via, at=request.at)
        return _view(tx, call, state.number)


@operation("incident.assign", effect=Effect.WRITE, example={"incident": 1, "role": "commander", "person": "alice"})
def assign(call: Call, request: Assign) -> IncidentView:
    """Give a role to a person, or take it back."""
    role, person = role_named(request.role), person_named(call, request.person.strip())
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        if state.roles.get(role, "") == person:
            return _view(tx, call, state.number)
        return _record(tx, call, state, ev.RoleAssigned(role=role, person=person))


@operation(
    "incident.severity", effect=Effect.WRITE, example={"incident": 1, "severity": "SEV1", "reason": "payments lost"}
)
def set_severity(call: Call, request: SetSeverity) -> IncidentView:
    """Set another severity than the rules did, with the reason."""
    severity = parse_severity(request.severity)
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        view = _record(tx, call, state, *rules.override_severity(state, severity, reason=request.reason))
        promise_sooner(tx, call.world, cases.load(tx, state.number))
        return view


@operation("incident.status", effect=Effect.WRITE, example={"incident": 1, "status": "investigating"})
def set_status(call: Call, request: SetStatus) -> IncidentView:
    """Move an incident on by hand."""
    status = _word(Status, request.status, field="status")
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        if status is Status.ACKNOWLEDGED and state.acknowledged_at is None:
            return _acknowledge(tx, call, state)
        return _record(tx, call, state, *rules.change_status(state, status, reason=request.reason))


@operation("incident.resolve", effect=Effect.WRITE, example={"incident": 1})
def resolve(call: Call, request: Resolve) -> IncidentView:
    """End an incident whose recovery is verified; tell everybody, and draft the post-mortem."""
    learnt = lessons(call.world, request.incident)
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        resolution = rules.Resolution(
            cause=request.cause, mitigation=request.mitigation, force_reason=request.force_reason
        )
        events = rules.resolve(state, resolution, now=call.now, actor=call.actor)
        cases.record(tx, state.number, *events, actor=call.actor, via=call.via)
        # A plan that runs must be able to say how it ended; one that has not begun says that it will not run.
        tx.cancel_timers(incident=state.number, keep=("run", items.KIND))
        acting.end_unjudged(tx, call.world, state.number)
        resolved = cases.load(tx, state.number)
        paging.follow(tx, call.world, resolved)
        announce(tx, call.world, resolved, purpose="resolution")
        write_postmortem(tx, call.world, resolved, lessons=learnt)
        owe_writings(tx, call.world, resolved, Moment.RESOLVED)
        call_meeting(tx, call.world, cases.load(tx, state.number))
        return _view(tx, call, state.number)


@operation("incident.reopen", effect=Effect.WRITE, example={"incident": 1, "reason": "errors are back"})
def reopen(call: Call, request: Because) -> IncidentView:
    """Take an ended incident up again."""
    with call.world.store.writing() as tx:
        state = cases.load(tx, request.incident, lock=True)
        take_up_again(tx, call.world, state, reason=request.reason, actor=call.actor, via=call.via)
        return _view(tx, call, state.number)


@operation("incident.dismiss", effect=Effect.WRITE, example={"incident": 1, "reason": "a planned load test"})
def dismiss(call: Call, request: Dismiss) -> IncidentView:
    """Say that it was no incident, or that it is part of another."""
    # It ends what nobody verified, which is a person's at a resolution too.
    if call.actor.kind is ActorKind.AGENT:
        raise Forbidden(
            f"{call.actor.label} may not dismiss an incident",
            reason="dismissing_needs_a_person",
            hint="write in a note why it is none",
        )
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        into = None if request.merged_into is None else cases.load(tx, request.merged_into)
        events = rules.dismiss(state, reason=request.reason, into=into)
        cases.record(tx, state.number, *events, actor=call.actor, via=call.via)
        tx.cancel_timers(incident=state.number, keep=("run", items.KIND))
        acting.end_unjudged(tx, call.world, state.number)
        if into is not None:
            cases.record(tx, into.number, *rules.take_over(state, into), actor=call.actor, via=call.via)
        dismissed = cases.load(tx, state.number)
        paging.follow(tx, call.world, dismissed)
        announce(tx, call.world, dismissed, purpose="dismissed", note=request.reason.strip())
        return _view(tx, call, state.number)


def role_named(word: str) -> Role:
    """Return the role that `word` names. Raises `Invalid` listing them."""
    return _word(Role, word.replace("-", "_").replace(" ", "_"), field="role")


def person_named(call: Call, given: str) -> str:
    """Return the id of somebody in the catalog, of who asks, or of anybody where nobody is listed."""
    people = call.world.catalog.people
    known = {word.casefold(): person.id for person in people.values() for word in (person.id, person.name) if word}
    if given in ("", call.actor.id) or given.casefold() in known:
        return known.get(given.casefold(), given)
    if people:
        raise Invalid(f"nobody is called {given[:60]!r} here; there are {', '.join(sorted(people))}", field="person")
    if len(given) > _LONGEST_NAME or not given.isprintable():
        raise Invalid(f"a name has at most {_LONGEST_NAME} characters, on one line", field="person")
    return given


def _record(tx: Transaction, call: Call, state: IncidentState, *events: ev.IncidentEvent) -> IncidentView:
    cases.record(tx, state.number, *events, actor=call.actor, via=call.via)
    after = cases.load(tx, state.number)
    paging.follow(tx, call.world, after)
    keep_facts(tx, call.world, after)
    return _view(tx, call, state.number)


def _acknowledge(tx: Transaction, call: Call, state: IncidentState) -> IncidentView:
    """Take an incident on; pages about it stop where a person does."""
    if call.actor.is_person:
        paging.acknowledge_incident(
            tx, call.world, state.number, actor=call.actor, via=call.via, how=paging.how_of(call.via)
        )
    return _record(tx, call, state, *rules.acknowledge(state, actor=call.actor))


def _view(tx: Transaction, call: Call, number: int) -> IncidentView:
    return incident_view(tx, call.world, cases.load(tx, number), now=call.now)


def _word(kind: type[E], text: str, *, field: str) -> E:
    try:
        return kind(text.strip().lower())
    except ValueError:
        raise Invalid(f"{text!r} is none of {', '.join(one.value for one in kind)}", field=field) from None
