"""What an alert leads to: a new incident, or a place in the open one it belongs to."""

from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.model import Alert, Outcome
from stanch.alerts.standout import primary_error
from stanch.catalog.changes import changes_between
from stanch.diagnose.nearest import nearest_of
from stanch.incidents import events as ev
from stanch.catalog.rules import downstream, neighbourhood
from stanch.incidents.impact import case_of
from stanch.incidents.model import NearestChange, PrimaryError, Reading
from stanch.incidents.naming import channel_name
from stanch.incidents.rules import rule_again
from stanch.incidents.severity import rule_severity
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import find
from stanch.kernel.actor import SYSTEM, Via
from stanch.operations import cases
from stanch.operations.declaring import open_incident
from stanch.operations.measuring import measure
from stanch.operations.world import World
from stanch.store import Transaction

# How far before the onset a change is still worth naming on the first screen.
_CHANGE_WINDOW: Final = timedelta(hours=6)
# A relapse this soon after the end belongs to the same story, and is told in its post-mortem.
_SAME_STORY: Final = timedelta(minutes=10)


def alert_changed(tx: Transaction, world: World, alert: Alert, outcome: Outcome) -> None:
    """Follow a change of an alert: declare, attach, or record that it is over."""
    if outcome in (Outcome.OPENED, Outcome.REOPENED):
        _opened(tx, world, alert)
    elif outcome is Outcome.ENDED:
        _ended(tx, alert)


def _opened(tx: Transaction, world: World, alert: Alert) -> None:
    tx.lock("detection")
    for row in find(tx.connection, open_only=True):
        state = cases.load(tx, row.number, lock=True)
        if alert.service in _neighbourhood(world, state):
            _attach(tx, world, state, alert)
            return
    _declare(tx, world, alert)


def _neighbourhood(world: World, state: IncidentState) -> frozenset[str]:
    """Return where the fault of an incident can show: its services and everything up and down the graph from them."""
    own = {*state.services, *(one.alert.labels.get("service", "") for one in state.alerts.values())} - {""}
    return neighbourhood(world.catalog, own) | own


def _declare(tx: Transaction, world: World, alert: Alert) -> None:
    now = world.clock.now()
    impact = measure(tx, world, services=(alert.service,), since=alert.starts_at, now=now)
    service = world.catalog.services.get(alert.service)
    record = ev.Declared(
        number=tx.next_number("incident"),
        title=alert.summary,
        summary=_summary(alert, impact.failed_requests),
        source="alert",
        services=(alert.service,),
        started_at=alert.starts_at,
        started_low=alert.starts_low,
        started_high=alert.starts_high,
        ruling=rule_severity(case_of(impact, world.catalog)),
        channel=channel_name(now.date(), f"{alert.service} {alert.metric.value.replace('_', ' ')}"),
        environment=service.environment if service else "",
        symptom=alert.metric.value,
        drill=world.catalog.drill,
    )
    symptom = symptom_of(tx, world, services=(alert.service,), since=alert.starts_at, now=now)
    open_incident(tx, world, record, impact=impact, actor=SYSTEM, via=Via.ENGINE, also=(attached(alert), symptom))


def _attach(tx: Transaction, world: World, state: IncidentState, alert: Alert) -> None:
    now = world.clock.now()
    if alert.id in state.alerts and state.alerts[alert.id].ended_at is None:
        return
    services = tuple(dict.fromkeys((*state.services, alert.service)))
    impact = measure(tx, world, services=services, since=state.started_at, now=now)
    ruled = rule_again(state, rule_severity(case_of(impact, world.catalog)))
    symptom = symptom_of(tx, world, services=services, since=state.started_at, now=now)
    cases.record(tx, state.number, attached(alert), symptom, ev.ImpactMeasured(impact=impact), *ruled)


def _ended(tx: Transaction, alert: Alert) -> None:
    for row in find(tx.connection, open_only=True):
        state = cases.load(tx, row.number, lock=True)
        known = state.alerts.get(alert.id)
        if known is not None and known.ended_at is None:
            cases.record(tx, state.number, ev.AlertEnded(alert=alert.id, summary=alert.summary))


def attached(alert: Alert) -> ev.AlertAttached:
    """Return the event that puts `alert` into an incident."""
    measured = alert.measured
    return ev.AlertAttached(
        alert=alert.id,
        summary=alert.summary,
        reading=Reading(
            metric=alert.metric.value,
            service=alert.service,
            value=measured.value,
            unit=measured.unit.value,
            normal=measured.normal,
            low=measured.low,
            high=measured.high,
            labels=dict(alert.labels),
        ),
        starts_at=alert.starts_at,
        trend=alert.trend,
        labels={**dict(alert.labels), "service": alert.service},
        source="own check",
    )


def symptom_of(
    tx: Transaction, world: World, *, services: tuple[str, ...], since: datetime, now: datetime
) -> ev.SymptomSeen:
    """Return what stands out: the primary error around the services, and the change closest before the onset."""
    below = (name for service in services for name in downstream(world.catalog, service))
    around = tuple(dict.fromkeys((*services, *below)))
    error = primary_error(tx.connection, services=around, since=since, now=now)
    changes = changes_between(tx.connection, start=since - _CHANGE_WINDOW, end=now)
    return ev.SymptomSeen(
        error=None
        if error is None
        else PrimaryError(
            title=error.title,
            count=error.count,
            first_seen=error.first_seen,
            last_seen=error.last_seen,
            service=error.service,
            culprit=error.culprit,
            trend=error.trend,
            versions=error.versions,
            sample=error.sample,
        ),
        change=nearest_of(changes, onset=since, services=around),
    )


def _summary(alert: Alert, failed: int) -> str:
    counted = f"{failed:,} failed requests so far" if failed else ""
    return "; ".join(part for part in (alert.summary, alert.detail, counted) if part)
