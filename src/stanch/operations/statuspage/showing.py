"""Puts the status pages together: the public one from what was published, the internal one from the log itself."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.maintenance.model import EVERYTHING, Stretch, Window
from stanch.alerts.maintenance.rules import LONGEST, stretches, upcoming
from stanch.comms.status.model import ComponentState, Incident, Maintenance, Page, Shown, Span
from stanch.comms.status.rules import DAYS, build_page, incidents_of, service_states, spans_of
from stanch.comms.status.tables import published
from stanch.incidents.folding import fold
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import find
from stanch.operations.maintenance import known_windows
from stanch.operations.statuspage.telling import page_title, page_url
from stanch.operations.world import World
from stanch.store import Transaction

_MOST_STRETCHES: Final = 3
_AHEAD: Final = timedelta(days=60)
_MOST_INCIDENTS: Final = 500


def public_page(tx: Transaction, world: World) -> Page:
    """Return the page for customers: what was published of the components that they are shown, and nothing else."""
    spec = world.catalog.status
    shown = [
        Shown(key=key, title=one.title, group=one.group, description=one.description)
        for key, one in spec.components.items()
    ]
    incidents = incidents_of(published(tx.connection))
    windows = list(_public_windows(tx, world))
    # A component that is not shown any more is not told of either, whatever was published when it was.
    spans = [span for one in incidents for span in spans_of(one) if span.component in spec.components]
    return build_page(
        shown,
        title=page_title(world),
        url=page_url(world),
        zone=zone_of(world),
        now=world.clock.now(),
        since=_since(tx, world),
        incidents=incidents,
        spans=[*spans, *_worked(world, windows, spec.components)],
        maintenance=list(_public_maintenance(world, windows)),
    )


def internal_page(tx: Transaction, world: World) -> Page:
    """Return the page for who works here: every service as the log says that it is, published or not."""
    now = world.clock.now()
    shown = [
        Shown(key=name, title=one.title or name, group=one.team, description=one.description)
        for name, one in world.catalog.services.items()
    ]
    spans = [span for number in _recent(tx, now) for span in _spans(tx, number)]
    windows = list(_windows(tx, world))
    return build_page(
        shown,
        title=f"{page_title(world)} (internal)",
        url=f"{world.url}/status/internal",
        zone=zone_of(world),
        now=now,
        since=_since(tx, world),
        incidents=incidents_of(published(tx.connection)),
        spans=[*spans, *_worked(world, windows, world.catalog.services)],
        maintenance=list(_maintenance(world, windows)),
    )


def zone_of(world: World) -> str:
    """Return the time zone of the page, an IANA name."""
    return world.catalog.status.zone or world.catalog.zone


def next_change(page: Page) -> datetime:
    """Return when the page says something else by itself next (UTC): a maintenance begins or ends, or the day does."""
    tomorrow = page.now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    moments = [moment for one in page.maintenance for moment in (one.start, one.end)]
    return min((one for one in (*moments, tomorrow) if one > page.now), default=tomorrow)


def named(incidents: tuple[Incident, ...], number: int) -> Incident | None:
    """Return the incident with this number, None where the page tells of none."""
    return next((one for one in incidents if one.number == number), None)


def _since(tx: Transaction, world: World) -> datetime:
    first = tx.events(limit=1)
    return first[0].recorded_at if first else world.clock.now()


def _recent(tx: Transaction, now: datetime) -> Iterator[int]:
    since = now - timedelta(days=DAYS)
    for one in find(tx.connection, limit=_MOST_INCIDENTS):
        if one.resolved_at is None or one.resolved_at > since:
            yield one.number


def _spans(tx: Transaction, number: int) -> Iterator[Span]:
    """Yield how each service was while an incident lasted, from its onset on, event by event."""
    state: IncidentState | None = None
    held: dict[str, tuple[ComponentState, datetime]] = {}
    for event in tx.events(incident=number):
        first = state is None
        state = fold(state, event)
        if state is None:
            continue
        now = {key: how for key, how in service_states(state).items() if how is not ComponentState.OPERATIONAL}
        for key in [key for key, (how, _) in held.items() if now.get(key) is not how]:
            how, start = held.pop(key)
            if event.recorded_at > start:
                yield Span(component=key, state=how, start=start, end=event.recorded_at, incident=number)
        for key, how in now.items():
            held.setdefault(key, (how, state.started_at if first else event.recorded_at))
    for key, (how, start) in held.items():
        yield Span(component=key, state=how, start=start, end=None, incident=number)


def _public_maintenance(world: World, windows: Iterable[Window]) -> Iterator[Maintenance]:
    components = world.catalog.status.components
    for window in windows:
        covered = _covered(window, components)
        names = ", ".join(components[key].title for key in covered)
        for one in _coming(world, window):
            yield Maintenance(
                id=f"{window.name}/{one.start.isoformat()}",
                title=f"Maintenance of {names}",
                text=world.catalog.maintenance[window.name].public,
                components=covered,
                start=one.start,
                end=one.end,
            )


def _maintenance(world: World, windows: Iterable[Window]) -> Iterator[Maintenance]:
    for window in windows:
        for one in _coming(world, window):
            yield Maintenance(
                id=f"{window.name}/{one.start.isoformat()}",
                title=window.name,
                text=window.why,
                components=_covered(window, world.catalog.services),
                start=one.start,
                end=one.end,
            )


def _public_windows(tx: Transaction, world: World) -> Iterator[Window]:
    """Yield the windows for which the configuration says what the public is told."""
    for window in _windows(tx, world):
        declared = world.catalog.maintenance.get(window.name)
        if declared is not None and declared.public and _covered(window, world.catalog.status.components):
            yield window


def _windows(tx: Transaction, world: World) -> Iterator[Window]:
    # One that holds back some alerts of a service alone takes nothing from whoever uses it.
    yield from (one for one in known_windows(tx.connection, world) if not one.matchers)


def _coming(world: World, window: Window) -> Iterator[Stretch]:
    now = world.clock.now()
    yield from (one for one in upcoming(window, now, most=_MOST_STRETCHES) if one.start <= now + _AHEAD)


def _worked(world: World, windows: Iterable[Window], names: Collection[str]) -> Iterator[Span]:
    """Yield when windows held in the time that the bars show, for each of `names` that they cover."""
    now = world.clock.now()
    for window in windows:
        covered = _covered(window, names)
        for one in stretches(window, after=now - timedelta(days=DAYS) - LONGEST, before=now):
            if one.end > one.start:
                yield from (
                    Span(component=key, state=ComponentState.MAINTENANCE, start=one.start, end=one.end)
                    for key in covered
                )


def _covered(window: Window, names: Collection[str]) -> tuple[str, ...]:
    return tuple(name for name in names if EVERYTHING in window.services or name in window.services)
