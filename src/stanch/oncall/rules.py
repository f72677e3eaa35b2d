"""The rules of a roster: no gap, not too long in a row, rest between shifts, nobody backs up themselves. Pure.

What breaks a rule is said with the exact interval, before it is live. Time before a schedule's first layer begins is no
gap: it is not in force yet.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise

from stanch.catalog.model import Catalog
from stanch.catalog.oncall import Schedule
from stanch.kernel.duration import format_duration
from stanch.kernel.zone import in_zone
from stanch.oncall.model import NOTHING, Facts, Shift, Span
from stanch.oncall.roster import gaps, shifts, zone_of
from stanch.oncall.wallclock import instant_of, local_length

# Shifts with less than a day between them are days in a row: from nine to five, five days a week, is five.
_IN_A_ROW = timedelta(days=1)


class Rule(StrEnum):
    """The rules, each as the reason that is shown."""

    GAP = "nobody is on call"
    DAYS_IN_A_ROW = "too many days in a row"
    REST = "too little rest between shifts"
    BOTH = "primary and secondary at the same time"


@dataclass(frozen=True, kw_only=True)
class Break(Span):
    """A rule that does not hold from `start` to `end`. `person` is empty for a gap."""

    schedule: str
    rule: Rule
    message: str
    person: str = ""


def breaks(catalog: Catalog, *, start: datetime, end: datetime, facts: Facts = NOTHING) -> tuple[Break, ...]:
    """Return what breaks a rule of any schedule from `start` to `end`, in order of time for each."""
    return tuple(
        one for name in catalog.oncall.schedules for one in breaks_of(catalog, name, start=start, end=end, facts=facts)
    )


def breaks_of(
    catalog: Catalog, name: str, *, start: datetime, end: datetime, facts: Facts = NOTHING
) -> tuple[Break, ...]:
    """Return what breaks a rule of one schedule from `start` to `end`, in order of time. Raises `NotFound`."""
    schedule = catalog.oncall.schedules[name]
    # What began before or ends after counts in full.
    around = timedelta(days=schedule.max_days + 2)
    found = shifts(catalog, name, start=start - around, end=end + around, facts=facts)
    zone = zone_of(catalog, schedule)
    broken = [
        *_gaps(catalog, schedule, start=start, end=end, facts=facts),
        *_long(schedule, found, zone),
        *_short_rests(schedule, found, zone),
        *_both(catalog, schedule, found, start=start - around, end=end + around, facts=facts),
    ]
    return tuple(sorted((one for one in broken if one.start < end and one.end > start), key=lambda one: one.start))


def said(span: Span, zone: str) -> str:
    """Return a time with its ends on the clock of `zone`, and how long it really is."""
    begin, stop = in_zone(span.start, zone), in_zone(span.end, zone)
    last = f"{stop:%H:%M}" if begin.date() == stop.date() else f"{stop:%Y-%m-%d %H:%M}"
    return f"from {begin:%Y-%m-%d %H:%M} to {last} {zone} ({format_duration(span.length)})"


def in_force_from(catalog: Catalog, schedule: Schedule) -> datetime | None:
    """Return when the first layer begins, None where one has no beginning (a calendar) or there is none."""
    zone = zone_of(catalog, schedule)
    starts = [instant_of(one.start, one.zone or zone) if one.start else None for one in schedule.layers]
    known = [one for one in starts if one is not None]
    return min(known) if known and len(known) == len(starts) else None


def _gaps(catalog: Catalog, schedule: Schedule, *, start: datetime, end: datetime, facts: Facts) -> Iterator[Break]:
    begins = in_force_from(catalog, schedule)
    low = max(start, begins) if begins else start
    if low >= end:
        return
    zone = zone_of(catalog, schedule)
    for one in gaps(catalog, schedule.name, start=low, end=end, facts=facts):
        message = f"{schedule.name}: {Rule.GAP.value} {said(one, zone)}"
        yield Break(start=one.start, end=one.end, schedule=schedule.name, rule=Rule.GAP, message=message)


def _long(schedule: Schedule, found: Sequence[Shift], zone: str) -> Iterator[Break]:
    if not schedule.max_days:
        return
    for person, runs in _by_person(found):
        for run in _chained(runs, _IN_A_ROW):
            # By the clock: seven days with a change of clocks in them are seven days.
            if local_length(run.start, run.end, zone) > timedelta(days=schedule.max_days):
                message = (
                    f"{schedule.name}: {person} is on call {Rule.DAYS_IN_A_ROW.value} {said(run, zone)}; "
                    f"at most {schedule.max_days} are allowed"
                )
                yield Break(
                    start=run.start,
                    end=run.end,
                    schedule=schedule.name,
                    rule=Rule.DAYS_IN_A_ROW,
                    message=message,
                    person=person,
                )


def _short_rests(schedule: Schedule, found: Sequence[Shift], zone: str) -> Iterator[Break]:
    for person, runs in _by_person(found):
        for one, two in pairwise(runs):
            rest = Span(start=one.end, end=two.start)
            # Who is relieved for an hour in the middle of a turn, or has a break at noon, is not between shifts.
            same = (one.layer, one.turn) == (two.layer, two.turn)
            if not same and timedelta() < rest.length < timedelta(hours=schedule.rest_hours):
                message = (
                    f"{schedule.name}: {person} has {Rule.REST.value} {said(rest, zone)}; "
                    f"at least {schedule.rest_hours:g} h are needed"
                )
                yield Break(
                    start=rest.start,
                    end=rest.end,
                    schedule=schedule.name,
                    rule=Rule.REST,
                    message=message,
                    person=person,
                )


def _both(
    catalog: Catalog,
    schedule: Schedule,
    found: Sequence[Shift],
    *,
    start: datetime,
    end: datetime,
    facts: Facts,
) -> Iterator[Break]:
    if not schedule.secondary:
        return
    zone = zone_of(catalog, schedule)
    seconds: dict[str, list[Shift]] = {}
    for one in shifts(catalog, schedule.secondary, start=start, end=end, facts=facts):
        seconds.setdefault(one.person, []).append(one)
    for person, runs in _by_person(found):
        for run in _chained(runs, timedelta()):
            for other in _chained(seconds.get(person, []), timedelta()):
                low, high = max(run.start, other.start), min(run.end, other.end)
                if low < high:
                    span = Span(start=low, end=high)
                    message = f"{schedule.name}: {person} is {Rule.BOTH.value} {said(span, zone)}"
                    yield Break(
                        start=low, end=high, schedule=schedule.name, rule=Rule.BOTH, message=message, person=person
                    )


def _by_person(found: Iterable[Shift]) -> Iterator[tuple[str, list[Shift]]]:
    people: dict[str, list[Shift]] = {}
    for one in found:
        people.setdefault(one.person, []).append(one)
    yield from people.items()


def _chained(found: Sequence[Span], pause: timedelta) -> list[Span]:
    """Return the spans with those joined that have no more than `pause` between them (less, where there is one)."""
    chains: list[Span] = []
    for one in found:
        rest = one.start - chains[-1].end if chains else None
        if rest is not None and (rest < pause or not rest):
            chains[-1] = Span(start=chains[-1].start, end=one.end)
        else:
            chains.append(Span(start=one.start, end=one.end))
    return chains
