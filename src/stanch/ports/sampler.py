"""The sampler port: one look of an own check at something, as numbers and log records."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from stanch.kernel.event import JSON


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One number: `metric` of `service` at an instant (UTC). Ratios are 0..1, latencies milliseconds, sizes bytes.

    `labels` tell apart series of one metric, e.g. `{"target": "acquirer"}`.
    """

    service: str
    metric: str
    value: float
    at: datetime
    labels: tuple[tuple[str, str], ...] = ()


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
    """Looks at one thing. `trouble` in the answer says why nothing could be seen; it does not raise for that."""

    @property
    def kind(self) -> str:
        """Return what this sampler reads, e.g. `openmetrics`."""
        ...

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """Look at `target` (a URL or path of `service`) once, within a few seconds."""
        ...
