"""Changing who is on call while the product runs: overrides and time off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.model import Catalog
from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Conflict, Invalid, NotFound
from stanch.kernel.ids import new_id
from stanch.oncall.model import Absence, Override
from stanch.oncall.overrides.model import AbsenceRecord, OverrideRecord
from stanch.oncall.overrides.tables import (
    absences_between,
    add_absence,
    add_override,
    cancel_absence,
    cancel_override,
    find_override,
    overrides_between,
)
from stanch.oncall.roster import schedule_of
from stanch.operations.oncall.asking import broken_ahead
from stanch.operations.oncall.facts import facts_at
from stanch.operations.oncall.views import BrokenRule
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.store import Transaction

_LONGEST: Final = timedelta(days=366)
_LOOK: Final = timedelta(days=400)


@dataclass(frozen=True, kw_only=True)
class MakeOverride:
    """Put `person` on call from `start` (by default now) to `end`, or for as long as `lasts` says, such as `4h`.

    With `instead_of` only where that person would be.
    """

    schedule: str
    person: str
    end: datetime | None = None
    lasts: str = ""
    start: datetime | None = None
    instead_of: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class OneById:
    """One by its id."""

    id: str


@dataclass(frozen=True, kw_only=True)
class OverrideView:
    """An override as it stands, with the rules that the roster breaks now and did not before."""

    id: str
    schedule: str
    person: str
    instead_of: str
    start: datetime
    end: datetime
    why: str
    made_by: str
    made_at: datetime
    via: str
    swap: str = ""
    broken: tuple[BrokenRule, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ListOverrides:
    """Those of one schedule or all that have not ended."""

    schedule: str = ""


@dataclass(frozen=True, kw_only=True)
class TakeTimeOff:
    """Be away from `start` to `end`: whoever is next in the rotation covers. By default it is you."""

    start: datetime
    end: datetime
    person: str = ""
    what: str = ""


@dataclass(frozen=True, kw_only=True)
class ListTimeOff:
    """Of one person or all, what has not ended."""

    person: str = ""


@dataclass(frozen=True, kw_only=True)
class TimeOffView:
    """Time off. `id` is empty for what stands in a calendar; `broken` are rules that it breaks."""

    id: str
    person: str
    start: datetime
    end: datetime
    what: str
    made_by: str = ""
    broken: tuple[BrokenRule, ...] = ()


@operation(
    "oncall.override",
    effect=Effect.WRITE,
    example={"schedule": "checkout", "person": "bob", "end": "2026-11-21T18:00:00Z", "why": "dentist"},
)
def make_override(call: Call, request: MakeOverride) -> OverrideView:
    """Put somebody on call for a while; says which rules that breaks, and does it all the same."""
    catalog, now = call.world.catalog, call.now
    schedule_of(catalog, request.schedule)
    start = request.start or now
    check_people(catalog, person=request.person, instead_of=request.instead_of)
    if (request.end is None) is (not request.lasts):
        raise Invalid("say either until when, or for how long", field="end")
    end = request.end or start + parse_duration(request.lasts, field="lasts")
    check_time(start, end, now=now)
    record = OverrideRecord(
        override=Override(
            id=new_id(now),
            schedule=request.schedule,
            person=request.person,
            instead_of=request.instead_of,
            start=start,
            end=end,
            why=request.why.strip(),
        ),
        made_by=call.actor.id,
        made_at=now,
        via=call.via.value,
    )
    with call.world.store.writing() as tx:
        before = broken_now(call, tx, request.schedule)
        add_override(tx.connection, record)
        after = broken_now(call, tx, request.schedule)
    return _override_view(record, broken=newly(before, after))


@operation("oncall.override_cancel", effect=Effect.WRITE, example={"id": "01J0000000000000000000000"})
def take_back_override(call: Call, request: OneById) -> OverrideView:
    """Take an override back."""
    with call.world.store.writing() as tx:
        found = find_override(tx.connection, request.id)
        if found is None:
            raise NotFound(f"there is no override {request.id}", hint="all of them: stanch oncall overrides")
        if not cancel_override(tx.connection, request.id, by=call.actor.id, at=call.now):
            raise Conflict(f"override {request.id} was taken back already by {found.cancelled_by}")
    return _override_view(found)


@operation("oncall.overrides", effect=Effect.READ, example={"schedule": "checkout"})
def list_overrides(call: Call, request: ListOverrides) -> tuple[OverrideView, ...]:
    """List the overrides that hold or wait, oldest decision first."""
    with call.world.store.reading() as view:
        found = overrides_between(view.connection, start=call.now, end=call.now + _LOOK)
    return tuple(_override_view(one) for one in found if request.schedule in ("", one.override.schedule))


@operation(
    "oncall.timeoff",
    effect=Effect.WRITE,
    example={"start": "2026-12-21T00:00:00Z", "end": "2027-01-02T00:00:00Z", "what": "holiday"},
)
def take_time_off(call: Call, request: TakeTimeOff) -> TimeOffView:
    """Say that somebody is away: the next one in each rotation covers. Says which rules that breaks."""
    person = request.person or call.actor.id
    check_people(call.world.catalog, person=person)
    check_time(request.start, request.end, now=call.now)
    record = AbsenceRecord(
        id=new_id(call.now),
        absence=Absence(person=person, start=request.start, end=request.end, what=request.what.strip()),
        made_by=call.actor.id,
        made_at=call.now,
        via=call.via.value,
    )
    names = tuple(call.world.catalog.oncall.schedules)
    with call.world.store.writing() as tx:
        before = [one for name in names for one in broken_now(call, tx, name)]
        add_absence(tx.connection, record)
        after = [one for name in names for one in broken_now(call, tx, name)]
    return _time_off_view(record, broken=newly(before, after))


@operation("oncall.timeoff_cancel", effect=Effect.WRITE, example={"id": "01J0000000000000000000000"})
def take_back_time_off(call: Call, request: OneById) -> OneById:
    """Take back time off that was told here; what stands in a calendar is changed there."""
    with call.world.store.writing() as tx:
        if not cancel_absence(tx.connection, request.id, at=call.now):
            raise NotFound(f"there is no time off {request.id}", hint="all of it: stanch oncall away")
    return request


@operation("oncall.away", effect=Effect.READ, example={"person": "alice"})
def list_time_off(call: Call, request: ListTimeOff) -> tuple[TimeOffView, ...]:
    """List who is away when, from calendars too, in order of time."""
    now = call.now
    with call.world.store.reading() as view:
        told = absences_between(view.connection, start=now, end=now + _LOOK)
        known = facts_at(call.world, view.connection, at=now).off
    here = {one.absence for one in told}
    found = [_time_off_view(one) for one in told]
    found += [
        TimeOffView(id="", person=one.person, start=one.start, end=one.end, what=one.what)
        for one in known
        if one.end > now and one not in here
    ]
    shown = (one for one in found if request.person in ("", one.person))
    return tuple(sorted(shown, key=lambda one: (one.start, one.person)))


def check_people(catalog: Catalog, *, person: str, instead_of: str = "") -> None:
    """Raise `Invalid` for somebody who is not known."""
    for field, name in (("person", person), ("instead_of", instead_of)):
        if name and name not in catalog.people:
            raise Invalid(f"{name!r} is nobody known", field=field, hint="people stand in stanch.toml")
    if not person:
        raise Invalid("must name somebody: to have nobody on call is not possible", field="person")


def check_time(start: datetime, end: datetime, *, now: datetime) -> None:
    """Raise `Invalid` for a time that is none, is over or is longer than a year."""
    if end <= start:
        raise Invalid("must be after the start", field="end")
    if end <= now:
        raise Invalid("is in the past: what was on call then cannot be changed", field="end")
    if end - start > _LONGEST:
        raise Invalid("is more than a year after the start: change the schedule instead", field="end")


def broken_now(call: Call, tx: Transaction, schedule: str) -> tuple[BrokenRule, ...]:
    """Return the rules of a schedule that do not hold in the next 90 days."""
    facts = facts_at(call.world, tx.connection, at=call.now)
    return broken_ahead(call.world.catalog, schedule, at=call.now, facts=facts)


def newly(before: Sequence[BrokenRule], after: Sequence[BrokenRule]) -> tuple[BrokenRule, ...]:
    """Return the rules that are broken now and were not before."""
    return tuple(one for one in after if one not in before)


def _override_view(record: OverrideRecord, *, broken: tuple[BrokenRule, ...] = ()) -> OverrideView:
    one = record.override
    return OverrideView(
        id=one.id,
        schedule=one.schedule,
        person=one.person,
        instead_of=one.instead_of,
        start=one.start,
        end=one.end,
        why=one.why,
        made_by=record.made_by,
        made_at=record.made_at,
        via=record.via,
        swap=record.swap,
        broken=broken,
    )


def _time_off_view(record: AbsenceRecord, *, broken: tuple[BrokenRule, ...] = ()) -> TimeOffView:
    one = record.absence
    return TimeOffView(
        id=record.id,
        person=one.person,
        start=one.start,
        end=one.end,
        what=one.what,
        made_by=record.made_by,
        broken=broken,
    )
