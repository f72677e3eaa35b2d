"""The on-call pages: who is on now and next, the calendar, overrides in two clicks, my shifts; and a handoff."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug
from stanch.kernel.zone import in_zone
from stanch.oncall.handing.model import Handoff
from stanch.operations.oncall.changing import TimeOffView
from stanch.operations.oncall.feeding import FeedView
from stanch.operations.oncall.handing import ChecklistView
from stanch.operations.oncall.loading import LoadReport
from stanch.operations.oncall.swapping import SwapView
from stanch.operations.oncall.views import Calendar, OnCallAnswer, Turn
from stanch.review.rendering import as_html
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.rota import rota_parts
from stanch.surfaces.web.rota import routes as rota_routes
from stanch.surfaces.web.screens import Screen, asked, screen_routes

T = TypeVar("T")

_DAYS: Final = 14
_MINE: Final = timedelta(days=90)
_WIDTH: Final = 1000
_COLOURS: Final = 6
LENGTHS: Final = {"1h": "1 hour", "4h": "4 hours", "8h": "8 hours", "1d": "a day"}


@dataclass(frozen=True, kw_only=True)
class Bar:
    """A shift in the strip of a schedule: where it stands of 1000, its colour, what it says."""

    x: int
    width: int
    colour: int
    text: str


@dataclass(frozen=True, kw_only=True)
class Row:
    """A shift in the list, with its times on the clock of whoever has it; what of it can still be given begins at
    `give_from`."""

    turn: Turn
    theirs: str
    length_s: float
    give_from: str = ""


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A schedule of the calendar: its bars, the edges of days, its shifts."""

    schedule: str
    bars: tuple[Bar, ...]
    days: tuple[tuple[int, str], ...]
    rows: tuple[Row, ...]


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [
        *screen_routes(front, "/oncall", oncall_page),
        *screen_routes(front, "/oncall/handoff/{id}", handoff_page),
        *screen_routes(front, "/oncall/load", load_page),
        *rota_routes(front),
    ]


async def oncall_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put together who is on, the calendar, and what is the reader's own."""
    now = front.world.clock.now()
    # Whole hours: a page that is looked at again a second later says the same.
    start = now.replace(minute=0, second=0, microsecond=0)
    which = asked(request, "schedule")
    answer = _the(OnCallAnswer, await front.ask(request, "oncall.now", {}, via=Via.WEB))
    span = {"start": start.isoformat(), "end": (start + timedelta(days=_DAYS)).isoformat()}
    calendar = _the(Calendar, await front.ask(request, "oncall.calendar", {**span, **which}, via=Via.WEB))
    handoffs = _all(Handoff, await front.ask(request, "handoff.list", {"limit": 5}, via=Via.WEB))
    values: dict[str, object] = {
        "answer": answer,
        "calendar": calendar,
        "strips": strips(calendar, zone=front.world.catalog.zone),
        "people": sorted(front.world.catalog.people.values(), key=lambda one: one.id),
        "lengths": LENGTHS,
        "handoffs": handoffs,
        "reader": reader,
        "now": now,
        "zone": front.world.catalog.zone,
    }
    parts = [part("now", "oncall/now.html", values), part("calendar", "oncall/calendar.html", values)]
    parts += await rota_parts(front, request, values)
    if reader.person in front.world.catalog.people:
        values |= await _mine(front, request, reader, start)
        parts.append(part("mine", "oncall/mine.html", values))
    parts.append(part("handoffs", "oncall/handoffs.html", values))
    return Screen(template="oncall.html", title="On call · Stanch", parts=parts, values=values, every=15)


