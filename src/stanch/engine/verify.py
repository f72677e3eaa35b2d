"""Watches a recovery: did the plan have its effect, and do all figures hold for the whole window without a break?"""

from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.series import mean_between
from stanch.engine.loop import Effect
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Bug
from stanch.kernel.event import JSON
from stanch.mitigate.verification import figure, named, window_s
from stanch.operations import cases
from stanch.operations.announcing import announce
from stanch.operations.recovery import failing_checks, recovery_checks
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

_TICK: Final = timedelta(seconds=1)
# A node that dies has its lease for 15 s; a recovery that was not watched for longer than that is watched anew.
_LONGEST_GAP: Final = timedelta(seconds=20)
# An effect smaller than this share of the excess is none; a rise by as much is a turn for the worse.
_NOTICEABLE: Final = 0.2
# Figures from before the plan ran are compared over this long, but of the incident alone.
_BEFORE: Final = timedelta(seconds=60)


def verify(timer: Timer, world: World) -> Effect:
    """Look once whether the recovery holds; start the wait, start it again, or end it.

    An incident of which nothing is measured is never verified: a person resolves it, with the reason.
    """
    number = _incident(timer)

    def effect(tx: Transaction) -> None:
        state = cases.load(tx, number, lock=True)
        if not state.is_open:
            return
        now = world.clock.now()
        failing = _unwatched(timer, state, now=now) or failing_checks(tx, world, state, now=now)
        if recovery_checks(world, state):
            _step(tx, world, state, failing, now=now)
        looked: dict[str, JSON] = {"looked": now.isoformat()}
        tx.schedule(Timer(id=timer.id, kind="verify", due_at=now + _TICK, incident=number, data=looked))

    return effect


def _unwatched(timer: Timer, state: IncidentState, *, now: datetime) -> tuple[str, ...]:
    """Return that nobody looked, where the last look is so long ago that a break can have passed unseen."""
    looked = timer.data.get("looked")
    if not isinstance(looked, str) or (state.verification and state.verification.passed_at):
        return ()
    away = now - datetime.fromisoformat(looked)
    return (f"nobody watched for {away.total_seconds():.0f} s",) if away > _LONGEST_GAP else ()


def _step(tx: Transaction, world: World, state: IncidentState, failing: tuple[str, ...], *, now: datetime) -> None:
    """Take the verification one step on. A stretch that breaks is recorded once, and once more when it holds again."""
    watched = state.verification
    if failing:
        if watched is not None and not watched.broken:
            record = ev.VerificationRelapsed(check=failing[0], summary="; ".join(failing))
            cases.record(tx, state.number, record)
        return
    if watched is None or watched.broken:
        _start(tx, world, state)
    elif (seconds := window_s(state.ruling.severity, world.catalog.timing))[0] > watched.window_s:
        # What has held so far counts; what has passed by the shorter window has not passed any more.
        length, shortened = seconds
        reason = f"it is {state.ruling.severity.name} now, and was to hold for {watched.window_s:.0f} s"
        cases.record(tx, state.number, ev.VerificationExtended(window_s=length, reason=reason, shortened=shortened))
    elif watched.passed_at is None and (now - watched.since).total_seconds() >= watched.window_s:
        summary = "; ".join(check.words for check in recovery_checks(world, state))
        cases.record(tx, state.number, ev.VerificationPassed(window_s=watched.window_s, summary=summary))
        announce(tx, world, cases.load(tx, state.number), purpose="recovered")


def _start(tx: Transaction, world: World, state: IncidentState) -> None:
    seconds, shortened = window_s(state.ruling.severity, world.catalog.timing)
    checks = tuple(check.words for check in recovery_checks(world, state))
    record = ev.VerificationStarted(window_s=seconds, checks=checks, shortened=shortened)
    cases.record(tx, state.number, record)


def check_effect(timer: Timer, world: World) -> Effect:
    """Compare the figure that a plan promised to move before and after its run; say so as soon as it is clear."""
    number = _incident(timer)
    plan_id, since = timer.data.get("plan"), timer.data.get("since")
    if not isinstance(plan_id, str) or not isinstance(since, str):
        raise Bug(f"timer {timer.id} names no plan")
    ran_at = datetime.fromisoformat(since)

    def effect(tx: Transaction) -> None:
        state = cases.load(tx, number, lock=True)
        action = state.actions[plan_id]
        expected = action.plan.expectation
        if not state.is_open or action.verdict or expected is None:
            return
        now = world.clock.now()
        began = action.started_at or ran_at
        before = mean_between(
            tx.connection,
            service=expected.service,
            metric=expected.metric,
            start=max(began - _BEFORE, state.started_at),
            end=began,
        )
        span = timedelta(seconds=world.catalog.timing.detect_window_s)
        after = mean_between(
            tx.connection,
            service=expected.service,
            metric=expected.metric,
            start=max(ran_at, now - span),
            end=now,
        )
        late = now - ran_at >= timedelta(seconds=expected.within_s)
        settled = now - ran_at >= span
        verdict = judge_effect(expected, before=before, after=after)
        if late or (settled and verdict == "helped"):
            was, became = figure(expected.metric, before), figure(expected.metric, after)
            summary = f"{named(expected.service, expected.metric)}: {was} before, {became} after"
            record = ev.EffectChecked(plan=plan_id, verdict=verdict, summary=summary, before=before, after=after)
            cases.record(tx, number, record, stream=ev.action_stream(number, plan_id))
            return
        tx.schedule(Timer(id=timer.id, kind="effect", due_at=now + _TICK, incident=number, data=timer.data))

    return effect


def judge_effect(expected: ev.Expectation, *, before: float | None, after: float | None) -> str:
    """Return `helped`, `no_effect` or `worse`: inside the limit, a fifth of the excess gone or added, or in between.

    With the limit L the excess is |value - L|; e.g. L = 0.05, 0.45 before, 0.10 after: 0.40 shrank to 0.05, `helped`.
    Nothing to see after the run is `no_effect`: it cannot be called a success.
    """
    limit = expected.below if expected.below is not None else expected.above
    if after is None or limit is None:
        return "no_effect"
    meets = after <= limit if expected.below is not None else after >= limit
    if meets:
        return "helped"
    if before is None:
        return "no_effect"
    excess_before, excess_after = abs(before - limit), abs(after - limit)
    if excess_after > excess_before * (1 + _NOTICEABLE):
        return "worse"
    return "helped" if excess_after < excess_before * _NOTICEABLE else "no_effect"


def _incident(timer: Timer) -> int:
    if timer.incident is None:
        raise Bug(f"timer {timer.id} belongs to no incident")
    return timer.incident
