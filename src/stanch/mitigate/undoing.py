"""The plan that takes another back: its undo as steps of its own, to be looked at and approved like any other."""

from dataclasses import replace

from stanch.catalog.acting import Approvals
from stanch.incidents.events import Plan
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.mitigate.foresight import STATE, fresh_id
from stanch.mitigate.plan import SHIPPED_APPROVALS, approvals_needed, digest_of


def undo_plan(state: IncidentState, plan: Plan, approvals: Approvals = SHIPPED_APPROVALS) -> Plan:
    """Return the plan that takes `plan` back. Its own undo is what was taken back, where that was declared.

    Raises `Refused` (`no_undo`) when nothing takes it back.
    """
    if not plan.undo:
        raise Refused(f"nothing is declared that takes {plan.title!r} back", reason="no_undo")
    undo = Plan(
        id=fresh_id(f"undo-{plan.id}", state.actions),
        mitigation=plan.mitigation,
        title=f"Undo: {plan.title}",
        why=f"takes {plan.id} back",
        target=plan.target,
        steps=plan.undo,
        dry_run=(),
        undo=plan.asked or plan.steps,
        risk=plan.risk,
        reversible=True,
        expectation=plan.expectation,
        approvals_needed=approvals_needed(plan.risk, state.ruling.severity, approvals),
        digest="",
        hypothesis=plan.hypothesis,
        world={name: value for name, value in plan.world.items() if not name.startswith(STATE)},
        origin="undo",
        undo_of=plan.id,
    )
    return replace(undo, digest=digest_of(undo))
