"""Figures over incidents: how long they took, which came back, what the alerts and pages of that time were worth."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from stanch.kernel.errors import Invalid
from stanch.oncall.escalation.state import PageState
from stanch.oncall.load import Kind, load
from stanch.operations.oncall.facts import facts_between
from stanch.operations.oncall.paged import pages_between, people_paged
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call
from stanch.review.figures.model import By, Course, Group, Measure, Repeat, Spread
from stanch.review.figures.rules import (
    COUNT_DEFINITION,
    DEFINITIONS,
    REPEAT_DEFINITION,
    REPEAT_WITHIN,
    SPREAD_DEFINITION,
    group,
    groups,
    quantile,
    repeats,
    was_acted_on,
)
from stanch.review.figures.sheet import as_csv
from stanch.review.figures.tables import count_alerts, find_courses, read_courses
from stanch.store import Connection

_USUAL: Final = timedelta(days=365)
_LONGEST: Final = timedelta(days=3_660)
ALL: Final = "all"

NOISE_DEFINITION: Final = (
    "alerts of own checks and from outside that began in that time and are still kept; one led to nothing where no "
    "incident took it in"
)
PAGES_DEFINITION: Final = (
    "a page is one escalation about something real; it was acted on where somebody acknowledged it and then did "
    "something about its incident, which was not dismissed"
)


@dataclass(frozen=True, kw_only=True)
class AskFigures:
    """Which incidents: declared from `since` (by default a year ago) to `until` (by default now), put together by
    service, severity, kind of cause or month; with `drills`, exercises too."""

    since: datetime | None = None
    until: datetime | None = None
    by: By = By.SERVICE
    drills: bool = False


@dataclass(frozen=True, kw_only=True)
class GroupFigures:
    """The figures of the incidents that have something in common; lengths of time are in seconds."""

    name: str
    incidents: int
    open: int
    repeats: int
    detect: Spread
    acknowledge: Spread
    mitigate: Spread
    resolve: Spread


@dataclass(frozen=True, kw_only=True)
class NoiseFigures:
    """What the alerts were worth. `per_incident` is the median over the incidents that alerts were attached to."""

    alerts: int
    led_to_incident: int
    led_to_none: int
    per_incident: float | None


@dataclass(frozen=True, kw_only=True)
class PersonPaged:
    """How often somebody was paged, by the kind of time where they live, and the hours of sleep in which it was."""

    person: str
    name: str
    pages: int
    by_kind: dict[str, int]
    sleep_hours: int


@dataclass(frozen=True, kw_only=True)
class PageFigures:
    """What paging was worth, and whom it met; the most paged first."""

    pages: int
    acknowledged: int
    acted_on: int
    people: tuple[PersonPaged, ...]


@dataclass(frozen=True, kw_only=True)
class Figures:
    """Figures over the incidents of a time. `definitions` says of each figure what it measures."""

    since: datetime
    until: datetime
    by: str
    zone: str
    overall: GroupFigures
    groups: tuple[GroupFigures, ...]
    repeats: tuple[Repeat, ...]
    noise: NoiseFigures
    paging: PageFigures
    dismissed: int
    drills_left_out: int
    definitions: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class FiguresFile:
    """Figures as a file."""

    name: str
    media_type: str
    text: str


@dataclass(frozen=True, kw_only=True)
class _Counted:
    """The incidents that count, those of them that had happened before, and how many were left out."""

    start: datetime
    end: datetime
    courses: tuple[Course, ...]
    again: tuple[Repeat, ...]
    dismissed: int
    drills: int

    @property
    def numbers_again(self) -> frozenset[int]:
        return frozenset(one.incident for one in self.again)


@operation("figures.show", effect=Effect.READ, example={"by": "month"})
def show(call: Call, request: AskFigures) -> Figures:
    """Show how long incidents took to be detected, acknowledged, mitigated and resolved, and what came back."""
    with call.world.store.reading() as view:
        counted = _counted(call, request, view.connection)
        noise = _noise(view.connection, counted)
        paging = _paging(call, view.connection, counted)
    again = counted.numbers_again
    return Figures(
        since=counted.start,
        until=counted.end,
        by=request.by.value,
        zone=call.world.catalog.zone,
        overall=_group(group(ALL, counted.courses, again=again)),
        groups=tuple(_group(one) for one in groups(counted.courses, by=request.by, zone=_zone(call), again=again)),
        repeats=counted.again,
        noise=noise,
        paging=paging,
        dismissed=counted.dismissed,
        drills_left_out=counted.drills,
        definitions={
            **{measure.value: words for measure, words in DEFINITIONS.items()},
            "spread": SPREAD_DEFINITION,
            "incidents": COUNT_DEFINITION,
            "repeats": REPEAT_DEFINITION,
            "noise": NOISE_DEFINITION,
            "pages": PAGES_DEFINITION,
        },
    )


@operation("figures.export", effect=Effect.READ, example={"by": "service"})
def export(call: Call, request: AskFigures) -> FiguresFile:
    """Hand the figures out as CSV: a row per group, and one over all."""
    with call.world.store.reading() as view:
        counted = _counted(call, request, view.connection)
    again = counted.numbers_again
    rows = [
        *groups(counted.courses, by=request.by, zone=_zone(call), again=again),
        group(ALL, counted.courses, again=again),
    ]
    days = f"{counted.start:%Y-%m-%d}-{counted.end:%Y-%m-%d}"
    return FiguresFile(
        name=f"figures-by-{request.by.value}-{days}.csv", media_type="text/csv; charset=utf-8", text=as_csv(rows)
    )


def _counted(call: Call, request: AskFigures, connection: Connection) -> _Counted:
    # A time ends just before its end; what is declared at this very instant counts too.
    end = request.until or call.now + timedelta(microseconds=1)
    start = request.since or end - _USUAL
    if not start < end <= start + _LONGEST:
        raise Invalid(f"must be after since, by at most {_LONGEST.days} days", field="until")
    # What happened before counts for what came back.
    known = find_courses(connection, start=start - REPEAT_WITHIN, end=end)
    own = [one for one in known if one.counts]
    wanted = [one for one in own if request.drills or not one.drill]
    drills = [one for one in own if one.drill and one.declared_at >= start] if not request.drills else []
    within = tuple(one for one in wanted if one.declared_at >= start)
    numbers = {one.number for one in within}
    return _Counted(
        start=start,
        end=end,
        courses=within,
        again=tuple(one for one in repeats(wanted) if one.incident in numbers),
        dismissed=sum(1 for one in known if not one.counts and one.declared_at >= start),
        drills=len(drills),
    )


def _noise(connection: Connection, counted: _Counted) -> NoiseFigures:
    alerts, led = count_alerts(connection, start=counted.start, end=counted.end)
    attached = [float(one.alerts) for one in counted.courses if one.alerts]
    return NoiseFigures(
        alerts=alerts, led_to_incident=led, led_to_none=alerts - led, per_incident=quantile(attached, 0.5)
    )


def _paging(call: Call, connection: Connection, counted: _Counted) -> PageFigures:
    pages = pages_between(connection, start=counted.start, end=counted.end)
    about = read_courses(connection, {one.incident for one in pages if one.incident is not None})
    facts = facts_between(call.world, connection, start=counted.start, end=counted.end).facts
    months = load(call.world.catalog, (), people_paged(pages), facts=facts)
    found: dict[str, PersonPaged] = {}
    for month in months:
        before = found.get(month.person)
        kinds = {kind.value: month.pages.get(kind, 0) for kind in Kind}
        found[month.person] = PersonPaged(
            person=month.person,
            name=_name(call, month.person),
            pages=month.all_pages + (before.pages if before else 0),
            by_kind={kind: count + (before.by_kind[kind] if before else 0) for kind, count in kinds.items()},
            sleep_hours=month.sleep_hours + (before.sleep_hours if before else 0),
        )
    return PageFigures(
        pages=len(pages),
        acknowledged=sum(1 for one in pages if one.acknowledgements),
        acted_on=_acted_on(pages, about),
        people=tuple(sorted(found.values(), key=lambda one: (-one.pages, one.person))),
    )


def _acted_on(pages: Sequence[PageState], about: Mapping[int, Course]) -> int:
    return sum(
        1
        for one in pages
        if was_acted_on(
            about.get(one.incident) if one.incident is not None else None,
            paged_at=one.started_at,
            acknowledged=one.acknowledgements > 0,
        )
    )


def _group(one: Group) -> GroupFigures:
    return GroupFigures(
        name=one.name,
        incidents=one.incidents,
        open=one.open,
        repeats=one.repeats,
        detect=one.spreads[Measure.DETECT],
        acknowledge=one.spreads[Measure.ACKNOWLEDGE],
        mitigate=one.spreads[Measure.MITIGATE],
        resolve=one.spreads[Measure.RESOLVE],
    )


def _name(call: Call, person: str) -> str:
    known = call.world.catalog.people.get(person)
    return known.name if known and known.name else person


def _zone(call: Call) -> ZoneInfo:
    return ZoneInfo(call.world.catalog.zone)
