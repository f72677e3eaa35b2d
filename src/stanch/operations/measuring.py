"""Measures the blast radius: what fails, who depends on it, how many requests so far, beside what is normal (T3)."""

from datetime import datetime

from stanch.alerts.series import ServiceReading, failed_since, service_readings
from stanch.incidents.impact import upstream_of
from stanch.incidents.model import Impact
from stanch.operations.breadth import priced
from stanch.operations.world import World
from stanch.store import Transaction

FORMULA = (
    "failed requests: sum over the outermost affected service that is measured of failures since the start; "
    "error rate and p95: the worst affected service now; normal: its baseline before the start"
)


def measure(tx: Transaction, world: World, *, services: tuple[str, ...], since: datetime, now: datetime) -> Impact:
    """Return the impact on `services` and on everything that depends on them, since `since`."""
    readings = service_readings(tx.connection, world.catalog, now=now)
    affected = upstream_of(world.catalog, services)
    failing = tuple(name for name in (*services, *affected) if _is_failing(readings.get(name)))
    worst = _worst(readings, (*services, *affected))
    failed, total = _failed(tx, world, (*services, *affected), since=since, now=now)
    slowest = _slowest(readings, (*services, *affected))
    impact = Impact(
        at=now,
        down=failing,
        affected=tuple(name for name in affected if name not in failing),
        strained=tuple(name for name in services if (one := readings.get(name)) is not None and one.strained),
        error_ratio=worst.error_ratio if worst else None,
        normal_error_ratio=worst.normal_error_ratio if worst else None,
        latency_p95_ms=slowest.latency_p95_ms if slowest else None,
        normal_latency_p95_ms=slowest.normal_latency_p95_ms if slowest else None,
        failed_requests=failed,
        total_requests=total,
        formula=FORMULA,
    )
    return priced(impact, world.catalog, readings, (*services, *affected))


def _is_failing(reading: ServiceReading | None) -> bool:
    return reading is not None and reading.state in ("down", "degraded") and not reading.strained


def _worst(readings: dict[str, ServiceReading], names: tuple[str, ...]) -> ServiceReading | None:
    measured = [readings[name] for name in names if name in readings and readings[name].error_ratio is not None]
    return max(measured, key=lambda reading: reading.error_ratio or 0.0, default=None)


def _slowest(readings: dict[str, ServiceReading], names: tuple[str, ...]) -> ServiceReading | None:
    measured = [readings[name] for name in names if name in readings and readings[name].latency_p95_ms is not None]
    return max(measured, key=lambda reading: reading.latency_p95_ms or 0.0, default=None)


def _failed(
    tx: Transaction, world: World, names: tuple[str, ...], *, since: datetime, now: datetime
) -> tuple[int, int]:
    """Return failed and all requests, from the outermost callers whose requests are counted.

    They count each request of a user once; inner services would count the same failure again.
    """
    counts = {
        name: failed_since(tx.connection, services=(name,), since=since, now=now) for name in dict.fromkeys(names)
    }
    counted = {name: count for name, count in counts.items() if count[1]}
    callers = {name: upstream_of(world.catalog, (name,)) for name in counted}
    outermost = [name for name in counted if not any(caller in counted for caller in callers[name])]
    if not outermost and counted:
        # They all call each other: the one that was asked most.
        outermost = [max(counted, key=lambda name: counted[name][1])]
    return sum(counted[name][0] for name in outermost), sum(counted[name][1] for name in outermost)
