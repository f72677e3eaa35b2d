"""The words of an incident: severity, status, roles, and the small records its events carry."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final


class Severity(IntEnum):
    """How bad it is; 1 is worst."""

    SEV1 = 1
    SEV2 = 2
    SEV3 = 3
    SEV4 = 4

    @property
    def label(self) -> str:
        """Return `SEV1` ... `SEV4`."""
        return self.name


class Status(StrEnum):
    """Where an incident stands in its life."""

    DETECTED = "detected"
    ACKNOWLEDGED = "acknowledged"
    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MITIGATING = "mitigating"
    MONITORING = "monitoring"
    RESOLVED = "resolved"
    CLOSED = "closed"
    DISMISSED = "dismissed"
    MERGED = "merged"

    @property
    def is_open(self) -> bool:
        """Tell whether somebody still has to work on it."""
        return self not in _ENDED


_ENDED = frozenset({Status.RESOLVED, Status.CLOSED, Status.DISMISSED, Status.MERGED})


class Role(StrEnum):
    """Who does what in an incident."""

    COMMANDER = "commander"
    TECHNICAL_LEAD = "technical_lead"
    COMMUNICATIONS_LEAD = "communications_lead"
    SCRIBE = "scribe"
    RESPONDER = "responder"


@dataclass(frozen=True, kw_only=True)
class PrimaryError:
    """The error that stands out: its title, how often it was seen, since when, where, and how it moves.

    `trend` is a value of `stanch.alerts.shape.Shape`; `versions` are the releases it was seen in.
    """

    title: str
    count: int
    first_seen: datetime
    last_seen: datetime
    service: str = ""
    culprit: str = ""
    trend: str = ""
    versions: tuple[str, ...] = ()
    sample: str = ""


@dataclass(frozen=True, kw_only=True)
class NearestChange:
    """The change that lies closest before the onset. `seconds_before` is how long before it, in seconds."""

    id: str
    title: str
    kind: str
    service: str
    version: str
    at: datetime
    seconds_before: float


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A measured value beside what is normal: `checkout error_ratio 0.45, normal 0.002`.

    `low` and `high` are the baseline's band; `unit` is `ratio`, `ms`, `bytes`, `1/s` or empty.
    """

    metric: str
    service: str
    value: float
    unit: str = ""
    normal: float | None = None
    low: float | None = None
    high: float | None = None
    labels: dict[str, str] | None = None


@dataclass(frozen=True, kw_only=True)
class Impact:
    """What the incident does to the outside, measured at `at`.

    Services `down` are failing themselves, `affected` lie upstream of them in the dependency graph, `strained` ones
    run short of something while they still answer. Counts are since
    the onset; `users` is None where nothing tells them. `explained` says what the failures have in common, and `labels`
    the same as label and value; `regions` and `versions` are those with failures. `business_share` is the part of the
    business (0..1) that is lost now, by the catalog's weights, `revenue_per_hour` the same in money where configured.
    """

    at: datetime
    down: tuple[str, ...] = ()
    affected: tuple[str, ...] = ()
    strained: tuple[str, ...] = ()
    error_ratio: float | None = None
    normal_error_ratio: float | None = None
    latency_p95_ms: float | None = None
    normal_latency_p95_ms: float | None = None
    failed_requests: int = 0
    total_requests: int = 0
    users: int | None = None
    data_loss: bool = False
    security: bool = False
    workaround: bool = False
    reports: int = 0
    formula: str = ""
    explained: str = ""
    labels: dict[str, str] | None = None
    regions: tuple[str, ...] = ()
    versions: tuple[str, ...] = ()
    business_share: float | None = None
    revenue_per_hour: float | None = None
    currency: str = ""
    revenue_formula: str = ""

    @property
    def is_measured(self) -> bool:
        """Tell whether anything was seen: where nobody measured, it says nothing of how wide it is."""
        seen = self.down or self.affected or self.strained or self.total_requests or self.failed_requests
        return bool(seen) or any(one is not None for one in (self.error_ratio, self.latency_p95_ms, self.users))


BY_HAND: Final = "by-hand"
"""The name of the rule that a person's word is."""


@dataclass(frozen=True, kw_only=True)
class SeverityRuling:
    """A severity with the rule that decided it, in words a person can check."""

    severity: Severity
    rule: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Hypothesis:
    """A possible cause, scored. `score` is a probability 0..1 among the kinds considered, from added log-odds.

    `target` is the dependency or resource it points at, where that is not the service itself.
    `next_clue` is what has not been looked for and would tell most, `next_look` that in words; both empty when all was.
    `evidence_for` and `evidence_against` cite finding ids with the weight (natural log of the likelihood ratio).
    """

    id: str
    kind: str
    title: str
    score: float
    service: str = ""
    target: str = ""
    change: str = ""
    change_title: str = ""
    version: str = ""
    previous: str = ""
    commit: str = ""
    culprit: str = ""
    log_odds: float = 0.0
    evidence_for: tuple["Citation", ...] = ()
    evidence_against: tuple["Citation", ...] = ()
    next_test: str = ""
    next_command: str = ""
    mitigations: tuple[str, ...] = ()
    next_clue: str = ""
    next_look: str = ""
    judged: "Judged | None" = None
    added_by: str = ""


class Judgement(StrEnum):
    """What a person says of a hypothesis."""

    CONFIRMED = "confirmed"
    REFUTED = "refuted"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """A person's word on a hypothesis: `by` is who said so, `reason` why."""

    judgement: Judgement
    reason: str
    by: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Citation:
    """One finding that speaks for or against: its id, what it says, and its weight in nats."""

    finding: str
    text: str
    weight: float
