"""What to do when (M6): now, in the next 30 minutes, in 2-4 hours, after resolution. Made of this incident. Pure.

Every sentence names what is at hand: the change, the line, the error and whom it hit, the owner. What is not known
makes no sentence.
"""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Final

from stanch.catalog.model import Catalog, Service
from stanch.incidents.events import Plan
from stanch.incidents.model import Hypothesis
from stanch.incidents.quantities import beside_normal
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.kernel.duration import format_duration
from stanch.mitigate.verification import named, window_s
from stanch.ports.changes import Change

NOW: Final = "now"
SOON: Final = "next 30 minutes"
LATER: Final = "2-4 hours"
AFTER: Final = "after resolution"

_STAYS: Final = frozenset(
    {"circuit_breaker", "failover", "serve_cached", "rate_limit", "traffic_shift", "scale_up", "raise_pool"}
)
"""Mitigations that are to be taken back once the cause is gone."""
_LATE: Final = timedelta(minutes=1)
_LONGEST: Final = 140

# What a cause that is no change asks for, filled with the hypothesis' words and the error of the incident.
_BY_KIND: Final[dict[str, str]] = {
    "connection_leak": "Find what keeps the connections of {service}{where}{case}, and test that they are given back",
    "connection_pool_exhausted": "Size the pool of {service} by its load{reading}",
    "memory_leak": "Take a heap profile of {service}{reading}, and find what keeps it{where}",
    "resource_exhausted": "Find what uses {target} up on {service}{reading}",
    "traffic_spike": "Size {service} for such load{reading}, or limit it",
    "crash_loop_bug": "Fix what ends {service}{where}{case}, with a test for it",
    "dependency_slow": "Give the calls of {service} to {target} a time-out and something to fall back on",
    "dependency_down": "Give the calls of {service} to {target} something to fall back on",
    "third_party_outage": "Give the calls of {service} to {target} something to fall back on",
    "network": "Trace the way from {service} to {target} with whoever runs it",
    "certificate_expired": "Renew the certificate of {target} by itself",
    "slow_query": "Explain the slowest query of {service}{where} and give it an index or a limit",
    "missing_index": "Add the index that the queries of {service} miss{where}",
    "lock_contention": "Find what holds the locks of {service} for so long{where}",
    "queue_backlog": "Find why {service} works its queue off too slowly{reading}",
}


def phases_of(
    state: IncidentState,
    catalog: Catalog,
    *,
    plan: Plan | None,
    others: tuple[Plan, ...],
    cause: Hypothesis | None,
    first: str,
) -> dict[str, tuple[str, ...]]:
    """Return what to do in each phase as the incident stands; `first` is what to do now where there is no plan.

    Once it is over only what comes later is left.
    """
    service = catalog.services.get(cause.service) if cause else None
    parts: dict[str, Callable[[], Iterator[str]]] = {
        NOW: lambda: _now(state, catalog, plan, others, first),
        SOON: lambda: _soon(state, catalog, plan, others, cause, service),
        LATER: lambda: _later(state, plan, cause),
        AFTER: lambda: _after(state, catalog, cause, service),
    }
    over = () if state.is_open else (NOW, SOON)
    return {name: tuple(dict.fromkeys(made())) for name, made in parts.items() if name not in over}


def _now(
    state: IncidentState, catalog: Catalog, plan: Plan | None, others: tuple[Plan, ...], first: str
) -> Iterator[str]:
    if plan is None:
        yield first
        return
    action = state.actions.get(plan.id)
    if state.verification is not None and state.verification.passed_at is not None:
        yield f"Resolve it: stanch resolve {state.key}"
    elif action is None or action.state is ActionState.PROPOSED:
        yield _approve(state, plan)
        yield from _judge(plan)
    elif action.state in (ActionState.APPROVED, ActionState.RUNNING):
        yield f"Wait: {plan.title} is under way"
        yield from _judge(plan)
    elif action.state is ActionState.SUCCEEDED and action.verdict == "helped":
        seconds, _ = window_s(state.ruling.severity, catalog.timing)
        yield f"Wait until every figure has held for {format_duration(timedelta(seconds=seconds))}"
    elif action.state is ActionState.SUCCEEDED and not action.verdict:
        yield from _judge(plan)
    else:
        yield from _instead(state, action, others)


def _approve(state: IncidentState, plan: Plan) -> str:
    people = f", by {plan.approvals_needed} people" if plan.approvals_needed > 1 else ""
    return f"{plan.title}: stanch approve {state.key} {plan.id}{people}"


def _judge(plan: Plan) -> Iterator[str]:
    if plan.expectation is not None:
        yield f"See whether it helped: {plan.expectation.describe}"


def _instead(state: IncidentState, action: Action, others: tuple[Plan, ...]) -> Iterator[str]:
    """Say what is left to do when the first plan failed, did not help, was refused or is not what it was."""
    if action.state is ActionState.FAILED:
        yield f"{action.plan.title} failed: read what it printed, stanch plan list {state.key}"
    waiting = [
        one for one in others if (known := state.actions.get(one.id)) is None or known.state is ActionState.PROPOSED
    ]
    yield from (_approve(state, one) for one in waiting[:1])
    if not waiting and action.state not in (ActionState.UNKNOWN, ActionState.STALE):
        yield f"Look again: stanch investigate {state.key}"


