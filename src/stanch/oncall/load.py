"""The load of on-call: hours by kind, pages, hours of sleep that were interrupted, and how evenly it is spread. Pure.

Kinds follow the clock where the person lives: a public holiday, else the weekend, else the night (22:00 to 07:00, or
their own quiet hours), else the day. Hours are real ones: a night with a change of clocks counts as long as it was.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final

from stanch.catalog.model import Catalog, Person
from stanch.oncall.model import NOTHING, Facts, Shift
from stanch.oncall.roster import zone_of_person
from stanch.oncall.wallclock import instant_of, local_of

NIGHT: Final = (time(22), time(7))
_HOUR: Final = timedelta(hours=1)
_DAY: Final = timedelta(days=1)


class Kind(StrEnum):
    """What kind of time an hour was."""

    DAY = "day"
    NIGHT = "night"
    WEEKEND = "weekend"
    HOLIDAY = "holiday"


@dataclass(frozen=True, kw_only=True)
class PageAt:
    """Somebody was paged."""

    person: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class MonthOfPerson:
    """What a month was for a person: hours on call by kind, pages by kind, hours of sleep in which a page came."""

    person: str
    month: str
    hours: Mapping[Kind, float]
    pages: Mapping[Kind, int]
    sleep_hours: int

    @property
    def all_hours(self) -> float:
        """Return the hours of every kind."""
        return sum(self.hours.values())

    @property
    def all_pages(self) -> int:
        """Return the pages of every kind."""
        return sum(self.pages.values())


def load(
    catalog: Catalog, shifts: Iterable[Shift], pages: Iterable[PageAt], *, facts: Facts = NOTHING
) -> tuple[MonthOfPerson, ...]:
    """Return the load per person and month (of the clock where they live), in order of person and month.

    `shifts` of several schedules at the same time count for each of them.
    """
    hours: dict[tuple[str, str], dict[Kind, timedelta]] = {}
    counts: dict[tuple[str, str], dict[Kind, int]] = {}
    asleep: dict[tuple[str, str], set[datetime]] = {}
    for shift in shifts:
        for start, end, kind in _parts(catalog, shift, facts):
            month = f"{local_of(start, zone_of_person(catalog, shift.person)):%Y-%m}"
            of = hours.setdefault((shift.person, month), {})
            of[kind] = of.get(kind, timedelta()) + (end - start)
    for page in pages:
        local = local_of(page.at, zone_of_person(catalog, page.person))
        person = catalog.people.get(page.person)
        key = (page.person, f"{local:%Y-%m}")
        kind = _kind(local, person, _days_off(person, facts))
        found = counts.setdefault(key, {})
        found[kind] = found.get(kind, 0) + 1
        if _is_night(local.time(), person):
            asleep.setdefault(key, set()).add(local.replace(minute=0, second=0, microsecond=0))
    return tuple(
        MonthOfPerson(
            person=person,
            month=month,
            hours={kind: of / _HOUR for kind, of in hours.get((person, month), {}).items()},
            pages=counts.get((person, month), {}),
            sleep_hours=len(asleep.get((person, month), ())),
        )
        for person, month in sorted({*hours, *counts})
    )


def unevenness(values: Sequence[float]) -> float:
    """Return how unevenly something is spread, 0 (all the same) to 1 (one has it all): the Gini coefficient.

    With values sorted upwards, G = sum((2 i - n - 1) x_i) / (n sum(x)), i from 1. For 1, 1, 4: (-2 + 0 + 8) / 18 = 1/3.
    """
    total = sum(values)
    if not total:
        return 0.0
    count = len(values)
    weighted = sum((2 * place - count - 1) * value for place, value in enumerate(sorted(values), start=1))
    return weighted / (count * total)


def _parts(catalog: Catalog, shift: Shift, facts: Facts) -> Iterable[tuple[datetime, datetime, Kind]]:
    """Yield the shift in parts that are of one kind and of one month."""
    person = catalog.people.get(shift.person)
    zone, days_off = zone_of_person(catalog, shift.person), _days_off(person, facts)
    begin, finish = _night(person)
    day = local_of(shift.start, zone).date()
    last = local_of(shift.end, zone).date()
    cuts = {shift.start, shift.end}
    while day <= last:
        for clock in (time(), begin, finish):
            at = instant_of(datetime.combine(day, clock, tzinfo=None), zone)
            if shift.start < at < shift.end:
                cuts.add(at)
        day += _DAY
    edges = sorted(cuts)
    for start, end in pairwise(edges):
        yield start, end, _kind(local_of(start, zone), person, days_off)


def _kind(local: datetime, person: Person | None, days_off: frozenset[date]) -> Kind:
    if local.date() in days_off:
        return Kind.HOLIDAY
    if local.weekday() >= 5:
        return Kind.WEEKEND
    return Kind.NIGHT if _is_night(local.time(), person) else Kind.DAY


def _is_night(clock: time, person: Person | None) -> bool:
    begin, end = _night(person)
    return begin <= clock < end if begin < end else clock >= begin or clock < end


def _night(person: Person | None) -> tuple[time, time]:
    if person is None or person.quiet_hours is None:
        return NIGHT
    begin, end = person.quiet_hours
    return time.fromisoformat(begin), time.fromisoformat(end)


def _days_off(person: Person | None, facts: Facts) -> frozenset[date]:
    return facts.holidays.get(person.holidays if person else "", frozenset())
