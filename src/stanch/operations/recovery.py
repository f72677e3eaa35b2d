"""Looks whether the checks of a recovery hold right now, for the page and for the engine's verification.

What a check is and when it holds is `mitigate.verification`'s; here its figures are read. A figure that is older than
two and a half looks of its check does not count: what is not measured is not well.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.errors.tables import counts_of_errors, find_errors
from stanch.alerts.looks.tables import find_seeing
from stanch.alerts.model import Metric
from stanch.alerts.reports.tables import count_reports
from stanch.alerts.samples.tables import read_samples
from stanch.alerts.series import LATEST_LOOKS, baseline_before, recent_value
from stanch.alerts.standout import HISTORY
from stanch.alerts.tables import find_alerts, find_conditions
from stanch.catalog.model import Service
from stanch.catalog.rules import neighbourhood
from stanch.incidents.state import ActionState, IncidentState
from stanch.mitigate.verification import (
    OF_REQUESTS,
    Band,
    RecoveryCheck,
    checks_for,
    judge,
    log_check,
    reports_check,
    wanted_bands,
)
from stanch.mitigate.watching import Looked, Memory, held_since, remembered
from stanch.operations.world import World
from stanch.store import Transaction, timers

# One look that is late or lost is no gap, on a machine that is busy.
_LEAST_FRESH_S: Final = 10.0
_LOG_WINDOW: Final = timedelta(minutes=1)
_LOG_SAMPLERS: Final = frozenset({"jsonlog", "logpattern"})
_PROBES: Final = frozenset({"http", "tcp"})
_METRICS: Final = frozenset({"openmetrics", "promql"})
_WARNING: Final = "warning"
REPORTED: Final = "CustomerReports"
"""The name of the alert that customers' reports raise."""


def recovery_checks(
    tx: Transaction, world: World, state: IncidentState, bands: Mapping[tuple[str, str], Band | None]
) -> tuple[RecoveryCheck, ...]:
    """Return the checks that decide whether this incident is over: its recovery plan."""
    known = {key: band for key, band in bands.items() if band is not None}
    found = checks_for(state, world.catalog, bands=known)
    return (*found, *_of_log(tx, world, state), *_of_reports(tx, world, state))


def look_at_recovery(
    tx: Transaction, world: World, state: IncidentState, memory: Memory, *, now: datetime
) -> tuple[tuple[Looked, ...], Memory]:
    """Return how every check of a recovery stands at `now`, and what the next look has to know."""
    bands = _bands(tx, world, state, memory)
    checks = recovery_checks(tx, world, state, bands)
    found = held_since([_look(tx, world, state, check, now=now) for check in checks], memory, now=now)
    since = {one.check.key: one.since for one in found if one.since}
    return found, Memory(looked_at=now, since=since, onset=state.started_at, bands=bands)


def last_look(tx: Transaction, state: IncidentState) -> Memory:
    """Return what the engine's last look at a recovery handed on."""
    waiting = timers.find(tx.connection, incident=state.number, kind="verify")
    return remembered(waiting[0].data) if waiting else Memory()


def new_elsewhere(tx: Transaction, world: World, state: IncidentState) -> tuple[str, ...]:
    """Return in words the alerts around the incident that are not its own: a problem beside it is no recovery."""
    return tuple(
        f"a new problem at {alert.service}: {alert.summary}"
        for alert in find_alerts(tx.connection, firing_only=True)
        if alert.id not in state.alerts
        and not alert.is_warning
        and not alert.quiet
        and alert.service in _around(world, state)
    )


def in_the_making(tx: Transaction, world: World, state: IncidentState) -> tuple[str, ...]:
    """Return in words what is not well around the incident and not an alert yet: it holds the end up."""
    near = _around(world, state)
    # What is an alert is judged as one, or was held back on purpose.
    told = {(one.service, one.metric) for one in find_alerts(tx.connection, firing_only=True)}
    return tuple(
        f"{one.service}: {one.detail}"
        for one in find_conditions(tx.connection)
        if one.breached_since
        and one.service in near
        and (one.service, one.metric) not in told
        and one.labels.get("severity") != _WARNING
    )


def since_mitigation(state: IncidentState, id: str) -> str:
    """Return the title of the plan after which an alert of the incident began, empty where none had run."""
    began = state.alerts[id].alert.starts_at
    ran = [action for action in state.actions.values() if action.state is ActionState.SUCCEEDED and action.started_at]
    before = [action for action in ran if action.started_at and action.started_at <= began]
    return max(before, key=lambda action: action.started_at or began).plan.title if before else ""


def _around(world: World, state: IncidentState) -> frozenset[str]:
    """Return our services around the incident: what is somebody else's may stay broken."""
    own = {*state.services, *(one.alert.labels.get("service", "") for one in state.alerts.values())} - {""}
    near = neighbourhood(world.catalog, own) | own
    return frozenset(name for name in near if not _is_external(world, name))


def _is_external(world: World, name: str) -> bool:
    service = world.catalog.services.get(name)
    return service is not None and service.external


def _bands(
    tx: Transaction, world: World, state: IncidentState, memory: Memory
) -> Mapping[tuple[str, str], Band | None]:
    """Return the bands from before the onset, read once for each onset and each service that is met."""
    known = memory.bands if memory.onset == state.started_at else {}
    return {
        key: known[key] if key in known else _band(tx, world, state, *key) for key in wanted_bands(state, world.catalog)
    }


def _band(tx: Transaction, world: World, state: IncidentState, service: str, metric: str) -> Band | None:
    found = baseline_before(
        tx.connection,
        service=service,
        metric=metric,
        onset=state.started_at,
        window_s=world.catalog.timing.baseline_s,
    )
    return Band(normal=found.median, high=found.high) if found else None


