"""Gathers from the log what a handoff tells: the incidents, alerts, changes and pages of a shift."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.model import Alert
from stanch.alerts.tables import find_alerts
from stanch.catalog.changes import changes_between
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import Listed
from stanch.incidents.tables import find as find_incidents
from stanch.oncall.handing.drafting import AlertNote, CaseNote, ChangeNote, Handing
from stanch.oncall.model import Absence, Facts, Override
from stanch.oncall.roster import schedule_of, zone_of
from stanch.operations import cases
from stanch.operations.oncall.asking import schedules_of
from stanch.operations.oncall.paged import pages_between
from stanch.operations.runbooks.finding import matches
from stanch.operations.world import World
from stanch.store import Transaction

_MOST_ALERTS: Final = 12
_MOST_CHANGES: Final = 15
_CHANGES_BACK: Final = timedelta(days=3)
_AHEAD: Final = timedelta(days=7)
# A shift that never ends would hand over its whole history.
_LONGEST: Final = timedelta(days=8)


def gather(
    view: Transaction,
    world: World,
    *,
    schedule: str,
    giver: str,
    taker: str,
    at: datetime,
    since: datetime,
    facts: Facts,
) -> Handing:
    """Return what is handed over at `at`: what happened from `since` to now to the services of the schedule."""
    catalog, now = world.catalog, world.clock.now()
    start = max(since, now - _LONGEST)
    services = tuple(name for name in catalog.services if schedule in schedules_of(catalog, name))
    listed = [one for one in find_incidents(view.connection, limit=200) if _concerns(one, services, start)]
    states = {one.number: cases.load(view, one.number) for one in listed}
    alerts = [one for one in find_alerts(view.connection, since=start) if not services or one.service in services]
    changes = changes_between(
        view.connection, start=now - _CHANGES_BACK, end=now, services=services, limit=_MOST_CHANGES
    )
    books = [(one.title, "") for state in states.values() if state.is_open for one in matches(world, state)[:2]]
    pages = pages_between(view.connection, start=start, end=now)
    return Handing(
        schedule=schedule_of(catalog, schedule).title or schedule,
        giver=giver,
        taker=taker,
        at=at,
        since=start,
        zone=zone_of(catalog, schedule_of(catalog, schedule)),
        cases=tuple(_case(world, states[one.number]) for one in listed),
        alerts=tuple(_grouped(alerts))[:_MOST_ALERTS],
        changes=tuple(
            ChangeNote(at=one.at, service=one.service, kind=one.kind.value, title=one.title or one.version)
            for one in reversed(changes)
        ),
        runbooks=tuple(dict.fromkeys(books)),
        pages=len({page.number for page in pages if any(one.person == giver for one in page.notices)}),
        ahead=tuple(_ahead(facts, schedule, at=at)),
    )


def _concerns(one: Listed, services: tuple[str, ...], since: datetime) -> bool:
    if services and one.services and set(services).isdisjoint(one.services):
        return False
    return one.resolved_at is None or one.resolved_at > since


def _case(world: World, state: IncidentState) -> CaseNote:
    resolution = state.resolution
    top = state.known_cause.title if state.known_cause else ""
    return CaseNote(
        key=state.key,
        title=state.title,
        severity=state.ruling.severity.label,
        status=state.status.value,
        is_open=state.is_open,
        url=f"{world.url}/i/{state.number}",
        services=state.services,
        cause=(resolution.cause if resolution else "") or top,
        outcome=resolution.mitigation if resolution else "",
        steps=tuple(_steps(state)),
    )


def _steps(state: IncidentState) -> Iterable[str]:
    """Yield what is open about an incident that nobody has finished."""
    if not state.is_open:
        return
    if state.acknowledged_at is None:
        yield "nobody has taken it on"
    if state.proposal is not None and not state.actions:
        yield "a mitigation is proposed and not decided on"
    if not state.cause_known:
        yield "the cause is not known"
    if state.next_update_at is not None:
        yield f"the next update is due at {state.next_update_at:%H:%M} UTC"


def _grouped(alerts: Iterable[Alert]) -> list[AlertNote]:
    """Return alerts of one kind as one line, those that fire first, then by how often they came."""
    groups: dict[tuple[str, str], list[Alert]] = {}
    for one in alerts:
        groups.setdefault((one.service, one.title), []).append(one)
    found = []
    for (service, title), same in groups.items():
        newest = max(same, key=lambda one: one.detected_at)
        ended = newest.ended_at or newest.updated_at
        found.append(
            AlertNote(
                title=title,
                service=service,
                count=sum(one.openings for one in same),
                firing=any(one.is_firing for one in same),
                last_at=newest.detected_at,
                lasted_s=(ended - newest.starts_at).total_seconds(),
                outcome=newest.quiet or newest.outcome.value,
            )
        )
    return sorted(found, key=lambda one: (not one.firing, -one.count, one.service))


def _ahead(facts: Facts, schedule: str, *, at: datetime) -> Iterable[str]:
    """Yield overrides and absences in the week after the handoff."""
    near: list[Override | Absence] = [
        *(one for one in facts.overrides if one.schedule == schedule),
        *facts.off,
    ]
    for one in sorted(near, key=lambda span: span.start):
        if at <= one.start < at + _AHEAD:
            what = "is put on call" if isinstance(one, Override) else "is away"
            yield f"{one.person} {what} from {one.start:%a %Y-%m-%d %H:%M} UTC"
