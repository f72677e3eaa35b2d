"""Records of alerts: what was measured, what was decided about it and why, and the alert itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Metric(StrEnum):
    """The word list of what is measured; the value is the name a sample carries.

    `REQUESTS`, `FAILED_REQUESTS`, `ERROR_RECORDS` are counts since the last look, ratios are 0..1. `CHECK` is 1 where
    all is as a declared check wants it, and carries its name in the label `probe`; `RULE` is any series that a declared
    rule judges, with its name in the label `rule`. `BLIND` is no sample: it names the alert that says that a check
    cannot see its service.
    """

    UP = "up"
    REQUEST_RATE = "request_rate"
    REQUESTS = "requests"
    FAILED_REQUESTS = "failed_requests"
    ERROR_RATIO = "error_ratio"
    LATENCY_P95_MS = "latency_p95_ms"
    DEPENDENCY_ERROR_RATIO = "dependency_error_ratio"
    DEPENDENCY_LATENCY_P95_MS = "dependency_latency_p95_ms"
    SATURATION = "saturation"
    MEMORY_BYTES = "memory_bytes"
    RESTARTS = "restarts"
    ERROR_RECORDS = "error_records"
    PROBE_LATENCY_MS = "probe_latency_ms"
    BUILD_INFO = "build_info"
    CHECK = "check"
    RULE = "rule"
    BLIND = "blind"


class Unit(StrEnum):
    """What a value is counted in; the value is what `incidents.model.Reading.unit` holds."""

    RATIO = "ratio"
    MILLISECONDS = "ms"
    BYTES = "bytes"
    PER_SECOND = "1/s"
    COUNT = ""


class AlertStatus(StrEnum):
    """Whether it is still so."""

    FIRING = "firing"
    ENDED = "ended"


class Outcome(StrEnum):
    """What one look at a condition led to, and why. "Did nothing" has a reason too."""

    OPENED = "opened"
    REOPENED = "reopened"
    FLAPPING = "flapping"
    STILL_FIRING = "still_firing"
    ENDED = "ended"
    BELOW_THRESHOLD = "below_threshold"
    WITHIN_NORMAL = "within_normal"
    TOO_FEW_SAMPLES = "too_few_samples"
    NO_LONGER_SO = "no_longer_so"
    HELD_TOO_SHORT = "held_too_short"
    WELL_TOO_SHORT = "well_too_short"
    NO_DATA = "no_data"
    EXPLAINED = "explained"

    @property
    def changes(self) -> bool:
        """Tell whether the alert itself is another one afterwards."""
        return self in _CHANGES

    @property
    def opens(self) -> bool:
        """Tell whether the alert was not firing before and is now."""
        return self in (Outcome.OPENED, Outcome.REOPENED, Outcome.FLAPPING)

    @property
    def words(self) -> str:
        """Return the reason as a person reads it."""
        return _WORDS[self]


_CHANGES = frozenset({Outcome.OPENED, Outcome.REOPENED, Outcome.FLAPPING, Outcome.STILL_FIRING, Outcome.ENDED})
_WORDS: Mapping[Outcome, str] = {
    Outcome.OPENED: "it has held long enough: the alert is open",
    Outcome.REOPENED: "it came back soon after it had ended: the same alert is open again",
    Outcome.FLAPPING: "it keeps coming back: the same alert stays open until it has been well for longer",
    Outcome.STILL_FIRING: "it is still so",
    Outcome.ENDED: "it has been well long enough: the alert is over",
    Outcome.BELOW_THRESHOLD: "it is below the threshold",
    Outcome.WITHIN_NORMAL: "it is above the threshold, but that is normal here",
    Outcome.TOO_FEW_SAMPLES: "there is too little to tell it from chance",
    Outcome.NO_LONGER_SO: "it was so within the window, and is not any more",
    Outcome.HELD_TOO_SHORT: "it has not held long enough yet",
    Outcome.WELL_TOO_SHORT: "it is well again, but not for long enough yet",
    Outcome.NO_DATA: "there is nothing to judge",
    Outcome.EXPLAINED: "another alert of the service explains it",
}


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A value beside what is normal and the limit it was held against, all in `unit`.

    `low` and `high` are the baseline's band; `normal`, `low`, `high` are None where too little is known.
    """

    value: float
    unit: Unit = Unit.COUNT
    normal: float | None = None
    low: float | None = None
    high: float | None = None
    limit: float | None = None


