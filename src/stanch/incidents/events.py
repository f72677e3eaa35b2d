"""The typed events of an incident's log. A kind is never renamed, and a field never changes its meaning.

Streams: `incident/<n>` for the incident, `action/<n>/<plan>` for one plan and its run, `postmortem/<n>` for the
write-up. Every event carries the incident's number, so one query reads the whole log.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Final, TypeAlias

from stanch.incidents.model import (
    Hypothesis,
    Impact,
    NearestChange,
    PrimaryError,
    Reading,
    Role,
    Severity,
    SeverityRuling,
    Status,
)
from stanch.kernel.codec import from_data, to_data
from stanch.kernel.errors import Bug
from stanch.kernel.event import JSON, Event, NewEvent
from stanch.ports.actuator import Step
from stanch.ports.changes import Change
from stanch.ports.evidence import Finding


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
    """A role was given to a person; an empty `person` takes it back."""

    kind: ClassVar[str] = "incident.role_assigned"
    role: Role
    person: str


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
class InvestigationStarted:
    """Collectors were sent out."""

    kind: ClassVar[str] = "investigation.started"
    round: int
    collectors: tuple[str, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class FindingRecorded:
    """A collector came back."""

    kind: ClassVar[str] = "investigation.finding_recorded"
    round: int
    finding: Finding


@dataclass(frozen=True, kw_only=True)
class RankedChange:
    """A change with how well it explains the onset. `score` is in nats; `verdict` is a sentence."""

    change: Change
    score: float
    verdict: str
    reasons: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ChangesRanked:
    """What changed near the onset, best explanation first; `none_explains` says that none does."""

    kind: ClassVar[str] = "investigation.changes_ranked"
    round: int
    changes: tuple[RankedChange, ...]
    none_explains: bool
    verdict: str


@dataclass(frozen=True, kw_only=True)
class HypothesesRanked:
    """What may have caused it, likeliest first. `known` is False below the floor: "not known yet"."""

    kind: ClassVar[str] = "investigation.hypotheses_ranked"
    round: int
    hypotheses: tuple[Hypothesis, ...]
    known: bool
    verdict: str
    next_test: str = ""


@dataclass(frozen=True, kw_only=True)
class Fork:
    """One question of the decision tree, its answer, and the findings it rests on."""

    question: str
    answer: str
    reason: str
    findings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """The effect a plan should have, as a check on a metric: `error_ratio` of `checkout` below 0.01 in 120 s."""

    service: str
    metric: str
    below: float | None = None
    above: float | None = None
    within_s: float = 120.0
    describe: str = ""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A mitigation as data. `digest` covers everything that decides what would run; approvals are bound to it.

    `risk` is `read`, `low`, `high` or `irreversible`; `world` is what was seen when it was made (e.g. the running
    version), so that a plan for a world that has changed is refused.
    """

    id: str
    mitigation: str
    title: str
    why: str
    target: str
    steps: tuple[Step, ...]
    dry_run: tuple[Step, ...]
    undo: tuple[Step, ...]
    risk: str
    reversible: bool
    expectation: Expectation | None
    approvals_needed: int
    digest: str
    hypothesis: str = ""
    world: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class MitigationProposed:
    """The decision tree was walked: the path, the first action, the alternatives, and the phases of work."""

    kind: ClassVar[str] = "mitigation.proposed"
    path: tuple[Fork, ...]
    plan: Plan | None
    alternatives: tuple[Plan, ...]
    verdict: str
    phases: dict[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class DryRunFinished:
    """A plan was tried without effect."""

    kind: ClassVar[str] = "action.dry_run_finished"
    plan: str
    code: int
    output: str


@dataclass(frozen=True, kw_only=True)
class Approved:
    """A person approved a plan, bound to its digest, until `expires_at`."""

    kind: ClassVar[str] = "action.approved"
    plan: str
    digest: str
    expires_at: datetime


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """A person said no to a plan."""

    kind: ClassVar[str] = "action.rejected"
    plan: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class RunStarted:
    """A plan began to run on `node`. From here on a death of the process leaves its outcome unknown."""

    kind: ClassVar[str] = "action.run_started"
    plan: str
    node: str
    undo: bool = False


@dataclass(frozen=True, kw_only=True)
class RunOutput:
    """A few lines that a running step printed, redacted."""

    kind: ClassVar[str] = "action.run_output"
    plan: str
    step: int
    text: str


@dataclass(frozen=True, kw_only=True)
class RunFinished:
    """A plan's run ended; `code` 0 is success."""

    kind: ClassVar[str] = "action.run_finished"
    plan: str
    code: int
    took_s: float
    detail: str = ""
    undo: bool = False


@dataclass(frozen=True, kw_only=True)
class RunOutcomeUnknown:
    """The node that ran the plan died; a person has to look what happened. It is never run again by itself."""

    kind: ClassVar[str] = "action.run_outcome_unknown"
    plan: str
    detail: str


@dataclass(frozen=True, kw_only=True)
class EffectChecked:
    """What the plan did to its expectation: `helped`, `no_effect` or `worse`."""

    kind: ClassVar[str] = "action.effect_checked"
    plan: str
    verdict: str
    summary: str
    before: float | None = None
    after: float | None = None


@dataclass(frozen=True, kw_only=True)
class VerificationStarted:
    """The recovery began to be watched: every check must hold for `window_s` seconds without a break.

    `shortened` says that the window is shorter than the severity's own, and why.
    """

    kind: ClassVar[str] = "verification.started"
    window_s: float
    checks: tuple[str, ...]
    shortened: str = ""


@dataclass(frozen=True, kw_only=True)
class VerificationRelapsed:
    """A check did not hold: the wait starts again."""

    kind: ClassVar[str] = "verification.relapsed"
    check: str
    summary: str


@dataclass(frozen=True, kw_only=True)
class VerificationPassed:
    """Every check held for the whole window."""

    kind: ClassVar[str] = "verification.passed"
    window_s: float
    summary: str


@dataclass(frozen=True, kw_only=True)
class MessageOwed:
    """A message to an audience was put on its way; its delivery's attempts are on record under `delivery`."""

    kind: ClassVar[str] = "comms.message_owed"
    delivery: str
    channel: str
    audience: str
    purpose: str
    text: str
    next_update_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class MessageEnded:
    """A delivery reached its end: `sent`, `failed` or `unknown`, in the provider's words."""

    kind: ClassVar[str] = "comms.message_ended"
    delivery: str
    state: str
    attempts: int
    detail: str = ""


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


@dataclass(frozen=True, kw_only=True)
class PostmortemScheduled:
    """The post-mortem is due."""

    kind: ClassVar[str] = "postmortem.scheduled"
    due_at: datetime


@dataclass(frozen=True, kw_only=True)
class PostmortemDrafted:
    """A version of the post-mortem was written, in Markdown; by Stanch from the log, or by a person."""

    kind: ClassVar[str] = "postmortem.drafted"
    revision: int
    markdown: str


@dataclass(frozen=True, kw_only=True)
class PostmortemPublished:
    """A version of the post-mortem was published."""

    kind: ClassVar[str] = "postmortem.published"
    revision: int


IncidentEvent: TypeAlias = (
    Declared
    | AlertAttached
    | AlertEnded
    | SymptomSeen
    | Acknowledged
    | StatusChanged
    | SeverityChanged
    | RoleAssigned
    | NoteAdded
    | ImpactMeasured
    | TargetMissed
    | InvestigationStarted
    | FindingRecorded
    | ChangesRanked
    | HypothesesRanked
    | MitigationProposed
    | DryRunFinished
    | Approved
    | Rejected
    | RunStarted
    | RunOutput
    | RunFinished
    | RunOutcomeUnknown
    | EffectChecked
    | VerificationStarted
    | VerificationRelapsed
    | VerificationPassed
    | MessageOwed
    | MessageEnded
    | Resolved
    | Reopened
    | Dismissed
    | PostmortemScheduled
    | PostmortemDrafted
    | PostmortemPublished
)

EVENT_TYPES: Final[dict[str, type[IncidentEvent]]] = {kind.kind: kind for kind in IncidentEvent.__args__}


def new_event(record: IncidentEvent, *, at: datetime | None = None) -> NewEvent:
    """Wrap a typed event for the log; `at` is when it happened if that was earlier."""
    return NewEvent(kind=record.kind, data=to_data(record), at=at)


def typed(event: Event) -> IncidentEvent:
    """Return the typed event in an envelope. Raises `Bug` for a kind that is not in `EVENT_TYPES`."""
    kind = EVENT_TYPES.get(event.kind)
    if kind is None:
        raise Bug(f"unknown event kind {event.kind!r} at #{event.seq}")
    return from_data(event.data, kind)


def data_of(record: IncidentEvent) -> dict[str, JSON]:
    """Return the data of a typed event."""
    return to_data(record)


def incident_stream(number: int) -> str:
    """Return the stream of the incident's own events."""
    return f"incident/{number}"


def action_stream(number: int, plan: str) -> str:
    """Return the stream of one plan and its run."""
    return f"action/{number}/{plan}"


def postmortem_stream(number: int) -> str:
    """Return the stream of the write-up."""
    return f"postmortem/{number}"
