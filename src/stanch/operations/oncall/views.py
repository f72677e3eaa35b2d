"""What questions about on-call are answered with. All instants are UTC; `zone` says on which clock people read them."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class Turn:
    """Somebody's shift. `why` is empty for an ordinary turn; `zone` is the person's own."""

    schedule: str
    person: str
    name: str
    zone: str
    start: datetime
    end: datetime
    layer: str
    why: str = ""
    override: str = ""


@dataclass(frozen=True, kw_only=True)
class ScheduleCard:
    """A schedule: who is on, who backs them up, who is next. None where nobody is."""

    schedule: str
    title: str
    team: str
    zone: str
    now: Turn | None
    next: Turn | None
    secondary: Turn | None
    services: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class LevelCard:
    """One level of an escalation: when it is reached, whom it means then."""

    number: int
    after_s: float
    targets: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class ServiceAnswer:
    """Who would be paged about a service, level by level. `reason` says why nobody would be."""

    service: str
    severity: str
    policy: str
    levels: tuple[LevelCard, ...] = ()
    fallback: tuple[str, ...] = ()
    reason: str = ""


@dataclass(frozen=True, kw_only=True)
class OnCallAnswer:
    """Who is on call at an instant; `problems` are calendars that could not be read."""

    at: datetime
    schedules: tuple[ScheduleCard, ...]
    services: tuple[ServiceAnswer, ...] = ()
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Handover:
    """A change of who is on call at `at`."""

    at: datetime
    schedule: str
    before: str
    turn: Turn | None


@dataclass(frozen=True, kw_only=True)
class BrokenRule:
    """A rule that does not hold from `start` to `end`, in words."""

    schedule: str
    rule: str
    person: str
    start: datetime
    end: datetime
    message: str


@dataclass(frozen=True, kw_only=True)
class Gap:
    """A time in which nobody is on call."""

    schedule: str
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """The shifts from `start` to `end`, in order, with what is wrong with them."""

    start: datetime
    end: datetime
    zone: str
    turns: tuple[Turn, ...]
    gaps: tuple[Gap, ...]
    broken: tuple[BrokenRule, ...]
    problems: tuple[str, ...] = ()
