"""Brings samples, normal and thresholds together after a look: judges, and writes what follows for the alerts.

Runs inside the transaction that stored the look. Verdicts are `judging`'s, what they do to an alert is `lifecycle`'s.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from stanch.alerts.baseline import Baseline
from stanch.alerts.began import Start
from stanch.alerts.judging import Key, Scene, judge_all, judge_declared, judge_sources
from stanch.alerts.lifecycle import advance
from stanch.alerts.model import Alert, AlertStatus, Condition, Measured, Metric, Outcome, Seeing
from stanch.alerts.normal import instant
from stanch.alerts.series import LATEST_LOOKS, failed_since
from stanch.alerts.shape import shape_of
from stanch.alerts.tables import (
    find_alerts,
    find_conditions,
    labels_text,
    newest_alert,
    save_alert,
    store_conditions,
)
from stanch.alerts.verdict import Verdict
from stanch.alerts.words import ended_summary_of, summary_of, title_of
from stanch.catalog.checks import CRITICAL, WARNING, Check
from stanch.catalog.model import Catalog
from stanch.kernel.ids import new_id
from stanch.ports.sampler import Sample
from stanch.store import Connection

WORTH_TELLING: Final = 0.25
"""A firing alert is told again when its trend is another one or its value has moved by a quarter."""


def detect(
    connection: Connection,
    *,
    catalog: Catalog,
    service: str,
    samples: Sequence[Sample],
    seeing: Seeing,
    check: Check,
    now: datetime,
) -> list[tuple[Alert, Outcome]]:
    """Judge what a look at `service` brought and store what follows; return the alerts that changed, with why.

    `samples` are those of the look of `check`, already stored; `seeing` is how it has been getting on, with this look.
    """
    every_s = check.every_s
    window_s = max(catalog.timing.detect_window_s, LATEST_LOOKS * every_s)
    scene = Scene(connection=connection, catalog=catalog, service=service, now=now, window_s=window_s)
    firing = {
        (one.metric, labels_text(one.labels)): one for one in find_alerts(connection, service=service, firing_only=True)
    }
    stands = {(one.metric, labels_text(one.labels)): one for one in find_conditions(connection, service=service)}
    judged = (
        judge_all(scene, samples, firing)
        | judge_declared(scene, check, samples, firing, trouble=seeing.trouble)
        | judge_sources(scene, samples, seeing, every_s)
    )
    changes = []
    rows = []
    for key, (labels, verdict) in judged.items():
        row, change = _follow(scene, key, labels, verdict, firing=firing, before=stands.get(key))
        rows.append(row)
        if change is not None:
            changes.append(change)
    store_conditions(connection, rows)
    return changes


def retire(
    connection: Connection, *, catalog: Catalog, checks: Sequence[str], now: datetime
) -> list[tuple[Alert, Outcome]]:
    """End the alerts of services that are not in the catalog any more, and of checks that are not in `checks`."""
    ended = []
    for alert in find_alerts(connection, firing_only=True):
        if not _is_watched(alert, catalog, checks):
            over = replace(
                alert,
                status=AlertStatus.ENDED,
                outcome=Outcome.ENDED,
                ended_at=now,
                updated_at=now,
                detail="it is not watched any more",
                summary=f"{alert.title}: not watched any more",
            )
            save_alert(connection, over)
            ended.append((over, Outcome.ENDED))
    return ended


def _is_watched(alert: Alert, catalog: Catalog, checks: Sequence[str]) -> bool:
    service = catalog.services.get(alert.service)
    if service is None:
        return False
    labels = alert.labels
    match alert.metric:
        case Metric.BLIND:
            return labels.get("check") in checks
        case Metric.CHECK:
            return any(
                one.name == labels.get("probe") and labels.get("severity") in (one.severity, WARNING)
                for one in service.checks
            )
        case Metric.RULE:
            rules = (rule for one in service.checks for rule in one.rules)
            return any(
                rule.name == labels.get("rule") and rule.severity == labels.get("severity", CRITICAL) for rule in rules
            )
    return True


def fingerprint_of(service: str, metric: Metric, labels: Mapping[str, str]) -> str:
    """Return 16 hexadecimal digits that are equal for alerts of one condition."""
    text = "\x00".join((service, metric.value, labels_text(labels)))
    return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()


def _follow(
    scene: Scene,
    key: Key,
    labels: dict[str, str],
    verdict: Verdict,
    *,
    firing: Mapping[Key, Alert],
    before: Condition | None,
) -> tuple[Condition, tuple[Alert, Outcome] | None]:
    """Bring one alert on its way; return how the condition stands, and the alert if it is another one now."""
    metric = key[0]
    print_ = fingerprint_of(scene.service, metric, labels)
    alert = firing.get(key) or (newest_alert(scene.connection, print_) if verdict.is_due else None)
    step = advance(
        verdict,
        alert=alert,
        before=before,
        thresholds=scene.catalog.thresholds,
        now=scene.now,
        explained=metric is Metric.BLIND and any(one is Metric.UP for one, _ in firing),
    )
    row = Condition(
        service=scene.service,
        metric=metric,
        labels=labels,
        at=scene.now,
        outcome=step.outcome,
        detail=verdict.detail,
        measured=verdict.measured,
        breached_since=_since(verdict, before, scene.now) if verdict.breach else None,
        well_since=step.well_since,
    )
    after = _after(scene, metric, labels, verdict, step.outcome, alert=alert)
    if after is None:
        return row, None
    save_alert(scene.connection, after)
    quiet = step.outcome is Outcome.STILL_FIRING and not _worth_telling(alert, after)
    return row, None if quiet else (after, step.outcome)


def _since(verdict: Verdict, before: Condition | None, now: datetime) -> datetime:
    known = before.breached_since if before else None
    return known or (instant(verdict.start.at) if verdict.start else now)


def _after(
    scene: Scene,
    metric: Metric,
    labels: dict[str, str],
    verdict: Verdict,
    outcome: Outcome,
    *,
    alert: Alert | None,
) -> Alert | None:
    """Return the alert as it is after `outcome`, None where nothing about it changes."""
    if outcome.opens:
        return _opened(scene, metric, labels, verdict, outcome, known=alert if outcome is not Outcome.OPENED else None)
    if alert is None or not outcome.changes:
        return None
    if outcome is Outcome.ENDED:
        lasted = scene.now - alert.starts_at
        measured = verdict.measured or alert.measured
        return replace(
            alert,
            status=AlertStatus.ENDED,
            outcome=outcome,
            ended_at=scene.now,
            updated_at=scene.now,
            detail=verdict.detail,
            summary=ended_summary_of(alert.service, metric, labels, measured, lasted=lasted),
        )
    return _told(scene, replace(alert, outcome=outcome), verdict)


def _opened(
    scene: Scene,
    metric: Metric,
    labels: dict[str, str],
    verdict: Verdict,
    outcome: Outcome,
    *,
    known: Alert | None,
) -> Alert:
    now = scene.now
    start = verdict.start or Start(at=scene.seconds, low=scene.seconds, high=scene.seconds)
    if known is not None:
        again = replace(known, status=AlertStatus.FIRING, outcome=outcome, ended_at=None, openings=known.openings + 1)
        return _told(scene, again, verdict)
    alert = Alert(
        id=new_id(now),
        fingerprint=fingerprint_of(scene.service, metric, labels),
        service=scene.service,
        metric=metric,
        labels=labels,
        status=AlertStatus.FIRING,
        measured=verdict.measured or Measured(value=0.0),
        starts_at=instant(start.at),
        starts_low=instant(start.low),
        starts_high=instant(max(start.high, start.at)),
        detected_at=now,
        updated_at=now,
        title=title_of(scene.service, metric, labels),
        summary="",
        outcome=outcome,
    )
    return _told(scene, alert, verdict)


def _told(scene: Scene, alert: Alert, verdict: Verdict) -> Alert:
    """Return `alert` with what is known now: value, normal, trend, counts, and the line that says so."""
    measured = verdict.measured or alert.measured
    baseline = None
    if measured.unit or alert.metric is Metric.ERROR_RECORDS:
        # Now that the start is known, all that lies before it can say what is normal.
        baseline = scene.normal(alert.metric, labels=alert.labels, onset=alert.starts_low)
    if baseline is not None and measured.unit:
        measured = replace(measured, normal=baseline.median, low=baseline.low, high=baseline.high)
    failed, total = failed_since(scene.connection, services=(alert.service,), since=alert.starts_at, now=scene.now)
    return replace(
        alert,
        measured=measured,
        updated_at=scene.now,
        detail=verdict.detail,
        trend=_trend(scene, alert, baseline),
        failed_requests=failed,
        total_requests=total,
        summary=summary_of(alert.service, alert.metric, alert.labels, measured, detail=verdict.detail),
    )


def _trend(scene: Scene, alert: Alert, baseline: Baseline | None) -> str:
    """Return the shape of the series around the alert: as long before its start as it has lasted, and two windows."""
    if baseline is None:
        return ""
    lasted_s = (scene.now - alert.starts_at).total_seconds()
    windows = (2 * lasted_s + 2 * scene.window_s) / scene.window_s
    return shape_of(*scene.read(alert.metric, windows=windows, labels=alert.labels), baseline).value


def _worth_telling(before: Alert | None, after: Alert) -> bool:
    if before is None or before.trend != after.trend:
        return True
    return abs(after.value - before.value) > WORTH_TELLING * abs(before.value)
