"""How readings and alerts are worded: `checkout error rate 45 %, normal 0.2 %`. Pure."""

from collections.abc import Callable, Mapping
from datetime import timedelta

from stanch.alerts.model import Measured, Metric, Unit
from stanch.kernel.duration import format_duration
from stanch.kernel.percentage import percent


def thousands(value: float) -> str:
    """Return a number with commas and no decimals from 10 on: 4200 is `4,200`, 3.25 is `3.2`."""
    return f"{value:,.0f}" if abs(value) >= 9.95 else f"{value:.1f}".removesuffix(".0")


def megabytes(size: float) -> str:
    """Return bytes in megabytes or gigabytes: 66_000_000 is `66 MB`, 3.2e9 is `3.2 GB`."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{size / 1e6:.0f} MB"


def many(count: float, noun: str) -> str:
    """Return a count with its noun: `1 request`, `1,204 requests`."""
    return f"{count:,.0f} {noun}{'' if count == 1 else 's'}"


def quantity(value: float, unit: Unit) -> str:
    """Return a value with its unit: `45 %`, `4,200 ms`, `66 MB`, `3.2 a second`, or the bare number."""
    match unit:
        case Unit.RATIO:
            return percent(value)
        case Unit.MILLISECONDS:
            return _milliseconds(value)
        case Unit.BYTES:
            return megabytes(value)
        case Unit.PER_SECOND:
            return f"{thousands(value)} a second"
    return thousands(value)


def series_of(labels: Mapping[str, str]) -> str:
    """Return what tells a series of a rule from its others: ` queue=mail`, empty for the only one."""
    own = {name: value for name, value in labels.items() if name not in ("rule", "severity", "probe")}
    return "".join(f" {name}={value}" for name, value in sorted(own.items()))[:120]


def summary_of(service: str, metric: Metric, labels: Mapping[str, str], measured: Measured, *, detail: str) -> str:
    """Return an alert in one line, with what is normal beside it where that is known."""
    match metric:
        case Metric.ERROR_RATIO:
            said, normal = f"{service} error rate {percent(measured.value)}", _normal(measured, percent)
        case Metric.LATENCY_P95_MS:
            said, normal = f"{service} P95 {_milliseconds(measured.value)}", _normal(measured, _milliseconds)
        case Metric.SATURATION:
            resource = labels.get("resource", "resource").replace("_", " ")
            said, normal = f"{service} {resource} {percent(measured.value)} in use", _normal(measured, percent)
        case Metric.MEMORY_BYTES:
            said, normal = f"{service} memory {megabytes(measured.value)} and growing", _normal(measured, megabytes)
        case Metric.ERROR_RECORDS:
            said = f"{service} logs {many(measured.value, 'error')} a window"
            normal = _normal(measured, thousands)
        case Metric.RESTARTS:
            said, normal = f"{service} keeps restarting: {detail}", ""
        case Metric.CHECK:
            said, normal = f"{service} {labels.get('probe', 'check')}: {detail}", ""
        case Metric.RULE:
            said = f"{service} {labels.get('rule', 'rule')}{series_of(labels)}: {detail}"
            normal = _normal(measured, lambda value: quantity(value, measured.unit))
        case Metric.UP:
            said, normal = f"{service} is down: {detail}", ""
        case Metric.BLIND:
            said, normal = f"cannot see {service}: {detail}", ""
        case _:
            said, normal = f"{service} {metric.value} {thousands(measured.value)}", _normal(measured, thousands)
    return said + normal


def title_of(service: str, metric: Metric, labels: Mapping[str, str]) -> str:
    """Return what an alert is about, without figures: `checkout error rate`."""
    match metric:
        case Metric.ERROR_RATIO:
            return f"{service} error rate"
        case Metric.LATENCY_P95_MS:
            return f"{service} slow"
        case Metric.SATURATION:
            return f"{service} {labels.get('resource', 'resource').replace('_', ' ')} filling up"
        case Metric.MEMORY_BYTES:
            return f"{service} memory growing"
        case Metric.ERROR_RECORDS:
            return f"{service} errors in the log"
        case Metric.RESTARTS:
            return f"{service} keeps restarting"
        case Metric.CHECK:
            soon = labels.get("severity") == "warning"
            return f"{service} {labels.get('probe', 'check')} {'needs attention' if soon else 'fails'}"
        case Metric.RULE:
            return f"{service} {labels.get('rule', 'rule')}{series_of(labels)}"
        case Metric.UP:
            return f"{service} down"
        case Metric.BLIND:
            return f"cannot see {service}"
    return f"{service} {metric.value.replace('_', ' ')}"


def ended_summary_of(
    service: str, metric: Metric, labels: Mapping[str, str], measured: Measured, *, lasted: timedelta
) -> str:
    """Return the end of an alert in one line: `checkout error rate back to 0.2 % after 4m 20s`."""
    after = f"after {format_duration(lasted)}"
    match metric:
        case Metric.ERROR_RATIO:
            return f"{service} error rate back to {percent(measured.value)} {after}"
        case Metric.LATENCY_P95_MS:
            return f"{service} P95 back to {_milliseconds(measured.value)} {after}"
        case Metric.SATURATION:
            resource = labels.get("resource", "resource").replace("_", " ")
            return f"{service} {resource} back to {percent(measured.value)} in use {after}"
        case Metric.MEMORY_BYTES:
            return f"{service} memory back to {megabytes(measured.value)} {after}"
        case Metric.CHECK:
            return f"{service} {labels.get('probe', 'check')} is as it must be again {after}"
        case Metric.RULE:
            back = quantity(measured.value, measured.unit)
            return f"{service} {labels.get('rule', 'rule')}{series_of(labels)} back to {back} {after}"
        case Metric.UP:
            return f"{service} answers again {after}"
        case Metric.RESTARTS:
            return f"{service} keeps running again {after}"
        case Metric.BLIND:
            return f"{service} can be seen again {after}"
    return f"{title_of(service, metric, labels)}: over {after}"


def _normal(measured: Measured, words: Callable[[float], str]) -> str:
    return "" if measured.normal is None else f", normal {words(measured.normal)}"


def _milliseconds(value: float) -> str:
    return f"{thousands(value)} ms"
