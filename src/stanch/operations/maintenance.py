"""Operations on maintenance windows: put one, end one, list them, and see what one would hold back before it is put."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.intake.reading.tables import episodes_since
from stanch.alerts.maintenance.model import EVERYTHING, Origin, Stretch, Window
from stanch.alerts.maintenance.rules import instant_of, problems_of, stretch_at, upcoming
from stanch.alerts.maintenance.tables import all_windows, get_window, put_window, sync_declared
from stanch.alerts.tables import find_alerts
from stanch.catalog.model import Catalog
from stanch.catalog.rules import upstream
from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Conflict, Invalid, NotFound, Problem
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.store import Connection, Transaction

_LONGEST_LOOK: Final = timedelta(days=90)
_MOST_ALERTS: Final = 10_000
_EXAMPLES: Final = 20
_NEXT: Final = 5


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A window that somebody wants.

    One-off: from `starts_at` (now) until `ends_at`, or for `lasts` such as `2h`. Recurring: `rrule`, with `first` as
    the local date-time of the first one in `zone`, for `lasts` or `until` a time of day. `services` may be `["*"]`;
    with `dependants` it covers also everything that needs them.
    """

    name: str = ""
    why: str = ""
    services: tuple[str, ...] = ()
    dependants: bool = False
    matchers: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    lasts: str = ""
    rrule: str = ""
    first: str = ""
    until: str = ""
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class CreateWindow(Plan):
    """The window to put."""


@dataclass(frozen=True, kw_only=True)
class PreviewWindow(Plan):
    """The window to try on what happened in the last `days`."""

    days: int = 30


@dataclass(frozen=True, kw_only=True)
class OneWindow:
    """A window by its name."""

    name: str


@dataclass(frozen=True, kw_only=True)
class ListWindows:
    """Those that hold or will; with `over` also those that are over."""

    over: bool = False


