"""What a person has to decide on next among the plans of an incident; and what could be proposed by hand."""

from stanch.catalog.model import Catalog
from stanch.incidents.model import Status
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.operations.views import NextStep, ProposableAction


def plan_step(state: IncidentState) -> NextStep | None:
    """Return the decision that is due, None when there is none.

    First what nobody knows the outcome of, then an undo of what did harm or nothing, then the plan that is proposed
    first, or the one that took its place.
    """
    waiting = [one for one in state.actions.values() if one.state is ActionState.PROPOSED]
    unknown = next((one for one in state.actions.values() if one.state is ActionState.UNKNOWN), None)
    number = {"incident": str(state.number)}
    if unknown is not None:
        return NextStep(
            operation="mitigation.settle",
            title=f"Look what became of: {unknown.plan.title}",
            command=f"stanch plan settle {state.key} {unknown.plan.id} --happened --reason ...",
            arguments={**number, "plan": unknown.plan.id},
        )
    chosen = next((one for one in waiting if one.plan.undo_of), None) or _proposed(state, waiting)
    if chosen is None or (state.status is Status.MONITORING and not chosen.plan.undo_of):
        return None
    plan = chosen.plan
    if plan.unseen:
        return NextStep(
            operation="mitigation.look",
            title=f"Look again: {plan.title}",
            command=f"stanch plan look {state.key} {plan.id}",
            arguments={**number, "plan": plan.id},
        )
    return NextStep(
        operation="mitigation.approve",
        title=f"Approve: {plan.title}",
        command=f"stanch approve {state.key} {plan.id}",
        arguments={**number, "plan": plan.id, "digest": plan.digest},
    )


def proposable(state: IncidentState, catalog: Catalog) -> tuple[ProposableAction, ...]:
    """Return what is declared and could be proposed by hand, the incident's own services first."""
    names = [*(name for name in state.services if name in catalog.services), *catalog.services]
    return tuple(
        ProposableAction(service=name, action=spec.name, title=spec.title or spec.name, risk=spec.risk)
        for name in dict.fromkeys(names)
        for spec in catalog.services[name].actions
    )


def _proposed(state: IncidentState, waiting: list[Action]) -> Action | None:
    replacing = next((one for one in waiting if one.plan.replaces), None)
    if replacing is not None:
        return replacing
    first = state.proposal.plan.id if state.proposal and state.proposal.plan else ""
    return next((one for one in waiting if one.plan.id == first), None)
