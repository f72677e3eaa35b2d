"""When is it over: every figure that raised the incident back in its band, for a whole window without a break (R1)."""

from dataclasses import dataclass
from typing import Final

from stanch.catalog.model import Catalog, Timing
from stanch.catalog.rules import dependants
from stanch.incidents.model import Reading, Severity
from stanch.incidents.state import IncidentState
from stanch.incidents.telling import quantity

# The shipped windows in seconds: 30 minutes for SEV1, 15 for the others.
SHIPPED_WINDOWS_S: Final = (1800.0, 900.0, 900.0, 900.0)
# Even a very quiet baseline leaves room for one stray failure.
_ERROR_FLOOR: Final = 0.02
_UNITS: Final = {
    "error_ratio": "ratio",
    "dependency_error_ratio": "ratio",
    "latency_p95_ms": "ms",
    "dependency_latency_p95_ms": "ms",
    "saturation": "ratio",
    "memory_bytes": "bytes",
    "up": "ratio",
}
_NAMES: Final = {
    "error_ratio": "error rate",
    "dependency_error_ratio": "error rate of its calls",
    "latency_p95_ms": "P95 latency",
    "dependency_latency_p95_ms": "P95 latency of its calls",
    "saturation": "use of resources",
    "memory_bytes": "memory",
    "up": "health checks answered",
}
# How many times its normal memory a process may take and count as recovered: it fills its caches anew.
_MEMORY_FACTOR: Final = 2.0
_DECLARED: Final = frozenset({"check", "rule"})
OF_REQUESTS: Final = frozenset({"error_ratio", "latency_p95_ms", "dependency_error_ratio", "dependency_latency_p95_ms"})
"""What is measured on requests, and so cannot be where there are none."""


@dataclass(frozen=True, kw_only=True)
class RecoveryCheck:
    """One figure that must hold: `metric` of `service` at most `high`, or at least `low`.

    Of what a declared check or rule called `subject` says, its alert decides: `over` says whether that has ended.
    """

    service: str
    metric: str
    high: float | None = None
    low: float | None = None
    subject: str = ""
    over: bool | None = None

    @property
    def words(self) -> str:
        """Return the check as a sentence."""
        if self.over is not None:
            return f"{self.service} {self.subject} is as it must be"
        name = named(self.service, self.metric)
        if self.metric == "blind":
            return f"{self.service} can be seen"
        if self.low is not None:
            return f"{name} at least {figure(self.metric, self.low)}"
        return f"{name} at most {figure(self.metric, self.high)}"


def checks_for(state: IncidentState, catalog: Catalog) -> tuple[RecoveryCheck, ...]:
    """Return the checks of an incident: one for each figure that raised it, and one per affected service for errors.

    The band is that of the baseline before the onset, as the alert recorded it, widened to the alert's own threshold
    where that is lower than the band. What is somebody else's may stay broken: those of ours that call it are checked
    instead, for recovery is that they are well again, and not how.
    """
    checks: dict[tuple[str, str], RecoveryCheck] = {}
    for one in state.alerts.values():
        reading = one.alert.reading
        # A count of restarts takes ten windows to forget; that the process runs is seen by its other figures.
        if reading is None or reading.metric == "restarts" or _is_external(reading.service, catalog):
            continue
        if reading.metric == "blind" and one.ended_at is not None:
            continue
        if reading.metric in _DECLARED:
            labels = reading.labels or {}
            subject = labels.get("probe") or labels.get("rule", "")
            key = (reading.service, f"{reading.metric} {subject}")
            over = one.ended_at is not None and (key not in checks or checks[key].over is not False)
            checks[key] = RecoveryCheck(service=reading.service, metric=reading.metric, subject=subject, over=over)
            continue
        checks[reading.service, reading.metric] = _check_of(reading, catalog)
    for name in _whose_errors_count(state, catalog):
        service = catalog.services.get(name)
        if service is None or service.external or not any(check.sampler == "openmetrics" for check in service.checks):
            continue
        checks.setdefault(
            (name, "error_ratio"),
            RecoveryCheck(service=name, metric="error_ratio", high=catalog.thresholds.error_ratio),
        )
    return tuple(checks.values())


