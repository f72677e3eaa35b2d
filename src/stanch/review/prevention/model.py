"""The words of prevention: what was measured around an incident, a monitor that is proposed, and a gap."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from stanch.alerts.baseline import Baseline, Floats
from stanch.catalog.checks import Rule


@dataclass(frozen=True, kw_only=True)
class Taken:
    """One series as it is kept: times in seconds since 1970, oldest first, and values.

    `normal` is its baseline from before the onset; `spans` are the times (seconds since 1970) in which an alert of its
    service fired, where a firing is no false alarm. `window_s` is what the check that brings it is judged by, `every_s`
    how often that looks.
    """

    service: str
    measure: str
    times: Floats
    values: Floats
    normal: Baseline | None
    window_s: float
    every_s: float
    labels: Mapping[str, str] = field(default_factory=dict)
    spans: tuple[tuple[float, float], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Course:
    """When the incident was (seconds since 1970): its estimated start at the earliest, when it was first told, its end.

    `by_alert` says that an alert told it first, and not a person.
    """

    onset: float
    told: float
    end: float
    by_alert: bool = True


@dataclass(frozen=True, kw_only=True)
class Monitor:
    """A rule that would have told sooner. Values are in the unit of `rule`, `fired_at` is UTC.

    `normal`, `low` and `high` are what was normal before, over `hours` in which it was measured; `worst` is the
    value that the incident mostly lay at. `false_alarms` counts how often it would have fired in those hours.
    """

    service: str
    rule: Rule
    fired_at: datetime
    earlier_s: float
    normal: float
    low: float
    high: float
    worst: float
    hours: float
    false_alarms: int = 0


class GapKind(StrEnum):
    """What was missing."""

    RUNBOOK = "runbook"
    TEAM = "team"
    SCHEDULE = "schedule"
    ROUTE = "route"
    DEPENDENCY = "dependency"
    CHECK = "check"


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Something that was not there. `source` names what says so: a finding, a table of the configuration, an event.

    `todo` is what is to be done, and `toml` the lines of the configuration that would close it, empty where only a
    person can say them.
    """

    kind: GapKind
    subject: str
    text: str
    source: str
    todo: str
    toml: str = ""
