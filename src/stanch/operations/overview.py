"""What is wrong now: open incidents by severity, every service beside its normal."""

from datetime import datetime

from stanch.alerts.series import ServiceReading, service_readings
from stanch.catalog.changes import latest_changes
from stanch.catalog.model import Catalog, Service
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import Listed, find
from stanch.incidents.troubles import Trouble, troubles_of
from stanch.mitigate.phases import NOW
from stanch.mitigate.tree import as_of_now
from stanch.operations import cases
from stanch.operations.deciding import plan_step
from stanch.operations.items import overdue_notices
from stanch.operations.runbooks.trying import rot_notices
from stanch.operations.statuspage.publishing import waiting_notices
from stanch.operations.views import IncidentCard, Overview, ServiceCard
from stanch.operations.world import World
from stanch.ports.changes import Change
from stanch.store import Transaction

_RECENT = 5


def overview(tx: Transaction, world: World, *, now: datetime, trouble: Trouble | None = None) -> Overview:
    """Return what is wrong now; with `trouble`, of that kind only."""
    rows = find(tx.connection, limit=200)
    states = [cases.load(tx, row.number) for row in rows if row.is_open]
    open_cards = [
        card_of_state(state, world, now=now) for state in states if trouble is None or trouble in troubles_of(state)
    ]
    services = service_cards(tx, world, now=now)
    recent = tuple(card_of_row(row, world, now=now) for row in rows if not row.is_open)[:_RECENT]
    ordered = tuple(sorted(open_cards, key=lambda card: (card.severity, card.started_at)))
    return Overview(
        at=now,
        incidents=ordered,
        services=services,
        recent=recent,
        quiet="" if open_cards else _quiet(services, trouble),
        workflow=_workflow(next(state for state in states if state.key == ordered[0].key)) if ordered else (),
        notices=(*overdue_notices(tx, world, now=now), *rot_notices(tx), *waiting_notices(tx)),
    )


def service_cards(tx: Transaction, world: World, *, now: datetime) -> tuple[ServiceCard, ...]:
    """Return every service of the catalog as its own checks see it."""
    readings = service_readings(tx.connection, world.catalog, now=now)
    latest = latest_changes(tx.connection, world.catalog.services)
    return tuple(
        _service_card(service, readings.get(service.name), latest.get(service.name))
        for service in world.catalog.services.values()
    )


def card_of_row(listed: Listed, world: World, *, now: datetime) -> IncidentCard:
    """Return the card of an incident from the projection, without reading its log."""
    return IncidentCard(
        number=listed.number,
        key=f"INC-{listed.number}",
        title=listed.title,
        severity=listed.severity.label,
        status=listed.status.value,
        is_open=listed.is_open,
        started_at=listed.started_at,
        declared_at=listed.declared_at,
        resolved_at=listed.resolved_at,
        age_s=((listed.resolved_at or now) - listed.started_at).total_seconds(),
        services=listed.services,
        environment="",
        url=f"{world.url}/i/{listed.number}",
    )


def card_of_state(state: IncidentState, world: World, *, now: datetime) -> IncidentCard:
    """Return the card of an incident with its figures."""
    impact = state.impact
    top = state.known_cause
    return IncidentCard(
        number=state.number,
        key=state.key,
        title=state.title,
        severity=state.ruling.severity.label,
        status=state.status.value,
        is_open=state.is_open,
        started_at=state.started_at,
        declared_at=state.declared_at,
        resolved_at=state.resolved_at,
        age_s=((state.resolved_at or now) - state.started_at).total_seconds(),
        services=state.services,
        environment=state.environment,
        url=f"{world.url}/i/{state.number}",
        error_ratio=impact.error_ratio if impact else None,
        normal_error_ratio=impact.normal_error_ratio if impact else None,
        latency_p95_ms=impact.latency_p95_ms if impact else None,
        normal_latency_p95_ms=impact.normal_latency_p95_ms if impact else None,
        failed_requests=impact.failed_requests if impact else 0,
        users=impact.users if impact else None,
        error=state.error,
        change=state.change,
        cause=top.title if top else "",
        recommended=recommended(state, world.catalog),
    )


def recommended(state: IncidentState, catalog: Catalog) -> tuple[str, ...]:
    """Return what to do now, first things first: what a person decides on, the tree's phase `now`, the next test."""
    if not state.is_open:
        return ()
    steps: list[str] = []
    proposal = state.proposal
    first = proposal.plan.id if proposal and proposal.plan else ""
    due = plan_step(state)
    if due is not None and (due.operation == "mitigation.settle" or due.arguments["plan"] != first):
        # What nobody knows the outcome of, an undo, a plan for a changed world: before what was proposed at first.
        steps.append(f"{due.title.removeprefix('Approve: ')}: {due.command}")
    if proposal:
        steps += as_of_now(proposal, state, catalog).phases.get(NOW, ())
    test = state.diagnosis.next_test if state.diagnosis and not state.cause_known else ""
    if test and not any(step.startswith(test) for step in steps):
        steps.append(test)
    return tuple(dict.fromkeys(steps))[:4]


def _workflow(state: IncidentState) -> tuple[str, ...]:
    """Return what is left to type for the most urgent incident, step by step."""
    due = plan_step(state)
    planned = state.proposal is not None and state.proposal.plan is not None
    steps = {
        f"Acknowledge: stanch ack {state.key}": state.acknowledged_at is None,
        f"Look: stanch incident show {state.key}": True,
        f"Decide on the plan: {due.command if due else f'stanch approve {state.key} PLAN'}": due or not planned,
        f"Resolve once verified: stanch resolve {state.key}": True,
    }
    return tuple(step for step, is_left in steps.items() if is_left)


def _quiet(services: tuple[ServiceCard, ...], trouble: Trouble | None) -> str:
    if trouble is not None:
        return f"No incident of the kind {trouble.value} is open."
    seen = [card.seen_at for card in services if card.seen_at]
    if not services:
        return "No service is configured yet, so nothing is watched. Begin with: stanch init"
    if not seen:
        return f"No incident is open. None of the {len(services)} services has been seen yet."
    return f"No incident is open. {len(seen)} of {len(services)} services seen, last at {max(seen):%H:%M:%S} UTC."


def _service_card(service: Service, reading: ServiceReading | None, change: Change | None) -> ServiceCard:
    return ServiceCard(
        name=service.name,
        title=service.title or service.name,
        state=reading.state if reading else "unknown",
        external=service.external,
        tier=service.tier,
        error_ratio=reading.error_ratio if reading else None,
        normal_error_ratio=reading.normal_error_ratio if reading else None,
        latency_p95_ms=reading.latency_p95_ms if reading else None,
        normal_latency_p95_ms=reading.normal_latency_p95_ms if reading else None,
        request_rate=reading.request_rate if reading else None,
        version=change.version if change else "",
        last_change=change.title if change else "",
        last_change_at=change.at if change else None,
        seen_at=reading.seen_at if reading else None,
        depends_on=service.depends_on,
    )
