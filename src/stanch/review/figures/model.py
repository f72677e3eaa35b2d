"""The words of figures: the course of one incident, what is measured on it, and what it is grouped by."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from stanch.incidents.model import Severity, Status


class Measure(StrEnum):
    """A length of time that is measured on every incident."""

    DETECT = "detect"
    ACKNOWLEDGE = "acknowledge"
    MITIGATE = "mitigate"
    RESOLVE = "resolve"


class By(StrEnum):
    """What incidents are put together by."""

    SERVICE = "service"
    SEVERITY = "severity"
    CAUSE = "cause"
    MONTH = "month"


@dataclass(frozen=True, kw_only=True)
class Course:
    """The instants (UTC) of one incident, as its log says now.

    `service` is where the cause lies where that is known, else the first that the incident was declared on.
    `cause_kind` is the name of a kind in `diagnose.kinds`, empty while the cause is not known. `start_known` is False
    where the start is nothing but the declaration. `watched_at` is when the stretch began that held while the recovery
    was watched, `helped_at` when a plan was seen to help. `acted_at` is when a person last did something about it,
    other than acknowledging or dismissing it.
    """

    number: int
    title: str
    status: Status
    severity: Severity
    service: str
    cause_kind: str
    drill: bool
    started_at: datetime
    start_known: bool
    declared_at: datetime
    acknowledged_at: datetime | None = None
    watched_at: datetime | None = None
    helped_at: datetime | None = None
    resolved_at: datetime | None = None
    acted_at: datetime | None = None
    alerts: int = 0

    @property
    def counts(self) -> bool:
        """Tell whether it was an incident of its own: neither dismissed nor merged into another."""
        return self.status not in (Status.DISMISSED, Status.MERGED)


@dataclass(frozen=True, kw_only=True)
class Spread:
    """How long something took: median and 90th percentile in seconds over `known` incidents, None over none."""

    known: int
    median_s: float | None
    p90_s: float | None


@dataclass(frozen=True, kw_only=True)
class Group:
    """The incidents that have something in common: `name` is a service, a severity, a kind of cause or a month.

    `repeats` are those of them that had happened before; see `rules.repeats`.
    """

    name: str
    incidents: int
    open: int
    repeats: int
    spreads: dict[Measure, Spread]


@dataclass(frozen=True, kw_only=True)
class Repeat:
    """An incident that had happened before: `before` is the last one like it, `days` lie between their declarations."""

    incident: int
    title: str
    service: str
    cause_kind: str
    before: int
    days: float
