"""Questions about on-call: who is on now, next, at an instant; the calendar of a schedule or of a person."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid, NotFound
from stanch.oncall.levels import DEFAULT_SEVERITY, levels_for
from stanch.oncall.model import Facts, Shift
from stanch.oncall.roster import gaps, next_on_call, on_call, schedule_of, shifts, zone_of, zone_of_person
from stanch.oncall.rules import breaks_of
from stanch.operations.oncall.facts import Gathered, facts_between
from stanch.operations.oncall.views import (
    BrokenRule,
    Calendar,
    Gap,
    Handover,
    LevelCard,
    OnCallAnswer,
    ScheduleCard,
    ServiceAnswer,
    Turn,
)
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call

_LOOK: Final = timedelta(days=400)
_LONGEST: Final = timedelta(days=400)
_USUAL: Final = timedelta(days=14)
_AHEAD: Final = timedelta(days=90)
_MOST: Final = 100


@dataclass(frozen=True, kw_only=True)
class WhoNow:
    """For one service, one schedule or one person; without any of them, all schedules."""

    service: str = ""
    schedule: str = ""
    person: str = ""
    severity: int = DEFAULT_SEVERITY


@dataclass(frozen=True, kw_only=True)
class WhoAt:
    """The same at an instant."""

    at: datetime
    service: str = ""
    schedule: str = ""
    person: str = ""
    severity: int = DEFAULT_SEVERITY


@dataclass(frozen=True, kw_only=True)
class WhoNext:
    """The next changes of who is on call: of one schedule, or those that concern one person."""

    schedule: str = ""
    person: str = ""
    count: int = 5


@dataclass(frozen=True, kw_only=True)
class AskCalendar:
    """The shifts of one schedule, one person or all, from `start` (by default now) to `end` (two weeks on)."""

    schedule: str = ""
    person: str = ""
    start: datetime | None = None
    end: datetime | None = None


@operation("oncall.now", effect=Effect.READ, example={"service": "checkout"})
def now(call: Call, request: WhoNow) -> OnCallAnswer:
    """Say who is on call now, who is next, and who would be paged about a service."""
    return _answer(
        call,
        call.now,
        service=request.service,
        schedule=request.schedule,
        person=request.person,
        severity=request.severity,
    )


@operation("oncall.at", effect=Effect.READ, example={"at": "2026-12-25T03:00:00Z", "service": "checkout"})
def at(call: Call, request: WhoAt) -> OnCallAnswer:
    """Say who is on call at an instant, as the configuration and what is known today have it."""
    return _answer(
        call,
        request.at,
        service=request.service,
        schedule=request.schedule,
        person=request.person,
        severity=request.severity,
    )


@operation("oncall.next", effect=Effect.READ, example={"schedule": "checkout"})
def next_ones(call: Call, request: WhoNext) -> tuple[Handover, ...]:
    """List the next changes of who is on call, soonest first."""
    if not 1 <= request.count <= _MOST:
        raise Invalid(f"must be from 1 to {_MOST}", field="count")
    catalog = call.world.catalog
    names = _schedules(catalog, schedule=request.schedule)
    with call.world.store.reading() as view:
        facts = facts_between(call.world, view.connection, start=call.now - _LOOK, end=call.now + _LOOK).facts
    found: list[Handover] = []
    for name in names:
        found += _handovers(catalog, name, at=call.now, facts=facts, person=request.person, count=request.count)
    return tuple(sorted(found, key=lambda one: one.at)[: request.count])


@operation("oncall.calendar", effect=Effect.READ, example={"schedule": "checkout"})
def calendar(call: Call, request: AskCalendar) -> Calendar:
    """List the shifts of a schedule or a person, with gaps and rules that are broken ahead."""
    start = request.start or call.now
    end = request.end or start + _USUAL
    if not start < end <= start + _LONGEST:
        raise Invalid(f"must be after start, by at most {_LONGEST.days} days", field="end")
    catalog = call.world.catalog
    names = _schedules(catalog, schedule=request.schedule)
    with call.world.store.reading() as view:
        known = facts_between(call.world, view.connection, start=start - _USUAL, end=max(end, call.now + _AHEAD))
    facts = known.facts
    turns = [
        _turn(catalog, name, one, facts)
        for name in names
        for one in shifts(catalog, name, start=start, end=end, facts=facts)
        if request.person in ("", one.person)
    ]
    shown = () if request.person else names
    return Calendar(
        start=start,
        end=end,
        zone=_zone(catalog, request.schedule, request.person),
        turns=tuple(sorted(turns, key=lambda one: (one.start, one.schedule))),
        gaps=tuple(
            Gap(schedule=name, start=one.start, end=one.end)
            for name in shown
            for one in gaps(catalog, name, start=start, end=end, facts=facts)
        ),
        broken=tuple(
            one
            for name in names
            for one in broken_ahead(catalog, name, at=call.now, facts=facts, person=request.person)
        ),
        problems=said_problems(known),
    )


def broken_ahead(
    catalog: Catalog, name: str, *, at: datetime, facts: Facts, person: str = ""
) -> tuple[BrokenRule, ...]:
    """Return the rules of a schedule that do not hold in the 90 days after `at`."""
    return tuple(
        BrokenRule(
            schedule=name,
            rule=one.rule.name.lower(),
            person=one.person,
            start=one.start,
            end=one.end,
            message=one.message,
        )
        for one in breaks_of(catalog, name, start=at, end=at + _AHEAD, facts=facts)
        if person in ("", one.person)
    )


def said_problems(known: Gathered) -> tuple[str, ...]:
    """Return what could not be read, a sentence each."""
    return tuple(f"{one.field}: {one.message}" for one in known.problems)


def schedules_of(catalog: Catalog, service: str) -> tuple[str, ...]:
    """Return the schedules that the policy of a service names, in the order of its steps."""
    found = catalog.services.get(service)
    policy = catalog.oncall.policies.get((found.policy if found else "") or catalog.oncall.policy)
    targets = [target for step in policy.steps for target in step.targets] if policy else []
    names = [target.removeprefix("schedule:").removesuffix("/all") for target in targets if ":" in target]
    return tuple(dict.fromkeys(name for name in names if name in catalog.oncall.schedules))


def _answer(call: Call, moment: datetime, *, service: str, schedule: str, person: str, severity: int) -> OnCallAnswer:
    catalog = call.world.catalog
    if not 1 <= severity <= 4:
        raise Invalid("must be from 1 to 4", field="severity")
    if service and service not in catalog.services:
        raise NotFound(f"there is no service {service!r}", hint="all of them: stanch service list")
    names = schedules_of(catalog, service) if service and not schedule else _schedules(catalog, schedule=schedule)
    with call.world.store.reading() as view:
        known = facts_between(call.world, view.connection, start=moment - _LOOK, end=moment + _LOOK)
    cards = [_card(catalog, name, at=moment, facts=known.facts) for name in names]
    if person:
        cards = [card for card in cards if _is_in(card, person)]
    return OnCallAnswer(
        at=moment,
        schedules=tuple(cards),
        services=(_service(catalog, service, at=moment, severity=severity, facts=known.facts),) if service else (),
        problems=said_problems(known),
    )


def _is_in(card: ScheduleCard, person: str) -> bool:
    return any(turn is not None and turn.person == person for turn in (card.now, card.next, card.secondary))


def _card(catalog: Catalog, name: str, *, at: datetime, facts: Facts) -> ScheduleCard:
    schedule = schedule_of(catalog, name)
    current, following = on_call(catalog, name, at=at, facts=facts), next_on_call(catalog, name, at=at, facts=facts)
    second = on_call(catalog, schedule.secondary, at=at, facts=facts) if schedule.secondary else None
    return ScheduleCard(
        schedule=name,
        title=schedule.title or name,
        team=schedule.team,
        zone=zone_of(catalog, schedule),
        now=_turn(catalog, name, current, facts) if current else None,
        next=_turn(catalog, name, following, facts) if following else None,
        secondary=_turn(catalog, schedule.secondary, second, facts) if second else None,
        services=tuple(service for service in catalog.services if name in schedules_of(catalog, service)),
    )


def _service(catalog: Catalog, service: str, *, at: datetime, severity: int, facts: Facts) -> ServiceAnswer:
    found = levels_for(catalog, service, at=at, severity=severity, facts=facts)
    return ServiceAnswer(
        service=service,
        severity=f"SEV{severity}",
        policy=found.policy,
        levels=tuple(LevelCard(**vars(level)) for level in found.levels),
        fallback=found.fallback,
        reason=found.reason,
    )


def _handovers(
    catalog: Catalog, name: str, *, at: datetime, facts: Facts, person: str, count: int
) -> Iterable[Handover]:
    current = on_call(catalog, name, at=at, facts=facts)
    moment, before = at, current.person if current else ""
    for _ in range(_MOST):
        following = next_on_call(catalog, name, at=moment, facts=facts)
        if following is None or count <= 0:
            return
        if person in ("", before, following.person):
            count -= 1
            turn = _turn(catalog, name, following, facts)
            yield Handover(at=following.start, schedule=name, before=before, turn=turn)
        moment, before = following.start, following.person


def _turn(catalog: Catalog, schedule: str, shift: Shift, facts: Facts) -> Turn:
    found = catalog.people.get(shift.person)
    overrides = [one for one in facts.overrides if one.schedule == schedule and one.person == shift.person]
    return Turn(
        schedule=schedule,
        person=shift.person,
        name=found.name if found else shift.person,
        zone=zone_of_person(catalog, shift.person),
        start=shift.start,
        end=shift.end,
        layer=shift.layer,
        why=shift.why,
        override=next((one.id for one in overrides if one.start <= shift.start and one.end >= shift.end), ""),
    )


def _schedules(catalog: Catalog, *, schedule: str) -> tuple[str, ...]:
    if schedule:
        schedule_of(catalog, schedule)
        return (schedule,)
    return tuple(catalog.oncall.schedules)


def _zone(catalog: Catalog, schedule: str, person: str) -> str:
    if schedule:
        return zone_of(catalog, schedule_of(catalog, schedule))
    return zone_of_person(catalog, person) if person else catalog.zone
