"""Records of own checks: what a check looks at, and the rules by which its series are alerts."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import msgspec

from stanch.kernel.event import JSON

CRITICAL: Final = "critical"
WARNING: Final = "warning"
SEVERITIES: Final = (CRITICAL, WARNING)
"""A critical alert is an incident; a warning is shown, and declares nothing."""

OVERS: Final = ("median", "mean", "max", "min", "last", "sum")


MEASURES: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "error_ratio": (("openmetrics",), "ratio"),
    "latency_p95_ms": (("openmetrics",), "ms"),
    "request_rate": (("openmetrics",), "1/s"),
    "dependency_error_ratio": (("openmetrics",), "ratio"),
    "dependency_latency_p95_ms": (("openmetrics",), "ms"),
    "saturation": (("openmetrics",), "ratio"),
    "memory_bytes": (("openmetrics",), "bytes"),
    "probe_latency_ms": (("http", "tcp"), "ms"),
    "error_records": (("jsonlog",), ""),
}
"""What a rule may judge of what Stanch measures itself: the samplers that bring it, and its unit."""


def brings(sampler: str, measure: str, *, settings: object) -> bool:
    """Tell whether a check brings a measure; a probe with assertions (`settings`) tells about what it asserts."""
    return measure in MEASURES and sampler in MEASURES[measure][0] and (sampler not in ("http", "tcp") or not settings)


@dataclass(frozen=True, kw_only=True)
class Rule:
    """When the series of a rule are an alert, each on its own.

    `metric` is a series of the service's metrics page, `measure` one that Stanch measures itself (of `MEASURES`).
    Above `above`, or below `below`; with `factor` also that many times normal (above), or that part of it (below).
    Without any of the three it is an alert as long as there is such a series. `over` says what the window is judged by.
    """

    name: str
    metric: str = ""
    measure: str = ""
    labels: dict[str, str] = field(default_factory=dict)
    keep: tuple[str, ...] = ()
    rate: bool = False
    above: float | None = None
    below: float | None = None
    factor: float | None = None
    over: str = "median"
    window_s: float | None = None
    for_s: float | None = None
    severity: str = CRITICAL
    unit: str = ""
    title: str = ""

    @property
    def has_limit(self) -> bool:
        """Tell whether values decide, and not the mere presence of a series."""
        return self.above is not None or self.below is not None or self.factor is not None


@dataclass(frozen=True, kw_only=True)
class Check:
    """One own check of a service. `sampler` names what reads it, `target` is a URL, a path, a host or a name.

    `looks` is how many in a row must fail; `timeout_s` of None is the sampler's own. `settings` are what the sampler is
    made with, a record of `ports.checks` as data; `rules` are those its series are judged by.
    """

    sampler: str
    target: str
    every_s: float
    name: str = ""
    severity: str = CRITICAL
    looks: int = 2
    timeout_s: float | None = None
    settings: dict[str, JSON] = field(default_factory=dict)
    rules: tuple[Rule, ...] = ()

    @property
    def reader(self) -> str:
        """Return what the sampler is known by: its kind, and a digest of its settings where it has any."""
        if not self.settings and self.timeout_s is None:
            return self.sampler
        told = msgspec.json.encode([self.settings, self.timeout_s], order="sorted")
        return f"{self.sampler}#{hashlib.blake2b(told, digest_size=6).hexdigest()}"
