"""How far a recovery has come, for those who look at it: each check with since when it holds, and the time left."""

from datetime import datetime

from stanch.incidents.state import IncidentState, Verification
from stanch.mitigate.verification import figure, window_s
from stanch.mitigate.watching import Looked
from stanch.operations.recovery import in_the_making, last_look, look_at_recovery, new_elsewhere
from stanch.operations.views import CheckProgress, Progress
from stanch.operations.world import World
from stanch.store import Transaction


def progress_of(tx: Transaction, world: World, state: IncidentState, *, now: datetime) -> Progress | None:
    """Return how far the recovery has been watched, None while nobody watches it."""
    watched = state.verification
    memory = last_look(tx, state)
    if watched is None and (memory.looked_at is None or not state.is_open):
        return None
    if watched is not None and (watched.passed_at or not state.is_open):
        until = watched.passed_at or state.resolved_at or now
        held_s = min(watched.window_s, (until - watched.since).total_seconds())
        return Progress(verification=watched, held_s=held_s, holding=True)
    found, _ = look_at_recovery(tx, world, state, memory, now=now)
    failing = (*(one.why for one in found if one.why), *new_elsewhere(tx, world, state))
    # Watched already, and nothing has held yet: there is no stretch to tell of, only what is missing.
    shown = watched or _not_begun(world, state, now=now)
    holding = not failing and not shown.broken
    held_s = min(shown.window_s, (now - shown.since).total_seconds()) if holding and watched else 0.0
    return Progress(
        verification=shown,
        held_s=held_s,
        holding=holding,
        failing=failing,
        pending=() if failing else in_the_making(tx, world, state),
        left_s=max(0.0, shown.window_s - held_s),
        checks=tuple(_told(one) for one in found),
    )


def _not_begun(world: World, state: IncidentState, *, now: datetime) -> Verification:
    seconds, shortened = window_s(state.ruling.severity, world.catalog.timing)
    return Verification(started_at=now, since=now, window_s=seconds, checks=(), shortened=shortened, broken=True)


def _told(one: Looked) -> CheckProgress:
    check = one.check
    counted = check.metric in ("reports", "restarts", "error_log", "check")
    now = "" if one.value is None or counted else figure(check.metric, one.value)
    return CheckProgress(text=check.words, because=check.because, now=now, since=one.since, why=one.why)
