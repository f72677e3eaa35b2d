"""The tracker port: what a system that collects errors and traces knows about our services, such as Sentry.

It tells what it counted, over which period; what that means (a spike, an outage, whose fault) is judged elsewhere.
Every text in it may have been written by anybody.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from stanch.kernel.event import JSON


@dataclass(frozen=True, kw_only=True)
class Period:
    """A stretch of time that was counted over, [start, end), UTC."""

    start: datetime
    end: datetime

    @property
    def length_s(self) -> float:
        """Return how long it is, in seconds."""
        return (self.end - self.start).total_seconds()


@dataclass(frozen=True, kw_only=True)
class Figure:
    """A number over a period, beside the same over the normal period; None where it is not known.

    `unit` is `ratio` (0..1), `ms`, `1/s`, or what was counted: `events`, `users`, `requests`.
    """

    value: float | None
    unit: str
    period: Period
    normal: float | None = None
    normal_period: Period | None = None


@dataclass(frozen=True, kw_only=True)
class ServiceFigures:
    """What is counted of one service: requests and errors. `project` is what the tracker calls it."""

    service: str
    project: str
    requests: Figure
    error_ratio: Figure
    failed: Figure
    latency_p95: Figure
    errors: Figure
    users: Figure


@dataclass(frozen=True, kw_only=True)
class Suspect:
    """A commit that may have brought an error in, as the tracker suspects; `why` is how it came to that."""

    commit: str
    author: str
    title: str
    at: datetime | None = None
    url: str = ""
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class TrackedIssue:
    """An error with all its events. `events` and `users` are of `period`; `buckets` are (Unix seconds, events) of it.

    `first_seen` is the first time ever. `events_before` is of `normal_period`, None where nobody asked. What stands in
    the last six is looked up for a few issues, and empty for the others.
    """

    id: str
    key: str
    title: str
    service: str
    project: str
    kind: str
    level: str
    status: str
    priority: str
    period: Period
    events: int
    users: int
    culprit: str = ""
    assigned: str = ""
    url: str = ""
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    buckets: tuple[tuple[float, float], ...] = ()
    events_before: int | None = None
    normal_period: Period | None = None
    at: str = ""
    sample: str = ""
    releases: tuple[str, ...] = ()
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict)
    suspects: tuple[Suspect, ...] = ()
    trace: str = ""


@dataclass(frozen=True, kw_only=True)
class TrackedRelease:
    """A release. `deployed_at` is None for one that nobody said was deployed; `health` is over `period` of the answer.

    `crash_free` is the share (0..1) of sessions that did not crash, None where no sessions are sent.
    """

    version: str
    service: str
    created_at: datetime | None
    deployed_at: datetime | None = None
    environment: str = ""
    commit: str = ""
    author: str = ""
    url: str = ""
    new_issues: int = 0
    commits: int = 0
    sessions: int | None = None
    crash_free: float | None = None
    period: Period | None = None


@dataclass(frozen=True, kw_only=True)
class TrackedStep:
    """One kind of step of a service's requests, with its 95th percentile beside normal and how often it was sampled."""

    service: str
    name: str
    latency_p95: Figure
    count: Figure
    slower: bool


@dataclass(frozen=True, kw_only=True)
class TrackedAlert:
    """A rule of the tracker that is firing. `severity` is its own word: `critical` or `warning`."""

    id: str
    title: str
    services: tuple[str, ...]
    severity: str
    started_at: datetime | None
    measures: str = ""
    url: str = ""


@dataclass(frozen=True, kw_only=True)
class Team:
    """A team as the tracker knows it."""

    slug: str
    name: str
    members: int | None = None
    projects: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How everything stands now. `lacking` says in words what could not be told, and why; an empty list is not well."""

    recent: Period
    normal: Period
    services: tuple[ServiceFigures, ...] = ()
    issues: tuple[TrackedIssue, ...] = ()
    releases: tuple[TrackedRelease, ...] = ()
    alerts: tuple[TrackedAlert, ...] = ()
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Table:
    """Rows of a free query. `cut` says that there may be more; `series` are (Unix seconds, value) by name."""

    period: Period
    command: str
    rows: tuple[dict[str, JSON], ...] = ()
    series: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    cut: bool = False


@dataclass(frozen=True, kw_only=True)
class FreeQuery:
    """A free query in the tracker's own language. With `every_s` a series of the only field is asked for, else rows."""

    dataset: str
    text: str
    fields: tuple[str, ...]
    service: str = ""
    sort: str = ""
    most_rows: int = 20
    every_s: int = 0


@dataclass(frozen=True, kw_only=True)
class Connection:
    """How the tracker is connected: `how` in words, what it may, what it would need and may not. Never a token."""

    where: str
    how: str
    organization: str
    user: str = ""
    scopes: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    expires_at: datetime | None = None
    region: str = ""


class Tracker(Protocol):
    """A system that collects errors and traces. All raise `Refused`, `NotFound` and `Unavailable` with the reason."""

    @property
    def name(self) -> str:
        """Return its name in the configuration, e.g. `sentry`."""
        ...

    @property
    def where(self) -> str:
        """Return where it is, as people may see it."""
        ...

    @property
    def environment(self) -> str:
        """Return the environment that it is asked about, empty for all."""
        ...

    def connection(self) -> Connection:
        """Return how it is connected. Asks it."""
        ...

    def standing(self, *, now: datetime) -> Standing:
        """Return how everything stands; what cannot be told stands in `lacking`."""
        ...

    def errors(self, *, service: str, period: Period, issue: str = "") -> tuple[TrackedIssue, ...]:
        """Return the errors of a service, or one by its key or number, those looked up with all that is known."""
        ...

    def releases(self, *, service: str, period: Period) -> tuple[TrackedRelease, ...]:
        """Return the releases of a service, the newest first, with their health over `period`."""
        ...

    def steps(self, *, service: str, period: Period, normal: Period) -> tuple[TrackedStep, ...]:
        """Return the steps of a service's requests, those that cost most time beyond normal first."""
        ...

    def query(self, query: FreeQuery, *, period: Period) -> Table:
        """Answer a free query."""
        ...

    def teams(self) -> tuple[Team, ...]:
        """Return the teams there are."""
        ...
