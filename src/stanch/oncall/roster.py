"""Who is on call: the layers of a schedule, what calendars and overrides put over them. Pure.

Order of precedence, weakest first: layers as they stand in the file, overrides of the configuration, overrides that
were made while the product runs, oldest first. Somebody who is away is covered by the next one in the rotation.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Final

from stanch.catalog.model import Catalog
from stanch.catalog.oncall import PERSONS_ZONE, Layer, Schedule
from stanch.kernel.errors import NotFound
from stanch.oncall.model import NOTHING, Absence, Facts, Override, Shift, Span
from stanch.oncall.spans import clipped, common, overlaid, union, without
from stanch.oncall.turns import turns, windows
from stanch.oncall.wallclock import instant_of

OVERRIDE: Final = "override"
# How far one looks for the ends of a shift and for the next one, in days, before it counts as endless.
_LOOK_DAYS: Final = (2, 9, 40, 400)


def schedule_of(catalog: Catalog, name: str) -> Schedule:
    """Return the schedule `name`. Raises `NotFound`."""
    try:
        return catalog.oncall.schedules[name]
    except KeyError:
        raise NotFound(f"there is no schedule {name!r}", hint="all of them: stanch oncall schedules") from None


def zone_of(catalog: Catalog, schedule: Schedule) -> str:
    """Return the time zone that the schedule's local times are in."""
    return schedule.zone or catalog.zone


def zone_of_person(catalog: Catalog, person: str) -> str:
    """Return the time zone that a person lives in; the installation's where they say none."""
    found = catalog.people.get(person)
    return (found.zone if found else "") or catalog.zone


def everyone(schedule: Schedule, facts: Facts = NOTHING) -> tuple[str, ...]:
    """Return everybody of the schedule's rotations and calendars, each once, in the order of the file."""
    found = [person for layer in schedule.layers for person in layer.people]
    found += [entry.person for layer in schedule.layers for entry in facts.entries.get(layer.calendar, ())]
    return tuple(dict.fromkeys([*found, *(stint.person for stint in schedule.overrides)]))


def shifts(catalog: Catalog, name: str, *, start: datetime, end: datetime, facts: Facts = NOTHING) -> tuple[Shift, ...]:
    """Return who is on call from `start` to `end` (UTC): no two overlap, in order, cut at both ends.

    Where nobody is, there is no shift. Raises `NotFound` when there is no such schedule.
    """
    schedule = schedule_of(catalog, name)
    found: list[Shift] = []
    for layer in schedule.layers:
        found = overlaid(found, layer_shifts(catalog, schedule, layer, start=start, end=end, facts=facts))
    zone = zone_of(catalog, schedule)
    fixed = [
        Override(
            id="",
            schedule=name,
            person=stint.person,
            start=instant_of(stint.start, zone),
            end=instant_of(stint.end, zone),
            why=stint.why,
        )
        for stint in schedule.overrides
    ]
    for override in (*fixed, *facts.overrides):
        if override.schedule == name and (part := clipped(override, start, end)):
            found = _overridden(found, part)
    return tuple(joined(found))


def layer_shifts(
    catalog: Catalog, schedule: Schedule, layer: Layer, *, start: datetime, end: datetime, facts: Facts = NOTHING
) -> list[Shift]:
    """Return the shifts of one layer alone from `start` to `end`: no two overlap, in order, cut at both ends."""
    zone = layer.zone or zone_of(catalog, schedule)
    found: list[Shift] = []
    if layer.calendar:
        entries = facts.entries.get(layer.calendar, ())
        for entry in sorted(entries, key=lambda one: one.start):
            part = clipped(replace(entry, layer=layer.name), start, end)
            # Two events at the same time: the one that began first goes on.
            found += without(part, found) if part else []
        return [part for one in found for part in _restricted(catalog, schedule, layer, one, zone, facts)]
    for turn in turns(layer, zone=zone, start=start, end=end):
        person = layer.people[turn.number % len(layer.people)]
        shift = clipped(
            Shift(start=turn.start, end=turn.end, person=person, layer=layer.name, turn=turn.number), start, end
        )
        if shift:
            for part in _restricted(catalog, schedule, layer, shift, zone, facts):
                found += _covered(part, layer.people, facts.off)
    return sorted(found, key=lambda one: one.start)


