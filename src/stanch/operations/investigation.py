"""Operations of the investigation: send the collectors out again; and what follows when they are back."""

from dataclasses import dataclass

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import ActionState, IncidentState
from stanch.mitigate.tree import propose
from stanch.operations import cases
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call, World
from stanch.store import Transaction
from stanch.store.model import Timer

_BEFORE_IDENTIFIED = frozenset({Status.DETECTED, Status.ACKNOWLEDGED, Status.INVESTIGATING})


@dataclass(frozen=True, kw_only=True)
class Investigate:
    """The incident to look into again."""

    incident: int


@operation("investigate.run", effect=Effect.WRITE, example={"incident": 1})
def run(call: Call, request: Investigate) -> IncidentView:
    """Send the collectors out again now; what they find appears as it comes."""
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        timer = Timer(id=f"inc{state.number}/collect", kind="collect", due_at=call.now, incident=state.number)
        # It takes the place of the round that would come by itself; what an older round still brings is dropped.
        tx.schedule(timer, replace=True)
        return incident_view(tx, call.world, state, now=call.now)


def conclude(tx: Transaction, world: World, state: IncidentState) -> None:
    """Follow a ranking: propose a mitigation unless one is under way, and say that the cause is identified."""
    if not state.is_open:
        return
    if state.cause_known and state.status in _BEFORE_IDENTIFIED:
        top = state.hypotheses[0]
        reason = f"{top.title} ({top.score:.0%})"
        cases.record(tx, state.number, ev.StatusChanged(status=Status.IDENTIFIED, reason=reason))
    if any(action.state is not ActionState.PROPOSED for action in state.actions.values()):
        return
    proposal = propose(state, world.catalog, now=world.clock.now())
    if state.proposal is None or _is_news(proposal, state.proposal):
        cases.record(tx, state.number, proposal)


def _is_news(new: ev.MitigationProposed, old: ev.MitigationProposed) -> bool:
    def digests(proposal: ev.MitigationProposed) -> set[str]:
        plans = ((proposal.plan,) if proposal.plan else ()) + proposal.alternatives
        return {plan.digest for plan in plans}

    return digests(new) != digests(old) or new.verdict != old.verdict
