"""Did a plan help: the figure it promised to move, before its run and after. What made things worse is to be undone.

Duty of the timer kind `effect`. The undo is proposed as a plan of its own; a person decides on it like on any other.
"""

from datetime import datetime, timedelta
from typing import Final

from stanch.alerts.series import mean_between
from stanch.engine.loop import Effect
from stanch.incidents import events as ev
from stanch.incidents.state import Action, ActionState
from stanch.kernel.errors import Bug
from stanch.mitigate.verification import figure, named
from stanch.operations import cases
from stanch.operations.acting import ended
from stanch.operations.planning import propose_undo
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

_TICK: Final = timedelta(seconds=1)
# An effect smaller than this share of the excess is none, a rise by as much a turn for the worse; and as much may be
# left of it where something helped.
_NOTICEABLE: Final = 0.2
# Figures from before the plan ran are compared over this long, but of the incident alone.
_BEFORE: Final = timedelta(seconds=60)
_TO_UNDO: Final = frozenset({"worse", "no_effect"})


def check_effect(timer: Timer, world: World) -> Effect:
    """Compare the figure that a plan promised to move before and after its run; say so as soon as it is clear."""
    number, plan_id, since = timer.incident, timer.data.get("plan"), timer.data.get("since")
    if number is None or not isinstance(plan_id, str) or not isinstance(since, str):
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
            ended(tx, world, number, plan_id, outcome=verdict, detail=summary)
            if _is_to_be_undone(action, verdict):
                propose_undo(tx, world, cases.load(tx, number), plan_id, reason=summary)
            return
        tx.schedule(Timer(id=timer.id, kind="effect", due_at=now + _TICK, incident=number, data=timer.data))

    return effect


def _is_to_be_undone(action: Action, verdict: str) -> bool:
    """Tell whether the undo is to be proposed: of what is known to have run, and is no undo itself."""
    ran = action.state is ActionState.SUCCEEDED
    return ran and verdict in _TO_UNDO and bool(action.plan.undo) and not action.plan.undo_of


def judge_effect(expected: ev.Expectation, *, before: float | None, after: float | None) -> str:
    """Return `helped`, `partly`, `no_effect` or `worse`.

    `helped` is inside the limit, or less than a fifth of the excess left; `partly` at least a fifth of it gone, which
    nobody is asked to take back; `worse` more than a fifth added. With the limit L the excess is |value - L|; e.g.
    L = 0.05, 0.45 before, 0.10 after: 0.40 shrank to 0.05, `helped`; to 0.09 (0.14 after), `partly`.
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
    if excess_after < excess_before * _NOTICEABLE:
        return "helped"
    return "partly" if excess_after <= excess_before * (1 - _NOTICEABLE) else "no_effect"