def on_call(catalog: Catalog, name: str, *, at: datetime, facts: Facts = NOTHING) -> Shift | None:
    """Return the shift that runs at `at`, with its own ends, None where nobody is on call.

    An end that lies more than 400 days away is given as 400 days away. Raises `NotFound`.
    """
    found: Shift | None = None
    for days in _LOOK_DAYS:
        pad = timedelta(days=days)
        near = shifts(catalog, name, start=at - pad, end=at + pad, facts=facts)
        found = next((one for one in near if one.has(at)), None)
        if found is None or (found.start > at - pad and found.end < at + pad):
            break
    return found


def next_on_call(catalog: Catalog, name: str, *, at: datetime, facts: Facts = NOTHING) -> Shift | None:
    """Return the first shift of somebody else after the one that runs at `at`; None within 400 days. As `on_call`."""
    current = on_call(catalog, name, at=at, facts=facts)
    after = current.end if current else at
    for days in _LOOK_DAYS:
        until = after + timedelta(days=days)
        for one in shifts(catalog, name, start=after, end=until, facts=facts):
            if current is None or one.person != current.person:
                return on_call(catalog, name, at=one.start, facts=facts)
    return None


def gaps(catalog: Catalog, name: str, *, start: datetime, end: datetime, facts: Facts = NOTHING) -> tuple[Span, ...]:
    """Return the times from `start` to `end` in which nobody is on call, those on purpose left out, in order."""
    schedule = schedule_of(catalog, name)
    taken: list[Span] = list(shifts(catalog, name, start=start, end=end, facts=facts))
    zone, days = zone_of(catalog, schedule), facts.holidays.get(schedule.holidays, frozenset())
    for window in schedule.gaps_on_purpose:
        taken += windows(window, zone=window.zone or zone, start=start, end=end, holidays=days)
    return tuple(without(Span(start=start, end=end), union(taken)))


def joined(found: Iterable[Shift]) -> list[Shift]:
    """Return the shifts with those joined that are one turn of one person, cut apart only by how it was computed."""
    whole: list[Shift] = []
    for one in found:
        if whole and whole[-1].end == one.start and replace(whole[-1], start=one.start, end=one.end) == one:
            whole[-1] = replace(whole[-1], end=one.end)
        else:
            whole.append(one)
    return whole


def _overridden(found: Sequence[Shift], override: Override) -> list[Shift]:
    """Return the shifts with `override`, which lies within them, put over them."""
    replaced = [one for one in found if override.instead_of in ("", one.person)]
    times = [part for one in replaced for part in common(Span(start=one.start, end=one.end), [override])]
    if not override.instead_of:
        times = [Span(start=override.start, end=override.end)]
    why = override.why or (f"instead of {override.instead_of}" if override.instead_of else "override")
    above = [
        Shift(start=time.start, end=time.end, person=override.person, layer=OVERRIDE, why=why) for time in union(times)
    ]
    return overlaid(list(found), above)


def _restricted(
    catalog: Catalog, schedule: Schedule, layer: Layer, shift: Shift, zone: str, facts: Facts
) -> list[Shift]:
    """Return the parts of a turn in which its layer holds."""
    if not layer.restrictions:
        return [shift]
    times: list[Span] = []
    for one in layer.restrictions:
        own = one.zone == PERSONS_ZONE
        place = zone_of_person(catalog, shift.person) if own else one.zone or zone
        days = _holidays(catalog, schedule, shift.person if own else "", facts)
        times += windows(one, zone=place, start=shift.start, end=shift.end, holidays=days)
    return common(shift, union(times))


def _holidays(catalog: Catalog, schedule: Schedule, person: str, facts: Facts) -> frozenset[date]:
    found = catalog.people.get(person)
    return facts.holidays.get((found.holidays if found else "") or schedule.holidays, frozenset())


def _covered(shift: Shift, people: Sequence[str], off: Sequence[Absence]) -> list[Shift]:
    """Return a turn with the time in which its person is away given to the next one of the rotation who is not."""
    away = [one for one in off if one.person == shift.person and one.start < shift.end and one.end > shift.start]
    if not away:
        return [shift]
    found = without(shift, away)
    open_times: list[Span] = [part for one in union(away) for part in common(one, [shift])]
    turn = shift.turn % len(people)
    for candidate in dict.fromkeys([*people[turn + 1 :], *people[:turn]]):
        if candidate == shift.person:
            continue
        busy = [one for one in off if one.person == candidate]
        why = f"instead of {shift.person}, who is away"
        free = [part for time in open_times for part in without(time, busy)]
        found += [replace(shift, person=candidate, start=one.start, end=one.end, why=why) for one in free]
        open_times = [part for time in open_times for part in without(time, free)]
    return found
