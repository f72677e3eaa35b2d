"""What would have told of an incident sooner, and what was missing: asked for while it runs or after it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.declared import fits
from stanch.alerts.model import Metric
from stanch.alerts.normal import alert_spans, baseline_before
from stanch.alerts.samples.tables import label_sets, read_samples
from stanch.alerts.series import LATEST_LOOKS
from stanch.catalog.checks import MEASURES, Check, brings
from stanch.catalog.model import Catalog, Service
from stanch.catalog.rules import dependencies
from stanch.incidents.state import IncidentState
from stanch.mitigate.runbooks.matching import Seen, match_runbooks
from stanch.operations import cases
from stanch.operations.registry import Effect, operation
from stanch.operations.runbooks.finding import matches, shelf_of
from stanch.operations.world import Call, World
from stanch.review.items.tables import find_items
from stanch.review.prevention.gaps import cause_of, gaps_of
from stanch.review.prevention.model import Course, Gap, Monitor, Taken
from stanch.review.prevention.monitors import has_left, propose
from stanch.review.prevention.writing import as_toml, gain_of, limits_of, quiet_of, title_of
from stanch.store import Connection, Transaction

HISTORY: Final = timedelta(hours=72)
"""How far back a proposal is tried: what is kept of samples, less what an incident of some hours takes."""

MOST_SERVICES: Final = 12
MOST_SERIES: Final = 30
"""Of series that moved and are tried: one of three days takes some 0.2 s of computing to read and to try."""


@dataclass(frozen=True, kw_only=True)
class AskPrevention:
    """The incident that is to be kept from coming again."""

    incident: int


@dataclass(frozen=True, kw_only=True)
class MonitorView:
    """A check that would have told sooner; values are in `unit`.

    `toml` are the lines to add to `stanch.toml`; `earlier_s` is by how many seconds it would have been sooner than the
    first alert, or than the declaration; `false_alarms` is how often it would have fired in the `quiet_hours` before.
    `todo` is what an action item about it says, `item` the number of the one that says it, None where nobody wrote it.
    """

    service: str
    measure: str
    labels: dict[str, str]
    unit: str
    limit: float
    for_s: float
    severity: str
    normal: float
    low: float
    high: float
    worst: float
    fired_at: datetime
    earlier_s: float
    false_alarms: int
    quiet_hours: float
    title: str
    gain: str
    quiet: str
    limits: str
    source: str
    toml: str
    todo: str
    item: int | None


@dataclass(frozen=True, kw_only=True)
class GapView:
    """Something that was missing: what says so, what is to be done, and the action item that says it."""

    kind: str
    subject: str
    text: str
    source: str
    todo: str
    toml: str
    item: int | None


@dataclass(frozen=True, kw_only=True)
class Prevention:
    """What would have told of an incident sooner, best first, and what was missing.

    `tried` is how many series the proposals were looked for in; `note` says why there are none where there are none.
    """

    incident: int
    key: str
    onset: datetime
    told_at: datetime
    monitors: tuple[MonitorView, ...]
    gaps: tuple[GapView, ...]
    tried: int
    note: str


@dataclass(frozen=True, kw_only=True)
class _Found:
    """What was found, before it is told."""

    monitors: tuple[Monitor, ...]
    gaps: tuple[Gap, ...]
    course: Course
    tried: int
    unknown: bool


@operation("incident.prevent", effect=Effect.READ, example={"incident": 1})
def prevent(call: Call, request: AskPrevention) -> Prevention:
    """Propose checks that would have told of an incident sooner, and say what was missing: runbooks, owners, calls."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
        found = _known(view, call.world, state)
        items = {one.title: one.number for one in find_items(view.connection, incident=state.number)}
    return Prevention(
        incident=state.number,
        key=state.key,
        onset=_onset(state),
        told_at=state.declared_at,
        monitors=tuple(_monitor(one, found.course, items) for one in found.monitors),
        gaps=tuple(_gap(one, items) for one in found.gaps),
        tried=found.tried,
        note=_note(found),
    )