def _soon(
    state: IncidentState,
    catalog: Catalog,
    plan: Plan | None,
    others: tuple[Plan, ...],
    cause: Hypothesis | None,
    service: Service | None,
) -> Iterator[str]:
    seconds, _ = window_s(state.ruling.severity, catalog.timing)
    hit = ", ".join(dict.fromkeys((*state.services, *(state.impact.affected if state.impact else ()))))
    if hit:
        yield f"Watch {hit} until every figure has held for {format_duration(timedelta(seconds=seconds))}"
    if plan is not None:
        yield from _if_not(state, plan, others)
    yield from _owner(catalog, cause, service)
    if cause is not None and cause.evidence_against:
        doubt = min(cause.evidence_against, key=lambda one: one.weight)
        yield f"Look at what speaks against it: {_short(doubt.text)} [{doubt.finding}]"
    if state.next_update_at is not None:
        yield f"Tell those who wait; the next update is promised for {state.next_update_at:%H:%M} UTC"


def _if_not(state: IncidentState, plan: Plan, others: tuple[Plan, ...]) -> Iterator[str]:
    action = state.actions.get(plan.id)
    if action is not None and action.verdict == "helped":
        return
    instead = others[0].title if others else ""
    if plan.reversible:
        then = f", then {instead}" if instead else ""
        yield f"If it does not help, take it back (stanch plan undo {state.key} {plan.id}){then}"
    elif instead:
        yield f"If it does not help: {instead}"


def _owner(catalog: Catalog, cause: Hypothesis | None, service: Service | None) -> Iterator[str]:
    outside = catalog.services.get(cause.target) if cause and cause.target else None
    if outside is not None and outside.external:
        page = f", whose status page is {outside.status_page}" if outside.status_page else ""
        yield f"Ask {outside.title or outside.name}{page}"
    if service is None or not service.team:
        return
    people = [one.name or one.id for one in catalog.people.values() if service.team in one.teams]
    who = f" ({', '.join(people[:4])})" if people else ""
    yield f"Bring in {service.team}{who}, who own {service.name}"


def _later(state: IncidentState, plan: Plan | None, cause: Hypothesis | None) -> Iterator[str]:
    if cause is None:
        return
    change = _change(state, cause)
    where, case = (f" at {cause.culprit}" if cause.culprit else ""), _case(state)
    if change is not None:
        yield f"Fix {_told(change, cause)}{where}"
        if case:
            yield f"Test the case that failed: {case}"
    elif cause.kind in _BY_KIND:
        yield _BY_KIND[cause.kind].format(
            service=cause.service or "the service",
            target=cause.target or "it",
            where=where,
            case=f", as in {case}" if case else "",
            reading=_reading(state, cause),
        )
    if plan is not None and plan.mitigation in _STAYS:
        how = f": stanch plan undo {state.key} {plan.id}" if plan.reversible else ""
        yield f"Take it back when the cause is gone ({plan.title}){how}"


def _after(state: IncidentState, catalog: Catalog, cause: Hypothesis | None, service: Service | None) -> Iterator[str]:
    change = _change(state, cause) if cause else None
    if change is not None and cause is not None:
        yield f"Find out what would have stopped {_told(change, cause)} before it was live"
    elif cause is not None:
        yield f"Find out why {cause.title[:1].lower()}{cause.title[1:]} could take {_hit(state)} down"
    late = state.declared_at - state.started_at
    readings = [one.alert.reading for one in state.alerts.values() if one.alert.reading]
    if late >= _LATE and readings:
        what = named(readings[0].service, readings[0].metric)
        yield f"See it sooner: {what} was off for {format_duration(late)} before it was declared"
    impact = state.impact
    if impact is not None and impact.failed_requests:
        whom = f", {impact.explained}" if impact.explained else ""
        yield f"Make good {impact.failed_requests:,} failed requests{whom}"
    owner = service.team if service is not None and service.team else ""
    by = f" with {owner}" if owner else ""
    yield f"Write the post-mortem{by}, with an owner and a date for each action item"


def _change(state: IncidentState, cause: Hypothesis) -> Change | None:
    if not cause.change or state.changes is None:
        return None
    return next((one.change for one in state.changes.changes if one.change.id == cause.change), None)


def _told(change: Change, cause: Hypothesis) -> str:
    commit = f" ({(change.commit or cause.commit)[:10]})" if change.commit or cause.commit else ""
    author = f" by {change.author}" if change.author else ""
    return f"{_short(cause.change_title or change.title)}{commit}{author}"


def _case(state: IncidentState) -> str:
    """Say which case failed: the error, and what those whom it hit have in common."""
    explained = state.impact.explained if state.impact else ""
    error = _short(state.error.title) if state.error else ""
    return ", ".join(part for part in (error, explained) if part)


def _reading(state: IncidentState, cause: Hypothesis) -> str:
    for one in state.alerts.values():
        reading = one.alert.reading
        if reading is not None and reading.service == cause.service and reading.metric not in ("up", "blind"):
            return f" ({named(reading.service, reading.metric)} {beside_normal(reading)})"
    return ""


def _hit(state: IncidentState) -> str:
    return ", ".join(state.services) or "this"


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
