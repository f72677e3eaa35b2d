"""The load of on-call per person and month, for fairness and for compensation."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from stanch.kernel.errors import Invalid
from stanch.oncall.load import Kind, MonthOfPerson, load, unevenness
from stanch.oncall.roster import schedule_of, shifts, zone_of_person
from stanch.operations.oncall.facts import facts_between
from stanch.operations.oncall.paged import pages_between, people_paged
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call

_LONGEST = timedelta(days=800)


@dataclass(frozen=True, kw_only=True)
class AskLoad:
    """From `start` (by default the beginning of last month, UTC) to `end` (by default now), of one schedule or all."""

    schedule: str = ""
    person: str = ""
    start: datetime | None = None
    end: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class LoadRow:
    """A month of a person. `hours` and `pages` by kind: day, night, weekend, holiday; `zone` is where they live."""

    person: str
    name: str
    zone: str
    month: str
    hours: dict[str, float]
    all_hours: float
    pages: dict[str, int]
    all_pages: int
    sleep_hours: int


@dataclass(frozen=True, kw_only=True)
class LoadReport:
    """The load, and how unevenly it is spread: 0 is evenly, 1 is all on one person."""

    start: datetime
    end: datetime
    rows: tuple[LoadRow, ...]
    uneven_hours: float
    uneven_pages: float
    totals: dict[str, float] = field(default_factory=dict)


@operation("oncall.load", effect=Effect.READ, example={"schedule": "checkout"})
def ask_load(call: Call, request: AskLoad) -> LoadReport:
    """Report hours on call by kind, pages and interrupted sleep per person and month."""
    end = request.end or call.now
    start = request.start or _last_month(call.now)
    if not start < end <= start + _LONGEST:
        raise Invalid(f"must be after start, by at most {_LONGEST.days} days", field="end")
    catalog = call.world.catalog
    if request.schedule:
        schedule_of(catalog, request.schedule)
    names = (request.schedule,) if request.schedule else tuple(catalog.oncall.schedules)
    with call.world.store.reading() as view:
        facts = facts_between(call.world, view.connection, start=start, end=end).facts
        paged = people_paged(pages_between(view.connection, start=start, end=end))
    found = [one for name in names for one in shifts(catalog, name, start=start, end=end, facts=facts)]
    people = {one.person for one in found}
    # Of one schedule, only what its people were paged counts.
    pages = [one for one in paged if not request.schedule or one.person in people]
    months = [one for one in load(catalog, found, pages, facts=facts) if request.person in ("", one.person)]
    return LoadReport(
        start=start,
        end=end,
        rows=tuple(_row(call, one) for one in months),
        uneven_hours=unevenness(list(_summed(months, people, lambda one: one.all_hours).values())),
        uneven_pages=unevenness(list(_summed(months, people, lambda one: float(one.all_pages)).values())),
        totals=_summed(months, people, lambda one: one.all_hours),
    )


def _row(call: Call, one: MonthOfPerson) -> LoadRow:
    person = call.world.catalog.people.get(one.person)
    return LoadRow(
        person=one.person,
        name=person.name if person else one.person,
        zone=zone_of_person(call.world.catalog, one.person),
        month=one.month,
        hours={kind.value: round(one.hours.get(kind, 0.0), 2) for kind in Kind},
        all_hours=round(one.all_hours, 2),
        pages={kind.value: one.pages.get(kind, 0) for kind in Kind},
        all_pages=one.all_pages,
        sleep_hours=one.sleep_hours,
    )


def _last_month(now: datetime) -> datetime:
    first = now.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (first - timedelta(days=1)).replace(day=1)


def _summed(
    months: Iterable[MonthOfPerson], people: Iterable[str], value: Callable[[MonthOfPerson], float]
) -> dict[str, float]:
    """Return the sum over all months by person; nobody of `people` is left out."""
    found = dict.fromkeys(sorted(people), 0.0)
    for one in months:
        found[one.person] = round(found.get(one.person, 0.0) + value(one), 2)
    return found
