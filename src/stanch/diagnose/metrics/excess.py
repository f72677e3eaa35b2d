"""Evidence of self-excess: the time or the failures of a service that the services it calls do not explain. Pure.

Waiting is inherited upwards: when a database is slow, so is everything above it. What a service adds itself is its
own excess less that of its callees, in request-seconds (or failed requests), which is what the alert is made of.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from stanch.alerts.baseline import MINIMUM_SAMPLES, Floats
from stanch.diagnose.metrics.deviation import RELATIVE_FLOOR, Split
from stanch.diagnose.metrics.evidence import Evidence, EvidenceKind, strength_of
from stanch.diagnose.metrics.frame import Graph, MetricFrame, Role, SeriesKey, best_latency, is_share

NOISE_QUANTILE = 0.95  # of the service's own excess in windows as long as the incident
FAILURE_FLOOR = 0.002  # of all requests; fewer failures than 2 in 1,000 are not what wakes a person


@dataclass(frozen=True, kw_only=True)
class Excess:
    """A service's excess: per row on average in all, its own part, and how far that is above its noise."""

    subject: str
    total: float
    own: float
    deviation: float
    before: float
    after: float


@dataclass(frozen=True, kw_only=True)
class _Symptom:
    """A series turned so that bad is up, its weight by row, and what excess is noise whatever the past says."""

    subject: str
    bad: Floats
    load: Floats
    floor: float


def excess_evidence(
    frame: MetricFrame, split: Split, graph: Graph, *, kind: EvidenceKind, services: Collection[str]
) -> list[Evidence]:
    """Return what each service adds itself, of latency or of failures, as a share of what all of them add.

    Formula: strength = share * ln(1 + deviation / 3), with share = own * g / sum(own * g) over the services given and
    g = deviation / (deviation + 3), so that noise has no share.
    Worked: a table adds 190 request-seconds at a deviation of 51 and a proxy 31 at 71: shares 0.86 and 0.14 (g 0.94
    and 0.96), strengths 0.86 * 2.89 = 2.5 and 0.45.
    """
    excesses = own_excesses(frame, split, graph, kind=kind)
    weighed = {
        name: excess.own * excess.deviation / (excess.deviation + 3.0)
        for name, excess in excesses.items()
        if name in services and excess.own > 0 and excess.deviation > 0
    }
    total = sum(weighed[name] for name in sorted(weighed))
    if total <= 0:
        return []
    return [
        Evidence(
            kind=kind,
            service=name,
            subject=excesses[name].subject,
            strength=weighed[name] / total * strength_of(kind, excesses[name].deviation),
            deviation=excesses[name].deviation,
            before=excesses[name].before,
            after=excesses[name].after,
        )
        for name in sorted(weighed)
    ]


def own_excesses(frame: MetricFrame, split: Split, graph: Graph, *, kind: EvidenceKind) -> dict[str, Excess]:
    """Return each service's excess and its own part of it.

    With y the latency, or the share of failed requests, m its median before and n the requests::

        excess(v)    = mean over after of n * max(0, y - max(m, y just before))
        own(v)       = max(0, excess(v) - sum over callees u of excess(u) * n(v) / sum of n over the callers of u)
        deviation(v) = excess(v) / noise,  noise = 95 % quantile of the same mean (against m alone) over all windows
                       as long as the incident before it, at least 5 % of m per request (2 per mille for failures)

    A callee's excess is shared out over its callers by their requests, since calls are not known by caller.
    A service without requests counts as one with the median of the others'.
    """
    symptoms = _symptoms(frame, split, kind)
    totals = {name: _excess(symptom, split) for name, symptom in symptoms.items()}
    asked = {name: float(np.mean(symptom.load[split.after])) for name, symptom in symptoms.items()}
    found = {}
    for name, excess in totals.items():
        explained = 0.0
        for callee in graph.callees.get(name, ()):
            if callee in totals:
                everyone = sum(asked.get(caller, 0.0) for caller in graph.callers[callee])
                explained += totals[callee].total * (asked[name] / everyone if everyone > 0 else 0.0)
        found[name] = Excess(
            subject=excess.subject,
            total=excess.total,
            own=max(0.0, excess.total - explained),
            deviation=excess.deviation,
            before=excess.before,
            after=excess.after,
        )
    return found


