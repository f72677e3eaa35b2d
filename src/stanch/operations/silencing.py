"""Operations on silences: put one, end one, list them, and see what one would have kept quiet."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.board.model import own_labels
from stanch.alerts.intake.matchers import Matcher, matches_all, parse_matchers
from stanch.alerts.intake.reading.tables import episodes_since
from stanch.alerts.intake.silenced.tables import find_silence, put_silences, silences_since
from stanch.alerts.intake.silences import Silence, SilenceState, expire, in_order, save
from stanch.alerts.tables import find_alerts
from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Invalid, NotFound
from stanch.kernel.redaction import redact
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World

# Alertmanager forgets ended silences after five days; so long they are shown.
_SHOWN_FOR: Final = timedelta(hours=120)
_LONGEST_LOOK: Final = timedelta(days=90)
_EXAMPLES: Final = 20
_LONGEST: Final = timedelta(days=365)
_MOST_OWN: Final = 100_000


@dataclass(frozen=True, kw_only=True)
class CreateSilence:
    """What to keep quiet, and until when: `ends_at` (UTC), or `lasts` such as `2h`. `matchers` as `a="b", c=~"d.*"`."""

    matchers: str
    comment: str
    lasts: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    id: str = ""


@dataclass(frozen=True, kw_only=True)
class OneSilence:
    """A silence by its id."""

    id: str


@dataclass(frozen=True, kw_only=True)
class ExtendSilence:
    """A silence by its id, and how much longer it shall hold, such as `2h`."""

    id: str
    lasts: str


@dataclass(frozen=True, kw_only=True)
class ListSilences:
    """Those that wait or hold; with `expired` also those that ended in the last five days."""

    expired: bool = False


@dataclass(frozen=True, kw_only=True)
class PreviewSilence:
    """What a silence with these matchers would have kept quiet in the last `days`.

    `most` bounds how many alerts that are over are looked at, the newest first; 0 looks at all, a second for 100,000.
    """

    matchers: str
    days: int = 30
    most: int = 0


@dataclass(frozen=True, kw_only=True)
class SilenceView:
    """A silence as people see it."""

    id: str
    state: str
    matchers: tuple[str, ...]
    starts_at: datetime
    ends_at: datetime
    created_by: str
    comment: str


@dataclass(frozen=True, kw_only=True)
class SilencePreview:
    """How many alerts a silence would have kept quiet, and how many of these somebody was told about."""

    since: datetime
    matched: int
    told: int
    summary: str
    examples: tuple[Mapping[str, str], ...] = field(default=())


@operation(
    "silence.create",
    effect=Effect.WRITE,
    example={"matchers": 'alertname="DiskFull"', "lasts": "2h", "comment": "being replaced"},
)
def create(call: Call, request: CreateSilence) -> SilenceView:
    """Keep alerts quiet for a while; with the id of a silence, change that one."""
    now = call.now
    starts_at = request.starts_at or now
    if bool(request.lasts) == (request.ends_at is not None):
        raise Invalid("say how long it lasts or when it ends", field="lasts")
    ends_at = request.ends_at or starts_at + parse_duration(request.lasts, field="lasts")
    wanted = Silence(
        id=request.id,
        matchers=_parsed(request.matchers),
        starts_at=starts_at,
        ends_at=ends_at,
        updated_at=now,
        created_by=call.actor.label,
        comment=request.comment,
    )
    # By the clock: it holds from the instant at which it was stored, a little after the call began.
    return view_of(save_silence(call.world, wanted), now=call.world.clock.now())


@operation("silence.extend", effect=Effect.WRITE, example={"id": "8b1c2a0e-0f5a-4a7e-9f1e-0c7e5b1d2f3a", "lasts": "2h"})
def extend(call: Call, request: ExtendSilence) -> SilenceView:
    """Let a silence hold for longer; one that has ended begins anew, under another id."""
    now = call.now
    with call.world.store.reading() as view:
        found = find_silence(view.connection, request.id)
    if found is None:
        raise NotFound(f"there is no silence {request.id}", hint="see the list: stanch silence list")
    length = parse_duration(request.lasts, field="lasts")
    if not timedelta() < length <= _LONGEST:
        raise Invalid(f"is more than nothing, and at most {_LONGEST.days} days", field="lasts")
    is_over = found.state(now) is SilenceState.EXPIRED
    longer = replace(
        found,
        starts_at=now if is_over else found.starts_at,
        ends_at=max(now, found.ends_at) + length,
        created_by=call.actor.label,
    )
    return view_of(save_silence(call.world, longer), now=call.world.clock.now())


@operation("silence.expire", effect=Effect.WRITE, example={"id": "8b1c2a0e-0f5a-4a7e-9f1e-0c7e5b1d2f3a"})
def end(call: Call, request: OneSilence) -> SilenceView:
    """End a silence now."""
    return view_of(end_silence(call.world, request.id), now=call.now)


@operation("silence.list", effect=Effect.READ, example={})
def list_silences(call: Call, request: ListSilences) -> tuple[SilenceView, ...]:
    """List silences: those that hold by their end, then those that wait."""
    found = (view_of(one, now=call.now) for one in known_silences(call.world))
    return tuple(one for one in found if request.expired or one.state != "expired")


@operation("silence.preview", effect=Effect.READ, example={"matchers": 'alertname="DiskFull"'})
def preview(call: Call, request: PreviewSilence) -> SilencePreview:
    """Say what a silence would have kept quiet, before it is put."""
    if not 1 <= request.days <= _LONGEST_LOOK.days:
        raise Invalid(f"is 1 to {_LONGEST_LOOK.days}", field="days")
    length = timedelta(days=request.days)
    if request.most < 0:
        raise Invalid("is 0 for all, or more", field="most")
    matchers = _parsed(request.matchers)
    since = call.now - length
    with call.world.store.reading() as view:
        bound = {"most": request.most} if request.most else {}
        looked_at = episodes_since(view.connection, since, now=call.now, **bound)
        # Own alerts led to an incident, of which somebody was told, unless something held them back.
        own = find_alerts(view.connection, since=since, limit=request.most or _MOST_OWN)
        looked_at += [(own_labels(one), not one.quiet) for one in own]
    found = [(labels, told) for labels, told in looked_at if matches_all(matchers, labels)]
    within = f"{request.days} days"
    if request.most and len(looked_at) >= request.most:
        within += f", of the last {len(looked_at):,} alerts that were looked at"
    told = sum(one for _, one in found)
    return SilencePreview(
        since=since,
        matched=len(found),
        told=told,
        summary=f"would have kept {len(found)} alerts quiet in {within}; somebody was told about {told}",
        examples=tuple(labels for labels, _ in found[-_EXAMPLES:]),
    )


def _parsed(text: str) -> tuple[Matcher, ...]:
    try:
        return parse_matchers(text)
    except Invalid as error:
        raise Invalid(error.message, field="matchers") from error


def save_silence(world: World, wanted: Silence) -> Silence:
    """Store a silence and return it as it is stored. Raises `NotFound` for an id there is not, and `Invalid`."""
    now = world.clock.now()
    # It may come by the v2 API, past the door that reads every other request for secrets.
    wanted = replace(
        wanted,
        comment=redact(wanted.comment),
        created_by=redact(wanted.created_by),
        annotations={redact(name): redact(value) for name, value in wanted.annotations.items()},
    )
    with world.store.writing() as tx:
        tx.lock("silences")
        old = find_silence(tx.connection, wanted.id) if wanted.id else None
        if wanted.id and old is None:
            raise NotFound(f"there is no silence {wanted.id}")
        stored = save(wanted, old, fresh_id=str(uuid.uuid4()), now=now)
        put_silences(tx.connection, stored)
    return stored[-1]


def end_silence(world: World, id: str) -> Silence:
    """End a silence now; one that has ended stays as it is. Raises `NotFound`."""
    with world.store.writing() as tx:
        tx.lock("silences")
        found = find_silence(tx.connection, id)
        if found is None:
            raise NotFound(f"there is no silence {id}")
        ended = expire(found, now=world.clock.now())
        put_silences(tx.connection, (ended,))
    return ended


def known_silences(world: World) -> list[Silence]:
    """Return the silences there are, with those that ended in the last five days."""
    now = world.clock.now()
    with world.store.reading() as view:
        return in_order(silences_since(view.connection, now - _SHOWN_FOR), now=now)


def view_of(silence: Silence, *, now: datetime) -> SilenceView:
    """Return a silence as people see it at `now`."""
    return SilenceView(
        id=silence.id,
        state=silence.state(now).value,
        matchers=tuple(str(one) for one in silence.matchers),
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        created_by=silence.created_by,
        comment=silence.comment,
    )
