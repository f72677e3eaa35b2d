"""Operations on the status page: what it shows, what waits for a yes, publish it or not, who subscribed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from msgspec import Meta

from stanch.comms.status.model import Outcome, Page, Update
from stanch.comms.status.rules import DAYS
from stanch.comms.status.tables import (
    Subscriber,
    count_subscribers,
    drop_subscriber,
    find_subscribers,
    read_update,
    subscriber_by,
    waiting,
)
from stanch.incidents import events as ev
from stanch.kernel.actor import ActorKind
from stanch.kernel.blocks import clean
from stanch.kernel.errors import Conflict, Forbidden, Invalid, NotFound, Refused
from stanch.operations import cases
from stanch.operations.registry import Effect, operation
from stanch.operations.statuspage.exporting import export
from stanch.operations.statuspage.offering import publish_now
from stanch.operations.statuspage.showing import internal_page, public_page
from stanch.operations.statuspage.subscribing import mark_of
from stanch.operations.statuspage.telling import forget_messages, page_url
from stanch.operations.world import Call, World
from stanch.store import Transaction

Words = Annotated[str, Meta(max_length=20_000)]
Line = Annotated[str, Meta(max_length=500)]
_MOST: Final = 500


@dataclass(frozen=True, kw_only=True)
class ShowPage:
    """Which page: the one for customers, or with `internal` the one for who works here."""

    internal: bool = False


@dataclass(frozen=True, kw_only=True)
class ComponentView:
    """A component: its `state` in Statuspage's words, `uptime` the share (0..1) of the known time without an outage,
    and its days with trouble, the oldest first, each with its worst state and its seconds of outage."""

    name: str
    title: str
    group: str
    state: str
    uptime: float | None
    troubled: tuple[tuple[str, str, float], ...]


@dataclass(frozen=True, kw_only=True)
class UpdateView:
    """An update. `digest` is what a yes to it is said to; `components` are states by the names that the page has."""

    incident: int
    key: str
    number: int
    stage: str
    title: str
    text: str
    severity: str
    components: Mapping[str, str]
    at: datetime
    digest: str
    outcome: str
    by: str


@dataclass(frozen=True, kw_only=True)
class WindowLine:
    """A maintenance that is under way or comes (UTC)."""

    title: str
    text: str
    start: datetime
    end: datetime
    holds: bool


@dataclass(frozen=True, kw_only=True)
class PageView:
    """A status page at `now` (UTC): worst state first in `state`; incidents' last updates, those that go on first."""

    title: str
    url: str
    state: str
    now: datetime
    days: int
    components: tuple[ComponentView, ...]
    incidents: tuple[UpdateView, ...]
    maintenance: tuple[WindowLine, ...]
    waiting: int
    subscribers: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Nothing:
    """There is nothing to say."""


@dataclass(frozen=True, kw_only=True)
class PublishUpdate:
    """The update that was seen: its digest, and with `text` the words that shall stand there in place of its own."""

    incident: int
    number: int
    digest: str
    text: Words = ""


@dataclass(frozen=True, kw_only=True)
class DiscardUpdate:
    """An update that shall not stand there, and why."""

    incident: int
    number: int
    reason: Line = ""


@dataclass(frozen=True, kw_only=True)
class Exported:
    """The static copy: its folder, and how many files it has."""

    folder: str
    files: int


@dataclass(frozen=True, kw_only=True)
class SubscriberView:
    """Who subscribed, without their address; `confirmed_at` is None while they were only asked."""

    id: str
    kind: str
    created_at: datetime
    confirmed_at: datetime | None


@dataclass(frozen=True, kw_only=True)
class DropSubscriber:
    """A subscriber by the id of the list, or by the address that somebody names who wants to be forgotten."""

    id: str = ""
    address: str = ""


@operation("statuspage.show", effect=Effect.READ, example={})
def show(call: Call, request: ShowPage) -> PageView:
    """Show what the status page shows: components, incidents, maintenance; and what waits for a yes."""
    with call.world.store.reading() as view:
        page = internal_page(view, call.world) if request.internal else _public(view, call.world)
        waits, subscribed = len(waiting(view.connection)), count_subscribers(view.connection)
    return PageView(
        title=page.title,
        url=page.url,
        state=page.worst.value,
        now=page.now,
        days=DAYS,
        components=tuple(
            ComponentView(
                name=one.key,
                title=one.title,
                group=one.group,
                state=one.state.value,
                uptime=one.uptime,
                troubled=tuple(
                    (f"{day.date}", day.state.value, day.down_s) for day in one.days if day.state and day.state.rank
                ),
            )
            for one in page.components
        ),
        incidents=tuple(view_of(one.updates[0], call.world) for one in page.incidents[:50]),
        maintenance=tuple(
            WindowLine(title=one.title, text=one.text, start=one.start, end=one.end, holds=one.holds(page.now))
            for one in page.maintenance
        ),
        waiting=waits,
        subscribers=subscribed,
    )


@operation("statuspage.waiting", effect=Effect.READ, example={})
def list_waiting(call: Call, request: Nothing) -> tuple[UpdateView, ...]:
    """List the updates that wait for a person's yes, exactly as they would stand there."""
    with call.world.store.reading() as view:
        return tuple(view_of(one, call.world) for one in waiting(view.connection))


