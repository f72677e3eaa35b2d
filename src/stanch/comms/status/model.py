"""Records of the status page: components with their states and history, incidents with their updates, maintenance."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum


class ComponentState(StrEnum):
    """How a component is, from well to worst; the values are those of Statuspage's v2."""

    OPERATIONAL = "operational"
    MAINTENANCE = "under_maintenance"
    DEGRADED = "degraded_performance"
    PARTIAL = "partial_outage"
    MAJOR = "major_outage"

    @property
    def rank(self) -> int:
        """Return 0 for well, more for worse."""
        return list(ComponentState).index(self)

    @property
    def label(self) -> str:
        """Return the words that people read."""
        return _LABELS[self]

    @property
    def is_down(self) -> bool:
        """Tell whether time in this state counts as an outage."""
        return self in (ComponentState.PARTIAL, ComponentState.MAJOR)


_LABELS = {
    ComponentState.OPERATIONAL: "Operational",
    ComponentState.MAINTENANCE: "Maintenance",
    ComponentState.DEGRADED: "Degraded",
    ComponentState.PARTIAL: "Partial outage",
    ComponentState.MAJOR: "Major outage",
}


class Stage(StrEnum):
    """Where the work on an incident stands, as the public is told."""

    INVESTIGATING = "investigating"
    IDENTIFIED = "identified"
    MONITORING = "monitoring"
    RESOLVED = "resolved"


class Outcome(StrEnum):
    """What became of an update that was made ready."""

    WAITING = "waiting"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"


@dataclass(frozen=True, kw_only=True)
class Update:
    """An update of an incident on the page. `at` is when it was published, else when it was made ready (UTC)."""

    incident: int
    number: int
    stage: Stage
    title: str
    text: str
    severity: str
    components: Mapping[str, ComponentState]
    started_at: datetime
    at: datetime
    digest: str = ""
    outcome: Outcome = Outcome.PUBLISHED
    by: str = ""


@dataclass(frozen=True, kw_only=True)
class Span:
    """A time in which a component was in a state that is not well; `end` is None while it lasts."""

    component: str
    state: ComponentState
    start: datetime
    end: datetime | None
    incident: int = 0


@dataclass(frozen=True, kw_only=True)
class Day:
    """One day (UTC) of a component: its worst state, None where nothing is known, and its seconds in each bad one."""

    date: date
    state: ComponentState | None
    down_s: float = 0.0
    degraded_s: float = 0.0
    maintenance_s: float = 0.0

    @property
    def has_trouble(self) -> bool:
        """Tell whether something was wrong: work that was planned is not."""
        return self.state not in (None, ComponentState.OPERATIONAL, ComponentState.MAINTENANCE)


@dataclass(frozen=True, kw_only=True)
class Component:
    """A component now and in the last days, the oldest first. `uptime` is the share of known time without an outage."""

    key: str
    title: str
    group: str
    description: str
    state: ComponentState
    days: tuple[Day, ...] = ()
    uptime: float | None = None


@dataclass(frozen=True, kw_only=True)
class Incident:
    """An incident as the page tells of it, its updates the newest first."""

    number: int
    title: str
    severity: str
    started_at: datetime
    resolved_at: datetime | None
    updates: tuple[Update, ...]

    @property
    def stage(self) -> Stage:
        """Return where it stands."""
        return self.updates[0].stage

    @property
    def is_open(self) -> bool:
        """Tell whether it goes on."""
        return self.resolved_at is None


@dataclass(frozen=True, kw_only=True)
class Maintenance:
    """One stretch of a maintenance window: what is done, to which components, from when till when (UTC)."""

    id: str
    title: str
    text: str
    components: tuple[str, ...]
    start: datetime
    end: datetime

    def holds(self, now: datetime) -> bool:
        """Tell whether it is under way."""
        return self.start <= now < self.end


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A component that a page shows: the service, what it is called there, and under which heading."""

    key: str
    title: str
    group: str = ""
    description: str = ""


@dataclass(frozen=True, kw_only=True)
class Page:
    """All that a status page says at `now`; incidents newest first. `changed_at` is when something changed last, `zone`
    the IANA name of the time zone that instants are shown in, beside UTC."""

    title: str
    url: str
    zone: str
    now: datetime
    changed_at: datetime
    components: tuple[Component, ...]
    incidents: tuple[Incident, ...] = ()
    maintenance: tuple[Maintenance, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)

    @property
    def open_incidents(self) -> tuple[Incident, ...]:
        """Return those that go on."""
        return tuple(one for one in self.incidents if one.is_open)

    @property
    def worst(self) -> ComponentState:
        """Return the worst state of any component."""
        return max((one.state for one in self.components), key=lambda one: one.rank, default=ComponentState.OPERATIONAL)
