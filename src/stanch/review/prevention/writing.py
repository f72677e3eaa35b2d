"""Proposals in words and as lines of `stanch.toml` that can be added as they are. Pure."""

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from stanch.catalog.checks import CRITICAL, Rule
from stanch.incidents.quantities import quantity
from stanch.kernel.duration import format_duration
from stanch.review.prevention.model import Course, Monitor

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_WORDS: Final[Mapping[str, str]] = {
    "error_ratio": "share of failing requests of {service}",
    "latency_p95_ms": "P95 of {service}",
    "request_rate": "requests to {service}",
    "dependency_error_ratio": "share of failing calls from {service}{to}",
    "dependency_latency_p95_ms": "P95 of the calls from {service}{to}",
    "saturation": "share in use{of} of {service}",
    "memory_bytes": "memory of {service}",
    "probe_latency_ms": "answer to the health probe of {service}",
    "error_records": "errors in the log of {service} per look",
}


def as_toml(service: str, rule: Rule) -> str:
    """Return a rule as a table of `stanch.toml`, with a line break at the end."""
    lines = [f"[[services.{_key(service)}.rules]]", f"name = {_text(rule.name)}", f"measure = {_text(rule.measure)}"]
    if rule.labels:
        pairs = ", ".join(f"{_key(name)} = {_text(value)}" for name, value in rule.labels.items())
        lines.append(f"labels = {{{pairs}}}")
    for name, value in (("above", rule.above), ("below", rule.below), ("for_s", rule.for_s)):
        if value is not None:
            lines.append(f"{name} = {value:.10g}")
    if rule.severity != CRITICAL:
        lines.append(f"severity = {_text(rule.severity)}")
    if rule.title:
        lines.append(f"title = {_text(rule.title)}")
    return "\n".join(lines) + "\n"


def depends_on(service: str, names: tuple[str, ...]) -> str:
    """Return the dependencies of a service as they are written in its table."""
    return f"[services.{_key(service)}]\ndepends_on = [{', '.join(_text(name) for name in names)}]\n"


def title_of(service: str, rule: Rule) -> str:
    """Return what a rule watches, with its limit: `P95 of the calls from shop to payments above 210 ms for 30 s`."""
    labels = {name: re.sub(r"\\(.)", r"\1", value) for name, value in rule.labels.items()}
    words = _WORDS[rule.measure].format(
        service=service,
        to=f" to {labels['target']}" if "target" in labels else "",
        of=f" of {labels['resource'].replace('_', ' ')}" if "resource" in labels else "",
    )
    side, limit = ("above", rule.above) if rule.above is not None else ("below", rule.below)
    held = f" for {rule.for_s:g} s" if rule.for_s else ""
    return f"{words} {side} {quantity(limit, rule.unit)}{held}"


def gain_of(one: Monitor, course: Course) -> str:
    """Return what a monitor would have done: `would have fired at 03:04:10 UTC, 6 min earlier than the first alert`."""
    earlier = format_duration(timedelta(seconds=round(one.earlier_s)))
    than = "the first alert" if course.by_alert else "the declaration"
    return f"would have fired at {one.fired_at:%H:%M:%S} UTC, {earlier} earlier than {than}"


def quiet_of(one: Monitor) -> str:
    """Return what is known of false alarms: how often it would have fired while nothing was wrong, over which time."""
    often = {0: "never", 1: "once", 2: "twice"}.get(one.false_alarms, f"{one.false_alarms} times")
    return f"{often} in the {one.hours:.0f} h of normal operation before that are kept"


def limits_of(one: Monitor) -> str:
    """Return what the limit comes from: what was normal, and what the incident was."""
    unit = one.rule.unit
    low, high = quantity(one.low, unit), quantity(one.high, unit)
    return f"normal {quantity(one.normal, unit)} ({low} to {high}), in the incident {quantity(one.worst, unit)}"


def _key(name: str) -> str:
    return name if _BARE.fullmatch(name) else _text(name)


def _text(value: str) -> str:
    # A basic string of TOML is one of JSON, but for DEL, which must be escaped.
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