def _symptoms(frame: MetricFrame, split: Split, kind: EvidenceKind) -> dict[str, _Symptom]:
    loads = _loads(frame)
    usual = float(np.median([np.median(load) for load in loads.values()])) if loads else 1.0
    found = {}
    for name in frame.services:
        load = loads.get(name)
        if load is None:
            load = np.full(frame.times.size, usual if usual > 0 else 1.0)
        symptom = (
            _latency(frame, split, name, load) if kind is EvidenceKind.LATENCY else _failures(frame, split, name, load)
        )
        if symptom is not None and load[split.after].sum() > 0:
            found[name] = symptom
    return found


def _loads(frame: MetricFrame) -> dict[str, Floats]:
    """The first load series of each service by name, missing samples as 0 requests."""
    found = {}
    for name, keys in frame.by_role[Role.LOAD].items():
        series = frame.values[:, frame.columns[keys[0]]]
        found[name] = np.where(np.isfinite(series), series, 0.0)
    return found


def _latency(frame: MetricFrame, split: Split, name: str, load: Floats) -> _Symptom | None:
    key = best_latency(frame.by_role[Role.LATENCY].get(name, ()))
    normal = _normal(frame, split, key)
    if key is None or normal is None:
        return None
    return _Symptom(
        subject=key.metric,
        bad=frame.values[:, frame.columns[key]],
        load=load,
        floor=RELATIVE_FLOOR * abs(normal) * float(np.mean(load[split.before])),
    )


def _failures(frame: MetricFrame, split: Split, name: str, load: Floats) -> _Symptom | None:
    """Failures as a share of requests from a success or failure share, else counted as they are."""
    floor = FAILURE_FLOOR * float(np.mean(load[split.before]))
    for key in frame.by_role[Role.SUCCESS].get(name, ()):
        normal = _normal(frame, split, key)
        if normal is not None and normal > 0:
            share = 1.0 - frame.values[:, frame.columns[key]] / normal
            return _Symptom(subject=key.metric, bad=share, load=load, floor=floor)
    for key in frame.by_role[Role.FAILURE].get(name, ()):
        if _normal(frame, split, key) is not None:
            series = frame.values[:, frame.columns[key]]
            weight = load if is_share(key.metric) else np.ones(load.size)
            return _Symptom(subject=key.metric, bad=series, load=weight, floor=floor)
    return None


def _normal(frame: MetricFrame, split: Split, key: SeriesKey | None) -> float | None:
    """Median before, or None when there are too few samples before or none after."""
    if key is None:
        return None
    series = frame.values[:, frame.columns[key]]
    before = series[split.before]
    before = before[np.isfinite(before)]
    if before.size < MINIMUM_SAMPLES or not np.isfinite(series[split.after]).any():
        return None
    return float(np.median(before))


def _excess(symptom: _Symptom, split: Split) -> Excess:
    bad, load = symptom.bad, symptom.load
    known = np.isfinite(bad)
    median = float(np.median(bad[split.before & known]))
    recent = bad[split.recent & known]
    reference = max(median, float(recent.max())) if recent.size else median
    clean = np.where(known, bad, median)
    total = float(np.mean((np.maximum(0.0, clean - reference) * load)[split.after]))
    past = (np.maximum(0.0, clean - median) * load)[split.before]
    length = max(1, min(int(split.after.sum()), past.size))
    windows = np.convolve(past, np.full(length, 1.0 / length), "valid")
    noise = max(float(np.quantile(windows, NOISE_QUANTILE)), symptom.floor)
    after = bad[split.after & known]
    return Excess(
        subject=symptom.subject,
        total=total,
        own=total,
        deviation=total / noise if noise > 0 else (50.0 if total > 0 else 0.0),
        before=median,
        after=float(np.median(after)) if after.size else float("nan"),
    )
