"""Operations on trackers, such as Sentry: what they see now, and the focused looks at errors, releases, spans.

They ask the tracker while one waits; nothing is recorded. What it tells is anybody's text: without its secrets here.
"""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, TypeVar

import msgspec

from stanch.diagnose.tracked import Correlated, TroubleSeen, correlated, onset_of, trend_of, troubles_seen
from stanch.incidents.troubles import Trouble
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact, redact_tree
from stanch.operations.registry import Effect, operation
from stanch.operations.views import IncidentCard, TrackerAsked
from stanch.operations.world import Call, World
from stanch.ports.tracker import FreeQuery, Period, TrackedIssue, TrackedRelease, TrackedStep, Tracker

R = TypeVar("R")

_MOST_MINUTES: Final = 14 * 24 * 60
_MOST_ROWS: Final = 100
_MOST_STEPS: Final = 15
_DATASETS: Final = ("errors", "spans", "logs")
_AT_A_TIME: Final = 4
_DAY: Final = timedelta(hours=24)


@dataclass(frozen=True, kw_only=True)
class LookAtErrors:
    """Whose errors, over the newest so many minutes; or one by its key or number. `on` is which tracker."""

    service: str = ""
    issue: str = ""
    minutes: float = 120.0
    on: str = ""


@dataclass(frozen=True, kw_only=True)
class LookAtService:
    """Whose releases or spans, over the newest so many minutes; all services without one. `on` is which tracker."""

    service: str = ""
    minutes: float = 120.0
    on: str = ""


@dataclass(frozen=True, kw_only=True)
class AskTracker:
    """A free query in the tracker's language: `text` over a dataset (`errors`, `spans`, `logs`).

    `fields` are its columns, at most 20; with `every_s` the only field becomes a series with a value every so often.
    """

    text: str = ""
    dataset: str = "errors"
    fields: tuple[str, ...] = ()
    service: str = ""
    sort: str = ""
    minutes: float = 120.0
    rows: int = 20
    every_s: int = 0
    on: str = ""


@dataclass(frozen=True, kw_only=True)
class ErrorSeen:
    """An error with what was found about it: since when it is more than usual, how it moves, which release fits."""

    issue: TrackedIssue
    began_at: datetime | None
    trend: str
    release: Correlated | None


@dataclass(frozen=True, kw_only=True)
class ErrorsSeen:
    """The errors of `period`, those that are more than usual first."""

    source: str
    period: Period
    errors: tuple[ErrorSeen, ...]
    lacking: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ReleaseSeen:
    """A release with the errors that began after it, by their keys, and how soon the first of them, in seconds."""

    release: TrackedRelease
    brought: tuple[str, ...]
    first_after_s: float | None


@dataclass(frozen=True, kw_only=True)
class ReleasesSeen:
    """The releases, the newest first, with what correlates with them in `period`; `verdict` says it in words."""

    source: str
    period: Period
    verdict: str
    releases: tuple[ReleaseSeen, ...]


@dataclass(frozen=True, kw_only=True)
class PerformanceSeen:
    """The steps of requests in `period` beside the day before it; `verdict` says in words which take longer."""

    source: str
    period: Period
    normal_period: Period
    verdict: str
    steps: tuple[TrackedStep, ...]


@dataclass(frozen=True, kw_only=True)
class TrackerAnswer:
    """What a free query answered over `period`; `command` repeats it by hand, `cut` says that there may be more."""

    source: str
    period: Period
    command: str
    rows: tuple[dict[str, JSON], ...] = ()
    series: dict[str, tuple[tuple[float, float], ...]] = field(default_factory=dict)
    cut: bool = False


@operation("investigate.errors", effect=Effect.READ, example={"service": "payments", "minutes": 60})
def errors(call: Call, request: LookAtErrors) -> ErrorsSeen:
    """Look at the errors that a tracker has of a service: how often, since when, where, which release, whose commit."""
    tracker, period = _one(call.world, request.on), _period(call, request.minutes)
    service = _service(call.world, request.service)
    issues = tracker.errors(service=service, period=period, issue=request.issue.strip())
    releases: tuple[TrackedRelease, ...] = ()
    lacking: tuple[str, ...] = ()
    try:
        releases = tracker.releases(service=service, period=period)
    except (Refused, Unavailable, Invalid) as error:
        lacking = (f"releases: {error.message}",)
    found = [
        ErrorSeen(
            issue=issue,
            began_at=(began_at := onset_of(issue)),
            trend=trend_of(issue),
            release=correlated(releases, service=issue.service, started_at=began_at, slack=_width(issue)),
        )
        for issue in issues
    ]
    found.sort(key=lambda one: (one.began_at is None, -one.issue.events))
    return _clean(ErrorsSeen(source=tracker.name, period=period, errors=tuple(found), lacking=lacking))


