"""Brings samples, normal and thresholds together after a look: judges, and writes what follows for the alerts.

Runs inside the transaction that stored the look. The decisions are those of `rules`, `presence` and `lifecycle`.
"""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from stanch.alerts.baseline import Baseline, Floats
from stanch.alerts.began import Start
from stanch.alerts.declared import gone, judge_check, judge_rule
from stanch.alerts.growth import judge_memory
from stanch.alerts.lifecycle import advance
from stanch.alerts.model import Alert, AlertStatus, Condition, Measured, Metric, Outcome, Seeing
from stanch.alerts.normal import baseline_before, instant
from stanch.alerts.presence import RESTART_WINDOWS, judge_restarts, judge_sight, judge_up
from stanch.alerts.rules import (
    STRONG_HOLD,
    WIDER,
    Traffic,
    judge_error_records,
    judge_errors,
    judge_latency,
    judge_saturation,
)
from stanch.alerts.samples.tables import read_samples
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
from stanch.catalog.checks import CRITICAL, WARNING, Check, Rule
from stanch.catalog.model import Catalog
from stanch.kernel.ids import new_id
from stanch.ports.sampler import Sample
from stanch.store import Connection

WORTH_TELLING: Final = 0.25
"""A firing alert is told again when its trend is another one or its value has moved by a quarter."""

_JUDGED: Final[dict[str, Metric]] = {
    Metric.UP: Metric.UP,
    Metric.REQUESTS: Metric.ERROR_RATIO,
    Metric.LATENCY_P95_MS: Metric.LATENCY_P95_MS,
    Metric.RESTARTS: Metric.RESTARTS,
    Metric.SATURATION: Metric.SATURATION,
    Metric.MEMORY_BYTES: Metric.MEMORY_BYTES,
    Metric.ERROR_RECORDS: Metric.ERROR_RECORDS,
}
"""What is judged when a look has brought a sample of a metric."""

