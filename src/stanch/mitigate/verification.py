"""When is it over: what of an incident must be well again, and whether one of these figures is (R1). Pure.

How long all of it must stay well, and what a break does, is `watching`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from stanch.catalog.model import Catalog, Timing
from stanch.catalog.rules import dependants
from stanch.incidents.model import Reading, Severity
from stanch.incidents.quantities import quantity
from stanch.incidents.state import AttachedAlert, IncidentState

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
_RATE_FACTOR: Final = 2.0
_DECLARED: Final = frozenset({"check", "rule"})
# Of which of its labels a series is told apart; the others say how it was judged.
_OWN_LABELS: Final = frozenset({"resource", "target"})
_OF_CALLS: Final = frozenset({"dependency_error_ratio", "dependency_latency_p95_ms"})
OF_REQUESTS: Final = frozenset({"error_ratio", "latency_p95_ms", "dependency_error_ratio", "dependency_latency_p95_ms"})
"""What is measured on requests, and so cannot be where there are none."""


@dataclass(frozen=True, kw_only=True)
class Band:
    """What was normal for a series before the onset; `high` is the upper edge, in the unit of its metric."""

    normal: float
    high: float


@dataclass(frozen=True, kw_only=True)
class RecoveryCheck:
    """One thing that must hold: `metric` of `service` at most `high`, or at least `low`.

    `labels` choose one of several series; empty means the worst of them. What is not measured but told is judged by
    `over`: whether the alert about `subject` has ended. `because` says what the check rests on.
    """

    service: str
    metric: str
    high: float | None = None
    low: float | None = None
    subject: str = ""
    over: bool | None = None
    labels: tuple[tuple[str, str], ...] = ()
    because: str = ""

    @property
    def key(self) -> str:
        """Return what tells it from the others of its incident."""
        labels = ",".join(f"{name}={value}" for name, value in self.labels)
        return " ".join(part for part in (self.service, self.metric, self.subject, labels) if part)

    @property
    def is_judged(self) -> bool:
        """Tell whether there is anything to judge a value by; not so where its limit is what was normal, unknown."""
        return (self.high, self.low, self.over) != (None, None, None)

    @property
    def words(self) -> str:
        """Return the check as a sentence."""
        match self.metric:
            case "blind":
                return f"{self.service} can be seen"
            case "alert":
                return f"the alert is over: {self.subject}"
            case "reports":
                return f"no customer reports trouble{f' with {self.service}' if self.service else ''}"
            case "restarts":
                return f"{self.service} does not restart"
            case "error_log":
                return f"{self.service} does not log {self._often}{self.subject!r}"
        if self.over is not None:
            return f"{self.service} {self.subject} is as it must be"
        name = named(self.service, self.metric, labels=self.labels)
        if self.low is not None:
            return f"{name} at least {figure(self.metric, self.low)}"
        return f"{name} at most {figure(self.metric, self.high)}"

    @property
    def _often(self) -> str:
        return f"more than {self.high:g} times a minute " if self.high else ""


def checks_for(
    state: IncidentState, catalog: Catalog, *, bands: Mapping[tuple[str, str], Band] | None = None
) -> tuple[RecoveryCheck, ...]:
    """Return the checks of an incident: what raised it, and errors, latency and health of who is affected.

    The band is that of the baseline before the onset, as the alert recorded it, or as `bands` say by service and
    metric, widened to the alert's own threshold where that is lower than the band. What is somebody else's may stay
    broken: those of ours that call it are checked instead, for recovery is that they are well again, and not how. What
    was never measured before the onset is not waited for, but for errors.
    """
    known = bands or {}
    checks: dict[str, RecoveryCheck] = {}
    for id, one in state.alerts.items():
        check = _of_alert(id, one, catalog)
        if check is None:
            continue
        former = checks.get(check.key)
        # Of several alerts about the same, all must be over; of several figures the newest band counts.
        checks[check.key] = check if former is None or former.over is not False else former
    for name in _whose_errors_count(state, catalog):
        for check in _of_service(name, catalog, known):
            checks.setdefault(check.key, check)
    return tuple(checks.values())


def wanted_bands(state: IncidentState, catalog: Catalog) -> tuple[tuple[str, str], ...]:
    """Return the services and metrics whose baseline before the onset `checks_for` makes use of."""
    measured = [name for name in _whose_errors_count(state, catalog) if _is_measured(name, catalog)]
    return tuple((name, metric) for name in measured for metric in _OF_AFFECTED)


def log_check(service: str, title: str, *, before: float) -> RecoveryCheck:
    """Return the check that an error is not logged more often than before the onset: `before` times a minute."""
    # Twice a small rate is chance: with b expected, b + 3 sqrt(b) is exceeded about once in a thousand minutes.
    high = float(round(before + 3 * before**0.5)) if before else 0.0
    return RecoveryCheck(service=service, metric="error_log", subject=title, high=high, because="what it logged")


def reports_check(service: str) -> RecoveryCheck:
    """Return the check that customers report nothing any more; without a service, nothing that names none."""
    return RecoveryCheck(service=service, metric="reports", high=0.0, because="customers reported it")


def judge(check: RecoveryCheck, value: float | None, *, idle: bool = False, called: bool = True) -> str:
    """Return why `check` does not hold for `value`, in words; empty when it holds. Nothing seen does not hold.

    `idle` says that the service was seen and had no requests: then what is measured on requests holds nothing up.
    `called` is False where it was seen and made no such call: a dependency that nobody calls holds nothing up either.
    """
    if check.over is False:
        what = f"{check.service} {check.subject}"
        return (
            f"the alert is not over: {check.subject}" if check.metric == "alert" else f"{what} is not as it must be yet"
        )
    if check.over is True and check.low is None:
        return ""
    unasked = (idle and check.metric in OF_REQUESTS) or (not called and check.metric in _OF_CALLS)
    if value is None:
        return "" if unasked else f"{_seen_as(check)} cannot be seen"
    if check.high is not None and value > check.high:
        return _too_high(check, value)
    if check.low is not None and value < check.low:
        if check.over is not None:
            return f"{check.service} {check.subject} failed"
        return f"{check.words}, but is {figure(check.metric, value)}"
    return ""


def named(service: str, metric: str, *, labels: tuple[tuple[str, str], ...] = ()) -> str:
    """Return a metric of a service as people say it: `payments error rate`, `payments use of resources (db_pool)`."""
    of = ", ".join(value for _, value in labels)
    return f"{service} {_NAMES.get(metric, metric.replace('_', ' '))}{f' ({of})' if of else ''}"


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


_OF_AFFECTED: Final = ("error_ratio", "latency_p95_ms", "up")


def _of_alert(id: str, one: AttachedAlert, catalog: Catalog) -> RecoveryCheck | None:
    """Return what an alert of the incident asks for, None where others answer for it."""
    reading, ended = one.alert.reading, one.ended_at is not None
    if reading is None:
        return _of_told(id, one)
    if _is_external(reading.service, catalog) or (reading.metric == "blind" and ended):
        return None
    if reading.metric in _DECLARED:
        labels = reading.labels or {}
        probe = labels.get("probe", "") if reading.metric == "check" else ""
        return RecoveryCheck(
            service=reading.service,
            metric=reading.metric,
            subject=labels.get("probe") or labels.get("rule", ""),
            over=ended,
            # Besides its alert, whose end lags behind, what the probe itself says counts, look by look.
            low=1.0 if probe else None,
            because=one.alert.summary,
        )
    check = check_of(reading, catalog, because=one.alert.summary)
    return check if check.is_judged else _of_told(id, one)


def _of_told(id: str, one: AttachedAlert) -> RecoveryCheck:
    service = one.alert.labels.get("service", "")
    subject = one.alert.summary or id
    return RecoveryCheck(
        service=service, metric="alert", subject=subject, over=one.ended_at is not None, because=one.alert.source
    )


def _of_service(name: str, catalog: Catalog, bands: Mapping[tuple[str, str], Band]) -> list[RecoveryCheck]:
    """Return what must hold of a service that is affected: errors always, the rest where it was measured before."""
    if not _is_measured(name, catalog):
        return []
    found = []
    if _has_metrics(name, catalog):
        band = bands.get((name, "error_ratio"))
        reading = Reading(metric="error_ratio", service=name, value=0.0, high=band.high if band else None)
        found.append(check_of(reading, catalog, because="it is affected"))
    if band := bands.get((name, "latency_p95_ms")):
        reading = Reading(
            metric="latency_p95_ms", service=name, value=0.0, unit="ms", normal=band.normal, high=band.high
        )
        found.append(check_of(reading, catalog, because="it is affected"))
    if (name, "up") in bands:
        found.append(RecoveryCheck(service=name, metric="up", low=1.0, because="it is affected"))
    return found


def check_of(reading: Reading, catalog: Catalog, *, because: str = "") -> RecoveryCheck:
    """Return the check that a figure is as it should be: inside the band that `reading` carries."""
    if reading.metric == "up":
        return RecoveryCheck(service=reading.service, metric="up", low=1.0, because=because)
    if reading.metric == "restarts":
        return RecoveryCheck(service=reading.service, metric="restarts", high=0.0, because=because)
    labels = tuple(sorted((name, value) for name, value in (reading.labels or {}).items() if name in _OWN_LABELS))
    return RecoveryCheck(
        service=reading.service,
        metric=reading.metric,
        high=_limit(reading, catalog),
        labels=labels,
        because=because,
    )


def _is_measured(name: str, catalog: Catalog) -> bool:
    service = catalog.services.get(name)
    return service is not None and not service.external and bool(service.checks)


def _has_metrics(name: str, catalog: Catalog) -> bool:
    return any(check.sampler == "openmetrics" for check in catalog.services[name].checks)


def _seen_as(check: RecoveryCheck) -> str:
    if check.metric == "blind":
        return check.service
    if check.over is not None:
        return f"{check.service} {check.subject}"
    if check.metric == "error_log":
        return f"the log of {check.service}"
    return named(check.service, check.metric, labels=check.labels)


def _too_high(check: RecoveryCheck, value: float) -> str:
    match check.metric:
        case "restarts":
            return f"{check.service} restarted"
        case "reports":
            many = f"{value:.0f} reports" if value > 1 else "a report"
            return f"customers still report trouble{f' with {check.service}' if check.service else ''}: {many}"
        case "error_log":
            return f"{check.service} still logs {check.subject!r}, {value:g} times in the last minute"
    return f"{check.words}, but is {figure(check.metric, value)}"


def _is_external(name: str, catalog: Catalog) -> bool:
    service = catalog.services.get(name)
    return service is not None and service.external


def _whose_errors_count(state: IncidentState, catalog: Catalog) -> tuple[str, ...]:
    """Return the services of the incident, those it touches, and those that call what is somebody else's."""
    impact = state.impact
    touched = (*state.services, *(impact.down if impact else ()), *(impact.affected if impact else ()))
    callers = (caller for name in touched if _is_external(name, catalog) for caller in dependants(catalog, name))
    return tuple(dict.fromkeys((*touched, *callers)))


def _limit(reading: Reading, catalog: Catalog) -> float | None:
    """Return the most that is well; None where that rests on what was normal, and this is not known."""
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
        case "blind":
            return 0.0
        case _ if high is None and reading.normal is None:
            return None
        case "memory_bytes":
            return memory_limit(reading)
        case "request_rate":
            # Twice as many as usual are still the same customers.
            return max(high or 0.0, _RATE_FACTOR * (reading.normal or 0.0))
        case _:
            return high or 0.0
