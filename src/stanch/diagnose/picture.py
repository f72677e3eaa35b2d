"""One picture out of many findings: the newest fact of each kind, and whether it is raised. Pure.

Later findings replace earlier ones about the same thing; a look that failed in a later round takes nothing away.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from stanch.diagnose.model import Fact, Graph, key_of
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Finding, FindingStatus, Signal

_LEAST_ERRORS = 0.02
"""Error ratio above normal that counts where nobody judged it against a baseline: two in a hundred."""
_LATENCY_FACTOR = 1.5
_LEAST_LATENCY_MS = 20.0
_FULL = 0.85
"""Share of a resource in use from which queues grow fast (utilisation law: waiting ~ u / (1 - u), 5.7 at 0.85)."""
_LOAD_FACTOR = 1.5
_MEMORY_FACTOR = 1.3
_LEAST_MEMORY = 50e6
"""Bytes above normal that count: what a process gains while it warms up is no leak."""
_DEPLOYED = frozenset({ChangeKind.DEPLOY, ChangeKind.CONFIG, ChangeKind.FLAG, ChangeKind.MIGRATION})


@dataclass(frozen=True, kw_only=True, eq=False)
class Picture:
    """Everything known at one moment of one investigation. `onset_low` and `onset_high` are the onset's interval.

    `changes_looked_at` is a finding that looked for changes, found or not, empty when none did; `deployed` are the
    services whose deploys are recorded. Compared by identity, so that what is worked out from it can be kept beside it.
    """

    onset: datetime
    now: datetime
    graph: Graph
    facts: tuple[Fact, ...] = ()
    changes: tuple[Change, ...] = ()
    services: tuple[str, ...] = ()
    onset_low: datetime | None = None
    onset_high: datetime | None = None
    change_findings: dict[str, str] = field(default_factory=dict)
    changes_looked_at: str = ""
    deployed: frozenset[str] = frozenset()

    def of(self, name: str, service: str = "", key: str = "") -> list[Fact]:
        """Return the facts of one name, narrowed by service and key where given; the largest excess first."""
        named = self._by_name.get(name, ())
        return [fact for fact in named if service in ("", fact.service) and key in ("", fact.key)]

    def one(self, name: str, service: str = "", key: str = "") -> Fact | None:
        """Return the fact that stands out most of those `of` gives: a raised one first."""
        found = self.of(name, service, key)
        return next((fact for fact in found if fact.raised), found[0] if found else None)

    def raised(self, name: str, service: str = "", key: str = "") -> Fact | None:
        """Return the fact with the largest excess that lies outside its normal, None where none does."""
        return next((fact for fact in self.of(name, service, key) if fact.raised), None)

    @cached_property
    def _by_name(self) -> dict[str, list[Fact]]:
        named: dict[str, list[Fact]] = {}
        for fact in sorted(self.facts, key=lambda fact: (-fact.excess, fact.service, fact.key)):
            named.setdefault(fact.signal.name, []).append(fact)
        return named

    def lead(self, change: Change) -> timedelta:
        """Return how long before the onset a change was made; negative when it came after."""
        return self.onset - change.at

    def after_onset(self, change: Change) -> bool:
        """Tell whether a change came too late to be the cause, the onset's uncertainty allowed for."""
        latest = max(self.onset_high or self.onset, self.onset) + timedelta(seconds=5)
        return change.at > latest

    def finding_of(self, change: Change) -> tuple[str, ...]:
        """Return the findings that told of a change, may be empty."""
        found = self.change_findings.get(change.id)
        return (found,) if found else ()