Key = tuple[Metric, str]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Where and when is judged; `window_s` holds at least two and a half looks."""

    connection: Connection
    catalog: Catalog
    service: str
    now: datetime
    window_s: float

    @property
    def seconds(self) -> float:
        """Return now in seconds since 1970."""
        return self.now.timestamp()

    def read(self, metric: Metric, *, windows: float, labels: Mapping[str, str] | None = None) -> tuple[Floats, Floats]:
        """Return the samples of a metric in the newest `windows` windows."""
        start = self.now - timedelta(seconds=windows * self.window_s)
        return read_samples(
            self.connection, service=self.service, metric=metric, labels=labels or {}, start=start, end=self.now
        )

    def normal(
        self, metric: Metric, *, labels: Mapping[str, str] | None = None, onset: datetime | None = None
    ) -> Baseline | None:
        """Return what is normal before `onset`, or before the earliest start that a condition not yet told can have."""
        hidden = timedelta(seconds=STRONG_HOLD * self.catalog.thresholds.for_s + self.window_s)
        return baseline_before(
            self.connection,
            service=self.service,
            metric=metric,
            labels=labels or {},
            onset=onset or self.now - hidden,
            window_s=self.catalog.timing.baseline_s,
        )


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
        _judge_all(scene, samples, firing)
        | _judge_declared(scene, check, samples, firing, trouble=seeing.trouble)
        | _judge_sight(scene, samples, seeing, every_s)
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


def _judge_all(
    scene: Scene, samples: Sequence[Sample], firing: Mapping[Key, Alert]
) -> dict[Key, tuple[dict[str, str], Verdict]]:
    """Judge every condition that the samples speak of, once each."""
    found: dict[Key, tuple[dict[str, str], Verdict]] = {}
    for sample in samples:
        metric = _JUDGED.get(sample.metric)
        labels = dict(sample.labels)
        if metric is None or (metric, labels_text(labels)) in found:
            continue
        key = (metric, labels_text(labels))
        known = firing[key].starts_low if key in firing else None
        verdict = _judge(scene, metric, labels, onset=known)
        if verdict is not None:
            found[key] = (labels, verdict)
    return found


def _judge(scene: Scene, metric: Metric, labels: Mapping[str, str], *, onset: datetime | None) -> Verdict | None:
    thresholds, now, window_s = scene.catalog.thresholds, scene.seconds, scene.window_s
    windows = WIDER[-1]
    if metric is Metric.UP:
        return judge_up(*scene.read(metric, windows=windows), thresholds=thresholds, now=now, window_s=window_s)
    if metric is Metric.RESTARTS:
        return judge_restarts(*scene.read(metric, windows=RESTART_WINDOWS), now=now, window_s=window_s)
    baseline = scene.normal(metric, labels=labels, onset=onset)
    if metric is Metric.ERROR_RATIO:
        traffic = _traffic(scene, windows=windows)
        return judge_errors(traffic, baseline=baseline, thresholds=thresholds, now=now, window_s=window_s)
    times, values = scene.read(metric, windows=windows, labels=labels)
    if metric is Metric.LATENCY_P95_MS:
        counted = scene.read(Metric.REQUESTS, windows=windows)
        requests = _aligned(times, *counted)
        return judge_latency(
            times, values, requests, baseline=baseline, thresholds=thresholds, now=now, window_s=window_s
        )
    if metric is Metric.SATURATION:
        resource = labels.get("resource", "resource").replace("_", " ")
        return judge_saturation(
            times, values, resource=resource, baseline=baseline, thresholds=thresholds, now=now, window_s=window_s
        )
    if metric is Metric.MEMORY_BYTES:
        return judge_memory(
            times,
            values,
            baseline=baseline,
            thresholds=thresholds,
            now=now,
            window_s=window_s,
            firing=onset is not None,
        )
    # Where requests are counted they decide: an error in the log without a failed request hurts nobody yet.
    if scene.read(Metric.REQUESTS, windows=windows)[0].size:
        return None
    return judge_error_records(times, values, baseline=baseline, thresholds=thresholds, now=now, window_s=window_s)


def _judge_declared(
    scene: Scene, check: Check, samples: Sequence[Sample], firing: Mapping[Key, Alert], *, trouble: str
) -> dict[Key, tuple[dict[str, str], Verdict]]:
    """Judge the check itself, and the series of its rules; a series that is gone ends its alert."""
    rules = {rule.name: rule for rule in check.rules}
    found: dict[Key, tuple[dict[str, str], Verdict]] = {}
    for sample in samples:
        labels = dict(sample.labels)
        text = labels_text(labels)
        if sample.metric == Metric.CHECK:
            times, values = scene.read(Metric.CHECK, windows=_windows_of(scene, check), labels=labels)
            verdict = judge_check(
                times, values, check=check, note=sample.note, thresholds=scene.catalog.thresholds, now=scene.seconds
            )
            found[Metric.CHECK, text] = (labels, verdict)
        elif sample.metric == Metric.RULE and (rule := rules.get(labels.get("rule", ""))) is not None:
            known = firing.get((Metric.RULE, text))
            verdict = _judge_series(scene, rule, labels, sample.note, onset=known.starts_low if known else None)
            found[Metric.RULE, text] = (labels, verdict)
    if trouble:
        return found
    for key, alert in firing.items():
        rule = rules.get(alert.labels.get("rule", "")) if key[0] is Metric.RULE else None
        if rule is not None and key not in found:
            found[key] = (dict(alert.labels), gone(rule))
    return found


def _windows_of(scene: Scene, check: Check) -> float:
    """Return how many windows hold the looks that must fail in a row, with some to spare."""
    return max(4.0, 2.0 * check.looks * check.every_s / scene.window_s)


def _judge_series(scene: Scene, rule: Rule, labels: Mapping[str, str], note: str, *, onset: datetime | None) -> Verdict:
    windows = max(WIDER[-1], 2.0 * (rule.window_s or 0.0) / scene.window_s)
    times, values = scene.read(Metric.RULE, windows=windows, labels=labels)
    wanted = rule.factor is not None or rule.over != "sum"
    return judge_rule(
        times,
        values,
        rule=rule,
        baseline=scene.normal(Metric.RULE, labels=labels, onset=onset) if wanted else None,
        thresholds=scene.catalog.thresholds,
        now=scene.seconds,
        window_s=scene.window_s,
        note=note,
    )


def _judge_sight(
    scene: Scene, samples: Sequence[Sample], seeing: Seeing, every_s: float
) -> dict[Key, tuple[dict[str, str], Verdict]]:
    # A health probe that gets no answer has seen what there is to see: the service is down.
    if any(one.metric == Metric.UP for one in samples):
        return {}
    labels = {"check": seeing.check, "sampler": seeing.sampler}
    troubled_s = (scene.now - seeing.troubled_since).total_seconds() if seeing.troubled_since else 0.0
    verdict = judge_sight(
        seeing.troubles, troubled_s, seeing.trouble, every_s=every_s, thresholds=scene.catalog.thresholds
    )
    if seeing.troubled_since is not None:
        since = seeing.troubled_since.timestamp()
        verdict = replace(verdict, start=Start(at=since, low=since - every_s, high=since))
    first = _first_to_look(scene.catalog, seeing)
    if first != scene.service and verdict.breach:
        # One source that cannot be read is one alert, however many services are looked at through it.
        detail = f"{verdict.detail} (the alert of {first} says so)"
        verdict = Verdict(breach=False, outcome=Outcome.EXPLAINED, detail=detail, measured=verdict.measured)
    return {(Metric.BLIND, labels_text(labels)): (labels, verdict)}


def _first_to_look(catalog: Catalog, seeing: Seeing) -> str:
    """Return the first service of the catalog with a check of the same source."""
    found = (
        service.name
        for service in catalog.services.values()
        for check in service.checks
        if (check.sampler, check.target) == (seeing.sampler, seeing.target)
    )
    return next(found, seeing.service)


def _traffic(scene: Scene, *, windows: float) -> Traffic:
    times, requests = scene.read(Metric.REQUESTS, windows=windows)
    failed = _aligned(times, *scene.read(Metric.FAILED_REQUESTS, windows=windows))
    return Traffic(times=times, requests=requests, failed=np.minimum(failed, requests))


def _aligned(times: Floats, at: Floats, values: Floats) -> Floats:
    """Return for each of `times` the value that carries the same instant, 0 where there is none."""
    by_time = dict(zip(at.tolist(), values.tolist(), strict=True))
    return np.array([by_time.get(time, 0.0) for time in times.tolist()], dtype=np.float64)


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
