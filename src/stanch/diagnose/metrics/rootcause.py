"""Ranks services by the evidence against them: resources, self-excess, network, logs, traffic. Pure; no model learns.

This module splits the time, asks each kind of evidence, and adds up. It may end with nothing that stands out; what
that means for an investigation is decided above.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np

from stanch.alerts.baseline import Floats
from stanch.diagnose.metrics.deviation import Movement, Split, movements, split_at, split_by_alert
from stanch.diagnose.metrics.evidence import Evidence, EvidenceKind, strength_of
from stanch.diagnose.metrics.excess import excess_evidence
from stanch.diagnose.metrics.frame import EdgeFrame, Graph, LogCounts, MetricFrame, Role, SeriesKey, role_of
from stanch.diagnose.metrics.network import network_evidence
from stanch.diagnose.metrics.onset import estimate_common_onset
from stanch.diagnose.metrics.resources import resource_evidence
from stanch.diagnose.metrics.templates import log_evidence
from stanch.diagnose.metrics.traffic import traffic_evidence

REST_SHARE = 0.3  # of the evidence after the strongest: agreement counts, but many weak findings do not outvote one
STANDS_OUT = 0.7  # CPU at 3 spreads, or a template at G = 5: about what quiet systems show
OTHER_SYMPTOM = 0.2  # weight of failures when the alert is about latency, and the other way round
WHERE_IT_SHOWS = 0.4  # weight of what the alerting service has itself that calls others: it shows what they do
OFF_THE_PATH = 0.5  # weight of services that the alerting one does not reach
ONSET_SERIES = 200  # series asked for an onset when none is given; at 2 ms each that is 0.4 s
ONSET_ROLES = (Role.LATENCY, Role.FAILURE, Role.SUCCESS, Role.CPU)

_RESOURCES = (Role.CPU, Role.MEMORY, Role.SATURATION)
_SYMPTOMS = {
    Role.LATENCY: EvidenceKind.LATENCY,
    Role.FAILURE: EvidenceKind.FAILURES,
    Role.SUCCESS: EvidenceKind.FAILURES,
}
_SHOWN_ABOVE = (EvidenceKind.LATENCY, EvidenceKind.FAILURES, EvidenceKind.CALLS_VANISHED)


@dataclass(frozen=True, kw_only=True)
class Cause:
    """A service under suspicion with what is held against it, strongest first, never empty."""

    service: str
    score: float
    evidence: tuple[Evidence, ...]


@dataclass(frozen=True, kw_only=True)
class MetricScore:
    """A metric of a suspected service: its calibrated deviation (positive for up) and its strength as evidence."""

    service: str
    metric: str
    strength: float
    deviation: float


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """Suspects best first, may be empty; `at` is the onset used, None when none was given or found.

    `metrics` holds the metrics that moved, those of the first suspect first.
    """

    at: float | None
    causes: tuple[Cause, ...]
    metrics: tuple[MetricScore, ...]

    @property
    def stands_out(self) -> bool:
        """Say whether the first suspect is more than what a quiet system shows; if not, the cause is not known."""
        return bool(self.causes) and self.causes[0].score >= STANDS_OUT


def rank_causes(
    frame: MetricFrame,
    *,
    at: float | None = None,
    graph: Graph | None = None,
    logs: LogCounts | None = None,
    edges: EdgeFrame | None = None,
    alert: SeriesKey | None = None,
    outside: Collection[str] = (),
) -> Ranking:
    """Rank services as causes of what began at `at` (seconds, may be a sample late or early).

    Without `at` the onset is estimated from the series. `alert` names the series that alerts; `outside` names what
    observes from outside (a probe, a load generator), which is never a cause.

    score(service) = s1 + 0.3 * (s2 + s3 + ...), with its strengths in falling order, one a kind.
    Worked: CPU at 46 spreads (2.79) and a log template at G = 10 (1.10) give 2.79 + 0.3 * 1.10 = 3.12.
    """
    if at is None:
        at = _onset(frame)
    if at is None or frame.times.size < 2:
        return Ranking(at=at, causes=(), metrics=())
    services = _candidates(frame, graph, logs, edges) - frozenset(outside)
    split = _split(frame, at, alert)
    moved = dict(zip(frame.keys, movements(frame.values, split), strict=True))
    found = resource_evidence(frame, moved, services)
    if graph is not None:
        found += _graph_evidence(frame, split, graph, alert, services)
    if edges is not None:
        found += network_evidence(edges, at=at, interval_seconds=frame.interval_seconds, services=services)
    if logs is not None:
        found += log_evidence(logs, at=at, interval_seconds=frame.interval_seconds, graph=graph, services=services)
    found = [_placed(evidence, graph, alert) for evidence in found]
    causes = _causes(found)
    return Ranking(at=at, causes=causes, metrics=_metrics(causes, moved))


def _graph_evidence(
    frame: MetricFrame, split: Split, graph: Graph, alert: SeriesKey | None, services: Collection[str]
) -> list[Evidence]:
    """Self-excess of latency and failures along the calls, and traffic that stops."""
    reached = frozenset(services) & graph.nodes
    if alert is not None and alert.service in graph.nodes:
        reached &= graph.reachable(alert.service)
    about = _SYMPTOMS.get(role_of(alert.metric)) if alert is not None else None
    found = []
    for kind in (EvidenceKind.LATENCY, EvidenceKind.FAILURES):
        weight = 1.0 if about is None or about is kind else OTHER_SYMPTOM
        found += [
            replace(evidence, strength=weight * evidence.strength)
            for evidence in excess_evidence(frame, split, graph, kind=kind, services=reached)
        ]
    return found + traffic_evidence(frame, split, graph, services)


def _placed(evidence: Evidence, graph: Graph | None, alert: SeriesKey | None) -> Evidence:
    """Weigh a finding by where its service stands to the one that alerts."""
    if graph is None or alert is None or alert.service not in graph.nodes:
        return evidence
    if evidence.service == alert.service:
        calls_others = bool(graph.callees.get(alert.service))
        weight = WHERE_IT_SHOWS if calls_others and evidence.kind in _SHOWN_ABOVE else 1.0
    else:
        weight = 1.0 if evidence.service in graph.reachable(alert.service) else OFF_THE_PATH
    return replace(evidence, strength=weight * evidence.strength) if weight != 1.0 else evidence


def _causes(found: Collection[Evidence]) -> tuple[Cause, ...]:
    """Group findings by service, keep the strongest of each kind, and add up."""
    strongest: dict[str, dict[EvidenceKind, Evidence]] = {}
    for evidence in found:
        kinds = strongest.setdefault(evidence.service, {})
        if evidence.kind not in kinds or evidence.strength > kinds[evidence.kind].strength:
            kinds[evidence.kind] = evidence
    causes = []
    for name, kinds in strongest.items():
        held = sorted((e for e in kinds.values() if e.strength > 0), key=lambda e: (-e.strength, e.kind.value))
        if held:
            score = held[0].strength + REST_SHARE * sum(e.strength for e in held[1:])
            causes.append(Cause(service=name, score=score, evidence=tuple(held)))
    return tuple(sorted(causes, key=lambda cause: (-cause.score, cause.service)))


def _metrics(causes: tuple[Cause, ...], moved: Mapping[SeriesKey, Movement]) -> tuple[MetricScore, ...]:
    """Order the metrics that moved by their service's place; resources first, which are causes and no symptoms."""
    place = {cause.service: position for position, cause in enumerate(causes)}
    scored = [
        MetricScore(
            service=key.service,
            metric=key.metric,
            strength=strength_of(
                EvidenceKind.MEMORY if role_of(key.metric) is Role.MEMORY else EvidenceKind.CPU,
                abs(movement.deviation),
            ),
            deviation=movement.deviation,
        )
        for key, movement in moved.items()
        if key.service in place and movement.deviation != 0
    ]
    return tuple(
        sorted(scored, key=lambda score: (place[score.service], not _is_cause(score), -score.strength, score.metric))
    )


