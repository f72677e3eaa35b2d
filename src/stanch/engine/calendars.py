"""Fetches the calendars that are kept elsewhere, so that who is on call never waits for somebody's server.

Duty of the timer kind `calendars`. What was read last stays good while a server is away, and the trouble is told.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import structlog

from stanch.catalog.model import Catalog
from stanch.engine.loop import Effect
from stanch.kernel.errors import Invalid, Unavailable
from stanch.oncall.calendars import is_url
from stanch.oncall.overrides.model import CalendarText
from stanch.oncall.overrides.tables import find_calendars, put_calendar
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

TIMER: Final = "calendars/fetch"
EVERY: Final = timedelta(minutes=15)
_WINDOW: Final = timedelta(days=31)

log = structlog.get_logger("stanch.calendars")


def places_of(catalog: Catalog) -> tuple[str, ...]:
    """Return the URLs of every calendar that is configured, each once."""
    people, schedules = catalog.people.values(), catalog.oncall.schedules.values()
    named = [place for one in people for place in (one.calendar, one.holidays)]
    named += [place for one in schedules for place in (one.holidays, *(layer.calendar for layer in one.layers))]
    named += catalog.postmortem.holiday_calendars
    return tuple(dict.fromkeys(place for place in named if is_url(place)))


def first_timer(now: datetime) -> Timer:
    """Return the timer that begins the fetching; scheduling it again changes nothing."""
    return Timer(id=TIMER, kind="calendars", due_at=now)


def fetch(timer: Timer, world: World) -> Effect:
    """Fetch every calendar and return what stores them and comes back."""
    now = world.clock.now()
    with world.store.reading() as view:
        known = find_calendars(view.connection)
    read = [_read(world, place, known.get(place)) for place in places_of(world.catalog)]

    def apply(tx: Transaction) -> None:
        for one in read:
            put_calendar(tx.connection, one)
        again = replace(timer, due_at=now + EVERY, attempts=0, last_error="", lease_token="")
        tx.schedule(again, replace=True)

    return apply


def _read(world: World, place: str, known: CalendarText | None) -> CalendarText:
    now = world.clock.now()
    old = known or CalendarText(place=place, text="", fetched_at=None, tried_at=now)
    try:
        if world.calendars is None:
            raise Unavailable("nothing reads calendars here", retry=False)
        text = world.calendars.fetch(place)
        # A login page is no calendar, and must not replace one.
        world.calendars.events(text, start=now, end=now + _WINDOW, zone="UTC")
    except (Unavailable, Invalid) as error:
        log.warning("calendar not read", place=place.partition("?")[0], why=error.message)
        return CalendarText(place=place, text=old.text, fetched_at=old.fetched_at, tried_at=now, error=error.message)
    return CalendarText(place=place, text=text, fetched_at=now, tried_at=now)
