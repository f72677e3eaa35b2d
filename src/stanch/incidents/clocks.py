"""Response targets: what must have happened by when, per severity (T2), and how often an update is due (C2)."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from stanch.incidents.model import Severity
from stanch.incidents.state import IncidentState

_RESPOND_WITHIN: Final = {
    Severity.SEV1: timedelta(minutes=5),
    Severity.SEV2: timedelta(minutes=15),
    Severity.SEV3: timedelta(hours=1),
    Severity.SEV4: timedelta(hours=4),
}
_UPDATE_EVERY: Final = {
    Severity.SEV1: timedelta(minutes=15),
    Severity.SEV2: timedelta(minutes=15),
    Severity.SEV3: timedelta(minutes=30),
    Severity.SEV4: None,
}
TEAM: Final = {
    Severity.SEV1: "the full on-call rotation, at once",
    Severity.SEV2: "the primary and a specialist",
    Severity.SEV3: "the primary",
    Severity.SEV4: "business hours",
}


class Target(StrEnum):
    """What a response target asks for."""

    ACKNOWLEDGE = "acknowledge"


class ClockState(StrEnum):
    """How a target stands."""

    RUNNING = "running"
    MET = "met"
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class ResponseClock:
    """One target: due at an instant (UTC), met at another or not."""

    target: Target
    due_at: datetime
    met_at: datetime | None
    state: ClockState


def respond_within(severity: Severity) -> timedelta:
    """Return how soon somebody must have acknowledged. SEV1 is "at once": five minutes is when that is missed."""
    return _RESPOND_WITHIN[severity]


def update_every(severity: Severity) -> timedelta | None:
    """Return how often an update is due: 15 minutes for SEV1 and SEV2, 30 for SEV3, none promised for SEV4."""
    return _UPDATE_EVERY[severity]


def response_clocks(state: IncidentState, *, now: datetime) -> tuple[ResponseClock, ...]:
    """Return the targets of the incident as they stand at `now`."""
    due_at = state.declared_at + respond_within(state.ruling.severity)
    met_at = state.acknowledged_at
    if met_at is not None:
        stands = ClockState.MET if met_at <= due_at else ClockState.MISSED
    else:
        stands = ClockState.RUNNING if now <= due_at else ClockState.MISSED
    return (ResponseClock(target=Target.ACKNOWLEDGE, due_at=due_at, met_at=met_at, state=stands),)
