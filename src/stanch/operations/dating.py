"""Dates an incident by what was measured: reads the series of its services and records the start they agree on."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.samples.tables import find_labels
from stanch.alerts.series import read_series
from stanch.catalog.rules import neighbourhood
from stanch.diagnose.dating import Dated, Moved, date_of, first_by_service
from stanch.diagnose.measure import Track
from stanch.diagnose.wording import distance, metric_name
from stanch.incidents import events as ev
from stanch.incidents.state import ActionState, IncidentState
from stanch.operations.topology import with_seen_calls
from stanch.operations.world import World
from stanch.ports.evidence import Signal
from stanch.store import Connection, Transaction

_METRICS: Final = (
    "requests",
    "failed_requests",
    "error_ratio",
    "latency_p95_ms",
    "up",
    "dependency_error_ratio",
    "dependency_latency_p95_ms",
    "saturation",
    "memory_bytes",
    "request_rate",
    "restarts",
)
_MOST_SERVICES: Final = 40
_MOST_SERIES: Final = 400
"""At 2 ms a series 0.8 s."""
_UNTOUCHED: Final = frozenset({ActionState.PROPOSED, ActionState.APPROVED, ActionState.REJECTED})
_NEWS: Final = timedelta(seconds=1)
"""A start that moves by less is the same one."""


def date_incident(tx: Transaction, world: World, state: IncidentState, *, now: datetime) -> ev.OnsetEstimated | None:
    """Return the start that the measured series show, None where they show none or it is the one on record.

    Once something has been done about it the series tell of that as well, so the start stays as it is.
    """
    if any(action.state not in _UNTOUCHED for action in state.actions.values()):
        return None
    start = min(state.started_at, now) - timedelta(seconds=world.catalog.timing.baseline_s)
    own = [name for name in (*state.services, *_alerting(state)) if name]
    seen = with_seen_calls(tx.connection, world, start=start, end=now)
    around = dict.fromkeys((*own, *sorted(neighbourhood(seen.catalog, own))))
    tracks = read_tracks(tx.connection, services=tuple(around)[:_MOST_SERVICES], start=start, end=now)
    declared = state.onset is None
    found = date_of(
        tracks,
        told=state.started_at,
        low=state.started_low if declared else None,
        high=state.started_high if declared else None,
        alerted={
            (one.alert.reading.service, one.alert.reading.metric)
            for one in state.alerts.values()
            if one.alert.reading is not None
        },
    )
    if found is None or found.at > now:
        return None
    dated = ev.OnsetEstimated(
        at=found.at, low=found.low, high=found.high, text=_words(found), first=told_first(found.moved)
    )
    return None if _is_same(dated, state.onset) else dated


def read_tracks(
    connection: Connection, *, services: tuple[str, ...], start: datetime, end: datetime
) -> tuple[Track, ...]:
    """Return the stored series of `services` in (start, end], at most 400."""
    found: list[Track] = []
    for service in services:
        for metric in _METRICS:
            for labels in find_labels(connection, service=service, metric=metric, start=start, end=end):
                if len(found) >= _MOST_SERIES:
                    return tuple(found)
                series = read_series(connection, service=service, metric=metric, start=start, end=end, labels=labels)
                found.append(
                    Track(service=service, metric=metric, times=series.times, values=series.values, labels=labels)
                )
    return tuple(found)


def told_first(moved: Sequence[Moved]) -> str:
    """Say which service moved first: "payments' error rate moved first, 20 s before checkout"; empty when unclear.

    Two starts whose intervals overlap cannot be told apart.
    """
    ordered = first_by_service(moved)
    if not ordered:
        return ""
    first, *others = ordered
    said = (
        f"{first.service}'s {_name(first)}" if not first.service.endswith("s") else f"{first.service}' {_name(first)}"
    )
    if not others:
        return f"{said} moved, and that of no other service"
    if others[0].low < first.high:
        return ""
    return f"{said} moved first, {distance(timedelta(seconds=others[0].at - first.at))} before {others[0].service}"


def _name(one: Moved) -> str:
    return metric_name(Signal(name=one.metric, service=one.service))


def _words(found: Dated) -> str:
    services = dict.fromkeys(one.service for one in found.moved if one.symptom)
    named = ", ".join(tuple(services)[:4]) or ", ".join(dict.fromkeys(one.service for one in found.moved))
    series = f"{found.agree} series agree" if found.agree > 1 else "one series shows it"
    return f"Estimated from what was measured of {named}: {series}"


def _alerting(state: IncidentState) -> tuple[str, ...]:
    return tuple(one.alert.labels.get("service", "") for one in state.alerts.values())


def _is_same(new: ev.OnsetEstimated, old: ev.OnsetEstimated | None) -> bool:
    if old is None:
        return False
    ends = ((new.at, old.at), (new.low, old.low), (new.high, old.high))
    return all(abs(one - other) < _NEWS for one, other in ends) and new.first == old.first
