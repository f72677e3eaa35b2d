"""Says what a tracker's figures mean: which services are in trouble, of which kind, since when, and what to do. Pure.

The tracker counts, this judges, by the severity rules that incidents have. What it finds is no incident yet: it may be
covered by one, or become one. A text of the tracker may be anybody's words and decides nothing here.
"""

import math
import shlex
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from stanch.alerts.baseline import baseline_of
from stanch.alerts.shape import Shape, shape_of
from stanch.catalog.model import Catalog
from stanch.incidents.impact import case_of
from stanch.incidents.model import Impact, Severity
from stanch.incidents.severity import OUTAGE_RATIO, rule_severity
from stanch.incidents.troubles import Trouble
from stanch.kernel.percentage import percent
from stanch.ports.tracker import Figure, ServiceFigures, Standing, TrackedAlert, TrackedIssue, TrackedRelease

_ERROR_RATIO: Final = 0.05
_TIMES_NORMAL: Final = 3.0
_SLOWER: Final = 2.0
_SLOWER_MS: Final = 200.0
_LEAST: Final = 20
"""Requests below which a share or a 95th percentile is that of a few."""
_LEAST_ERRORS: Final = 10
_SILENT: Final = 0.1
"""A service that gets less than a tenth of its normal requests is out of reach, or whoever calls it is."""
_LEAST_EXPECTED: Final = 50
_CORRELATES: Final = timedelta(hours=2)
_LATENCY_WORDS: Final = ("duration", "p50", "p75", "p95", "p99", "apdex", "lcp", "latency")
_OUTAGE_KINDS: Final = frozenset({"outage", "uptime"})
_DEVIATIONS: Final = 3.0
_RISE: Final = 1.5


@dataclass(frozen=True, kw_only=True)
class Correlated:
    """A release just before the trouble: how long before, in seconds (below 0: within the bucket it began in).

    `previous` is what ran before it, `deployed` tells a deploy from a release that was only made.
    """

    version: str
    previous: str
    at: datetime
    seconds_before: float
    deployed: bool
    commit: str = ""
    author: str = ""


@dataclass(frozen=True, kw_only=True)
class TroubleSeen:
    """A service in trouble as a tracker counts it: what a responder asks first (D5), each number with its period.

    `kind` is the gravest of `kinds`; `why` are the sentences that it rests on. `started_at` is None where nothing tells
    it. `trend` is how the primary issue moves. `incident` is the open incident that covers the service.
    """

    source: str
    service: str
    environment: str
    kind: str
    kinds: tuple[str, ...]
    title: str
    severity: str
    rule: str
    reason: str
    started_at: datetime | None
    figures: ServiceFigures | None
    issue: TrackedIssue | None
    trend: str
    release: Correlated | None
    alerts: tuple[TrackedAlert, ...]
    why: tuple[str, ...]
    recommended: tuple[str, ...]
    incident: str = ""


def troubles_seen(
    standing: Standing, catalog: Catalog, *, source: str, environment: str, covered: Mapping[str, str], now: datetime
) -> tuple[TroubleSeen, ...]:
    """Return the services in trouble, the gravest first. `covered` names the open incident of a service."""
    figures = {one.service: one for one in standing.services}
    named = [*figures, *(one.service for one in standing.issues), *(s for one in standing.alerts for s in one.services)]
    found = [
        seen
        for service in dict.fromkeys(named)
        if (
            seen := _seen(
                service,
                figures.get(service),
                standing,
                catalog,
                source=source,
                environment=environment,
                incident=covered.get(service, ""),
                now=now,
            )
        )
    ]
    return tuple(sorted(found, key=lambda one: (one.severity, one.started_at or now, one.service)))


