"""Figures and instants as people say them. Pure."""

from datetime import UTC, datetime

from stanch.incidents.model import Reading
from stanch.kernel.percentage import percent


def quantity(value: float | None, unit: str) -> str:
    """Return a figure as people say it: `45 %`, `0.2 %`, `4,200 ms`, `512 MB`; a dash for None."""
    if value is None:
        return "–"
    match unit:
        case "ratio":
            return percent(value)
        case "ms":
            return f"{value:,.0f} ms"
        case "bytes":
            return f"{value / 1e6:,.0f} MB"
        case "1/s":
            return f"{value:,.1f}/s"
        case _:
            return f"{value:,.4g}"


def since(at: datetime, low: datetime | None, high: datetime | None) -> str:
    """Say a start with its uncertainty in UTC: `03:12:40 (±10 s)`; the clock alone where no interval is known."""
    clock = f"{at.astimezone(UTC):%H:%M:%S}"
    if low is None or high is None or high <= low:
        return clock
    half_s = max((at - low).total_seconds(), (high - at).total_seconds())
    return f"{clock} (±{max(1, round(half_s)):,} s)" if half_s < 120 else f"{clock} (±{round(half_s / 60):,} min)"


def beside_normal(reading: Reading) -> str:
    """Return a reading beside what is normal: `45 %, normal 0.2 %`."""
    now = quantity(reading.value, reading.unit)
    return now if reading.normal is None else f"{now}, normal {quantity(reading.normal, reading.unit)}"