def _look(tx: Transaction, world: World, state: IncidentState, check: RecoveryCheck, *, now: datetime) -> Looked:
    value = _value(tx, world, state, check, now=now)
    unseen = value is None and check.metric in OF_REQUESTS
    requests = _requests(tx, world, check.service, now=now) if unseen else None
    why = judge(check, value, idle=requests == 0, called=requests is None)
    if why and (title := _new_since(state, check)):
        why = f"{why} (new since {title})"
    return Looked(check=check, value=value, why=why)


def _new_since(state: IncidentState, check: RecoveryCheck) -> str:
    for id, one in state.alerts.items():
        reading = one.alert.reading
        if one.ended_at is None and reading and (reading.service, reading.metric) == (check.service, check.metric):
            return since_mitigation(state, id)
    return ""


def _value(tx: Transaction, world: World, state: IncidentState, check: RecoveryCheck, *, now: datetime) -> float | None:
    service = world.catalog.services.get(check.service)
    window_s, fresh_s = _spans(world, service, check)
    start = now - timedelta(seconds=window_s)
    match check.metric:
        case "alert" | "blind" | "rule":
            return None
        case "reports":
            return float(count_reports(tx.connection, since=start, service=check.service))
        case "error_log":
            return _logged(tx, check, now=now, fresh_s=fresh_s)
    labels = _labels_of(state, check)
    times, values = read_samples(
        tx.connection, service=check.service, metric=check.metric, labels=labels, start=start, end=now
    )
    if not times.size or now.timestamp() - float(times[-1]) > fresh_s:
        return None
    if check.metric == Metric.RESTARTS:
        return float(values.sum())
    if check.metric == Metric.CHECK:
        return float(values.min())
    return recent_value(
        tx.connection, service=check.service, metric=check.metric, now=now, window_s=window_s, labels=labels
    )


def _labels_of(state: IncidentState, check: RecoveryCheck) -> dict[str, str] | None:
    """Return the labels of the series that a check is about, None where it is the worst of them."""
    if check.metric != Metric.CHECK:
        return dict(check.labels) or None
    for one in state.alerts.values():
        reading = one.alert.reading
        labels = reading.labels if reading and reading.service == check.service else None
        if labels and labels.get("probe") == check.subject:
            return dict(labels)
    return None


def _spans(world: World, service: Service | None, check: RecoveryCheck) -> tuple[float, float]:
    """Return the window that a figure is of and how old its newest look may be, both in seconds."""
    window_s = world.catalog.timing.detect_window_s
    slowest_s = (
        max((one.every_s for one in service.checks if _reads(check, one.sampler, one.name)), default=0.0)
        if service
        else 0.0
    )
    window_s = max(window_s, LATEST_LOOKS * slowest_s)
    return window_s, min(window_s, max(_LEAST_FRESH_S, LATEST_LOOKS * slowest_s))


def _reads(check: RecoveryCheck, sampler: str, name: str) -> bool:
    match check.metric:
        case "check":
            return name == check.subject
        case "up":
            return sampler in _PROBES
        case "error_log":
            return sampler in _LOG_SAMPLERS
        case _:
            return sampler in _METRICS


def _requests(tx: Transaction, world: World, service: str, *, now: datetime) -> float | None:
    """Return how many requests a service had lately, None where it was not seen."""
    check = RecoveryCheck(service=service, metric="requests")
    window_s, _ = _spans(world, world.catalog.services.get(service), check)
    start = now - timedelta(seconds=window_s)
    values = read_samples(tx.connection, service=service, metric="requests", labels={}, start=start, end=now)[1]
    return float(values.sum()) if values.size else None


def _of_log(tx: Transaction, world: World, state: IncidentState) -> tuple[RecoveryCheck, ...]:
    """Return the check of the error that stands out, where one of our checks reads the log it stands in."""
    error = state.error
    service = world.catalog.services.get(error.service) if error else None
    if error is None or service is None or not any(one.sampler in _LOG_SAMPLERS for one in service.checks):
        return ()
    counted = _counts(tx, error.service, error.title, start=state.started_at - HISTORY, end=state.started_at)
    before = counted / (HISTORY / _LOG_WINDOW)
    return (log_check(error.service, error.title, before=before),)


def _counts(tx: Transaction, service: str, title: str, *, start: datetime, end: datetime) -> int:
    same = {
        one.fingerprint for one in find_errors(tx.connection, services=[service], since=start) if one.title == title
    }
    counts = counts_of_errors(tx.connection, services=[service], start=start, end=end)
    return sum(sum(found.values()) for (_, fingerprint), found in counts.items() if fingerprint in same)


def _logged(tx: Transaction, check: RecoveryCheck, *, now: datetime, fresh_s: float) -> float | None:
    """Return how often an error was logged in the last minute, None where nobody has read the log lately."""
    looks = [
        one.seen_at
        for one in find_seeing(tx.connection)
        if one.service == check.service and one.sampler in _LOG_SAMPLERS and one.seen_at
    ]
    if not looks or now - max(looks) > timedelta(seconds=fresh_s):
        return None
    return float(_counts(tx, check.service, check.subject, start=now - _LOG_WINDOW, end=now + timedelta(seconds=1)))


def _of_reports(tx: Transaction, world: World, state: IncidentState) -> tuple[RecoveryCheck, ...]:
    """Return the checks that those who reported since the onset report nothing any more."""
    if not world.catalog.report.enabled:
        return ()
    told = [
        one.alert.labels.get("service", "")
        for one in state.alerts.values()
        if one.alert.labels.get("alertname") == REPORTED
    ]
    services = dict.fromkeys((*state.services, *told))
    return tuple(
        reports_check(name) for name in services if count_reports(tx.connection, since=state.started_at, service=name)
    )