@operation("statuspage.publish", effect=Effect.APPROVE, example={"incident": 1, "number": 1, "digest": "0123456789ab"})
def publish(call: Call, request: PublishUpdate) -> UpdateView:
    """Publish an update on the status page, as it was shown or in other words; subscribers are told."""
    with call.world.store.writing() as tx:
        known = _waiting(tx, request.incident, request.number)
        if known.digest != request.digest.strip():
            raise Conflict(
                "this update says something else than what you saw",
                reason="not_what_was_seen",
                hint="look at it again: stanch status-page waiting",
            )
        # Programs read it too, from the JSON and from webhooks, and may show it in a terminal.
        text = clean(request.text).strip()
        said = publish_now(
            tx,
            call.world,
            request.incident,
            request.number,
            text="" if text == known.text else text,
            actor=call.actor,
            via=call.via,
        )
        return view_of(said, call.world)


@operation("statuspage.discard", effect=Effect.WRITE, example={"incident": 1, "number": 1, "reason": "not visible"})
def discard(call: Call, request: DiscardUpdate) -> UpdateView:
    """Keep an update that waits off the status page."""
    # What waits for a person's yes, a program must not take away from them.
    if call.actor.kind is ActorKind.AGENT:
        raise Forbidden(f"{call.actor.label} may not keep it off", reason="discarding_needs_a_person")
    with call.world.store.writing() as tx:
        _waiting(tx, request.incident, request.number)
        record = ev.StatusDiscarded(number=request.number, reason=request.reason.strip())
        stream = ev.status_stream(request.incident)
        cases.record(tx, request.incident, record, actor=call.actor, via=call.via, stream=stream)
        left = read_update(tx.connection, request.incident, request.number)
        return view_of(left or _waiting(tx, request.incident, request.number), call.world)


@operation("statuspage.export", effect=Effect.WRITE, example={})
def export_now(call: Call, request: Nothing) -> Exported:
    """Write the static copy of the status page now."""
    if not call.world.catalog.status.folder:
        raise Refused("no folder is configured", reason="switched_off", hint='write [status] folder = "public"')
    with call.world.store.reading() as view:
        _public(view, call.world)
    folder, files = export(call.world)
    return Exported(folder=str(folder), files=files)


@operation("statuspage.subscribers", effect=Effect.READ, example={})
def subscribers(call: Call, request: Nothing) -> tuple[SubscriberView, ...]:
    """List who subscribed, without their addresses."""
    with call.world.store.reading() as view:
        found = find_subscribers(view.connection, limit=_MOST)
    return tuple(
        SubscriberView(id=one.id, kind=one.kind, created_at=one.created_at, confirmed_at=one.confirmed_at)
        for one in found
    )


@operation("statuspage.forget", effect=Effect.WRITE, example={"id": "0123456789abcdef"})
def forget(call: Call, request: DropSubscriber) -> SubscriberView:
    """Delete a subscriber, with everything that was sent to them."""
    if call.actor.kind is ActorKind.AGENT:
        raise Forbidden(f"{call.actor.label} may not take a subscriber off", reason="forgetting_needs_a_person")
    if bool(request.id) == bool(request.address):
        raise Invalid("name an id or an address", field="id")
    with call.world.store.writing() as tx:
        found = (
            subscriber_by(tx.connection, id=request.id)
            if request.id
            else next((one for kind in ("email", "webhook") if (one := _by(tx, kind, request.address))), None)
        )
        if found is None:
            raise NotFound("there is no such subscriber", hint="see them: stanch status-page subscribers")
        drop_subscriber(tx.connection, found.id)
        forget_messages(tx, found.id)
    return SubscriberView(id=found.id, kind=found.kind, created_at=found.created_at, confirmed_at=found.confirmed_at)


def waiting_notices(tx: Transaction) -> tuple[str, ...]:
    """Return what the overview says of updates that wait for a yes; nothing where none does."""
    found = waiting(tx.connection)
    if not found:
        return ()
    keys = ", ".join(f"INC-{one.incident}" for one in found)
    noun = "update waits" if len(found) == 1 else "updates wait"
    return (f"{len(found)} {noun} for a yes to stand on the status page ({keys}): /status/internal",)


def view_of(one: Update, world: World) -> UpdateView:
    """Return an update as surfaces show it."""
    components = world.catalog.status.components
    return UpdateView(
        incident=one.incident,
        key=f"INC-{one.incident}",
        number=one.number,
        stage=one.stage.value,
        title=one.title,
        text=one.text,
        severity=one.severity,
        components={components[key].title: how.label for key, how in one.components.items() if key in components},
        at=one.at,
        digest=one.digest,
        outcome=one.outcome.value,
        by=one.by,
    )


def _by(tx: Transaction, kind: str, address: str) -> Subscriber | None:
    return subscriber_by(tx.connection, digest=mark_of(kind, address.strip()))


def _public(tx: Transaction, world: World) -> Page:
    if not world.catalog.status.is_shown:
        raise NotFound(
            "there is no public status page",
            hint=f"[status.components.<service>] says what it shows at {page_url(world)}",
        )
    return public_page(tx, world)


def _waiting(tx: Transaction, incident: int, number: int) -> Update:
    tx.lock(ev.incident_stream(incident))
    known = read_update(tx.connection, incident, number)
    if known is None:
        raise NotFound(f"INC-{incident} has no update {number}", hint="see them: stanch status-page waiting")
    if known.outcome is not Outcome.WAITING:
        raise Refused(
            f"update {number} of INC-{incident} is {known.outcome.value}",
            reason="not_waiting",
            hint="see what waits: stanch status-page waiting",
        )
    return known
