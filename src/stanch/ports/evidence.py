"""The evidence port: ask something outside, get a finding. Collectors never raise for what they look at."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from stanch.kernel.errors import NotFound, Refused, StanchError
from stanch.kernel.event import JSON


class FindingStatus(StrEnum):
    """How an outside query ended. `no_data` is never "all is well"."""

    OK = "ok"
    NO_DATA = "no_data"
    FAILED = "failed"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: these services, around this onset, in this window (UTC)."""

    incident: int
    services: tuple[str, ...]
    start: datetime
    end: datetime
    onset: datetime
    endpoint: str = ""
    text: str = ""


@dataclass(frozen=True, kw_only=True)
class Signal:
    """One machine-readable fact in a finding, e.g. `error_ratio` of `payments` is 0.46, normally 0.002.

    `name` is a word of `docs/glossary.md`; `normal` is None where no baseline is known; `trend` is the value of
    `stanch.alerts.shape.Shape`.
    """

    name: str
    service: str = ""
    value: float | None = None
    normal: float | None = None
    unit: str = ""
    text: str = ""
    at: datetime | None = None
    trend: str = ""
    data: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One piece of evidence: where it comes from, how to get it again, and what it says in plain language.

    `command` is the exact command or query a person can repeat; `took_s` is in seconds; `data` holds what a chart
    or a table needs and stays below 64 KiB.
    """

    id: str
    collector: str
    source: str
    command: str
    status: FindingStatus
    summary: str
    start: datetime
    end: datetime
    took_s: float = 0.0
    services: tuple[str, ...] = ()
    signals: tuple[Signal, ...] = ()
    data: dict[str, JSON] = field(default_factory=dict)


class Collector(Protocol):
    """Answers a question with findings. Has its own time-out; a failure is a finding with status `failed`."""

    @property
    def name(self) -> str:
        """Return the collector's name, e.g. `git`."""
        ...

    @property
    def timeout_s(self) -> float:
        """Return how many seconds it may take before its caller stops waiting."""
        ...

    def collect(self, question: Question) -> list[Finding]:
        """Answer `question`. May be empty when the question does not concern this collector."""
        ...


def status_of(error: StanchError) -> FindingStatus:
    """Return what a question that ended with `error` is: nothing there, refused, or failed."""
    match error:
        case NotFound():
            return FindingStatus.NO_DATA
        case Refused():
            return FindingStatus.REFUSED
        case _:
            return FindingStatus.FAILED
