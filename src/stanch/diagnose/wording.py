"""Numbers as people read them: `46 %`, `4,200 ms`, `1,247`, `40 s before`. Owns no judgement."""

from datetime import UTC, datetime, timedelta

from stanch.kernel.duration import format_duration
from stanch.kernel.percentage import percent
from stanch.ports.changes import Change, ChangeKind
from stanch.ports.evidence import Signal

_RATIOS = frozenset({"error_ratio", "dependency_error_ratio", "saturation", "up", "dependency_up", "dns_ok"})
_NAMES = {
    "error_ratio": "error rate",
    "latency_p95_ms": "P95 latency",
    "request_rate": "request rate",
    "failed_requests": "failed requests",
    "dependency_error_ratio": "error rate",
    "dependency_latency_p95_ms": "P95 latency",
    "memory_bytes": "memory",
    "restarts": "restarts",
    "up": "health checks passed",
    "dependency_up": "probes answered",
    "dns_ok": "names resolved",
}
_TOLD = ("check_failed", "rule_broken")
_DONE = {
    ChangeKind.DEPLOY: "deployed",
    ChangeKind.COMMIT: "committed",
    ChangeKind.TAG: "tagged",
    ChangeKind.CONFIG: "applied",
    ChangeKind.FLAG: "set",
    ChangeKind.MIGRATION: "run",
}


def quantity(signal: Signal, value: float | None) -> str:
    """Say a value in the unit of its signal."""
    if value is None:
        return "unknown"
    if signal.name in _RATIOS or signal.unit == "ratio":
        return percent(value)
    if signal.name.endswith("_ms") or signal.unit == "ms":
        return f"{value:,.0f} ms"
    if signal.name.endswith("_bytes") or signal.unit == "bytes":
        return f"{value / 1e6:,.0f} MB"
    if signal.name == "request_rate" or signal.unit == "1/s":
        return f"{value:,.1f}/s"
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.2f}"


def metric_name(signal: Signal) -> str:
    """Say what a signal measures: `error rate`, `db_pool saturation`."""
    resource = signal.data.get("resource")
    if signal.name == "saturation" and resource:
        return f"{resource} usage"
    return _NAMES.get(signal.name, signal.name.replace("_", " "))


def compared(signal: Signal) -> str:
    """Say a signal beside its normal: `error rate 46 %, normal 0.2 %`; of checks and rules what their alert says."""
    if signal.name in _TOLD and signal.text:
        return signal.text
    said = f"{metric_name(signal)} {quantity(signal, signal.value)}"
    return said if signal.normal is None else f"{said}, normal {quantity(signal, signal.normal)}"


def clock(at: datetime) -> str:
    """Say an instant of the day in UTC: `14:29:58Z`."""
    return f"{at.astimezone(UTC):%H:%M:%S}Z"


def distance(length: timedelta) -> str:
    """Say the length of a stretch of time, without its sign: `40s`, `1h 22m`, `3d 4h`."""
    whole = abs(length)
    return format_duration(timedelta(seconds=round(whole.total_seconds()))) if whole >= timedelta(seconds=1) else "0s"


def change_name(change: Change) -> str:
    """Name a change: `payments v3.2.1`, `payments configuration c42`, `commit 1a2b3c4 "fix rounding"`."""
    of = f" of {change.service}" if change.service else ""
    match change.kind:
        case ChangeKind.DEPLOY:
            return f"{change.service} {change.version}".strip() or change.title
        case ChangeKind.CONFIG:
            return f"{change.service} configuration {change.version}".strip()
        case ChangeKind.FLAG:
            return f"flag {change.version or change.title}{of}"
        case ChangeKind.MIGRATION:
            return f"migration {change.version or change.title}{of}"
        case ChangeKind.COMMIT:
            return f'commit {change.commit[:10]} "{change.title}"'
        case ChangeKind.TAG:
            return f"tag {change.version}"
        case _:
            return change.title or f"{change.kind.value} of {change.service}".strip()


def change_done(change: Change) -> str:
    """Say what was done: `payments v3.2.1 deployed`."""
    done = _DONE.get(change.kind)
    return f"{change_name(change)} {done}" if done else change_name(change)


def place(culprit: str) -> str:
    """Shorten the place of a stack frame to the last two parts of its path: `payments/pool.py:36 in take`."""
    path, found, rest = culprit.partition(":")
    return "/".join(path.replace("\\", "/").split("/")[-2:]) + found + rest