def judge(check: RecoveryCheck, value: float | None, *, idle: bool = False) -> str:
    """Return why `check` does not hold for `value`, in words; empty when it holds. Nothing seen does not hold.

    `idle` says that the service was seen and had no requests: then what is measured on requests holds nothing up.
    """
    if check.over is not None:
        return "" if check.over else f"{check.service} {check.subject} is not as it must be yet"
    if value is None and idle and check.metric in OF_REQUESTS:
        return ""
    if value is None:
        what = check.service if check.metric == "blind" else named(check.service, check.metric)
        return f"{what} cannot be seen"
    if check.high is not None and value > check.high:
        return f"{check.words}, but is {figure(check.metric, value)}"
    if check.low is not None and value < check.low:
        return f"{check.words}, but is {figure(check.metric, value)}"
    return ""


def named(service: str, metric: str) -> str:
    """Return a metric of a service as people say it: `payments error rate`."""
    return f"{service} {_NAMES.get(metric, metric.replace('_', ' '))}"


def figure(metric: str, value: float | None) -> str:
    """Return a value of a metric with its unit, a dash for None: `45 %`, `4,200 ms`, `73 MB`."""
    return quantity(value, _UNITS.get(metric, ""))


def window_s(severity: Severity, timing: Timing) -> tuple[float, str]:
    """Return the window in seconds, and a sentence when it is shorter than the shipped one, empty otherwise."""
    configured = timing.verification_s[severity.value - 1]
    shipped = SHIPPED_WINDOWS_S[severity.value - 1]
    if configured >= shipped:
        return configured, ""
    because = timing.shortened_because or "by configuration"
    return configured, f"shortened from {shipped / 60:.0f} min to {configured:.0f} s: {because}"


def memory_limit(reading: Reading) -> float:
    """Return how many bytes are normal again: the edge of the band, and at least twice the normal."""
    return max(reading.high or 0.0, _MEMORY_FACTOR * (reading.normal or 0.0))


def _check_of(reading: Reading, catalog: Catalog) -> RecoveryCheck:
    if reading.metric == "up":
        return RecoveryCheck(service=reading.service, metric="up", low=1.0)
    return RecoveryCheck(service=reading.service, metric=reading.metric, high=_limit(reading, catalog))


def _is_external(name: str, catalog: Catalog) -> bool:
    service = catalog.services.get(name)
    return service is not None and service.external


def _whose_errors_count(state: IncidentState, catalog: Catalog) -> tuple[str, ...]:
    """Return the services of the incident, those it touches, and those that call what is somebody else's."""
    impact = state.impact
    touched = (*state.services, *(impact.down if impact else ()), *(impact.affected if impact else ()))
    callers = (caller for name in touched if _is_external(name, catalog) for caller in dependants(catalog, name))
    return tuple(dict.fromkeys((*touched, *callers)))


def _limit(reading: Reading, catalog: Catalog) -> float:
    metric, high, limits = reading.metric, reading.high, catalog.thresholds
    match metric:
        case "error_ratio" | "dependency_error_ratio":
            return max(_ERROR_FLOOR, min(limits.error_ratio, high or limits.error_ratio))
        case "latency_p95_ms" | "dependency_latency_p95_ms":
            if high is None:
                return limits.latency_p95_ms
            # A short calm baseline has a band of a few milliseconds; less than this factor was never an alert.
            return min(limits.latency_p95_ms, max(high, limits.latency_factor * (reading.normal or 0.0)))
        case "saturation":
            return limits.saturation
        case "memory_bytes":
            return memory_limit(reading)
        case _:
            return high or 0.0
