"""How components are and were, computed from incidents' states, published updates and maintenance. Pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Final

from stanch.comms.status.model import (
    Component,
    ComponentState,
    Day,
    Incident,
    Maintenance,
    Page,
    Shown,
    Span,
    Stage,
    Update,
)
from stanch.incidents.model import Status
from stanch.incidents.state import IncidentState

DAYS: Final = 90
"""How many days a bar shows."""

_STAGES: Final = {
    Status.IDENTIFIED: Stage.IDENTIFIED,
    Status.MITIGATING: Stage.IDENTIFIED,
    Status.MONITORING: Stage.MONITORING,
}
_A_DAY: Final = timedelta(days=1)


def stage_of(state: IncidentState) -> Stage:
    """Return the stage that the public is told of an incident."""
    if not state.is_open:
        return Stage.RESOLVED
    return _STAGES.get(state.status, Stage.INVESTIGATING)


def service_states(state: IncidentState) -> dict[str, ComponentState]:
    """Return how the services that an incident concerns are; operational once it is over.

    What fails itself is in an outage, a major one in a SEV1; what needs it, or was named with it, is degraded.
    """
    impact = state.impact
    down = set(impact.down) if impact else set()
    met = (*state.services, *sorted(down), *(impact.affected if impact else ()))
    return {service: _service_state(service in down, state) for service in met}


def _service_state(is_down: bool, state: IncidentState) -> ComponentState:
    if not state.is_open:
        return ComponentState.OPERATIONAL
    if is_down:
        return ComponentState.MAJOR if state.ruling.severity.label == "SEV1" else ComponentState.PARTIAL
    return ComponentState.DEGRADED


def digest_of(*, stage: str, title: str, text: str, components: Mapping[str, str]) -> str:
    """Return what a yes to an update is said to: twelve hexadecimal digits of all that it would show."""
    said = json.dumps([stage, title, text, sorted(components.items())])
    return hashlib.sha256(said.encode("utf-8", "replace")).hexdigest()[:12]


def address_of(url: str, number: int) -> str:
    """Return where an incident stands on the page at `url`: the same on the served page and in its static copy."""
    return f"{url}/incidents/{number}.html"


def incidents_of(updates: Iterable[Update]) -> tuple[Incident, ...]:
    """Return the incidents that published updates tell of, those that go on first, then the newest."""
    grouped: dict[int, list[Update]] = {}
    for one in updates:
        grouped.setdefault(one.incident, []).append(one)
    found = []
    for number, some in grouped.items():
        newest = sorted(some, key=lambda one: (one.at, one.number), reverse=True)
        found.append(
            Incident(
                number=number,
                title=newest[0].title,
                severity=newest[0].severity,
                started_at=min(newest[-1].started_at, newest[-1].at),
                resolved_at=newest[0].at if newest[0].stage is Stage.RESOLVED else None,
                updates=tuple(newest),
            )
        )
    return tuple(sorted(found, key=lambda one: (not one.is_open, -one.started_at.timestamp(), -one.number)))


def spans_of(incident: Incident) -> Iterator[Span]:
    """Yield what the updates of one incident say of each component: the first holds from the incident's start, each
    until the next."""
    told = list(reversed(incident.updates))
    for number, one in enumerate(told):
        start = incident.started_at if number == 0 else one.at
        end = told[number + 1].at if number + 1 < len(told) else None
        for component, state in one.components.items():
            if state is not ComponentState.OPERATIONAL and (end is None or end > start):
                yield Span(component=component, state=state, start=start, end=end, incident=incident.number)


def days_of(spans: Sequence[Span], *, now: datetime, since: datetime, count: int = DAYS) -> tuple[Day, ...]:
    """Return the last `count` days (UTC) of one component, the oldest first; before `since` nothing is known.

    Time that several spans cover counts once, in the worst of their states.
    """
    today = now.astimezone(UTC).date()
    return tuple(_day(today - timedelta(days=back), spans, now=now, since=since) for back in reversed(range(count)))


def _day(day: date, spans: Sequence[Span], *, now: datetime, since: datetime) -> Day:
    start = datetime.combine(day, time(), UTC)
    end = min(start + _A_DAY, now)
    if since >= start + _A_DAY:
        return Day(date=day, state=None)
    cut = [
        (max(one.start, start), min(one.end or now, end), one.state)
        for one in spans
        if one.start < end and (one.end or now) > start
    ]
    worst = max((state for _, _, state in cut), key=lambda one: one.rank, default=ComponentState.OPERATIONAL)
    lasted = dict.fromkeys(ComponentState, 0.0)
    edges = sorted({moment for begin, finish, _ in cut for moment in (begin, finish)})
    for left, right in pairwise(edges):
        held = [state for begin, finish, state in cut if begin <= left and finish >= right]
        if held:
            lasted[max(held, key=lambda one: one.rank)] += (right - left).total_seconds()
    down_s = lasted[ComponentState.PARTIAL] + lasted[ComponentState.MAJOR]
    return Day(
        date=day,
        state=worst,
        down_s=down_s,
        degraded_s=lasted[ComponentState.DEGRADED],
        maintenance_s=lasted[ComponentState.MAINTENANCE],
    )


def uptime_of(days: Sequence[Day], *, now: datetime, since: datetime) -> float | None:
    """Return the share of the known time (0..1) without a partial or major outage, None where no time is known.

    35 minutes of outage in 90 known days: 1 - 2,100 / 7,776,000 = 0.99973.
    """
    known = [day for day in days if day.state is not None]
    if not known:
        return None
    start = max(since, datetime.combine(known[0].date, time(), UTC))
    length_s = (now - start).total_seconds()
    down_s = sum(day.down_s for day in known)
    return None if length_s <= 0 else max(0.0, 1 - down_s / max(length_s, down_s))


def build_page(
    shown: Sequence[Shown],
    *,
    title: str,
    url: str,
    zone: str,
    now: datetime,
    since: datetime,
    incidents: Sequence[Incident],
    spans: Sequence[Span],
    maintenance: Sequence[Maintenance],
) -> Page:
    """Return the page of these components: how each is at `now`, and was since `since` (UTC)."""
    held = [key for one in maintenance if one.holds(now) for key in one.components]
    moments = [one.at for incident in incidents for one in incident.updates]
    moments += [moment for one in maintenance for moment in (one.start, one.end) if moment <= now]
    return Page(
        title=title,
        url=url,
        zone=zone,
        now=now,
        changed_at=max(moments, default=since),
        components=tuple(
            _component(one, spans, under_maintenance=one.key in held, now=now, since=since) for one in shown
        ),
        incidents=tuple(incidents),
        maintenance=tuple(sorted((one for one in maintenance if one.end > now), key=lambda one: one.start)),
        names={one.key: one.title for one in shown},
    )


def _component(
    shown: Shown, spans: Sequence[Span], *, under_maintenance: bool, now: datetime, since: datetime
) -> Component:
    own = [one for one in spans if one.component == shown.key]
    states = [one.state for one in own if one.start <= now and (one.end is None or one.end > now)]
    if under_maintenance:
        states.append(ComponentState.MAINTENANCE)
    days = days_of(own, now=now, since=since)
    return Component(
        key=shown.key,
        title=shown.title,
        group=shown.group,
        description=shown.description,
        state=max(states, key=lambda one: one.rank, default=ComponentState.OPERATIONAL),
        days=days,
        uptime=uptime_of(days, now=now, since=since),
    )
