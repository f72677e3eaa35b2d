"""Judges what a look brought: reads the window of every condition, with what is normal, and asks the rule for it.

Owns which rule judges which metric. What follows for the alerts is `detect`'s.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from stanch.alerts.baseline import Baseline, Floats
from stanch.alerts.began import Start
from stanch.alerts.declared import gone, judge_check, judge_rule
from stanch.alerts.growth import judge_memory
from stanch.alerts.model import Alert, Metric, Outcome, Seeing
from stanch.alerts.normal import baseline_before, instant, usual_before
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
from stanch.alerts.tables import labels_text
from stanch.alerts.verdict import Verdict
from stanch.catalog.checks import Check, Rule
from stanch.catalog.model import Catalog
from stanch.ports.sampler import Sample
from stanch.store import Connection

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

_HABITS: Final = frozenset({Metric.LATENCY_P95_MS, Metric.SATURATION, Metric.ERROR_RECORDS})
"""What may be so at a time of day: a nightly job is slow and fills a pool. Requests that fail hurt every night."""

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


def judge_all(
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
        if verdict is not None and verdict.is_due and known is None and metric in _HABITS:
            verdict = _unless_usual(scene, metric, labels, verdict)
        if verdict is not None:
            found[key] = (labels, verdict)
    return found


def _unless_usual(scene: Scene, metric: Metric, labels: Mapping[str, str], verdict: Verdict) -> Verdict:
    """Return `verdict`, or the one against what is usual at this time of day where that finds nothing wrong."""
    usual = usual_before(
        scene.connection, service=scene.service, metric=metric, labels=labels, onset=_began(verdict, scene)
    )
    if usual is None:
        return verdict
    again = _judge(scene, metric, labels, onset=None, normal=usual)
    if again is None or again.breach:
        return verdict
    detail = f"{again.detail}; it is so at this time of day"
    return replace(again, outcome=Outcome.WITHIN_NORMAL, detail=detail)


def _began(verdict: Verdict, scene: Scene) -> datetime:
    """Return when what is judged began, now where that is not known."""
    return instant(verdict.start.at) if verdict.start is not None else scene.now


def _judge(
    scene: Scene,
    metric: Metric,
    labels: Mapping[str, str],
    *,
    onset: datetime | None,
    normal: Baseline | None = None,
) -> Verdict | None:
    thresholds, now, window_s = scene.catalog.thresholds, scene.seconds, scene.window_s
    windows = WIDER[-1]
    if metric is Metric.UP:
        return judge_up(*scene.read(metric, windows=windows), thresholds=thresholds, now=now, window_s=window_s)
    if metric is Metric.RESTARTS:
        return judge_restarts(*scene.read(metric, windows=RESTART_WINDOWS), now=now, window_s=window_s)
    baseline = normal or scene.normal(metric, labels=labels, onset=onset)
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


def judge_declared(
    scene: Scene, check: Check, samples: Sequence[Sample], firing: Mapping[Key, Alert], *, trouble: str
) -> dict[Key, tuple[dict[str, str], Verdict]]:
    """Judge the check itself, and the series of its rules; a series that is gone ends its alert.

    One that Stanch measures itself is not gone where a look brings none of it: without requests none was slow.
    """
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
        if rule is not None and key not in found and not rule.measure:
            found[key] = (dict(alert.labels), gone(rule))
    return found


def _windows_of(scene: Scene, check: Check) -> float:
    """Return how many windows hold the looks that must fail in a row, with some to spare."""
    return max(4.0, 2.0 * check.looks * check.every_s / scene.window_s)


def _judge_series(scene: Scene, rule: Rule, labels: Mapping[str, str], note: str, *, onset: datetime | None) -> Verdict:
    windows = max(WIDER[-1], 2.0 * (rule.window_s or 0.0) / scene.window_s)
    times, values = scene.read(Metric.RULE, windows=windows, labels=labels)
    wanted = rule.factor is not None or rule.over != "sum"

    def judged(baseline: Baseline | None) -> Verdict:
        return judge_rule(
            times,
            values,
            rule=rule,
            baseline=baseline,
            thresholds=scene.catalog.thresholds,
            now=scene.seconds,
            window_s=scene.window_s,
            note=note,
        )

    verdict = judged(scene.normal(Metric.RULE, labels=labels, onset=onset) if wanted else None)
    if rule.factor is None or onset is not None or not verdict.is_due:
        return verdict
    usual = usual_before(
        scene.connection, service=scene.service, metric=Metric.RULE, labels=labels, onset=_began(verdict, scene)
    )
    again = judged(usual) if usual is not None else verdict
    if again.breach or again.outcome is Outcome.TOO_FEW_SAMPLES:
        return verdict
    return replace(again, outcome=Outcome.WITHIN_NORMAL, detail=f"{again.detail}; it is so at this time of day")


def judge_sources(
    scene: Scene, samples: Sequence[Sample], seeing: Seeing, every_s: float
) -> dict[Key, tuple[dict[str, str], Verdict]]:
    """Judge whether the check of the look can see what it looks at."""
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
