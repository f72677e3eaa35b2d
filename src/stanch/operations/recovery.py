"""Looks whether the checks of a recovery hold right now, for the page and for the engine's verification."""

from datetime import datetime

from stanch.alerts.series import recent_value
from stanch.incidents.state import IncidentState
from stanch.mitigate.verification import RecoveryCheck, checks_for, judge
from stanch.operations.world import World
from stanch.store import Transaction


def recovery_checks(world: World, state: IncidentState) -> tuple[RecoveryCheck, ...]:
    """Return the checks that decide whether this incident is over."""
    return checks_for(state, world.catalog)


def failing_checks(tx: Transaction, world: World, state: IncidentState, *, now: datetime) -> tuple[str, ...]:
    """Return in words the checks that do not hold at `now`; a service that cannot be seen does not hold."""
    failing = []
    for check in recovery_checks(world, state):
        value = recent_value(
            tx.connection,
            service=check.service,
            metric=check.metric,
            now=now,
            window_s=world.catalog.timing.detect_window_s,
        )
        verdict = judge(check, value, idle=value is None and _is_idle(tx, world, check.service, now=now))
        if verdict:
            failing.append(verdict)
    return tuple(failing)


def _is_idle(tx: Transaction, world: World, service: str, *, now: datetime) -> bool:
    """Tell whether `service` was seen in the newest window and nobody asked anything of it."""
    window_s = world.catalog.timing.detect_window_s
    requests = recent_value(tx.connection, service=service, metric="requests", now=now, window_s=window_s)
    return requests == 0
