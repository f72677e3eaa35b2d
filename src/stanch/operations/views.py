"""What reads answer with: records a surface can show without knowing a rule. All instants are UTC, all ratios 0..1."""

from dataclasses import dataclass, field
from datetime import datetime

from stanch.diagnose.tracked import TroubleSeen
from stanch.diagnose.triage import Answer
from stanch.incidents.checklist import ChecklistItem
from stanch.incidents.clocks import ResponseClock
from stanch.incidents.events import EffectChecked, MitigationProposed, RankedChange
from stanch.incidents.looking import NextCommand
from stanch.incidents.model import Hypothesis, Impact, NearestChange, PrimaryError, Reading
from stanch.incidents.state import Action, Verification
from stanch.operations.analyses import Analyses
from stanch.operations.links import Link
from stanch.operations.next_tests import NextTest
from stanch.ports.evidence import Finding


@dataclass(frozen=True, kw_only=True)
class ServiceCard:
    """One service as its own checks see it now, beside its normal. None where nothing is measured.

    `state` is `ok`, `degraded`, `down` or `unknown`.
    """

    name: str
    title: str
    state: str
    external: bool
    tier: int
    error_ratio: float | None = None
    normal_error_ratio: float | None = None
    latency_p95_ms: float | None = None
    normal_latency_p95_ms: float | None = None
    request_rate: float | None = None
    version: str = ""
    last_change: str = ""
    last_change_at: datetime | None = None
    seen_at: datetime | None = None
    depends_on: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IncidentCard:
    """An incident on the overview: what is broken, how bad, since when, what changed, what to do first (D5)."""

    number: int
    key: str
    title: str
    severity: str
    status: str
    is_open: bool
    started_at: datetime
    declared_at: datetime
    resolved_at: datetime | None
    age_s: float
    services: tuple[str, ...]
    environment: str
    url: str
    error_ratio: float | None = None
    normal_error_ratio: float | None = None
    latency_p95_ms: float | None = None
    normal_latency_p95_ms: float | None = None
    failed_requests: int = 0
    users: int | None = None
    error: PrimaryError | None = None
    change: NearestChange | None = None
    cause: str = ""
    recommended: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TrackerAsked:
    """How a tracker answered: over which period (UTC), for how many services; `problem` says why it did not.

    `lacking` says what it could not tell: that nothing is seen there does not say that all is well.
    """

    name: str
    where: str
    problem: str = ""
    start: datetime | None = None
    end: datetime | None = None
    services: int = 0
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Overview:
    """What is wrong now. `quiet` is a sentence when nothing is, and says when it was last looked.

    `notices` are sentences on what will not work when it is needed, such as a runbook that has rotted. `seen` is what
    trackers such as Sentry see, `asked` how each answered; empty where they were not asked.
    """

    at: datetime
    incidents: tuple[IncidentCard, ...]
    services: tuple[ServiceCard, ...]
    recent: tuple[IncidentCard, ...] = ()
    quiet: str = ""
    workflow: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    seen: tuple[TroubleSeen, ...] = ()
    asked: tuple[TrackerAsked, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TimelineEntry:
    """One entry of the time line. `late` says that it was recorded after it happened; `text` is plain, untrusted text.

    `tone` is `alert`, `change`, `person`, `action`, `good`, `bad`, `note` or `system`; `source` is the surface.
    """

    seq: int
    at: datetime
    recorded_at: datetime
    kind: str
    title: str
    text: str
    tone: str
    actor: str
    via: str
    late: bool
    url: str


@dataclass(frozen=True, kw_only=True)
class RoleCard:
    """A role, who holds it, and what it must do now."""

    role: str
    title: str
    person: str
    duty: str


@dataclass(frozen=True, kw_only=True)
class MessageCard:
    """A message that was owed, and how its delivery stands."""

    delivery: str
    channel: str
    audience: str
    purpose: str
    text: str
    state: str
    attempts: int
    detail: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class CheckProgress:
    """One thing that must hold for a recovery: in words, what it rests on, what it is now.

    `since` is when it began to hold without a break, None while it does not; `why` says then what is wrong. `now` is
    the figure as people read it, empty where there is none.
    """

    text: str
    because: str
    now: str
    since: datetime | None
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far the recovery has been watched: `held_s` of `window_s` seconds without a break, `left_s` are left.

    `failing` is what does not hold, `pending` what only holds the end up; `checks` are all of the recovery plan.
    """

    verification: Verification
    held_s: float
    holding: bool
    failing: tuple[str, ...] = ()
    pending: tuple[str, ...] = ()
    left_s: float = 0.0
    checks: tuple[CheckProgress, ...] = ()


@dataclass(frozen=True, kw_only=True)
class NextStep:
    """The one thing to do next: the operation with its arguments, in words, and as a command."""

    operation: str
    title: str
    command: str
    arguments: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class ProposableAction:
    """An action that is declared, and may be proposed by hand."""

    service: str
    action: str
    title: str
    risk: str


@dataclass(frozen=True, kw_only=True)
class SeverityCard:
    """The severity with the rule that decided."""

    label: str
    rule: str
    reason: str
    overridden: bool
    team: str


@dataclass(frozen=True, kw_only=True)
class PostmortemCard:
    """The write-up: when it is due, which revision stands, whether it is published, when the meeting on it is (UTC)."""

    due_at: datetime | None
    revision: int
    published: bool
    url: str
    meeting_at: datetime | None = None
    invited: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class IncidentView:
    """Everything the incident's page shows."""

    card: IncidentCard
    summary: str
    source: str
    text: str
    endpoint: str
    symptom: str
    reading: tuple[tuple[str, str], ...]
    channel: str
    severity: SeverityCard
    started_low: datetime | None
    started_high: datetime | None
    acknowledged_at: datetime | None
    acknowledged_by: str
    duration_s: float
    drill: bool
    seq: int
    roles: tuple[RoleCard, ...]
    checklist: tuple[ChecklistItem, ...]
    clocks: tuple[ResponseClock, ...]
    next_update_at: datetime | None
    impact: Impact | None
    readings: tuple[Reading, ...]
    changes: tuple[RankedChange, ...]
    changes_verdict: str
    hypotheses: tuple[Hypothesis, ...]
    cause_known: bool
    diagnosis: str
    next_test: str
    findings: tuple[Finding, ...]
    proposal: MitigationProposed | None
    actions: tuple[Action, ...]
    effect: EffectChecked | None
    progress: Progress | None
    messages: tuple[MessageCard, ...]
    postmortem: PostmortemCard | None
    next_step: NextStep | None
    triage: tuple[Answer, ...] = ()
    tests: tuple[NextTest, ...] = ()
    links: tuple[Link, ...] = ()
    onset: str = ""
    commands: tuple[NextCommand, ...] = ()
    cause: str = ""
    mitigation: str = ""
    forced: str = ""
    proposable: tuple[ProposableAction, ...] = ()
    analyses: Analyses | None = None


@dataclass(frozen=True, kw_only=True)
class SeriesView:
    """One measured series: points of (Unix seconds, value), its normal, and marks to draw on it."""

    service: str
    metric: str
    unit: str
    points: tuple[tuple[float, float], ...]
    normal: float | None
    marks: tuple[tuple[float, str], ...] = ()