@operation("investigate.releases", effect=Effect.READ, example={"service": "payments"})
def releases(call: Call, request: LookAtService) -> ReleasesSeen:
    """Look whether the releases of a service correlate with its errors, and how healthy each is."""
    tracker, period = _one(call.world, request.on), _period(call, request.minutes)
    service = _service(call.world, request.service)
    known = tracker.releases(service=service, period=period)
    issues = tracker.errors(service=service, period=period)
    brought: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for issue in issues:
        began_at = onset_of(issue)
        release = correlated(known, service=issue.service, started_at=began_at, slack=_width(issue))
        if release is not None:
            brought.setdefault((issue.service, release.version), []).append((release.seconds_before, issue.key))
    found = []
    for one in known[:_MOST_STEPS]:
        own = sorted(brought.get((one.service, one.version), []))
        keys, first_s = tuple(key for _, key in own), own[0][0] if own else None
        found.append(ReleaseSeen(release=one, brought=keys, first_after_s=first_s))
    told = ReleasesSeen(source=tracker.name, period=period, verdict=_verdict(found), releases=tuple(found))
    return _clean(told)


@operation("investigate.performance", effect=Effect.READ, example={"service": "payments"})
def performance(call: Call, request: LookAtService) -> PerformanceSeen:
    """Look which steps of a service's requests take longer than on the day before."""
    tracker, period = _one(call.world, request.on), _period(call, request.minutes)
    normal = Period(start=period.start - _DAY, end=period.start)
    steps = tracker.steps(service=_service(call.world, request.service), period=period, normal=normal)
    slower = [step for step in steps if step.slower]
    if not steps:
        verdict = "No traces of it in this period."
    elif not slower:
        verdict = f"None of {len(steps)} kinds of steps takes longer than on the day before."
    else:
        first = slower[0].latency_p95
        verdict = (
            f"{len(slower)} of {len(steps)} kinds of steps take longer; most of all {slower[0].name}: "
            f"P95 {first.value or 0:,.0f} ms, normal {first.normal or 0:,.0f} ms."
        )
    return _clean(
        PerformanceSeen(
            source=tracker.name,
            period=period,
            normal_period=normal,
            verdict=verdict,
            steps=tuple(steps[:_MOST_STEPS]),
        )
    )


@operation("investigate.query", effect=Effect.READ, example={"text": "level:error", "dataset": "errors"})
def query(call: Call, request: AskTracker) -> TrackerAnswer:
    """Put a free query over errors, spans or logs to a tracker, in its own language."""
    if request.dataset not in _DATASETS:
        raise Invalid(f"must be one of {', '.join(_DATASETS)}", field="dataset")
    if not 1 <= request.rows <= _MOST_ROWS:
        raise Invalid(f"must be from 1 to {_MOST_ROWS}", field="rows")
    if len(request.fields) > 20 or (request.every_s and len(request.fields) > 1):
        raise Invalid("at most 20, and one of a series", field="fields")
    if request.every_s < 0:
        raise Invalid("must not be negative", field="every_s")
    tracker, period = _one(call.world, request.on), _period(call, request.minutes)
    usual = ("count()",) if request.every_s else _USUAL[request.dataset]
    asked = FreeQuery(
        dataset=request.dataset,
        text=request.text,
        fields=request.fields or usual,
        service=_service(call.world, request.service),
        sort=request.sort or ("-count()" if not request.fields and request.dataset != "logs" else ""),
        most_rows=request.rows,
        every_s=request.every_s,
    )
    table = tracker.query(asked, period=period)
    rows = tuple(row for row in (redact_tree(dict(one)) for one in table.rows) if isinstance(row, dict))
    return TrackerAnswer(
        source=tracker.name,
        period=period,
        command=redact(table.command),
        rows=rows,
        series={redact(name): points for name, points in table.series.items()},
        cut=table.cut,
    )


