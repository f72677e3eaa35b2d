"""What happens to an incident itself: declared, taken on, moved on, measured, resolved."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from stanch.incidents.model import Impact, NearestChange, PrimaryError, Reading, Role, Severity, SeverityRuling, Status


@dataclass(frozen=True, kw_only=True)
class Declared:
    """An incident was opened. `started_at` is the estimated onset (UTC), with its interval.

    `text` is a report as it came, `reading` how it was understood: pairs of a heading and a sentence.
    """

    kind: ClassVar[str] = "incident.declared"
    number: int
    title: str
    summary: str
    source: str
    services: tuple[str, ...]
    started_at: datetime
    ruling: SeverityRuling
    channel: str
    started_low: datetime | None = None
    started_high: datetime | None = None
    environment: str = ""
    endpoint: str = ""
    symptom: str = ""
    text: str = ""
    reading: tuple[tuple[str, str], ...] = ()
    drill: bool = False


@dataclass(frozen=True, kw_only=True)
class AlertAttached:
    """An alert was found to belong to this incident."""

    kind: ClassVar[str] = "incident.alert_attached"
    alert: str
    summary: str
    reading: Reading | None
    starts_at: datetime
    trend: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class AlertEnded:
    """An attached alert is over."""

    kind: ClassVar[str] = "incident.alert_ended"
    alert: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class SymptomSeen:
    """What stands out: the primary error and the change closest before the onset. Repeated as they move."""

    kind: ClassVar[str] = "incident.symptom_seen"
    error: PrimaryError | None = None
    change: NearestChange | None = None


@dataclass(frozen=True, kw_only=True)
class Acknowledged:
    """Somebody has taken it on."""

    kind: ClassVar[str] = "incident.acknowledged"


@dataclass(frozen=True, kw_only=True)
class StatusChanged:
    """The incident moved on in its life."""

    kind: ClassVar[str] = "incident.status_changed"
    status: Status
    reason: str


@dataclass(frozen=True, kw_only=True)
class SeverityChanged:
    """The severity was set anew: by the rules on new figures, or by a person with a reason."""

    kind: ClassVar[str] = "incident.severity_changed"
    ruling: SeverityRuling
    previous: Severity
    overridden: bool


@dataclass(frozen=True, kw_only=True)
class RoleAssigned:
    """A role was given to a person; an empty `person` takes it back. When it was handed over, `before` is who had it
    and `summary` what they leave."""

    kind: ClassVar[str] = "incident.role_assigned"
    role: Role
    person: str
    before: str = ""
    summary: str = ""


@dataclass(frozen=True, kw_only=True)
class NoteAdded:
    """Somebody wrote something down."""

    kind: ClassVar[str] = "incident.note_added"
    text: str
    pinned: bool = False


@dataclass(frozen=True, kw_only=True)
class ImpactMeasured:
    """The blast radius was measured."""

    kind: ClassVar[str] = "incident.impact_measured"
    impact: Impact


@dataclass(frozen=True, kw_only=True)
class TargetMissed:
    """A response target of the severity passed without being met."""

    kind: ClassVar[str] = "incident.target_missed"
    target: str
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class Resolved:
    """The incident is over. `forced` says that it was not verified, with the person's reason."""

    kind: ClassVar[str] = "incident.resolved"
    cause: str
    mitigation: str
    duration_s: float
    forced: bool = False
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class Reopened:
    """It was not over."""

    kind: ClassVar[str] = "incident.reopened"
    reason: str


@dataclass(frozen=True, kw_only=True)
class Dismissed:
    """It was no incident, or it is part of another (`merged_into`)."""

    kind: ClassVar[str] = "incident.dismissed"
    reason: str
    merged_into: int | None = None
