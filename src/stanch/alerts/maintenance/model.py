"""Records of maintenance: a window with what it covers and when, and one stretch of time in which it holds."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from stanch.alerts.intake.matchers import Matcher, matches_all, parse_matchers

EVERYTHING: Final = "*"


class Origin(StrEnum):
    """Who put a window: the configuration, or somebody by an operation."""

    FILE = "file"
    OPERATION = "operation"


@dataclass(frozen=True, kw_only=True)
class Window:
    """A maintenance window.

    It covers alerts of `services` (`*` for all), and of these only those that `matchers` match. One-off it holds from
    `starts_at` until just before `ends_at` (UTC). With `rrule` (RFC 5545) it recurs: the first begins at the local
    date-time `first` of `zone`, each lasts `lasts_s`, or until the time of day `until` there.
    """

    name: str
    why: str = ""
    services: tuple[str, ...] = ()
    matchers: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    rrule: str = ""
    first: str = ""
    lasts_s: float = 0.0
    until: str = ""
    zone: str = "UTC"
    origin: Origin = Origin.OPERATION
    created_by: str = ""
    created_via: str = ""
    created_at: datetime | None = None
    ended_by: str = ""
    ended_at: datetime | None = None

    @property
    def parsed(self) -> tuple[Matcher, ...]:
        """Return the matchers. Raises `Invalid`."""
        return parse_matchers(self.matchers) if self.matchers else ()

    def covers(self, service: str, labels: Mapping[str, str]) -> bool:
        """Tell whether an alert of `service` with `labels` is one that is expected while it holds."""
        if self.services and EVERYTHING not in self.services and service not in self.services:
            return False
        return matches_all(self.parsed, labels)


@dataclass(frozen=True, kw_only=True)
class Stretch:
    """One stretch in which a window holds: from `start` until just before `end` (UTC)."""

    start: datetime
    end: datetime


@dataclass(frozen=True, kw_only=True)
class Holding:
    """A window that holds, with its end."""

    window: Window
    end: datetime

    @property
    def words(self) -> str:
        """Return the reason that stands on an alert: `in maintenance db-upgrade until 2026-11-22 04:00 UTC`."""
        why = f" ({self.window.why})" if self.window.why else ""
        return f"in maintenance {self.window.name} until {self.end:%Y-%m-%d %H:%M} UTC{why}"