async def handoff_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put one handoff together."""
    found = _the(Handoff, await front.ask(request, "handoff.show", {"id": request.path_params["id"]}, via=Via.WEB))
    values = {
        "handoff": found,
        "html": as_html(found.text),
        "reader": reader,
        "now": front.world.clock.now(),
    }
    return Screen(
        template="handoff.html",
        title=f"Handoff {found.schedule} · Stanch",
        parts=[part("handoff", "oncall/handoff.html", values)],
        values=values,
        followed=False,
    )


async def load_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the load of on-call together, of all schedules or of the one that the address names."""
    which = asked(request, "schedule")
    values = {
        "load": _the(LoadReport, await front.ask(request, "oncall.load", which, via=Via.WEB)),
        "schedules": tuple(front.world.catalog.oncall.schedules),
        "schedule": which.get("schedule", ""),
        "reader": reader,
        "now": front.world.clock.now(),
    }
    return Screen(
        template="load.html",
        title="Load of on-call · Stanch",
        parts=[part("load", "oncall/load.html", values)],
        values=values,
        followed=False,
    )


def strips(calendar: Calendar, *, zone: str) -> tuple[Strip, ...]:
    """Return the calendar schedule by schedule, as bars on a strip and as rows."""
    people = sorted({turn.person for turn in calendar.turns})
    names = dict.fromkeys([*(turn.schedule for turn in calendar.turns), *(gap.schedule for gap in calendar.gaps)])
    length = calendar.end - calendar.start

    def place(at: datetime) -> int:
        return round((at - calendar.start) / length * _WIDTH)

    days = []
    day = in_zone(calendar.start, zone).replace(hour=0, minute=0)
    while (day := (day + timedelta(days=1))) < calendar.end:
        days.append((place(day), f"{day:%a %d}"))
    found = []
    for name in names:
        turns = [one for one in calendar.turns if one.schedule == name]
        bars = [
            Bar(
                x=place(one.start),
                width=max(1, place(one.end) - place(one.start)),
                colour=people.index(one.person) % _COLOURS,
                text=one.name,
            )
            for one in turns
        ]
        found.append(Strip(schedule=name, bars=tuple(bars), days=tuple(days), rows=tuple(_row(one) for one in turns)))
    return tuple(found)


async def _mine(front: Front, request: Request, reader: Reader, start: datetime) -> dict[str, object]:
    """Return what is the reader's own: shifts, swaps, time off, what to do before the next shift, feed."""
    body = {"person": reader.person}
    span = {"start": start.isoformat(), "end": (start + _MINE).isoformat()}
    shifts = _the(Calendar, await front.ask(request, "oncall.calendar", {**body, **span}, via=Via.WEB))
    swaps = _all(SwapView, await front.ask(request, "swap.list", body, via=Via.WEB))
    away = _all(TimeOffView, await front.ask(request, "oncall.away", body, via=Via.WEB))
    feed = _the(FeedView, await front.ask(request, "feed.list", body, via=Via.WEB))
    ahead = [one for one in shifts.turns if one.start > start]
    checklist = None
    if ahead:
        wanted = {"schedule": ahead[0].schedule, **body}
        checklist = _the(ChecklistView, await front.ask(request, "oncall.checklist", wanted, via=Via.WEB))
    return {
        "checklist": checklist,
        "shifts": [_row(one, now=front.world.clock.now()) for one in shifts.turns[:8]],
        "swaps": [one for one in swaps if one.state == "proposed"],
        "away": away,
        "feed": feed,
    }


def _row(turn: Turn, *, now: datetime | None = None) -> Row:
    begin, stop = in_zone(turn.start, turn.zone), in_zone(turn.end, turn.zone)
    theirs = f"{begin:%a %d %b %H:%M} to {stop:%a %d %b %H:%M} {turn.zone}"
    length_s = (turn.end - turn.start).total_seconds()
    give_from = (max(turn.start, now) if now else turn.start).isoformat()
    return Row(turn=turn, theirs=theirs, length_s=length_s, give_from=give_from)


def _the(kind: type[T], found: object) -> T:
    if not isinstance(found, kind):
        raise Bug(f"the operation does not answer with a {kind.__name__}")
    return found


def _all(kind: type[T], found: object) -> list[T]:
    return [one for one in found if isinstance(one, kind)] if isinstance(found, Sequence) else []