def lessons(world: World, number: int) -> tuple[str, ...]:
    """Return what a post-mortem says of prevention: each proposal and each gap as a sentence without its full stop.

    Reads for itself: three days of samples take seconds on a slow machine, in which nobody else could write.
    """
    with world.store.reading() as view:
        found = _known(view, world, cases.load(view, number))
    monitors = [
        f"A check on {title_of(one.service, one.rule)} {gain_of(one, found.course)}, and {quiet_of(one)}"
        for one in found.monitors
    ]
    return (*monitors, *(f"{one.text} ({one.source})" for one in found.gaps))


def _known(view: Transaction, world: World, state: IncidentState) -> _Found:
    """Return what is found, kept for an incident that is over: a page asks for it again and again."""
    # What is kept holds the catalog, so that no other one can have its identity meanwhile.
    key = ("prevention", state.number, id(world.catalog))
    known = view.memory.recall(key)
    if known and known[0] == state.seq and isinstance(known[1], tuple) and isinstance(known[1][1], _Found):
        return known[1][1]
    found = _found(view.connection, world, state)
    if not state.is_open:
        view.memory.keep(key, state.seq, (world.catalog, found))
    return found


def _found(connection: Connection, world: World, state: IncidentState) -> _Found:
    catalog = world.catalog
    end = state.resolved_at or world.clock.now()
    course = Course(
        onset=_onset(state).timestamp(),
        told=state.declared_at.timestamp(),
        end=end.timestamp(),
        by_alert=state.source == "alert",
    )
    about = _about(state)
    services = tuple(dict.fromkeys((*about, *(one for name in about for one in dependencies(catalog, name)))))
    start = _onset(state) - HISTORY
    names = [name for name in services if name in catalog.services][:MOST_SERVICES]
    series = list(_series(connection, catalog, names, onset=_onset(state), end=end))
    taken = [_taken(connection, one, start=start, onset=_onset(state), end=end) for one in series if one.moved]
    calls = label_sets(
        connection, metric=Metric.DEPENDENCY_ERROR_RATIO, services=tuple(names), start=_onset(state), end=end
    )
    return _Found(
        monitors=propose(taken, course=course, thresholds=catalog.thresholds, names=_names(catalog, names)),
        gaps=gaps_of(
            state,
            catalog,
            services=about,
            has_runbook=_has_runbook(world, state),
            measured_calls=[(caller, labels.get("target", "")) for caller, labels in calls],
        ),
        course=course,
        tried=len(series),
        unknown=bool(taken) and all(one.normal is None for one in taken),
    )


def _onset(state: IncidentState) -> datetime:
    """Return the estimated start at its earliest: what came before it was normal."""
    return min(state.started_low or state.started_at, state.declared_at)


def _about(state: IncidentState) -> tuple[str, ...]:
    """Return the services that the incident is about: where the cause lies first."""
    impact = state.impact
    return tuple(
        name for name in dict.fromkeys((cause_of(state)[1], *state.services, *(impact.down if impact else ()))) if name
    )


@dataclass(frozen=True, kw_only=True)
class _Series:
    """One series that a rule could judge, the check that brings it, and whether the incident moved it at all."""

    service: str
    measure: str
    labels: dict[str, str]
    check: Check
    window_s: float
    moved: bool


def _series(
    connection: Connection, catalog: Catalog, names: Sequence[str], *, onset: datetime, end: datetime
) -> Iterator[_Series]:
    """Yield what was measured of the services and none of their rules judges yet, at most so many that moved."""
    moved = 0
    hour = timedelta(seconds=catalog.timing.baseline_s)
    for measure in MEASURES:
        for name, labels in label_sets(connection, metric=measure, services=tuple(names), start=onset, end=end):
            check = _brings(catalog.services[name], measure)
            if check is None or _is_judged(catalog.services[name], measure, labels):
                continue
            times, values = read_samples(
                connection, service=name, metric=measure, labels=labels, start=onset - hour, end=end
            )
            has_moved = moved < MOST_SERIES and has_left(times, values, onset=onset.timestamp(), measure=measure)
            moved += has_moved
            yield _Series(
                service=name,
                measure=measure,
                labels=labels,
                check=check,
                window_s=max(catalog.timing.detect_window_s, LATEST_LOOKS * check.every_s),
                moved=has_moved,
            )


