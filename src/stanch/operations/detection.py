"""What an alert leads to: a new incident, or a place in the open one it belongs to."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.model import Alert, Outcome
from stanch.alerts.standout import primary_error
from stanch.catalog.changes import changes_between
from stanch.catalog.rules import downstream, neighbourhood
from stanch.diagnose.nearest import nearest_of
from stanch.incidents import events as ev
from stanch.incidents.impact import case_of
from stanch.incidents.model import PrimaryError, Reading
from stanch.incidents.naming import channel_name
from stanch.incidents.rules import rule_again
from stanch.incidents.severity import rule_severity
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import find
from stanch.kernel.actor import SYSTEM, Via
from stanch.operations import cases, paging
from stanch.operations.declaring import open_incident
from stanch.operations.holding import is_held, waiting
from stanch.operations.measuring import measure
from stanch.operations.reopening import ended_with, take_up_again, why_again
from stanch.operations.world import World
from stanch.operations.writeback import owe_writings
from stanch.ports.issues import Moment
from stanch.store import Transaction

# How far before the onset a change is still worth naming on the first screen.
_CHANGE_WINDOW: Final = timedelta(hours=6)


@dataclass(frozen=True, kw_only=True)
class Sign:
    """What an alert says to an incident, whoever raised it: own checks, or a sender from outside.

    `about` is the word the channel is named by, `symptom` one of the word list or empty, `told` the severity that the
    sender gives, in its own word.
    """

    service: str
    about: str
    detail: str
    attached: ev.AlertAttached
    starts_low: datetime | None = None
    starts_high: datetime | None = None
    symptom: str = ""
    told: str = ""


@dataclass(frozen=True, kw_only=True)
class Taken:
    """What a sign led to. `listed` is False where the incident lists so many that this one is only counted."""

    incident: int
    declared: bool = False
    listed: bool = True


MOST_LISTED: Final = 50
"""So many alerts an incident lists by themselves; a storm of them tells nobody more, and each costs a measurement."""


def alert_changed(tx: Transaction, world: World, alert: Alert, outcome: Outcome) -> None:
    """Follow a change of an alert: declare, attach, or record that it is over."""
    # One that keeps coming back has been told already, unless it was held back all the time.
    if outcome in (Outcome.OPENED, Outcome.REOPENED) or (outcome is Outcome.FLAPPING and alert.quiet):
        if not is_held(tx, world, alert):
            sign_seen(tx, world, _sign_of(alert))
    elif outcome is Outcome.ENDED:
        sign_over(tx, id=alert.id, summary=alert.summary)


def let_go(tx: Transaction, world: World, id: str) -> None:
    """Declare or join an incident for the alert `id`, if it was held back, still fires, and nothing holds it now."""
    tx.lock("detection")
    alert = waiting(tx, id)
    if alert is not None and not is_held(tx, world, alert):
        sign_seen(tx, world, _sign_of(alert))


def sign_seen(tx: Transaction, world: World, sign: Sign) -> Taken:
    """Attach `sign` to the open incident that covers its service or a neighbour of it, or declare one.

    Where the same fault was resolved a short while ago, its incident goes on.
    """
    tx.lock("detection")
    for row in find(tx.connection, open_only=True):
        state = cases.load(tx, row.number, lock=True)
        if sign.service in _neighbourhood(world, state):
            if len(state.alerts) >= MOST_LISTED and sign.attached.alert not in state.alerts:
                return Taken(incident=row.number, listed=False)
            _attach(tx, world, state, sign)
            return Taken(incident=row.number)
    if (ended := ended_with(tx, world, sign.attached)) is not None:
        again = take_up_again(tx, world, ended, reason=why_again(ended, sign.attached, now=world.clock.now()))
        _attach(tx, world, again, sign)
        return Taken(incident=ended.number)
    return Taken(incident=_declare(tx, world, sign), declared=True)


def sign_over(tx: Transaction, *, id: str, summary: str) -> None:
    """Record in the open incidents that hold the alert `id` that it is over."""
    for row in find(tx.connection, open_only=True):
        state = cases.load(tx, row.number, lock=True)
        known = state.alerts.get(id)
        if known is not None and known.ended_at is None:
            cases.record(tx, state.number, ev.AlertEnded(alert=id, summary=summary))


def _sign_of(alert: Alert) -> Sign:
    return Sign(
        service=alert.service,
        about=alert.metric.value.replace("_", " "),
        detail=alert.detail,
        attached=attached(alert),
        starts_low=alert.starts_low,
        starts_high=alert.starts_high,
        symptom=alert.metric.value,
    )


def _neighbourhood(world: World, state: IncidentState) -> frozenset[str]:
    """Return where the fault of an incident can show: its services and everything up and down the graph from them."""
    own = {*state.services, *(one.alert.labels.get("service", "") for one in state.alerts.values())} - {""}
    return neighbourhood(world.catalog, own) | own


def _declare(tx: Transaction, world: World, sign: Sign) -> int:
    now = world.clock.now()
    alert = sign.attached
    impact = measure(tx, world, services=(sign.service,), since=alert.starts_at, now=now)
    service = world.catalog.services.get(sign.service)
    record = ev.Declared(
        number=tx.next_number("incident"),
        title=alert.summary,
        summary=_summary(sign, impact.failed_requests),
        source="alert",
        services=(sign.service,),
        started_at=alert.starts_at,
        started_low=sign.starts_low,
        started_high=sign.starts_high,
        ruling=rule_severity(case_of(impact, world.catalog, told=sign.told, services=(sign.service,))),
        channel=channel_name(now.date(), f"{sign.service} {sign.about}"),
        environment=service.environment if service else "",
        symptom=sign.symptom,
        drill=world.catalog.drill,
    )
    symptom = symptom_of(tx, world, services=(sign.service,), since=alert.starts_at, now=now)
    open_incident(tx, world, record, impact=impact, actor=SYSTEM, via=Via.ENGINE, also=(alert, symptom))
    return record.number


def _attach(tx: Transaction, world: World, state: IncidentState, sign: Sign) -> None:
    now = world.clock.now()
    id = sign.attached.alert
    if id in state.alerts and state.alerts[id].ended_at is None:
        return
    services = tuple(dict.fromkeys((*state.services, sign.service)))
    impact = measure(tx, world, services=services, since=state.started_at, now=now)
    ruling = rule_severity(case_of(impact, world.catalog, told=sign.told, services=(sign.service,)))
    ruled = rule_again(state, ruling)
    symptom = symptom_of(tx, world, services=services, since=state.started_at, now=now)
    cases.record(tx, state.number, sign.attached, symptom, ev.ImpactMeasured(impact=impact), *ruled)
    owe_writings(tx, world, cases.load(tx, state.number), Moment.DECLARED)
    if ruled:
        paging.follow(tx, world, cases.load(tx, state.number))
    else:
        paging.resume(tx, world, cases.load(tx, state.number))


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


def _summary(sign: Sign, failed: int) -> str:
    counted = f"{failed:,} failed requests so far" if failed else ""
    return "; ".join(part for part in (sign.attached.summary, sign.detail, counted) if part)
