"""What is known of an incident: what its events add up to. How they do is `folding`'s."""

from dataclasses import dataclass, field
from datetime import datetime

from stanch.incidents import events as ev
from stanch.incidents.model import (
    Hypothesis,
    Impact,
    Judged,
    NearestChange,
    PrimaryError,
    Role,
    SeverityRuling,
    Status,
)
from stanch.incidents.standing import (
    Action,
    ActionState,
    AddedHypothesis,
    Approval,
    AskedTest,
    AttachedAlert,
    Verification,
)
from stanch.kernel.actor import Actor
from stanch.ports.evidence import Finding

__all__ = [
    "Action",
    "ActionState",
    "AddedHypothesis",
    "Approval",
    "AskedTest",
    "AttachedAlert",
    "IncidentState",
    "Verification",
]


@dataclass(frozen=True, kw_only=True)
class IncidentState:
    """An incident as its log says it is. `seq` is the newest event folded in, `version` its own stream's."""

    number: int
    title: str
    summary: str
    source: str
    status: Status
    ruling: SeverityRuling
    services: tuple[str, ...]
    declared_at: datetime
    started_at: datetime
    channel: str
    seq: int
    version: int
    started_low: datetime | None = None
    started_high: datetime | None = None
    environment: str = ""
    endpoint: str = ""
    symptom: str = ""
    text: str = ""
    reading: tuple[tuple[str, str], ...] = ()
    drill: bool = False
    severity_overridden: bool = False
    acknowledged_at: datetime | None = None
    acknowledged_by: Actor | None = None
    resolved_at: datetime | None = None
    resolution: ev.Resolved | None = None
    roles: dict[Role, str] = field(default_factory=dict)
    alerts: dict[str, AttachedAlert] = field(default_factory=dict)
    error: PrimaryError | None = None
    change: NearestChange | None = None
    impact: Impact | None = None
    impacts: tuple[Impact, ...] = ()
    round: int = 0
    findings: dict[str, Finding] = field(default_factory=dict)
    changes: ev.ChangesRanked | None = None
    hypotheses: tuple[Hypothesis, ...] = ()
    cause_known: bool = False
    diagnosis: ev.HypothesesRanked | None = None
    onset: ev.OnsetEstimated | None = None
    added: dict[str, AddedHypothesis] = field(default_factory=dict)
    judged: dict[str, Judged] = field(default_factory=dict)
    tests: dict[str, AskedTest] = field(default_factory=dict)
    proposal: ev.MitigationProposed | None = None
    actions: dict[str, Action] = field(default_factory=dict)
    runbook_checks: dict[tuple[str, int], ev.RunbookChecked] = field(default_factory=dict)
    verification: Verification | None = None
    messages: dict[str, ev.MessageOwed] = field(default_factory=dict)
    message_ends: dict[str, ev.MessageEnded] = field(default_factory=dict)
    next_update_at: datetime | None = None
    missed_targets: tuple[str, ...] = ()
    postmortem_due_at: datetime | None = None
    meeting: ev.MeetingSet | None = None
    postmortem: ev.PostmortemDrafted | None = None
    postmortem_by: Actor | None = None
    reviews: dict[str, ev.PostmortemReviewed] = field(default_factory=dict)
    published: int = 0
    automatic_stopped: str = ""

    @property
    def key(self) -> str:
        """Return the name people use, `INC-42`."""
        return f"INC-{self.number}"

    @property
    def known_cause(self) -> Hypothesis | None:
        """Return the hypothesis that leads, None while the cause is not known."""
        return self.hypotheses[0] if self.cause_known and self.hypotheses else None

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to work on it."""
        return self.status.is_open
