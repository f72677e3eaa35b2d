"""Records of on-call: who is reachable how, whose turn it is when, who is paged in which order.

Owns what is configured only. Who is on call at an instant is `stanch.oncall.roster`'s; what is decided while the
product runs (overrides, swaps) is in the store.
"""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
"""Monday first, as `date.weekday()` counts."""

DAY_WORDS: Final = (*WEEKDAYS, "weekday", "weekend", "workday", "holiday")
"""What a restriction may name: `workday` is Monday to Friday without public holidays."""

METHOD_KINDS: Final = ("push", "email", "sms", "voice", "slack", "matrix", "webhook", "apprise", "file")
URGENCIES: Final = ("high", "low", "any")
ROTATIONS: Final = ("hourly", "daily", "weekly", "monthly", "custom")
PERSONS_ZONE: Final = "person"
"""The zone of a restriction that holds in the zone of whoever's turn it is."""


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to reach a person. `id` is its name among theirs; `address` is what the kind needs."""

    id: str
    kind: str
    address: str


@dataclass(frozen=True, kw_only=True)
class NotifyRule:
    """Use `method` so many seconds after the page, for pages of this urgency (`high`, `low` or `any`)."""

    method: str
    after_s: float = 0.0
    urgency: str = "any"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A part of each of `days`: from `start` to `end`, times of day in `zone`.

    No days means every day. An `end` that is not after `start` is on the next day; `end_day` names a later one
    ("fri" 17:00 to "mon" 09:00). `zone` is empty for that of whoever holds the window (layer or schedule), or
    `person` for that of the person whose turn it is.
    """

    days: tuple[str, ...] = ()
    start: str = "00:00"
    end: str = "00:00"
    end_day: str = ""
    zone: str = ""


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A rotation: `people` take turns of `length` units, from `start` (local time) on.

    Hand-over is at `hand_over` o'clock in `zone`, for a weekly rotation on `hand_over_day`; without them as `start`
    says. A `custom` turn lasts `length_s` seconds. Restrictions are the only times in which the layer holds. A layer
    with a `calendar` (path or URL of an iCalendar file) has no rotation: its events say who is on.
    """

    name: str
    people: tuple[str, ...] = ()
    rotation: str = "weekly"
    length: int = 1
    length_s: float = 0.0
    start: datetime | None = None
    end: datetime | None = None
    hand_over: str = ""
    hand_over_day: str = ""
    zone: str = ""
    restrictions: tuple[Window, ...] = ()
    calendar: str = ""


@dataclass(frozen=True, kw_only=True)
class Stint:
    """`person` is on from `start` to `end`, local times of the schedule, whatever the layers say."""

    person: str
    start: datetime
    end: datetime
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class Schedule:
    """Who is on call when. Later layers win over earlier ones, overrides over all.

    `secondary` names the schedule of those who back it up. `max_days` in a row and `rest_hours` between shifts are
    rules for every person in it; 0 switches one off. `holidays` is a country such as `DE` or `DE-BY`, or an
    iCalendar file.
    """

    name: str
    title: str = ""
    team: str = ""
    zone: str = ""
    layers: tuple[Layer, ...] = ()
    secondary: str = ""
    gaps_on_purpose: tuple[Window, ...] = ()
    overrides: tuple[Stint, ...] = ()
    max_days: int = 7
    rest_hours: float = 8.0
    holidays: str = ""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One level: everyone of `targets` is paged, then there are `wait_s` seconds to answer.

    A target is `person:alice`, `schedule:checkout` (who is on), `schedule:checkout/all` or `team:commerce`.
    """

    targets: tuple[str, ...]
    wait_s: float = 300.0


@dataclass(frozen=True, kw_only=True)
class Policy:
    """Who is paged in which order. All steps are gone through 1 + `repeat` times, then `fallback` is paged.

    An acknowledgement after which nothing happens for `stale_after_s` seconds goes stale; 0: never.
    """

    name: str
    title: str = ""
    steps: tuple[Step, ...] = ()
    repeat: int = 1
    fallback: tuple[str, ...] = ()
    stale_after_s: float = 1800.0


@dataclass(frozen=True, kw_only=True)
class SeverityPaging:
    """What a severity changes about paging: `everyone` of the first step's schedules at once, `also` others."""

    severity: str
    everyone: bool = False
    specialist: bool = False
    also: tuple[str, ...] = ()
    policy: str = ""
    urgency: str = "high"


def shipped_severities() -> dict[str, SeverityPaging]:
    """Return the response targets of T2: SEV1 the full rotation, SEV2 primary and a specialist, then primary."""
    return {
        "SEV1": SeverityPaging(severity="SEV1", everyone=True, specialist=True),
        "SEV2": SeverityPaging(severity="SEV2", specialist=True),
        "SEV3": SeverityPaging(severity="SEV3"),
        "SEV4": SeverityPaging(severity="SEV4", urgency="low"),
    }


ALL_TIME_OFF: Final = "all"
"""The word of `time_off` by which every event of a person's calendar that takes time is time off."""

TIME_OFF: Final = (
    "vacation",
    "holiday",
    "annual leave",
    "on leave",
    "parental leave",
    "sick",
    "ooo",
    "out of office",
    "out of the office",
    "time off",
    "days? off",
    "pto",
    "urlaub",
    "elternzeit",
    "krank",
    "loma",
)
"""Words by which an event is time off, in titles and categories."""


@dataclass(frozen=True, kw_only=True)
class OnCall:
    """Everything about on-call that is configured. `policy` is that of services which name none."""

    policy: str = ""
    check_days: int = 90
    time_off: tuple[str, ...] = TIME_OFF
    keep_days: int = 400
    schedules: dict[str, Schedule] = field(default_factory=dict)
    policies: dict[str, Policy] = field(default_factory=dict)
    severities: dict[str, SeverityPaging] = field(default_factory=shipped_severities)
