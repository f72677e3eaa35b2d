"""What calendars mean for on-call: an event is a shift of whoever it names, time off, or a day off for all. Pure."""

import re
from collections.abc import Iterable, Sequence
from datetime import date

from stanch.catalog.model import Catalog
from stanch.catalog.oncall import ALL_TIME_OFF
from stanch.kernel.pattern import pattern
from stanch.oncall.model import Absence, Shift
from stanch.ports.calendars import CalendarEvent


def is_url(place: str) -> bool:
    """Tell whether a calendar is fetched; else it is a file."""
    return place.startswith(("http://", "https://", "webcal://"))


def is_file(place: str) -> bool:
    """Tell whether what is named as holidays is an iCalendar file or URL, and no country."""
    return is_url(place) or place.endswith(".ics")


def person_of(catalog: Catalog, event: CalendarEvent) -> str:
    """Return the id of whom an event names: an attendee's address, else a name in its title; empty for nobody."""
    addresses = {person.email.casefold(): person.id for person in catalog.people.values() if person.email}
    for one in event.people:
        if one.casefold() in addresses:
            return addresses[one.casefold()]
    title = event.title.casefold()
    for person in catalog.people.values():
        for name in (person.email, person.name, person.id):
            if name and re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", title):
                return person.id
    return ""


def shifts_of(catalog: Catalog, events: Iterable[CalendarEvent]) -> tuple[tuple[Shift, ...], tuple[str, ...]]:
    """Return the shifts that a calendar of shifts holds, and the titles of events that name nobody known."""
    found, unknown = [], []
    for event in events:
        person = person_of(catalog, event)
        if person:
            found.append(Shift(start=event.start, end=event.end, person=person, layer=""))
        else:
            unknown.append(event.title)
    return tuple(found), tuple(dict.fromkeys(unknown))


def absences_of(person: str, events: Iterable[CalendarEvent], *, words: Sequence[str]) -> tuple[Absence, ...]:
    """Return the time off in the calendar of a person: events that take time and whose title or category has a word.

    `words` are regular expressions without regard to case, found as whole words; `all` among them stands for every
    event that takes time. One that its program marks as out of office needs no word.
    """
    return tuple(
        Absence(person=person, start=event.start, end=event.end, what=event.title)
        for event in events
        if not event.free and event.end > event.start and _is_off(event, words)
    )


def _is_off(event: CalendarEvent, words: Sequence[str]) -> bool:
    if ALL_TIME_OFF in words or event.away:
        return True
    wanted = pattern(rf"\b(?:{'|'.join(words)})s?\b", ignore_case=True)
    return any(wanted.is_in(text) for text in (event.title, *event.categories))


def days_of(events: Iterable[CalendarEvent]) -> frozenset[date]:
    """Return the days that a calendar of holidays names: those of its day-long events."""
    return frozenset(day for event in events for day in event.days)
