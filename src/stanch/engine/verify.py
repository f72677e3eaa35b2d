"""Watches a recovery: do all figures hold for the whole window without a break?"""

from datetime import timedelta
from typing import Final

from stanch.engine.loop import Effect
from stanch.incidents.events import VerificationPassed
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Bug
from stanch.mitigate.verification import window_s
from stanch.mitigate.watching import Looked, Window, remembered, step, to_remember, unwatched
from stanch.operations import cases
from stanch.operations.announcing import announce
from stanch.operations.recovery import in_the_making, look_at_recovery, new_elsewhere
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

_TICK: Final = timedelta(seconds=1)


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
        before = remembered(timer.data)
        found, memory = look_at_recovery(tx, world, state, before, now=now)
        if found:
            _step(tx, world, state, found, nobody=unwatched(before, now=now))
        tx.schedule(Timer(id=timer.id, kind="verify", due_at=now + _TICK, incident=number, data=to_remember(memory)))

    return effect


def _step(tx: Transaction, world: World, state: IncidentState, found: tuple[Looked, ...], *, nobody: str) -> None:
    """Take the verification one step on, and tell everybody when it has passed."""
    # What has passed stays so while nobody looks: the next look says whether it still holds.
    passed = state.verification is not None and state.verification.passed_at is not None
    gap = (nobody,) if nobody and not passed else ()
    failing = (*gap, *(one.why for one in found if one.why), *new_elsewhere(tx, world, state))
    seconds, shortened = window_s(state.ruling.severity, world.catalog.timing)
    record = step(
        state.verification,
        failing=failing,
        pending=() if failing or passed else in_the_making(tx, world, state),
        checks=tuple(one.check.words for one in found),
        window=Window(seconds=seconds, shortened=shortened, severity=state.ruling.severity.name),
        now=world.clock.now(),
    )
    if record is None:
        return
    cases.record(tx, state.number, record)
    if isinstance(record, VerificationPassed):
        announce(tx, world, cases.load(tx, state.number), purpose="all_clear")


def _incident(timer: Timer) -> int:
    if timer.incident is None:
        raise Bug(f"timer {timer.id} belongs to no incident")
    return timer.incident
