"""Takes an ended incident up again: the same log, the same clocks; by a person, or because the same fault is back."""

from datetime import datetime, timedelta

from stanch.incidents import events as ev
from stanch.incidents import rules
from stanch.incidents.model import Status
from stanch.incidents.state import IncidentState
from stanch.incidents.tables import resolved_since
from stanch.kernel.actor import SYSTEM, Actor, Via
from stanch.kernel.duration import format_duration
from stanch.operations import cases, declaring, paging
from stanch.operations.announcing import announce
from stanch.operations.meeting import take_back
from stanch.operations.world import World
from stanch.store import Transaction


def take_up_again(
    tx: Transaction, world: World, state: IncidentState, *, reason: str, actor: Actor = SYSTEM, via: Via = Via.ENGINE
) -> IncidentState:
    """Reopen an incident and return it; raises what `rules.reopen` raises.

    Its start, declaration and acknowledgement stay, so its duration goes on; it is investigated, paged and told anew.
    """
    cases.record(tx, state.number, *rules.reopen(state, reason=reason), actor=actor, via=via)
    take_back(tx, world, state, reason="the incident was taken up again", actor=actor, via=via)
    again = cases.load(tx, state.number)
    paging.follow(tx, world, again)
    announce(tx, world, again, purpose="reopened", note=reason.strip())
    declaring.start_clocks(tx, world, again)
    return again


def ended_with(tx: Transaction, world: World, attached: ev.AlertAttached) -> IncidentState | None:
    """Return the incident of the same fault that was resolved lately, locked; None where there is none.

    The same fault is the same alert, or one about the same series of the same service.
    """
    since = world.clock.now() - timedelta(seconds=world.catalog.timing.reopen_s)
    for number in resolved_since(tx.connection, since):
        state = cases.load(tx, number, lock=True)
        if state.status is Status.RESOLVED and any(_is_same(one.alert, attached) for one in state.alerts.values()):
            return state
    return None


def why_again(state: IncidentState, attached: ev.AlertAttached, *, now: datetime) -> str:
    """Return why an incident is taken up again by itself."""
    after = format_duration(now - (state.resolved_at or now))
    return f"the same fault is back {after} after it was resolved: {attached.summary}"


def _is_same(known: ev.AlertAttached, attached: ev.AlertAttached) -> bool:
    if known.alert == attached.alert:
        return True
    old, new = known.reading, attached.reading
    if old is None or new is None:
        # From outside: the sender's own labels say what it is about.
        return old is new and known.source == attached.source and known.labels == attached.labels
    return (old.service, old.metric, old.labels or {}) == (new.service, new.metric, new.labels or {})