def _taken(connection: Connection, one: _Series, *, start: datetime, onset: datetime, end: datetime) -> Taken:
    """Read a series whole, with what was normal for it."""
    times, values = read_samples(
        connection, service=one.service, metric=one.measure, labels=one.labels, start=start, end=end
    )
    return Taken(
        service=one.service,
        measure=one.measure,
        labels=one.labels,
        times=times,
        values=values,
        normal=baseline_before(
            connection,
            service=one.service,
            metric=one.measure,
            labels=one.labels,
            onset=onset,
            # Of all that is kept: the last hour may hold the beginning of it already.
            window_s=HISTORY.total_seconds(),
        ),
        window_s=one.window_s,
        every_s=one.check.every_s,
        spans=tuple(alert_spans(connection, service=one.service, start=start, now=end)),
    )


def _brings(service: Service, measure: str) -> Check | None:
    return next((one for one in service.checks if brings(one.sampler, measure, settings=one.settings)), None)


def _is_judged(service: Service, measure: str, labels: dict[str, str]) -> bool:
    rules = (rule for check in service.checks for rule in check.rules)
    return any(rule.measure == measure and fits(rule, labels) for rule in rules)


def _names(catalog: Catalog, services: Sequence[str]) -> set[str]:
    checks = [check for name in services for check in catalog.services[name].checks]
    return {check.name for check in checks} | {rule.name for check in checks for rule in check.rules}


def _has_runbook(world: World, state: IncidentState) -> bool:
    """Tell whether a runbook is for the cause, or where that is not known, for what was seen."""
    kind, service = cause_of(state)
    if not kind:
        return bool(matches(world, state))
    seen = Seen(services=(service,) if service else state.services, kinds={kind: 1.0})
    return bool(match_runbooks(tuple(shelf_of(world).runbooks.values()), seen))


def _note(found: _Found) -> str:
    if found.monitors:
        return ""
    if not found.tried:
        return "nothing was measured of these services then, or it is not kept any more"
    if found.unknown:
        return "what was normal before is not known: too little was measured, or it is not kept any more"
    return f"of {found.tried} measured series none would have told sooner without false alarms"


def _monitor(one: Monitor, course: Course, items: dict[str, int]) -> MonitorView:
    rule = one.rule
    title = title_of(one.service, rule)
    todo = f"Add a check: {title}"
    limit = rule.above if rule.above is not None else rule.below
    return MonitorView(
        service=one.service,
        measure=rule.measure,
        labels=dict(rule.labels),
        unit=rule.unit,
        limit=limit or 0.0,
        for_s=rule.for_s or 0.0,
        severity=rule.severity,
        normal=one.normal,
        low=one.low,
        high=one.high,
        worst=one.worst,
        fired_at=one.fired_at,
        earlier_s=one.earlier_s,
        false_alarms=one.false_alarms,
        quiet_hours=one.hours,
        title=title,
        gain=gain_of(one, course),
        quiet=quiet_of(one),
        limits=limits_of(one),
        source=f"samples: {rule.measure} of {one.service}",
        toml=as_toml(one.service, rule),
        todo=todo,
        item=items.get(todo),
    )


def _gap(one: Gap, items: dict[str, int]) -> GapView:
    return GapView(
        kind=one.kind.value,
        subject=one.subject,
        text=one.text,
        source=one.source,
        todo=one.todo,
        toml=one.toml,
        item=items.get(one.todo),
    )