def picture_of(
    findings: Iterable[Finding],
    *,
    changes: Sequence[Change],
    onset: datetime,
    graph: Graph,
    now: datetime,
    services: Sequence[str] = (),
    onset_low: datetime | None = None,
    onset_high: datetime | None = None,
    deployed: Iterable[str] = (),
) -> Picture:
    """Gather the facts of findings that came back `ok`, newest first wins.

    `deployed` are services whose deploys are known to be recorded, besides those with one among `changes`.
    """
    newest: dict[tuple[str, str, str], tuple[datetime, Fact]] = {}
    told: dict[str, str] = {}
    looked = ""
    for finding in findings:
        if finding.collector == "changes" and finding.status in (FindingStatus.OK, FindingStatus.NO_DATA):
            looked = finding.id
        if finding.status is not FindingStatus.OK:
            continue
        for signal in finding.signals:
            if signal.name == "change":
                told[str(signal.data.get("id", ""))] = finding.id
                continue
            fact = Fact(finding=finding.id, signal=signal, raised=is_raised(signal), command=finding.command)
            identity = (signal.name, signal.service, key_of(signal))
            before = newest.get(identity)
            if before is None or finding.end >= before[0]:
                newest[identity] = (finding.end, fact)
    return Picture(
        onset=onset,
        now=now,
        graph=graph,
        facts=tuple(fact for _, fact in newest.values()),
        changes=tuple(sorted(changes, key=lambda change: (change.at, change.id))),
        services=tuple(services),
        onset_low=onset_low,
        onset_high=onset_high,
        change_findings=told,
        changes_looked_at=looked,
        deployed=frozenset(deployed) | {change.service for change in changes if change.kind is ChangeKind.DEPLOY},
    )


def is_raised(signal: Signal) -> bool:
    """Judge whether a signal lies outside its normal: as its collector says, else by plain rules of thumb."""
    judged = signal.data.get("raised")
    if isinstance(judged, bool):
        return judged
    rule = _RULES.get(signal.name)
    return rule is not None and rule(signal)


def is_running(change: Change) -> bool:
    """Tell whether a change reached what runs; a commit or a tag alone did not."""
    return change.kind in _DEPLOYED


def _value(signal: Signal) -> float:
    return signal.value or 0.0


def _normal(signal: Signal) -> float:
    return signal.normal or 0.0


def _errors_raised(signal: Signal) -> bool:
    return _value(signal) - _normal(signal) >= _LEAST_ERRORS and _value(signal) >= 2 * _normal(signal)


def _latency_raised(signal: Signal) -> bool:
    if signal.normal is None:
        return False
    return _value(signal) >= _LATENCY_FACTOR * signal.normal and _value(signal) - signal.normal >= _LEAST_LATENCY_MS


def _memory_raised(signal: Signal) -> bool:
    if signal.normal is None:
        return False
    return _value(signal) >= _MEMORY_FACTOR * signal.normal and _value(signal) - signal.normal >= _LEAST_MEMORY


def _doubled(signal: Signal) -> bool:
    return _value(signal) >= 1 and _value(signal) >= 2 * _normal(signal)


def _more_errors(signal: Signal) -> bool:
    if signal.data.get("level") == "fatal" and not signal.normal:
        # A process dies once of what it dies of.
        return _value(signal) >= 1
    # Three standard deviations of a Poisson count above what an equal stretch had before; 3 where it had none.
    return _value(signal) >= _normal(signal) + 3 * math.sqrt(max(1.0, _normal(signal)))


def _below_one(signal: Signal) -> bool:
    return signal.value is not None and signal.value < 0.95


_RULES: dict[str, Callable[[Signal], bool]] = {
    "error_ratio": _errors_raised,
    "dependency_error_ratio": _errors_raised,
    "latency_p95_ms": _latency_raised,
    "dependency_latency_p95_ms": _latency_raised,
    "request_rate": lambda signal: signal.normal is not None and _value(signal) >= _LOAD_FACTOR * signal.normal > 0,
    "saturation": lambda signal: _value(signal) >= _FULL,
    "memory_bytes": _memory_raised,
    "restarts": _doubled,
    "up": _below_one,
    "dependency_up": _below_one,
    "dns_ok": _below_one,
    "tls_expires_s": lambda signal: signal.value is not None and signal.value <= 0,
    "status_page": lambda signal: signal.text in ("minor", "major", "critical"),
    "error_group": _more_errors,
    "log_template": lambda signal: signal.data.get("change") in ("new", "spiking", "vanished"),
    "long_queries": _doubled,
    "locks_waiting": _doubled,
    "sequential_scans": _doubled,
    "oom_kills": lambda signal: _value(signal) >= 1,
}