@dataclass(frozen=True, kw_only=True)
class StretchView:
    """One stretch in which a window holds (UTC)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class WindowView:
    """A window as people see it. `state` is `holds`, `waits` or `over`; `next` are the stretches now and to come."""

    name: str
    state: str
    why: str
    services: tuple[str, ...]
    matchers: str
    recurs: str
    zone: str
    origin: str
    created_by: str
    created_at: datetime | None
    ended_by: str
    next: tuple[StretchView, ...] = ()
    holds_back: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class WindowPreview:
    """When a window would hold, and what its services and matchers would have covered."""

    since: datetime
    next: tuple[StretchView, ...]
    matched: int
    inside: int
    firing: int
    summary: str
    examples: tuple[Mapping[str, str], ...] = field(default=())


@operation(
    "maintenance.create",
    effect=Effect.WRITE,
    example={"name": "db-upgrade", "services": ["orders-db"], "lasts": "2h", "why": "PostgreSQL 17"},
)
def create(call: Call, request: CreateWindow) -> WindowView:
    """Put a maintenance window, one-off or recurring."""
    window = _window(call, request)
    with call.world.store.writing() as tx:
        tx.lock("maintenance")
        old = get_window(tx.connection, window.name)
        if old is not None and upcoming(old, call.now):
            raise Conflict(f"there is a window {window.name} already", reason="exists", hint="end it, or take a name")
        put_window(tx.connection, window)
    return view_of(window, now=call.now)


@operation("maintenance.end", effect=Effect.WRITE, example={"name": "db-upgrade"})
def end(call: Call, request: OneWindow) -> WindowView:
    """End a maintenance window now, and with it its recurrences; what still fires then opens."""
    if request.name in call.world.catalog.maintenance:
        raise Conflict(
            f"{request.name} stands in the configuration", reason="declared", hint="take it out there, and restart"
        )
    with call.world.store.writing() as tx:
        tx.lock("maintenance")
        window = get_window(tx.connection, request.name)
        if window is None:
            raise NotFound(f"there is no maintenance window {request.name!r}", hint="stanch maintenance list")
        if upcoming(window, call.now):
            window = replace(window, ended_at=call.now, ended_by=call.actor.label)
            put_window(tx.connection, window)
    return view_of(window, now=call.now)


@operation("maintenance.list", effect=Effect.READ, example={})
def list_windows(call: Call, request: ListWindows) -> tuple[WindowView, ...]:
    """List maintenance windows: what holds now, what comes next, and what each holds back."""
    with call.world.store.reading() as view:
        windows = known_windows(view.connection, call.world)
        held = [one for one in find_alerts(view.connection, firing_only=True) if one.quiet]
    rows = [
        view_of(
            one,
            now=call.now,
            holds_back=tuple(alert.summary for alert in held if alert.quiet.startswith(f"in maintenance {one.name} ")),
        )
        for one in windows
    ]
    order = {"holds": 0, "waits": 1, "over": 2}
    shown = (row for row in rows if request.over or row.state != "over")
    return tuple(sorted(shown, key=lambda row: (order[row.state], row.next[0].start if row.next else call.now)))


@operation(
    "maintenance.preview",
    effect=Effect.READ,
    example={"services": ["orders-db"], "rrule": "FREQ=WEEKLY;BYDAY=SU", "first": "2026-01-04T02:00", "lasts": "2h"},
)
def preview(call: Call, request: PreviewWindow) -> WindowPreview:
    """Say when a window would hold and what it would have covered, before it is put."""
    if not 1 <= request.days <= _LONGEST_LOOK.days:
        raise Invalid(f"is 1 to {_LONGEST_LOOK.days}", field="days")
    length = timedelta(days=request.days)
    window = _window(call, request)
    since = call.now - length
    with call.world.store.reading() as view:
        own = find_alerts(view.connection, since=since, limit=_MOST_ALERTS)
        outside = [labels for labels, _ in episodes_since(view.connection, since, now=call.now)]
    labelled = [
        (one.service, {**one.labels, "service": one.service, "alertname": one.metric.value}, one) for one in own
    ]
    covered = [(labels, alert) for service, labels, alert in labelled if window.covers(service, labels)]
    others = [labels for labels in outside if window.covers(labels.get("service", ""), labels)]
    inside = sum(stretch_at(window, alert.detected_at) is not None for _, alert in covered)
    firing = sum(alert.is_firing for _, alert in covered)
    matched = len(covered) + len(others)
    return WindowPreview(
        since=since,
        next=_shown(upcoming(window, call.now, most=_NEXT)),
        matched=matched,
        inside=inside,
        firing=firing,
        summary=f"covers {matched} alerts of the last {request.days} days, {inside} of them at such a time; "
        f"{firing} fire now",
        examples=tuple([*(labels for labels, _ in covered), *others][:_EXAMPLES]),
    )


def known_windows(connection: Connection, world: World) -> list[Window]:
    """Return all windows by name: the stored ones, and those of the configuration as it is now."""
    stored = {one.name: one for one in all_windows(connection) if one.origin is Origin.OPERATION}
    return sorted((stored | {one.name: one for one in declared_windows(world.catalog)}).values(), key=lambda w: w.name)


def declared_windows(catalog: Catalog) -> list[Window]:
    """Return the windows of the configuration."""
    return [
        Window(
            name=name,
            why=spec.why,
            services=_widened(catalog, spec.services, dependants=spec.dependants),
            matchers=spec.matchers,
            starts_at=instant_of(spec.starts_at, spec.zone or catalog.zone) if spec.starts_at else None,
            ends_at=instant_of(spec.ends_at, spec.zone or catalog.zone) if spec.ends_at else None,
            rrule=spec.rrule,
            first=spec.first.isoformat(timespec="minutes") if spec.first else "",
            lasts_s=spec.lasts_s or 0.0,
            until=spec.until,
            zone=spec.zone or catalog.zone,
            origin=Origin.FILE,
        )
        for name, spec in catalog.maintenance.items()
    ]


def follow_catalog(tx: Transaction, world: World) -> None:
    """Store the windows that the configuration declares, in place of those it declared before. Call it at the start."""
    tx.lock("maintenance")
    sync_declared(tx.connection, declared_windows(world.catalog))


def view_of(window: Window, *, now: datetime, holds_back: tuple[str, ...] = ()) -> WindowView:
    """Return a window as people see it at `now`."""
    following = upcoming(window, now, most=_NEXT)
    state = "over" if not following else "holds" if following[0].start <= now else "waits"
    return WindowView(
        name=window.name,
        state=state,
        why=window.why,
        services=window.services,
        matchers=window.matchers,
        recurs=window.rrule,
        zone=window.zone,
        origin=window.origin.value,
        created_by=window.created_by,
        created_at=window.created_at,
        ended_by=window.ended_by,
        next=_shown(following),
        holds_back=holds_back,
    )


def _shown(found: list[Stretch]) -> tuple[StretchView, ...]:
    return tuple(StretchView(start=one.start, end=one.end) for one in found)


def _window(call: Call, request: Plan) -> Window:
    """Return the window that is wanted. Raises `Invalid` with everything that is wrong with it."""
    catalog = call.world.catalog
    lasts = parse_duration(request.lasts, field="lasts") if request.lasts else timedelta()
    starts_at = None if request.rrule else request.starts_at or call.now
    problems = []
    if not request.rrule and bool(request.lasts) == (request.ends_at is not None):
        problems.append(Problem(field="lasts", message="say how long it lasts or when it ends"))
    unknown = [name for name in request.services if name != EVERYTHING and name not in catalog.services]
    if unknown:
        problems.append(Problem(field="services", message=f"names no service: {', '.join(unknown)}"))
    if request.name and not request.name.replace("-", "").replace("_", "").replace(".", "").isalnum():
        problems.append(Problem(field="name", message="use letters, digits, dots, dashes and underscores"))
    window = Window(
        name=request.name[:63] or f"{call.now:%Y%m%d-%H%M%S}",
        why=request.why,
        services=_widened(catalog, request.services, dependants=request.dependants),
        matchers=request.matchers,
        starts_at=starts_at,
        ends_at=None if starts_at is None else request.ends_at or starts_at + lasts,
        rrule=request.rrule,
        first=request.first,
        lasts_s=lasts.total_seconds() if request.rrule else 0.0,
        until=request.until,
        zone=request.zone or catalog.zone,
        created_by=call.actor.label,
        created_via=call.via.value,
        created_at=call.now,
    )
    if not problems:
        problems = problems_of(window)
    if window.name in catalog.maintenance:
        problems.append(Problem(field="name", message=f"{window.name} stands in the configuration"))
    if not problems and not upcoming(window, call.now):
        problems.append(Problem(field="ends_at", message="is in the past: it would never hold"))
    if problems:
        raise Invalid(problems=problems)
    return window


def _widened(catalog: Catalog, services: tuple[str, ...], *, dependants: bool) -> tuple[str, ...]:
    """Return the services, with everything that needs them where that is asked for."""
    if not dependants:
        return services
    return tuple(dict.fromkeys([*services, *(one for name in services for one in upstream(catalog, name))]))
