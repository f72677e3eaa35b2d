"""The migration port: what another on-call tool's export says, in words of ours, and what could not be said in them.

Names are ours already (`alice`, `checkout`), made unique; local times are texts such as `2026-01-05T09:00`.
"""

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, TypeAlias

Raw: TypeAlias = Mapping[str, object]
"""A JSON object of the export."""


@dataclass(frozen=True, kw_only=True)
class MovedPerson:
    """Somebody. `methods` are (name, kind, address), `rules` (name of a method, seconds after the page, urgency)."""

    name: str
    title: str
    email: str = ""
    zone: str = ""
    teams: tuple[str, ...] = ()
    methods: tuple[tuple[str, str, str], ...] = ()
    rules: tuple[tuple[str, float, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class MovedWindow:
    """A part of each of `days`; as `restrictions` of the configuration."""

    days: tuple[str, ...] = ()
    start: str = "00:00"
    end: str = "00:00"
    end_day: str = ""


@dataclass(frozen=True, kw_only=True)
class MovedLayer:
    """A rotation, or a calendar; as `layers` of the configuration, the later one wins."""

    name: str
    people: tuple[str, ...] = ()
    rotation: str = "weekly"
    length: int = 1
    length_s: int = 0
    start: str = ""
    end: str = ""
    hand_over: str = ""
    hand_over_day: str = ""
    zone: str = ""
    restrictions: tuple[MovedWindow, ...] = ()
    calendar: str = ""


@dataclass(frozen=True, kw_only=True)
class MovedStint:
    """An override, in local times of the schedule."""

    person: str
    start: str
    end: str
    why: str = ""


@dataclass(frozen=True, kw_only=True)
class MovedSchedule:
    """A schedule."""

    name: str
    title: str
    zone: str = ""
    team: str = ""
    layers: tuple[MovedLayer, ...] = ()
    overrides: tuple[MovedStint, ...] = ()


@dataclass(frozen=True, kw_only=True)
class MovedPolicy:
    """An escalation policy: `steps` are (targets, seconds to wait)."""

    name: str
    title: str
    steps: tuple[tuple[tuple[str, ...], float], ...] = ()
    repeat: int = 0


@dataclass(frozen=True, kw_only=True)
class MovedService:
    """A service with its policy."""

    name: str
    title: str
    description: str = ""
    team: str = ""
    policy: str = ""


@dataclass(frozen=True, kw_only=True)
class Missed:
    """Something that was not carried over, or otherwise than it was: where it stood, what, and why."""

    where: str
    what: str
    why: str


@dataclass(frozen=True, kw_only=True)
class Moved:
    """All of an export."""

    people: tuple[MovedPerson, ...] = ()
    schedules: tuple[MovedSchedule, ...] = ()
    policies: tuple[MovedPolicy, ...] = ()
    services: tuple[MovedService, ...] = ()
    missed: tuple[Missed, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OnCallThere:
    """Who the other tool had on call for a schedule. `who` and `schedule` hold every name it is known by there."""

    schedule: tuple[str, ...]
    who: tuple[str, ...]
    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class PagedThere:
    """Whom the other tool paged about a service, and when."""

    service: tuple[str, ...]
    who: tuple[str, ...]
    at: datetime
    about: str = ""


class OtherTool(Protocol):
    """Reads the exports of one tool: its objects by kind (`users`, `schedules` ...), as its API answers them."""

    name: str

    def moved(self, export: Mapping[str, Sequence[Raw]], *, now: datetime) -> Moved:
        """Return the configuration in our words."""
        ...

    def log(self, export: Mapping[str, Sequence[Raw]]) -> tuple[tuple[OnCallThere, ...], tuple[PagedThere, ...]]:
        """Return who was on call and who was paged."""
        ...


@dataclass
class Names:
    """Gives names that our configuration takes, each once; the same key has the same name."""

    taken: dict[str, str] = field(default_factory=dict)

    def give(self, key: str, *wanted: str) -> str:
        """Return the name for `key`, made of the first of `wanted` that has letters."""
        if key in self.taken:
            return self.taken[key]
        base = next((slug for one in wanted if (slug := slug_of(one))), "unnamed")[:56]
        name, number = base, 2
        while name in self.taken.values():
            name, number = f"{base}-{number}", number + 1
        self.taken[key] = name
        return name

    def get(self, key: str) -> str:
        """Return the name that was given to `key`, empty when none was."""
        return self.taken.get(key, "")


def slug_of(text: str) -> str:
    """Return a text in lower case letters, digits, dots and dashes: `Päivystys (yö)` is `paivystys-yo`."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9.]+", "-", plain).strip("-.")


def text_in(record: Raw, *names: str) -> str:
    """Return the first of these fields that is a text or a number and not empty."""
    for name in names:
        value = record.get(name)
        if isinstance(value, str | int | float) and not isinstance(value, bool) and str(value).strip():
            return str(value).strip()
    return ""


def number_in(record: Raw, name: str, default: float = 0) -> float:
    """Return a number field; `default` where there is none."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def record_in(record: Raw, name: str) -> Raw:
    """Return an object field, an empty one where there is none."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def records_in(record: Raw, name: str) -> list[Raw]:
    """Return the objects of a list field."""
    value = record.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts_in(record: Raw, name: str) -> list[str]:
    """Return the texts of a list field."""
    value = record.get(name)
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