def onset_of(issue: TrackedIssue) -> datetime | None:
    """Return when an issue began to be more than usual: its first event, or the first bucket of its last rise.

    A bucket is more than usual above three standard deviations of the median of the calmer half (Poisson). None where
    it is as frequent as ever, or was so all the time that was counted.
    """
    if issue.first_seen and issue.period.start < issue.first_seen < issue.period.end:
        return issue.first_seen
    values = [value for _, value in issue.buckets]
    if len(values) < 4:
        return None
    usual = statistics.median(sorted(values)[: max(2, len(values) // 2)])
    limit = usual + _DEVIATIONS * math.sqrt(max(1.0, usual))
    begin = len(values)
    # The newest bucket is not full yet and proves nothing.
    newest = len(values) - 2 if values[-1] <= limit else len(values) - 1
    for place in range(newest, -1, -1):
        if values[place] <= limit:
            break
        begin = place
    return datetime.fromtimestamp(issue.buckets[begin][0], UTC) if 0 < begin < len(values) else None


def trend_of(issue: TrackedIssue) -> str:
    """Return how an issue moves over its buckets, in the words of `Shape`; an empty text for too few of them."""
    whole = issue.buckets[:-1]
    if len(whole) < 8:
        return ""
    times, values = [at for at, _ in whole], [value for _, value in whole]
    onset = onset_of(issue)
    if onset is not None and onset.timestamp() >= issue.buckets[-1][0]:
        # It began in the bucket that is not whole yet: nothing is known of how it moves, and that is not steady.
        return ""
    before = baseline_of(times, values, before=onset.timestamp(), season_seconds=None) if onset else None
    shape = shape_of(times, values, before) if before else Shape.UNKNOWN
    if shape not in (Shape.UNKNOWN, Shape.STEADY):
        return str(shape.value)
    # Nothing calm to compare with: the last third against the first.
    third = len(values) // 3
    first, last = sum(values[:third]), sum(values[-third:])
    noise = _DEVIATIONS * math.sqrt(max(1.0, first + last))
    if last > _RISE * first and last - first > noise:
        return str(Shape.GRADUAL_INCREASE.value)
    if first > _RISE * last and first - last > noise:
        return str(Shape.GRADUAL_DECREASE.value)
    return str(Shape.STEADY.value)


def correlated(
    releases: Iterable[TrackedRelease], *, service: str, started_at: datetime | None, slack: timedelta
) -> Correlated | None:
    """Return the release of a service that came last before it began, within two hours, give or take `slack`."""
    if started_at is None:
        return None
    dated = sorted(
        ((one.deployed_at or one.created_at, one) for one in releases if one.service == service),
        key=lambda pair: pair[0] or started_at,
    )
    known = [(at, one) for at, one in dated if at is not None]
    near = [place for place, (at, _) in enumerate(known) if started_at - _CORRELATES <= at <= started_at + slack]
    if not near:
        return None
    at, release = known[near[-1]]
    earlier = [one.version for _, one in known[: near[-1]] if one.version != release.version]
    return Correlated(
        version=release.version,
        previous=earlier[-1] if earlier else "",
        at=at,
        seconds_before=(started_at - at).total_seconds(),
        deployed=release.deployed_at is not None,
        commit=release.commit,
        author=release.author,
    )


def primary_of(issues: Sequence[TrackedIssue]) -> TrackedIssue | None:
    """Return the error with most events beyond usual, of those that still happen; metric and uptime issues are none."""
    errors = [one for one in issues if one.kind == "error" and one.events]
    return max(errors, key=lambda one: (onset_of(one) is not None, one.events, one.id), default=None)


def _seen(
    service: str,
    figures: ServiceFigures | None,
    standing: Standing,
    catalog: Catalog,
    *,
    source: str,
    environment: str,
    incident: str,
    now: datetime,
) -> TroubleSeen | None:
    issues = [one for one in standing.issues if one.service == service]
    alerts = tuple(one for one in standing.alerts if service in one.services)
    why = {**_outage(figures, issues), **_spike(figures, alerts), **_slow(figures, alerts)}
    if not why:
        return None
    kind = next(iter(why))
    issue = primary_of(issues)
    onset = onset_of(issue) if issue else None
    started_at = onset or min((one.started_at for one in alerts if one.started_at), default=None)
    slack = timedelta(seconds=_width(issue) if issue and onset != issue.first_seen else 0.0)
    release = correlated(standing.releases, service=service, started_at=started_at, slack=slack)
    told = next((word for word in ("critical", "warning") if word in {one.severity for one in alerts}), "")
    impact = Impact(
        at=now,
        down=(service,) if kind is not Trouble.PERFORMANCE_DEGRADATION else (),
        error_ratio=figures.error_ratio.value if figures else None,
        latency_p95_ms=figures.latency_p95.value if figures else None,
        normal_latency_p95_ms=figures.latency_p95.normal if figures else None,
    )
    ruling = rule_severity(case_of(impact, catalog, told=told, services=(service,)))
    return TroubleSeen(
        source=source,
        service=service,
        environment=environment,
        kind=kind.value,
        kinds=tuple(one.value for one in why),
        title=_title(kind, service),
        severity=Severity(ruling.severity).label,
        rule=ruling.rule,
        reason=ruling.reason,
        started_at=started_at,
        figures=figures,
        issue=issue,
        trend=trend_of(issue) if issue else "",
        release=release,
        alerts=alerts,
        why=tuple(why.values()),
        recommended=_recommended(service, kind, issue, release, started_at, incident=incident),
        incident=incident,
    )


def _outage(figures: ServiceFigures | None, issues: Sequence[TrackedIssue]) -> dict[Trouble, str]:
    down = next((one for one in issues if one.kind in _OUTAGE_KINDS), None)
    if down is not None:
        return {Trouble.OUTAGE: f"{down.key}: a monitor of the tracker does not reach it"}
    if figures is None:
        return {}
    if (figures.error_ratio.value or 0.0) >= OUTAGE_RATIO and _requests(figures) >= _LEAST:
        return {Trouble.OUTAGE: f"{percent(figures.error_ratio.value or 0.0)} of its requests fail"}
    now, normal = figures.requests.value or 0.0, figures.requests.normal
    if normal and normal * figures.requests.period.length_s >= _LEAST_EXPECTED and now < _SILENT * normal:
        return {Trouble.OUTAGE: f"{now * 60:,.1f} requests a minute, normal {normal * 60:,.1f}"}
    return {}


def _spike(figures: ServiceFigures | None, alerts: Sequence[TrackedAlert]) -> dict[Trouble, str]:
    firing = next((one for one in alerts if not _is_of_latency(one)), None)
    if figures is not None:
        ratio, normal = figures.error_ratio.value or 0.0, figures.error_ratio.normal or 0.0
        if ratio >= max(_ERROR_RATIO, _TIMES_NORMAL * normal) and _requests(figures) >= _LEAST:
            known = "not known" if figures.error_ratio.normal is None else percent(normal)
            return {Trouble.ERROR_SPIKE: f"{percent(ratio)} of its requests fail, normal {known}"}
        if figures.error_ratio.value is None and (told := _more_errors(figures.errors)):
            return {Trouble.ERROR_SPIKE: told}
    return (
        {Trouble.ERROR_SPIKE: f"the tracker's rule {firing.title} is {firing.severity or 'firing'}"} if firing else {}
    )


def _more_errors(errors: Figure) -> str:
    """Return in words that there are more errors than chance explains, where nothing tells how many requests."""
    count = (errors.value or 0.0) * errors.period.length_s
    expected = (errors.normal or 0.0) * errors.period.length_s
    if count < _LEAST_ERRORS or count < _TIMES_NORMAL * expected:
        return ""
    if count < expected + _DEVIATIONS * math.sqrt(max(1.0, expected)):
        return ""
    minutes = errors.period.length_s / 60
    return f"{count:,.0f} errors in {minutes:.0f} minutes, normal {expected:,.1f}"


def _slow(figures: ServiceFigures | None, alerts: Sequence[TrackedAlert]) -> dict[Trouble, str]:
    kind = Trouble.PERFORMANCE_DEGRADATION
    if figures is not None and _requests(figures) >= _LEAST:
        now, normal = figures.latency_p95.value, figures.latency_p95.normal
        if now is not None and normal is not None and now >= _SLOWER * normal and now - normal >= _SLOWER_MS:
            return {kind: f"P95 {now:,.0f} ms, normal {normal:,.0f} ms"}
    firing = next((one for one in alerts if _is_of_latency(one)), None)
    return {kind: f"the tracker's rule {firing.title} is {firing.severity or 'firing'}"} if firing else {}


def _is_of_latency(alert: TrackedAlert) -> bool:
    return any(word in alert.measures.lower() for word in _LATENCY_WORDS)


def _requests(figures: ServiceFigures) -> float:
    return (figures.requests.value or 0.0) * figures.requests.period.length_s


def _width(issue: TrackedIssue) -> float:
    return issue.buckets[1][0] - issue.buckets[0][0] if len(issue.buckets) > 1 else 0.0


def _title(kind: Trouble, service: str) -> str:
    match kind:
        case Trouble.OUTAGE:
            return f"{service} is out"
        case Trouble.ERROR_SPIKE:
            return f"more errors than normal in {service}"
        case _:
            return f"{service} is slower than normal"


def _recommended(
    service: str,
    kind: Trouble,
    issue: TrackedIssue | None,
    release: Correlated | None,
    started_at: datetime | None,
    *,
    incident: str,
) -> tuple[str, ...]:
    """Return what to do first. The words of the tracker's texts stand in none of it: it is to be copied and run."""
    steps, named = [], shlex.quote(service)
    if release is not None:
        back = f"to {release.previous}" if release.previous else "to what ran before"
        steps.append(f"Roll {service} back {back}: {release.version} came just before it began")
    if incident:
        steps.append(f"Go on with {incident}: stanch incident show {incident}")
    else:
        since = f" --since {started_at:%Y-%m-%dT%H:%MZ}" if started_at else ""
        steps.append(f"Open an incident: stanch declare {shlex.quote(_title(kind, service))} --service {named}{since}")
    if kind is Trouble.OUTAGE:
        steps.append(f"See whether {service} can be reached: stanch probe")
    if kind is Trouble.PERFORMANCE_DEGRADATION:
        steps.append(f"See which steps take longer: stanch investigate performance {named}")
    if issue is not None:
        steps.append(f"Look into the error: stanch investigate errors {named}")
    if release is None:
        steps.append(f"See what was released: stanch investigate releases {named}")
    return tuple(steps[:4])
