"""Feeds for calendar programs: give out an address, take addresses back, and what is read at one."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.model import Catalog
from stanch.kernel.errors import Invalid, NotFound
from stanch.oncall.feeds.tables import Feed, add_feed, end_feeds, feeds_of, find_feed
from stanch.oncall.feeds.text import FeedShift, feed_text
from stanch.oncall.model import Facts, Shift
from stanch.oncall.roster import schedule_of, shifts
from stanch.operations.oncall.facts import facts_between
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World

_BACK: Final = timedelta(days=30)
_AHEAD: Final = timedelta(days=180)
_KINDS: Final = ("person", "schedule")
PREFIX: Final = "/oncall/"
SUFFIX: Final = ".ics"


@dataclass(frozen=True, kw_only=True)
class WhichFeed:
    """The shifts of one person (by default yours) or of one schedule."""

    person: str = ""
    schedule: str = ""


@dataclass(frozen=True, kw_only=True)
class FeedView:
    """The addresses of a feed. Whoever has one can read it, so each person asks for their own."""

    kind: str
    name: str
    urls: tuple[str, ...]
    made_at: datetime | None = None


@operation("feed.make", effect=Effect.WRITE, example={"schedule": "checkout"})
def make_feed(call: Call, request: WhichFeed) -> FeedView:
    """Give out an address at which a calendar program reads shifts; it is a secret."""
    kind, name = _which(call, request)
    # 32 bytes: nobody guesses it, whatever the rate.
    feed = Feed(token=secrets.token_urlsafe(32), kind=kind, name=name, made_by=call.actor.id, made_at=call.now)
    with call.world.store.writing() as tx:
        add_feed(tx.connection, feed)
    return FeedView(kind=kind, name=name, urls=(url_of(call.world, feed),), made_at=feed.made_at)


@operation("feed.list", effect=Effect.READ, example={"schedule": "checkout"})
def list_feeds(call: Call, request: WhichFeed) -> FeedView:
    """List the addresses of a feed that are in use."""
    kind, name = _which(call, request)
    with call.world.store.reading() as view:
        found = feeds_of(view.connection, kind=kind, name=name)
    return FeedView(kind=kind, name=name, urls=tuple(url_of(call.world, one) for one in found))


@operation("feed.end", effect=Effect.WRITE, example={"schedule": "checkout"})
def end_feed(call: Call, request: WhichFeed) -> FeedView:
    """End every address of a feed; programs that read one get nothing from then on."""
    kind, name = _which(call, request)
    with call.world.store.writing() as tx:
        old = feeds_of(tx.connection, kind=kind, name=name)
        if not end_feeds(tx.connection, kind=kind, name=name, at=call.now):
            raise NotFound(f"no address of {name} is in use")
    return FeedView(kind=kind, name=name, urls=tuple(url_of(call.world, one) for one in old))


def read_feed(world: World, token: str, *, now: datetime) -> str:
    """Return the iCalendar text at an address. Raises `NotFound` for one that is not good (any more)."""
    with world.store.reading() as view:
        feed = find_feed(view.connection, token)
        if feed is None:
            raise NotFound("there is no calendar at this address")
        start, end = now - _BACK, now + _AHEAD
        facts = facts_between(world, view.connection, start=start - _BACK, end=end + _BACK).facts
    catalog = world.catalog
    gone = feed.kind == "schedule" and feed.name not in catalog.oncall.schedules
    names = () if gone else (feed.name,) if feed.kind == "schedule" else tuple(catalog.oncall.schedules)
    found = [
        _shown(catalog, name, one, kind=feed.kind)
        for name in names
        for one in _whole(catalog, name, start=start, end=end, facts=facts)
        if feed.kind == "schedule" or one.person == feed.name
    ]
    whose = catalog.people[feed.name].name if feed.name in catalog.people else feed.name
    title = f"On call: {whose}" if feed.kind == "person" else f"On call: {_title(catalog, feed.name)}"
    return feed_text(title, sorted(found, key=lambda one: one.start), now=now, url=f"{world.url}/oncall")


def url_of(world: World, feed: Feed) -> str:
    """Return the address of a feed."""
    return f"{world.url}{PREFIX}{feed.token}{SUFFIX}"


def _whole(catalog: Catalog, name: str, *, start: datetime, end: datetime, facts: Facts) -> list[Shift]:
    """Return the shifts that touch a time, whole: cut at a moving edge, each would be another one every day."""
    around = shifts(catalog, name, start=start - _BACK, end=end + _BACK, facts=facts)
    return [one for one in around if one.start < end and one.end > start]


def _shown(catalog: Catalog, schedule: str, shift: Shift, *, kind: str) -> FeedShift:
    person = catalog.people.get(shift.person)
    who = person.name if person else shift.person
    title = f"On call: {_title(catalog, schedule)}" if kind == "person" else f"{who} on call ({schedule})"
    return FeedShift(
        key=f"{schedule} {shift.layer} {shift.turn} {shift.person} {shift.start:%Y%m%dT%H%M%SZ}",
        title=title,
        description=shift.why or f"{who}, {schedule}, layer {shift.layer}",
        start=shift.start,
        end=shift.end,
    )


def _title(catalog: Catalog, schedule: str) -> str:
    found = catalog.oncall.schedules.get(schedule)
    return (found.title if found else "") or schedule


def _which(call: Call, request: WhichFeed) -> tuple[str, str]:
    if request.schedule and request.person:
        raise Invalid("name a person or a schedule, not both", field="schedule")
    if request.schedule:
        schedule_of(call.world.catalog, request.schedule)
        return "schedule", request.schedule
    person = request.person or call.actor.id
    if person not in call.world.catalog.people:
        raise Invalid(f"{person!r} is nobody known", field="person")
    return "person", person
