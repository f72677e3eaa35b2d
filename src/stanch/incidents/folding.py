"""Adds events up to a state. Pure: the same events always give the same state."""

from collections.abc import Iterable
from dataclasses import replace

from stanch.incidents import acting
from stanch.incidents import events as ev
from stanch.incidents.applying import apply
from stanch.incidents.model import BY_HAND, Status
from stanch.incidents.state import IncidentState
from stanch.kernel.event import Event

# What is in `acting` is known to `apply` once it is imported.
__all__ = ["acting", "fold", "fold_all"]


def fold(state: IncidentState | None, event: Event) -> IncidentState | None:
    """Return the state after `event`. Events before the declaration change nothing."""
    record = ev.typed(event)
    if state is None:
        if not isinstance(record, ev.Declared):
            return None
        state = _declared(record, event)
    else:
        state = apply(record, state, event)
    own = event.stream == ev.incident_stream(state.number)
    return replace(state, seq=event.seq, version=event.version if own else state.version)


def fold_all(events: Iterable[Event]) -> IncidentState | None:
    """Return the state that all `events` of one incident add up to; None without a declaration."""
    state: IncidentState | None = None
    for event in events:
        state = fold(state, event)
    return state


def _declared(record: ev.Declared, event: Event) -> IncidentState:
    return IncidentState(
        number=record.number,
        title=record.title,
        summary=record.summary,
        source=record.source,
        status=Status.DETECTED,
        ruling=record.ruling,
        services=record.services,
        declared_at=event.at,
        started_at=record.started_at,
        started_low=record.started_low,
        started_high=record.started_high,
        channel=record.channel,
        environment=record.environment,
        endpoint=record.endpoint,
        symptom=record.symptom,
        text=record.text,
        reading=record.reading,
        drill=record.drill,
        # A severity given by hand at the declaration stands against the rules like one given later.
        severity_overridden=record.ruling.rule == BY_HAND,
        seq=event.seq,
        version=event.version,
    )
