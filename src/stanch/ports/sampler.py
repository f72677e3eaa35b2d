"""The sampler port: one look of an own check at something, as numbers and log records."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol, runtime_checkable

from stanch.kernel.event import JSON


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One number: `metric` of `service` at an instant (UTC). Ratios are 0..1, latencies milliseconds, sizes bytes.

    `labels` tell apart series of one metric, e.g. `{"target": "acquirer"}`. `note` says in words what is behind the
    number, such as why a check failed; it holds no secret.
    """

    service: str
    metric: str
    value: float
    at: datetime
    labels: tuple[tuple[str, str], ...] = ()
    note: str = ""


@dataclass(frozen=True, kw_only=True)
class ErrorSighting:
    """Occurrences of one error seen in a log: grouped by `fingerprint` within one look."""

    service: str
    fingerprint: str
    title: str
    count: int
    first_at: datetime
    last_at: datetime
    version: str = ""
    culprit: str = ""
    sample: str = ""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What one look saw. `cursor` is handed back at the next look (a file position, the previous counters)."""

    samples: tuple[Sample, ...] = ()
    errors: tuple[ErrorSighting, ...] = ()
    cursor: dict[str, JSON] = field(default_factory=dict)
    trouble: str = ""


class Sampler(Protocol):
    """Looks at one thing. `trouble` in the answer says why nothing could be seen; it does not raise for that.

    A sampler that asks for something answers with the metric `check`: 1 when all is as it must be, 0 with a note when
    it is not; a label `severity` of `warning` marks what is worth knowing only. The series that a rule judges are
    `rule`. Who looks adds the name of the check to both.
    """

    @property
    def kind(self) -> str:
        """Return what this sampler reads, e.g. `openmetrics`."""
        ...

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Look at `target` (a URL or path of `service`) once, within a few seconds."""
        ...


@dataclass(frozen=True, kw_only=True)
class KindOfRequest:
    """Requests that have the same labels, such as route, region and version: how many, and how many of them failed."""

    labels: Mapping[str, str]
    requests: float
    failed: float


@runtime_checkable
class TellingSampler(Sampler, Protocol):
    """What a sampler may do besides: tell requests apart by their labels."""

    def kinds_since(self, target: str, start: datetime) -> tuple[KindOfRequest, ...]:
        """Return the requests that `target` counted since `start` (UTC); empty where that is not known."""
        ...