@dataclass(frozen=True, kw_only=True)
class Began:
    """When it began (UTC), estimated from the samples, with the interval in which the true start is held to lie."""

    at: datetime
    low: datetime
    high: datetime


@dataclass(frozen=True, kw_only=True)
class Alert:
    """Something that is not as it should be, or was.

    `fingerprint` is the same for the same service, metric and labels; `starts_at` is the estimated onset,
    `detected_at` when it was first told. `failed_requests` and `total_requests` count since the onset. `openings`
    counts how often it came back; `trend` is a value of `shape.Shape`. `title` is what it is about, without figures.
    `quiet` says why it has led to no incident, empty when nothing has kept it from that.
    """

    id: str
    fingerprint: str
    service: str
    metric: Metric
    status: AlertStatus
    measured: Measured
    starts_at: datetime
    starts_low: datetime
    starts_high: datetime
    detected_at: datetime
    updated_at: datetime
    title: str
    summary: str
    labels: Mapping[str, str] = field(default_factory=dict)
    source: str = "check"
    detail: str = ""
    trend: str = ""
    outcome: Outcome = Outcome.OPENED
    failed_requests: int = 0
    total_requests: int = 0
    openings: int = 1
    ended_at: datetime | None = None
    quiet: str = ""

    @property
    def is_firing(self) -> bool:
        """Tell whether it is still so."""
        return self.status is AlertStatus.FIRING

    @property
    def is_warning(self) -> bool:
        """Tell whether it is only worth knowing: it declares nothing and pages nobody."""
        return self.labels.get("severity") == "warning"

    @property
    def value(self) -> float:
        """Return what was measured, in `unit`."""
        return self.measured.value

    @property
    def unit(self) -> str:
        """Return the unit: `ratio`, `ms`, `bytes`, `1/s` or empty."""
        return self.measured.unit.value

    @property
    def normal(self) -> float | None:
        """Return what is normal, None where too little is known."""
        return self.measured.normal

    @property
    def low(self) -> float | None:
        """Return the lower edge of the baseline's band."""
        return self.measured.low

    @property
    def high(self) -> float | None:
        """Return the upper edge of the baseline's band."""
        return self.measured.high


@dataclass(frozen=True, kw_only=True)
class Condition:
    """How one condition stands between two looks: since when it is so (`breached_since`) or well (`well_since`)."""

    service: str
    metric: Metric
    labels: Mapping[str, str]
    at: datetime
    outcome: Outcome
    detail: str
    measured: Measured | None = None
    breached_since: datetime | None = None
    well_since: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class ErrorGroup:
    """One kind of failure seen in the logs of a service.

    `recent` counts since the instant asked for, `before` in the ten minutes before it, `count` over all time, as do
    `first_seen` and `last_seen`. `trend` is a value of `shape.Shape`; `versions` are oldest first.
    """

    service: str
    fingerprint: str
    title: str
    culprit: str
    versions: tuple[str, ...]
    count: int
    first_seen: datetime
    last_seen: datetime
    sample: str
    recent: int = 0
    before: int = 0
    trend: str = ""


@dataclass(frozen=True, kw_only=True)
class Seeing:
    """How a check has been getting on: what it last saw, and since when it sees nothing."""

    check: str
    service: str
    sampler: str
    target: str
    looked_at: datetime
    seen_at: datetime | None
    trouble: str
    troubled_since: datetime | None
    troubles: int