def _is_cause(score: MetricScore) -> bool:
    """Say whether a metric's movement is a resource that ran out rather than what follows from it."""
    return role_of(score.metric) in _RESOURCES and score.deviation > 0 and score.strength >= STANDS_OUT


def _split(frame: MetricFrame, at: float, alert: SeriesKey | None) -> Split:
    series = frame.series(alert) if alert is not None else None
    if alert is None or series is None:
        return split_at(frame.times, at)
    bad: Floats = -series if role_of(alert.metric) is Role.SUCCESS else series
    return split_by_alert(frame.times, at, bad)


def _candidates(
    frame: MetricFrame, graph: Graph | None, logs: LogCounts | None, edges: EdgeFrame | None
) -> frozenset[str]:
    names = set(frame.services)
    if graph is not None:
        names |= graph.nodes
    if logs is not None:
        names |= set(logs.services)
    if edges is not None:
        names |= {name for key in edges.keys for name in (key.caller, key.callee)}
    return frozenset(names)


def _onset(frame: MetricFrame) -> float | None:
    """Estimate the onset from the series most likely to show it, the least noisy first."""
    keys = [key for key in sorted(frame.keys) if role_of(key.metric) in ONSET_ROLES]
    columns = [frame.values[:, frame.columns[key]] for key in keys]
    live = [column for column in columns if np.isfinite(column).any() and np.nanmax(column) > np.nanmin(column)]
    onset = estimate_common_onset((frame.times, column) for column in live[:ONSET_SERIES])
    return onset.at if onset else None