_USUAL: Final[Mapping[str, tuple[str, ...]]] = {
    "errors": ("title", "project", "release", "count()", "count_unique(user)", "last_seen()"),
    "spans": ("transaction", "span.op", "count()", "p95(span.duration)", "failure_rate()"),
    "logs": ("timestamp", "severity", "message", "trace"),
}


def seen_by_trackers(
    world: World, incidents: Sequence[IncidentCard], *, trouble: Trouble | None, now: datetime
) -> tuple[tuple[TroubleSeen, ...], tuple[TrackerAsked, ...]]:
    """Return what all trackers see now, and how each of them answered; one that fails is said and costs no other."""
    covered = {service: card.key for card in reversed(incidents) for service in card.services}

    def look(tracker: Tracker) -> tuple[tuple[TroubleSeen, ...], TrackerAsked]:
        try:
            standing = tracker.standing(now=now)
        except (Refused, Unavailable, Invalid) as error:
            said = f"{error.message} ({error.hint})" if error.hint else error.message
            asked = TrackerAsked(name=tracker.name, where=redact(tracker.where), problem=redact(said))
            return (), asked
        found = troubles_seen(
            standing, world.catalog, source=tracker.name, environment=tracker.environment, covered=covered, now=now
        )
        asked = TrackerAsked(
            name=tracker.name,
            where=redact(tracker.where),
            start=standing.recent.start,
            end=standing.recent.end,
            services=len(standing.services),
            lacking=tuple(redact(one) for one in standing.lacking),
        )
        return tuple(one for one in found if trouble is None or trouble.value in one.kinds), asked

    if not world.trackers:
        return (), ()
    with ThreadPoolExecutor(_AT_A_TIME, thread_name_prefix="tracker") as pool:
        answers = list(pool.map(look, world.trackers))
    seen = sorted((one for found, _ in answers for one in found), key=lambda one: one.severity)
    return tuple(_clean(one) for one in seen), tuple(asked for _, asked in answers)


def _one(world: World, name: str) -> Tracker:
    """Return the tracker of that name, or the only one. Raises `NotFound` and `Invalid` with what there is."""
    there = ", ".join(one.name for one in world.trackers)
    if not world.trackers:
        raise NotFound("no tracker is configured", hint="connect Sentry: docs/sentry.md")
    if not name and len(world.trackers) > 1:
        raise Invalid(f"several are configured: {there}", field="on", hint="name one")
    found = next((one for one in world.trackers if name in ("", one.name)), None)
    if found is None:
        raise NotFound(f"there is no tracker {name!r}", hint=f"there are: {there}")
    return found


def _service(world: World, name: str) -> str:
    """Return a service's name; one that the catalog does not have may still be a project of the tracker."""
    if len(name) > 100:
        raise Invalid("is too long for a name", field="service")
    return name.strip()


def _period(call: Call, minutes: float) -> Period:
    if not 0 < minutes <= _MOST_MINUTES:
        raise Invalid(f"must be above 0 and at most {_MOST_MINUTES}", field="minutes")
    return Period(start=call.now - timedelta(minutes=minutes), end=call.now)


def _width(issue: TrackedIssue) -> timedelta:
    if len(issue.buckets) < 2 or onset_of(issue) == issue.first_seen:
        return timedelta(0)
    return timedelta(seconds=issue.buckets[1][0] - issue.buckets[0][0])


def _verdict(found: Sequence[ReleaseSeen]) -> str:
    if not found:
        return "No release is known of it."
    guilty = [one for one in found if one.brought]
    if not guilty:
        return f"No error began just after one of {len(found)} releases."
    first = max(guilty, key=lambda one: len(one.brought))
    count = len(first.brought)
    soon_s = max(0.0, first.first_after_s or 0.0)
    what = "1 error" if count == 1 else f"{count} errors"
    return f"{what} began after {first.release.version}, the first {soon_s / 60:.0f} minutes after it."


def _clean(record: R) -> R:
    """Return a record without the secrets that somebody's text may hold."""
    # By way of JSON: only there every tuple is a list, which is what is gone through for secrets.
    return msgspec.convert(redact_tree(msgspec.json.decode(msgspec.json.encode(record))), type=type(record))
