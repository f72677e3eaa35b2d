"""Gathers what the configuration does not know about who is on call: overrides, time off, calendars, holidays.

A calendar that cannot be read leaves the rest in force and is said as a problem: paging must not depend on it.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid, Problem
from stanch.oncall.calendars import absences_of, days_of, is_file, is_url, shifts_of
from stanch.oncall.model import Absence, Facts, Override, Shift
from stanch.oncall.overrides.model import CalendarText
from stanch.oncall.overrides.tables import absences_between, find_calendars, overrides_between
from stanch.oncall.roster import zone_of, zone_of_person
from stanch.operations.world import World
from stanch.ports.calendars import CalendarEvent, Calendars
from stanch.store import Connection

_LOOK = timedelta(days=400)
"""As far as `roster.on_call` looks for the ends of a shift."""


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The facts, and what could not be read: `field` is where the calendar is named."""

    facts: Facts
    problems: tuple[Problem, ...] = ()


def facts_at(world: World, connection: Connection, *, at: datetime) -> Facts:
    """Return what is needed to say who is on call at `at`, before and after."""
    return facts_between(world, connection, start=at - _LOOK, end=at + _LOOK).facts


def facts_between(world: World, connection: Connection, *, start: datetime, end: datetime) -> Gathered:
    """Return what is needed to say who is on call from `start` to `end`."""
    fetched = find_calendars(connection) if world.calendars else {}
    return gathered(
        world.catalog,
        world.calendars,
        start=start,
        end=end,
        text_of=lambda place: text_at(place, root=world.catalog.root, fetched=fetched),
        overrides=[one.override for one in overrides_between(connection, start=start, end=end)],
        off=[one.absence for one in absences_between(connection, start=start, end=end)],
    )


def gathered(
    catalog: Catalog,
    calendars: Calendars | None,
    *,
    start: datetime,
    end: datetime,
    text_of: Callable[[str], str],
    overrides: Sequence[Override] = (),
    off: Sequence[Absence] = (),
) -> Gathered:
    """Return the facts from `start` to `end`; `text_of` gives the text of a calendar or raises `Invalid`."""
    if calendars is None:
        return Gathered(facts=Facts(overrides=tuple(overrides), off=tuple(off)))
    reading = _Reading(catalog, calendars, start=start, end=end, text_of=text_of)
    return Gathered(
        facts=Facts(
            overrides=tuple(overrides),
            off=(*off, *reading.absences()),
            entries=reading.entries(),
            holidays=reading.holidays(),
        ),
        problems=tuple(reading.problems),
    )


def text_at(place: str, *, root: str, fetched: dict[str, CalendarText]) -> str:
    """Return the text of a calendar: of a file below `root`, or as it was last fetched. Raises `Invalid`."""
    if is_url(place):
        found = fetched.get(place)
        if found is None or not found.text:
            raise Invalid(f"was never read: {found.error if found else 'not fetched yet'}", field=place)
        return found.text
    try:
        return (Path(root) / place).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise Invalid(f"cannot read it: {error}", field=place) from error


def uses_calendars(catalog: Catalog) -> bool:
    """Tell whether anything configured needs calendars or public holidays."""
    schedules = catalog.oncall.schedules.values()
    if catalog.postmortem.holiday_calendars:
        return True
    return any(one.calendar or one.holidays for one in catalog.people.values()) or any(
        schedule.holidays or any(layer.calendar for layer in schedule.layers) for schedule in schedules
    )


class _Reading:
    """Reads every calendar that the configuration names, for one time. Whole months, so that they are found again."""

    def __init__(
        self,
        catalog: Catalog,
        calendars: Calendars,
        *,
        start: datetime,
        end: datetime,
        text_of: Callable[[str], str],
    ) -> None:
        self._catalog = catalog
        self._calendars = calendars
        self._text_of = text_of
        self._start = start.astimezone(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
        self._end = (end.astimezone(UTC).replace(day=1) + timedelta(days=32)).replace(
            day=1, hour=0, minute=0, second=0, microsecond=0
        )
        self.problems: list[Problem] = []

    def absences(self) -> list[Absence]:
        """Return the time off that people's calendars say."""
        found: list[Absence] = []
        for person in self._catalog.people.values():
            if person.calendar:
                zone = zone_of_person(self._catalog, person.id)
                events = self._events(person.calendar, zone=zone, field=f"people.{person.id}.calendar")
                found += absences_of(person.id, events, words=self._catalog.oncall.time_off)
        return found

    def entries(self) -> dict[str, tuple[Shift, ...]]:
        """Return the shifts that calendars of layers say, by their place."""
        found: dict[str, tuple[Shift, ...]] = {}
        for schedule in self._catalog.oncall.schedules.values():
            for number, layer in enumerate(schedule.layers):
                if layer.calendar:
                    field = f"oncall.schedules.{schedule.name}.layers.{number}.calendar"
                    zone = layer.zone or zone_of(self._catalog, schedule)
                    found[layer.calendar], unknown = shifts_of(
                        self._catalog, self._events(layer.calendar, zone=zone, field=field)
                    )
                    for title in unknown:
                        self.problems.append(Problem(field=field, message=f"names nobody known: {title!r}"))
        return found

    def holidays(self) -> dict[str, frozenset[date]]:
        """Return the public holidays, by the country or file that names them."""
        people, schedules = self._catalog.people, self._catalog.oncall.schedules
        named = [(one.holidays, zone_of_person(self._catalog, name), f"people.{name}") for name, one in people.items()]
        named += [
            (one.holidays, zone_of(self._catalog, one), f"oncall.schedules.{one.name}") for one in schedules.values()
        ]
        review = self._catalog.postmortem
        zone = review.meeting_zone or self._catalog.zone
        named += [(place, zone, "postmortem") for place in review.holiday_calendars]
        found: dict[str, frozenset[date]] = {}
        for place, zone, where in named:
            if place and place not in found:
                found[place] = self._days(place, zone=zone, field=f"{where}.holidays")
        return found

    def _days(self, place: str, *, zone: str, field: str) -> frozenset[date]:
        if is_file(place):
            return days_of(self._events(place, zone=zone, field=field))
        try:
            return self._calendars.holidays(place, years=range(self._start.year, self._end.year + 1))
        except Invalid as error:
            self.problems.append(Problem(field=field, message=error.problems[0].message))
            return frozenset()

    def _events(self, place: str, *, zone: str, field: str) -> Iterable[CalendarEvent]:
        try:
            return self._calendars.events(self._text_of(place), start=self._start, end=self._end, zone=zone)
        except Invalid as error:
            self.problems.append(Problem(field=field, message=error.problems[0].message))
            return ()
