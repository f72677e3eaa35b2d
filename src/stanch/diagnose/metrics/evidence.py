"""What can be held against a service: one record per finding, its kind, and how kinds are made comparable. Pure."""

import math
from dataclasses import dataclass
from enum import Enum


class EvidenceKind(Enum):
    """A way in which metrics or logs point at a service; the value is how it is named to a person."""

    CPU = "CPU or saturation"
    MEMORY = "memory"
    LATENCY = "slow by itself"
    FAILURES = "fails by itself"
    NETWORK = "slow on the way there"
    LOGS = "log lines changed"
    CALLS_VANISHED = "stopped calling others"
    FAILS_FAST = "answers faster, and its callers give up"


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """One finding against one service.

    `strength` is comparable across kinds (see `strength_of`). `subject` is the metric, call or log template.
    `deviation` is in the kind's own unit, `before` and `after` in the series' own; NaN where there is none.
    """

    kind: EvidenceKind
    service: str
    subject: str
    strength: float
    deviation: float
    before: float = math.nan
    after: float = math.nan

    @property
    def sentence(self) -> str:
        """Say it in plain language, for example `cpu_pct: 27 -> 100, 13 times its usual variation`."""
        moved = ""
        if math.isfinite(self.before) and math.isfinite(self.after):
            moved = f": {self.before:.3g} -> {self.after:.3g}"
        return f"{self.kind.value}: {self.subject}{moved} ({self.deviation:.3g} times its usual variation)"


@dataclass(frozen=True, kw_only=True)
class Scale:
    """How a kind's deviation becomes strength: the deviation that is hardly evidence yet, and the kind's weight."""

    unit: float
    weight: float


# One setting for every system. `unit` is about what quiet series reach by chance (for logs a G statistic, of which
# the best of some hundred templates reaches 10); weights under 1 mark kinds that have harmless causes too.
SCALES: dict[EvidenceKind, Scale] = {
    EvidenceKind.CPU: Scale(unit=3.0, weight=1.0),
    EvidenceKind.MEMORY: Scale(unit=3.0, weight=0.7),
    EvidenceKind.LATENCY: Scale(unit=3.0, weight=1.0),
    EvidenceKind.FAILURES: Scale(unit=3.0, weight=1.0),
    EvidenceKind.NETWORK: Scale(unit=3.0, weight=1.0),
    EvidenceKind.LOGS: Scale(unit=5.0, weight=1.0),
    EvidenceKind.CALLS_VANISHED: Scale(unit=1.5, weight=0.9),
    EvidenceKind.FAILS_FAST: Scale(unit=1.5, weight=0.9),
}


def strength_of(kind: EvidenceKind, deviation: float) -> float:
    """Return weight * ln(1 + deviation / unit), 0 for a deviation of 0 or less.

    The logarithm lets a deviation of 500 outweigh one of 50 a little and not ten times: above some ten units how far
    a series moved says how quiet it was, not how guilty. Worked: CPU at 45 gives ln 16 = 2.77.
    """
    scale = SCALES[kind]
    return scale.weight * math.log1p(max(0.0, deviation) / scale.unit)
