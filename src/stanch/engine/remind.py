"""What comes due while an incident lasts: response targets, and measuring the impact again. Updates are `cadence`'s."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from stanch.engine.collectors.logs import LogsCollector
from stanch.engine.loop import Effect
from stanch.incidents import events as ev
from stanch.incidents.clocks import ClockState, response_clocks
from stanch.incidents.impact import case_of
from stanch.incidents.model import Impact, Status
from stanch.incidents.rules import rule_again
from stanch.incidents.severity import rule_severity
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Bug
from stanch.operations import cases, paging
from stanch.operations.breadth import broadened
from stanch.operations.detection import symptom_of
from stanch.operations.diagnosing import question_of
from stanch.operations.measuring import measure
from stanch.operations.topology import with_seen_calls
from stanch.operations.world import World
from stanch.ports.evidence import Finding
from stanch.store import Transaction
from stanch.store.model import Timer

_AFTER_DUE: Final = timedelta(seconds=1)
_LOOKED: Final = "looked"
_LOOK_EVERY_S: Final = 30.0
_LOOK_S: Final = 3.0
_LOOK_BACK: Final = timedelta(minutes=10)


def target(timer: Timer, world: World) -> Effect:
    """Record that a response target was missed, unless it was met."""
    number = _incident(timer)

    def effect(tx: Transaction) -> None:
        state = cases.load(tx, number, lock=True)
        if not state.is_open:
            return
        now = world.clock.now()
        _record_missed(tx, world, state, now=now)
        for clock in response_clocks(state, now=now):
            if clock.target.value == timer.data.get("target") and clock.state is ClockState.RUNNING:
                # Due to the instant it can still be met; and a lower severity gives more time.
                due_at = max(clock.due_at, now + _AFTER_DUE)
                tx.schedule(Timer(id=timer.id, kind="target", due_at=due_at, incident=number, data=timer.data))

    return effect


def _record_missed(tx: Transaction, world: World, state: IncidentState, *, now: datetime) -> None:
    """Record the targets that were missed, each once, and page the next level."""
    for clock in response_clocks(state, now=now):
        name = clock.target.value
        if clock.met_at is None and clock.state is ClockState.MISSED and name not in state.missed_targets:
            cases.record(tx, state.number, ev.TargetMissed(target=name, due_at=clock.due_at))
            paging.hurry_incident(tx, world, state.number, reason=f"the response target {name} was missed")


def remeasure(timer: Timer, world: World) -> Effect:
    """Measure the blast radius again; record it when it has moved, and follow the severity rules upwards.

    Whom it meets is read from the logs, which takes a moment, so at most every half minute.
    """
    number = _incident(timer)
    looked_at, seen = _look_who(timer, world, number)

    def effect(tx: Transaction) -> None:
        state = cases.load(tx, number, lock=True)
        if not state.is_open:
            return
        now = world.clock.now()
        impact = measure(tx, world, services=state.services, since=state.started_at, now=now)
        impact = broadened(_keep_words(impact, state), seen)
        if state.impact is None or _has_moved(state.impact, impact):
            ruled = rule_again(state, rule_severity(case_of(impact, world.catalog, symptom=state.symptom)))
            symptom = symptom_of(tx, world, services=state.services, since=state.started_at, now=now)
            news = (symptom,) if _is_news(symptom, state) else ()
            cases.record(tx, number, ev.ImpactMeasured(impact=impact), *news, *ruled)
            if ruled:
                paging.follow(tx, world, cases.load(tx, number))
        # A severity that was raised since leaves less time than the target's own timer knows.
        _record_missed(tx, world, cases.load(tx, number), now=now)
        if _may_be_over(state):
            # Mended by hand, or by itself: the recovery is watched as if a plan had run.
            tx.schedule(Timer(id=f"inc{number}/verify", kind="verify", due_at=now, incident=number))
        due_at = now + timedelta(seconds=world.catalog.timing.remeasure_s)
        tx.schedule(Timer(id=timer.id, kind="measure", due_at=due_at, incident=number, data={_LOOKED: looked_at}))

    return effect


def _look_who(timer: Timer, world: World, number: int) -> tuple[float, list[Finding]]:
    """Return when the logs were last read for whom it meets (seconds since 1970), and what they say if that is now."""
    now = world.clock.now()
    last = timer.data.get(_LOOKED)
    if isinstance(last, int | float) and now.timestamp() - last < _LOOK_EVERY_S:
        return float(last), []
    with world.store.reading() as view:
        state = cases.load(view, number)
        seen = with_seen_calls(view.connection, world, start=state.started_at - _LOOK_BACK, end=now)
    if not state.is_open:
        return now.timestamp(), []
    question = replace(question_of(state, seen, now=now), start=state.started_at)
    return now.timestamp(), LogsCollector(seen, seconds=_LOOK_S).collect(question)


def _may_be_over(state: IncidentState) -> bool:
    """Tell whether nothing alerts any more of what did, or a person says that it is only watched now."""
    quiet = bool(state.alerts) and all(one.ended_at is not None for one in state.alerts.values())
    return quiet or state.status is Status.MONITORING


def _keep_words(impact: Impact, state: IncidentState) -> Impact:
    """Return `impact` with what is not measured every time, from the last measurement: what people and logs said."""
    if state.impact is None:
        return impact
    old = state.impact
    return replace(
        impact,
        failed_requests=max(impact.failed_requests, old.failed_requests),
        total_requests=max(impact.total_requests, old.total_requests),
        users=old.users,
        explained=old.explained,
        labels=old.labels,
        regions=old.regions,
        versions=old.versions,
        data_loss=old.data_loss,
        security=old.security,
        workaround=old.workaround,
        reports=old.reports,
    )


def _has_moved(old: Impact, new: Impact) -> bool:
    """Tell whether a new measurement is worth an entry: who is affected, a rate by a quarter, a count by half."""
    return (
        old.down != new.down
        or old.affected != new.affected
        or old.explained != new.explained
        or old.regions != new.regions
        or old.versions != new.versions
        or _grew(old.users or 0, new.users or 0, by=0.5)
        or _grew(old.failed_requests, new.failed_requests, by=0.5)
        or _differs(old.error_ratio, new.error_ratio, least=0.02)
        or _differs(old.latency_p95_ms, new.latency_p95_ms, least=100.0)
    )


def _is_news(symptom: ev.SymptomSeen, state: IncidentState) -> bool:
    error, known = symptom.error, state.error
    other_error = error is not None and (known is None or error.title != known.title or error.trend != known.trend)
    counted = error is not None and known is not None and _grew(known.count, error.count, by=1.0)
    other_change = symptom.change is not None and (state.change is None or symptom.change.id != state.change.id)
    return other_error or counted or other_change


def _grew(old: int, new: int, *, by: float) -> bool:
    return new > old and new >= old * (1 + by)


def _differs(old: float | None, new: float | None, *, least: float) -> bool:
    if old is None or new is None:
        return old is not new
    return abs(new - old) >= max(least, 0.25 * max(abs(old), abs(new)))


def _incident(timer: Timer) -> int:
    if timer.incident is None:
        raise Bug(f"timer {timer.id} belongs to no incident")
    return timer.incident
