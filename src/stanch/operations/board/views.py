"""What reads about alerts answer with. All instants are UTC."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stanch.operations.silencing import SilenceView


class AlertState(StrEnum):
    """Where an alert stands: it fires, it fires and something keeps it quiet, or it is over."""

    FIRING = "firing"
    SUPPRESSED = "suppressed"
    RESOLVED = "resolved"


@dataclass(frozen=True, kw_only=True)
class AlertRow:
    """An alert on a list. `quiet` says in words what keeps it quiet now, one entry for each thing that does.

    `starts_at` is the start of its last episode, `ended_at` None while it fires.
    """

    id: str
    state: AlertState
    name: str
    title: str
    service: str
    source: str
    severity: str
    labels: Mapping[str, str]
    starts_at: datetime
    ended_at: datetime | None
    url: str
    quiet: tuple[str, ...] = ()
    silenced_by: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class AlertCounts:
    """How many alerts fire, by severity (the empty text: none given). `capped` when there are more than counted."""

    firing: int
    by_severity: Mapping[str, int]
    capped: bool = False


@dataclass(frozen=True, kw_only=True)
class AlertPage:
    """Part of the list. `next` is `after` of the part that follows, empty at the end.

    `searched_to` is set where a rare thing was looked for and this part holds all there is since then.
    """

    alerts: tuple[AlertRow, ...]
    next: str
    counts: AlertCounts
    searched_to: datetime | None = None
    services: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Transition:
    """Something that happened to an alert, in words."""

    at: datetime
    what: str
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What one thing that might have told somebody did, and why: a group's integration, or a rule."""

    what: str
    why: str
    at: datetime | None = None
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class GroupRow:
    """Alerts of one route that are notified about together. `due_at` is when it is next looked at.

    `matchers` finds its alerts; `outcomes` is what each integration of the receiver was last told, or why nothing.
    """

    id: int
    receiver: str
    labels: Mapping[str, str]
    matchers: str
    firing: int
    ended: int
    created_at: datetime
    due_at: datetime
    flushed_at: datetime | None
    outcomes: tuple[Outcome, ...] = ()


@dataclass(frozen=True, kw_only=True)
class GroupPage:
    """Part of the groups, the newest first; `next` is `after` of the part that follows, 0 at the end."""

    groups: tuple[GroupRow, ...]
    next: int = 0


@dataclass(frozen=True, kw_only=True)
class Notice:
    """A notification that told of the alert, and how its delivery stands."""

    at: datetime
    receiver: str
    integration: str
    why: str
    state: str
    detail: str
    told: str


@dataclass(frozen=True, kw_only=True)
class IncidentLink:
    """The incident that an alert is part of."""

    number: int
    key: str
    title: str
    status: str
    url: str


@dataclass(frozen=True, kw_only=True)
class AlertView:
    """One alert with everything that became of it. `fingerprint` is what Prometheus and amtool know it by."""

    alert: AlertRow
    annotations: Mapping[str, str]
    link: str
    fingerprint: str
    first_seen: datetime
    updated_at: datetime
    openings: int
    history: tuple[Transition, ...]
    outcomes: tuple[Outcome, ...]
    groups: tuple[GroupRow, ...] = ()
    silences: tuple[SilenceView, ...] = ()
    notices: tuple[Notice, ...] = ()
    incidents: tuple[IncidentLink, ...] = ()
    similar: tuple[AlertRow, ...] = field(default=())
