"""Ranks changes by how well each explains the start of the trouble, against the outcome that none does.

Naive Bayes in log-odds: each argument adds its weight, and the scores of all outcomes together give shares of belief,
p_i = exp(s_i) / sum_j exp(s_j). The weights are set by hand from the reasons people give in post-mortems; being late is
damning, being recent alone is weak: the latest deploy is innocent more often than not. Reads no clock and no network.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.diagnose.changes.content import content_reasons
from stanch.diagnose.changes.diff import DiffReading, read_diff
from stanch.diagnose.changes.match import Matcher
from stanch.diagnose.changes.model import Change, ChangeKind, Evidence, Message, Mover, RankedChange, Reason, Start
from stanch.diagnose.changes.outside import OutsideSign, outside_signs
from stanch.kernel.percentage import percent

Graph = Mapping[str, Iterable[str]]
"""Caller to the services it calls."""

_CLOCK_SLACK = timedelta(seconds=90)
"""Clocks of a pipeline and of a metric store, plus one scrape interval, may disagree by this much."""
_GAVE_UP = re.compile(r"cancell?ed by (?:the )?(?:client|caller)|context cancell?ed|client closed|broken pipe|499")
_LOAD = re.compile(r"request|\brps\b|\bqps\b|_rps|_qps|traffic|visits|sessions|hits_per|http_requests", re.IGNORECASE)
_NOT_LOAD = re.compile(r"error|fail|5xx|4xx|duration|latency|seconds|_ms\b|timeout|queue|size|bytes", re.IGNORECASE)
_TOGETHER = timedelta(minutes=2)
_TOO_LATE = -4.0
_OF_WEIGHT = 1.5
_NONE_PRIOR = 0.8
"""Log-odds at which no change is the answer: a change needs more than being there at the right time."""


@dataclass(frozen=True, kw_only=True)
class _Scene:
    """What every change is judged against."""

    start: Start
    symptom: str
    calls: Mapping[str, frozenset[str]]
    evidence: Evidence
    first: str
    signs: tuple[OutsideSign, ...]

    def reach(self, service: str) -> frozenset[str]:
        """Return the services that `service` calls, directly or not, and itself."""
        return _reach(service, self.calls)


def rank_changes(
    changes: Sequence[Change],
    *,
    onset: Start | datetime,
    symptom_service: str,
    graph: Graph | None = None,
    evidence: Evidence | None = None,
    first_service: str = "",
) -> list[RankedChange]:
    """Rank `changes` and the outcome "no change explains this" (its `change` is None), the likeliest first.

    `onset` is when the trouble began; `symptom_service` is the one the alert is about. `first_service` is the one that
    failed first, where it is known; otherwise the earliest mover says. The result holds one entry per change plus one,
    and does not depend on the order in which the changes are given.
    """
    known = evidence or Evidence()
    scene = _scene(onset, symptom_service, graph or {}, known, first_service)
    ordered = sorted(changes, key=lambda change: (change.at, change.id))
    readings = {change.id: read_diff(change.diff, change.paths) for change in ordered}
    matcher = Matcher(ordered, readings, known)
    judged = [_judge(change, readings[change.id], matcher, scene) for change in ordered]
    outcomes = [*judged, _nothing(scene, judged)]
    return _ranked(outcomes)


def _scene(onset: Start | datetime, symptom: str, graph: Graph, evidence: Evidence, first: str) -> _Scene:
    start = onset if isinstance(onset, Start) else Start(at=onset, low=onset, high=onset)
    calls = {caller: frozenset(called) for caller, called in graph.items()}
    services = set(calls) | {name for called in calls.values() for name in called} | {symptom}
    services |= {mover.service for mover in evidence.movers} | {message.service for message in evidence.messages}
    first = first or first_failing(evidence.movers, calls, symptom=symptom, messages=evidence.messages)
    signs = tuple(outside_signs(evidence.messages, known=services))
    return _Scene(start=start, symptom=symptom, calls=calls, evidence=evidence, first=first, signs=signs)


def first_failing(movers: Iterable[Mover], graph: Graph, *, symptom: str, messages: Sequence[Message] = ()) -> str:
    """Return the service that failed first.

    Of those that moved within two minutes of the earliest, a service whose failures all blame another one, or a caller
    that gave up, is a victim; of the rest the one that the most others call, directly or not, is first. `symptom` wins
    a tie, and is the answer where nothing moved.
    """
    earliest: dict[str, datetime] = {}
    for mover in movers:
        if mover.at is not None:
            earliest[mover.service] = min(mover.at, earliest.get(mover.service, mover.at))
    if not earliest:
        return symptom
    calls = {caller: frozenset(called) for caller, called in graph.items()}
    begin = min(earliest.values())
    early = [service for service, at in earliest.items() if at - begin <= _TOGETHER]
    early = [service for service in early if not _is_victim(service, messages, earliest)] or early
    callers = {name: sum(1 for other in early if other != name and name in _reach(other, calls)) for name in early}
    return min(early, key=lambda name: (-callers[name], name != symptom, earliest[name], name))


def _is_victim(service: str, messages: Sequence[Message], moved: Iterable[str]) -> bool:
    others = [name.lower() for name in moved if name != service]
    own = [message.text.lower() for message in messages if message.service == service]
    return bool(own) and all(
        any(name in text for name in others) or _GAVE_UP.search(text) is not None or "upstream" in text for text in own
    )


def _judge(change: Change, reading: DiffReading, matcher: Matcher, scene: _Scene) -> RankedChange:
    content, fit = list(content_reasons(change, reading)), list(matcher.reasons(change))
    reasons = [
        *_timing(change, scene),
        *_place(change, reading, scene),
        *content,
        *fit,
        *_versions(change, scene.evidence),
        *_live(change),
    ]
    if reading.has_diff and not content and all(reason.weight < _OF_WEIGHT for reason in fit):
        reasons.append(Reason(text="nothing in it stands out", weight=-0.5))
    return RankedChange(
        change=change,
        score=sum(reason.weight for reason in reasons),
        probability=0.0,
        reasons=tuple(sorted(reasons, key=lambda reason: (-abs(reason.weight), reason.text))),
    )


def _timing(change: Change, scene: _Scene) -> Iterable[Reason]:
    """Weigh the time from the change to what moved where the change could act.

    With a share b of the movers ahead of the change, the weight is (1 - b) * recency + b * too late: one series that
    seems to move early by chance does not clear a change, most of them do.
    """
    movers = _within_reach(change, scene)
    if not movers:
        return [_lag(change, scene.start.at, "the trouble began", slack=scene.start.high - scene.start.at)]
    ahead = [mover for mover in movers if change.at - mover[0] > _CLOCK_SLACK]
    after = [mover for mover in movers if change.at - mover[0] <= _CLOCK_SLACK]
    if not after:
        return [_lag(change, movers[0][0], f"{movers[0][2]} of {movers[0][1]} moved")]
    first = _lag(change, after[0][0], f"{after[0][2]} of {after[0][1]} moved")
    share = len(ahead) / len(movers)
    if not ahead:
        return [first]
    early = f"{len(ahead)} of {len(movers)} things that moved did so before it, {ahead[0][2]} of {ahead[0][1]} first"
    return [
        Reason(text=first.text, weight=first.weight * (1 - share)),
        Reason(text=early, weight=_TOO_LATE * share),
    ]


def _lag(change: Change, began: datetime, what: str, *, slack: timedelta = timedelta(0)) -> Reason:
    lag = began - change.at
    if lag < -_CLOCK_SLACK - max(timedelta(0), slack):
        return Reason(text=f"came {_span(-lag)} after {what}", weight=_TOO_LATE)
    minutes = max(0.0, lag.total_seconds() / 60)
    weight = max(-3.0, 2.2 - 0.9 * math.log2(1 + minutes / 4))
    came = "took effect" if change.live else "was made"
    return Reason(text=f"{came} {_span(lag)} before {what}", weight=weight)


def _within_reach(change: Change, scene: _Scene) -> list[tuple[datetime, str, str]]:
    """Return what moved at or around the change's service, the earliest first: there, at its callers, at what it calls.

    A change whose service is not known may have acted anywhere.
    """
    reached = {caller for caller in scene.calls if change.service in scene.reach(caller)} | scene.reach(change.service)
    return sorted(
        (mover.at, mover.service, mover.what)
        for mover in scene.evidence.movers
        if mover.at is not None and (not change.service or mover.service in reached)
    )


def _place(change: Change, reading: DiffReading, scene: _Scene) -> Iterable[Reason]:
    service = change.service
    shared = reading.kinds and any(_is_shared(path) for path in change.paths)
    if not service:
        return (
            [] if shared or not change.paths else [Reason(text="the service it belongs to is not known", weight=-0.5)]
        )
    if service == scene.first:
        return [Reason(text=f"changed {service}, which failed first", weight=1.2)]
    if service == scene.symptom or service in scene.reach(scene.symptom):
        return [Reason(text=f"{service} is on the call path of {scene.symptom}", weight=0.5)]
    moved = any(mover.service == service for mover in scene.evidence.movers)
    if scene.first in scene.reach(service) or scene.symptom in scene.reach(service):
        weight = 0.2 if moved else -0.6
        return [Reason(text=f"{service} calls {scene.first}; a caller can overload what it calls", weight=weight)]
    if moved:
        return [Reason(text=f"{service} moved too, but no call path ties it to {scene.symptom}", weight=-0.3)]
    if not scene.calls:
        return [Reason(text=f"{service} shows nothing unusual", weight=-1.2)]
    return [Reason(text=f"{service} is not on the failing path and shows nothing unusual", weight=-2.5)]


def _is_shared(path: str) -> bool:
    return path.startswith(("pkg/", "lib/", "libs/", "common/", "shared/", "internal/", "packages/")) or "/" not in path


def _versions(change: Change, evidence: Evidence) -> Iterable[Reason]:
    """Weigh whether failures follow the version this change rolled out."""
    failing, traffic = evidence.failing_versions, evidence.traffic_versions
    if not change.version or not failing or not traffic:
        return []
    share, usual = failing.get(change.version, 0.0), traffic.get(change.version, 0.0)
    if usual <= 0.0 or usual >= 0.98:
        return []
    if share >= 0.9 and share - usual >= 0.1:
        return [
            Reason(
                text=f"{percent(share)} of failures are version {change.version}, {percent(usual)} of requests",
                weight=2.5,
            )
        ]
    if share - usual < 0.1:
        return [Reason(text=f"other versions fail just as often as {change.version}", weight=-2.5)]
    return []


def _live(change: Change) -> Iterable[Reason]:
    return [] if change.live else [Reason(text="no deploy is known to have carried it out", weight=-2.0)]


def _nothing(scene: _Scene, judged: Sequence[RankedChange]) -> RankedChange:
    """Weigh the outcome that no change is to blame."""
    reasons = [Reason(text="many incidents have no change behind them", weight=_NONE_PRIOR)]
    for sign in scene.signs[:2]:
        who = ", ".join(name for name in sign.services[:4] if name) or "the logs"
        reasons.append(Reason(text=f"{who} name {sign.what} as failing: {sign.sample[:120]}", weight=sign.weight))
    reasons += _load(scene)
    touched = {entry.change.service for entry in judged if entry.change is not None}
    if scene.first and scene.first not in touched and scene.first != scene.symptom:
        reasons.append(Reason(text=f"{scene.first} failed first and was not changed", weight=0.8))
    return RankedChange(
        change=None, score=sum(reason.weight for reason in reasons), probability=0.0, reasons=tuple(reasons)
    )


def _load(scene: _Scene) -> Iterable[Reason]:
    """Weigh that requests from outside rose first: at a service no other calls, with the earliest of what moved."""
    timed = [mover for mover in scene.evidence.movers if mover.at is not None]
    begin = min((mover.at for mover in timed if mover.at is not None), default=None)
    called = {name for names in scene.calls.values() for name in names}
    for mover in timed:
        if begin is None or mover.at is None or mover.at - begin > _TOGETHER or not mover.rose:
            continue
        if mover.service in scene.calls and mover.service not in called and _is_load(mover.what):
            return [Reason(text=f"{mover.what} of {mover.service} rose first: more is asked from outside", weight=2.0)]
    return []


def _is_load(metric: str) -> bool:
    return _LOAD.search(metric) is not None and _NOT_LOAD.search(metric) is None


def _ranked(outcomes: Sequence[RankedChange]) -> list[RankedChange]:
    highest = max(outcome.score for outcome in outcomes)
    masses = [math.exp(outcome.score - highest) for outcome in outcomes]
    total = math.fsum(sorted(masses))
    shared = [
        RankedChange(change=outcome.change, score=outcome.score, probability=mass / total, reasons=outcome.reasons)
        for outcome, mass in zip(outcomes, masses, strict=True)
    ]
    # Equal scores: the later change first, "none" last; ids make the order complete.
    return sorted(shared, key=_order)


def _order(entry: RankedChange) -> tuple[float, bool, float, str]:
    change = entry.change
    if change is None:
        return (-entry.score, True, 0.0, "")
    return (-entry.score, False, -change.at.timestamp(), change.id)


def _reach(service: str, calls: Mapping[str, frozenset[str]]) -> frozenset[str]:
    seen, waiting = {service}, [service]
    while waiting:
        for called in calls.get(waiting.pop(), frozenset()):
            if called not in seen:
                seen.add(called)
                waiting.append(called)
    return frozenset(seen)


def _span(length: timedelta) -> str:
    seconds = max(0, round(length.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.0f} h" if seconds < 172_800 else f"{seconds / 86_400:.0f} days"


__all__ = ["Change", "ChangeKind", "Evidence", "RankedChange", "Start", "rank_changes"]
