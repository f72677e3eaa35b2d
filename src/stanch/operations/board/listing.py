"""The operation that lists alerts, and how one is put into a row."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from stanch.alerts.board.keeping.tables import listed
from stanch.alerts.board.model import Found, Mark, Narrowing, parse_mark
from stanch.alerts.board.tables import counts, known_values
from stanch.alerts.intake.matchers import parse_matchers
from stanch.alerts.intake.quiet import Quiet, muted_by, quiet_at
from stanch.alerts.intake.subject import naming
from stanch.alerts.maintenance.rules import holding
from stanch.kernel.errors import Invalid
from stanch.operations.board.views import AlertCounts, AlertPage, AlertRow, AlertState
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.store import Connection

_MOST: Final = 200
_MOST_COUNTED: Final = 10_000
_LONGEST: Final = 500
# Of alerts that fire, so many are looked at for those that something, or nothing, keeps quiet.
_LOOKED_AT_ONCE: Final = 500
_MOST_TURNS: Final = 6
_STATES: Final = {
    "": None,
    "firing": (AlertState.FIRING, AlertState.SUPPRESSED),
    "active": (AlertState.FIRING,),
    "suppressed": (AlertState.SUPPRESSED,),
    "resolved": (AlertState.RESOLVED,),
}


@dataclass(frozen=True, kw_only=True)
class ListAlerts:
    """Which alerts to list, the newest start first. What is left empty narrows nothing.

    `state` is `firing` (silenced or not), `active` (firing, and nothing keeps it quiet), `suppressed` or `resolved`;
    `matchers` are label matchers such as `job="api", instance=~"web.*"`; `text` is looked for in everything that the
    sender wrote; `since` and `until` bound the start. `after` is `next` of the part before.
    """

    state: str = ""
    service: str = ""
    source: str = ""
    severity: str = ""
    name: str = ""
    matchers: str = ""
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    after: str = ""
    limit: int = 50


@dataclass(frozen=True, kw_only=True)
class _Part:
    rows: tuple[AlertRow, ...]
    next: Mark | None
    searched_to: datetime | None


@operation("alert.list", effect=Effect.READ, example={"state": "firing", "service": "payments"})
def list_alerts(call: Call, request: ListAlerts) -> AlertPage:
    """List alerts of own checks and from outside, the newest first."""
    wanted = narrowing_of(request)
    if not 1 <= request.limit <= _MOST:
        raise Invalid(f"is 1 to {_MOST}", field="limit")
    with call.world.store.reading() as view:
        connection = view.connection
        quiet = quiet_at(connection, call.world.routing.now, call.now)

        def show(one: Found) -> AlertRow:
            return row_of(one, call.world, quiet, now=call.now)

        states = _STATES[request.state]
        if states is not None and len(states) == 1 and wanted.fires:
            part = _collect(connection, call.world, wanted, show, states[0], now=call.now, limit=request.limit)
        else:
            service_of = naming(call.world.catalog)
            page = listed(connection, wanted, now=call.now, limit=request.limit, service_of=service_of)
            rows = tuple(show(one) for one in page.alerts)
            part = _Part(rows=rows, next=page.next, searched_to=page.searched_to)
        return AlertPage(
            alerts=part.rows,
            next=part.next.text() if part.next else "",
            searched_to=part.searched_to,
            counts=_counts(connection),
            services=tuple(dict.fromkeys((*call.world.catalog.services, *known_values(connection, "service")))),
            sources=tuple(known_values(connection, "source")),
        )


def narrowing_of(request: ListAlerts) -> Narrowing:
    """Return what the list is narrowed to. Raises `Invalid` naming the field."""
    if request.state not in _STATES:
        raise Invalid(f"is none of {', '.join(name for name in _STATES if name)}", field="state")
    for field in ("text", "service", "source", "severity", "name"):
        if len(getattr(request, field)) > _LONGEST:
            raise Invalid(f"has at most {_LONGEST} characters", field=field)
    try:
        matchers = parse_matchers(request.matchers) if request.matchers.strip() else ()
    except Invalid as error:
        raise Invalid(error.message, field="matchers") from error
    return Narrowing(
        fires=None if not request.state else request.state != "resolved",
        service=request.service.strip(),
        source=request.source.strip(),
        severity=request.severity.strip().lower(),
        name=request.name.strip(),
        text=request.text.strip(),
        matchers=matchers,
        since=request.since,
        until=request.until,
        after=parse_mark(request.after),
    )


def row_of(one: Found, world: World, quiet: Quiet, *, now: datetime) -> AlertRow:
    """Return an alert as a row of a list, with what keeps it quiet now."""
    silenced_by: tuple[str, ...] = ()
    reasons: list[str] = []
    if one.ended_at is None:
        silenced_by = quiet.silenced_by(one.labels)
        reasons = why_quiet(one, world, quiet, silenced_by, now=now)
    state = AlertState.SUPPRESSED if reasons else AlertState.FIRING
    return AlertRow(
        id=one.id,
        state=state if one.ended_at is None else AlertState.RESOLVED,
        name=one.name,
        title=one.title,
        service=one.service,
        source=one.source,
        severity=one.severity,
        labels=one.labels,
        starts_at=one.starts_at,
        ended_at=one.ended_at,
        url=f"{world.url}/alerts/{one.id}",
        quiet=tuple(reasons),
        silenced_by=silenced_by,
    )


def why_quiet(one: Found, world: World, quiet: Quiet, silenced_by: tuple[str, ...], *, now: datetime) -> list[str]:
    """Return in words why nobody is told of an alert that fires now; nothing where somebody is."""
    by_id = {silence.id: silence for silence in quiet.silences}
    reasons = [f"silenced: {by_id[id].comment or 'no comment'}" for id in silenced_by if id in by_id]
    if one.ref is None:
        # An own check is not routed: nothing inhibits it, and no route's times hold for it.
        held = holding(quiet.windows, service=one.service, labels=one.labels, now=now)
        return [*reasons, held.words] if held is not None else reasons
    if (other := quiet.inhibited_by(one.labels)) is not None and other != one.ref:
        reasons.append(f"inhibited by alert x{other}")
    if (held := quiet.in_maintenance(one.labels)) is not None:
        reasons.append(held.words)
    routing = world.routing.now
    muting = [muted_by(routing, route, now) for route in routing.root.match(one.labels)]
    if muting and all(muting):
        names = dict.fromkeys(name for names in muting for name in names)
        reasons.append(f"muted at this time by {', '.join(names)}")
    return reasons


def _collect(
    connection: Connection,
    world: World,
    wanted: Narrowing,
    show: Callable[[Found], AlertRow],
    state: AlertState,
    *,
    now: datetime,
    limit: int,
) -> _Part:
    """Return those in `state`, which is not stored: what keeps an alert quiet depends on the moment."""
    rows: list[AlertRow] = []
    for _ in range(_MOST_TURNS):
        page = listed(connection, wanted, now=now, limit=_LOOKED_AT_ONCE, service_of=naming(world.catalog))
        for one in page.alerts:
            row = show(one)
            if row.state is state:
                rows.append(row)
            if len(rows) == limit:
                return _Part(rows=tuple(rows), next=one.mark, searched_to=None)
        if page.next is None:
            return _Part(rows=tuple(rows), next=None, searched_to=None)
        wanted = replace(wanted, after=page.next)
    return _Part(rows=tuple(rows), next=wanted.after, searched_to=wanted.after.starts_at if wanted.after else None)


def _counts(connection: Connection) -> AlertCounts:
    by_severity = counts(connection, most=_MOST_COUNTED)
    firing = sum(by_severity.values())
    return AlertCounts(firing=firing, by_severity=by_severity, capped=firing >= _MOST_COUNTED)
