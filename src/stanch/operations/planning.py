"""What becomes a plan: what the tree proposes now, whether that is news, and what has to be looked at first."""

from dataclasses import replace

from stanch.incidents import events as ev
from stanch.incidents.state import ActionState, IncidentState
from stanch.kernel.event import JSON
from stanch.mitigate.foresight import fresh_id, root_of, same_wish
from stanch.mitigate.plan import digest_of
from stanch.mitigate.tree import propose
from stanch.mitigate.undoing import undo_plan
from stanch.operations import cases
from stanch.operations.foreseeing import can_be_looked_at
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

_UNDER_WAY = frozenset({ActionState.APPROVED, ActionState.RUNNING})
# A plan that gave way to another for a changed world was not carried out.
_DONE = frozenset(ActionState) - {ActionState.PROPOSED, ActionState.STALE}


def is_settled(state: IncidentState, *, anew: bool) -> bool:
    """Tell whether something was done already, or with `anew` is under way, so that nothing is to be proposed."""
    settled = _UNDER_WAY if anew else _DONE
    return any(action.state in settled for action in state.actions.values())


def proposed_now(state: IncidentState, world: World) -> ev.MitigationProposed:
    """Return what the tree proposes as things stand; a plan that has run gets another id for another attempt."""
    proposal = propose(state, world.catalog, now=world.clock.now())
    plan = _attempt(state, proposal.plan) if proposal.plan else None
    return replace(proposal, plan=plan, alternatives=tuple(_attempt(state, one) for one in proposal.alternatives))


def look_soon(tx: Transaction, world: World, number: int, *, what: str, plan: str = "", anew: bool = False) -> None:
    """Have far ends looked at and plans recorded then: `what` is `proposal`, `runbooks` or `undo` of `plan`."""
    data: dict[str, JSON] = {"what": what, "plan": plan, "anew": anew}
    timer = Timer(
        id=f"inc{number}/look/{plan or what}", kind="look", due_at=world.clock.now(), incident=number, data=data
    )
    tx.schedule(timer, replace=True)


def is_news(new: ev.MitigationProposed, old: ev.MitigationProposed) -> bool:
    """Tell whether a proposal that was looked at says something else than the one before it."""

    def digests(proposal: ev.MitigationProposed) -> set[str]:
        return {plan.digest + plan.unseen + plan.refusal for plan in plans_of(proposal)}

    return digests(new) != digests(old) or new.verdict != old.verdict


def _attempt(state: IncidentState, plan: ev.Plan) -> ev.Plan:
    before = state.actions.get(plan.id)
    if before is None or before.state is ActionState.PROPOSED:
        return plan
    waiting = [
        one.plan.id
        for one in state.actions.values()
        if one.state is ActionState.PROPOSED and root_of(one.plan.id) == plan.id and not one.plan.undo_of
    ]
    again = replace(plan, id=waiting[0] if waiting else fresh_id(plan.id, state.actions))
    return replace(again, digest=digest_of(again))


def asks_for_more(new: ev.MitigationProposed, old: ev.MitigationProposed) -> bool:
    """Tell whether `new`, which nobody has looked at yet, asks for something else; or what was not seen may be now."""
    plans, former = plans_of(new), plans_of(old)
    if new.verdict != old.verdict or len(plans) != len(former) or any(one.unseen for one in former):
        return True
    return not all(same_wish(one, other) for one, other in zip(plans, former, strict=True))


def plans_of(proposal: ev.MitigationProposed) -> tuple[ev.Plan, ...]:
    """Return the first plan of a proposal and its alternatives."""
    return ((proposal.plan,) if proposal.plan else ()) + proposal.alternatives


def propose_undo(tx: Transaction, world: World, state: IncidentState, plan: str, *, reason: str) -> None:
    """Propose what takes `plan` back, unless that is proposed already; its far ends are looked at first."""
    if any(one.plan.undo_of == plan for one in state.actions.values()):
        return
    undo = undo_plan(state, state.actions[plan].plan, world.catalog.approvals)
    if can_be_looked_at(world, undo):
        look_soon(tx, world, state.number, what="undo", plan=plan)
    else:
        cases.record(tx, state.number, ev.PlanAdded(plan=undo, reason=reason))
