"""When is it over: every figure that raised the incident back in its band, for a whole window without a break (R1)."""

from dataclasses import dataclass
from typing import Final

from stanch.catalog.model import Catalog, Timing
from stanch.incidents.model import Severity
from stanch.incidents.state import IncidentState
from stanch.incidents.telling import quantity

# The shipped windows in seconds: 30 minutes for SEV1, 15 for the others.
SHIPPED_WINDOWS_S: Final = (1800.0, 900.0, 900.0, 900.0)
# Even a very quiet baseline leaves room for one stray failure.
_ERROR_FLOOR: Final = 0.02
_UNITS: Final = {"error_ratio": "ratio", "latency_p95_ms": "ms", "saturation": "ratio"}


@dataclass(frozen=True, kw_only=True)
class RecoveryCheck:
    """One figure that must hold: `metric` of `service` at most `high`, or at least `low`."""

    service: str
    metric: str
    high: float | None = None
    low: float | None = None

    @property
    def words(self) -> str:
        """Return the check as a sentence."""
        unit = _UNITS.get(self.metric, "")
        name = f"{self.service} {self.metric.replace('_', ' ')}"
        if self.low is not None:
            return f"{name} at least {quantity(self.low, unit)}"
        return f"{name} at most {quantity(self.high, unit)}"


def checks_for(state: IncidentState, catalog: Catalog) -> tuple[RecoveryCheck, ...]:
    """Return the checks of an incident: one for each figure that raised it, and one per affected service for errors.

    The band is that of the baseline before the onset, as the alert recorded it, widened to the alert's own threshold
    where that is lower than the band.
    """
    checks: dict[tuple[str, str], RecoveryCheck] = {}
    for one in state.alerts.values():
        reading = one.alert.reading
        if reading is None or reading.metric in ("restarts",):
            continue
        if reading.metric == "up":
            check = RecoveryCheck(service=reading.service, metric="up", low=1.0)
        else:
            check = RecoveryCheck(
                service=reading.service,
                metric=reading.metric,
                high=_limit(reading.metric, reading.high, catalog),
            )
        checks[reading.service, reading.metric] = check
    impact = state.impact
    for name in dict.fromkeys(
        (*state.services, *(impact.down if impact else ()), *(impact.affected if impact else ()))
    ):
        service = catalog.services.get(name)
        if service is None or service.external or not any(check.sampler == "openmetrics" for check in service.checks):
            continue
        checks.setdefault(
            (name, "error_ratio"),
            RecoveryCheck(service=name, metric="error_ratio", high=catalog.thresholds.error_ratio),
        )
    return tuple(checks.values())


def judge(check: RecoveryCheck, value: float | None) -> str:
    """Return why `check` does not hold for `value`, in words; empty when it holds. Nothing seen does not hold."""
    if value is None:
        return f"{check.service} {check.metric.replace('_', ' ')} cannot be seen"
    unit = _UNITS.get(check.metric, "")
    if check.high is not None and value > check.high:
        return f"{check.words}, but is {quantity(value, unit)}"
    if check.low is not None and value < check.low:
        return f"{check.words}, but is {quantity(value, unit)}"
    return ""


def window_s(severity: Severity, timing: Timing) -> tuple[float, str]:
    """Return the window in seconds, and a sentence when it is shorter than the shipped one, empty otherwise."""
    configured = timing.verification_s[severity.value - 1]
    shipped = SHIPPED_WINDOWS_S[severity.value - 1]
    if configured >= shipped:
        return configured, ""
    because = timing.shortened_because or "by configuration"
    return configured, f"shortened from {shipped / 60:.0f} min to {configured:.0f} s: {because}"


def _limit(metric: str, high: float | None, catalog: Catalog) -> float:
    limits = catalog.thresholds
    match metric:
        case "error_ratio" | "dependency_error_ratio":
            return max(_ERROR_FLOOR, min(limits.error_ratio, high or limits.error_ratio))
        case "latency_p95_ms" | "dependency_latency_p95_ms":
            return min(limits.latency_p95_ms, high or limits.latency_p95_ms)
        case "saturation":
            return limits.saturation
        case _:
            return high or 0.0
