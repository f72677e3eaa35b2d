"""Looks at the far ends of what is to be proposed, and then proposes it. Duty of the timer kind `look`.

The looking happens outside any transaction. When the ranking has moved on meanwhile, it is looked at anew.
"""

from dataclasses import replace

import structlog

from stanch.engine.loop import Effect, nothing
from stanch.incidents import events as ev
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Bug, StanchError
from stanch.mitigate.foresight import same_wish
from stanch.mitigate.plan import digest_of
from stanch.mitigate.tree import expectation_of
from stanch.mitigate.undoing import undo_plan
from stanch.operations import cases
from stanch.operations.acting import consider
from stanch.operations.foreseeing import look_at, look_at_proposal
from stanch.operations.planning import is_news, is_settled, plans_of, proposed_now
from stanch.operations.runbooks.finding import matches, shelf_of
from stanch.operations.runbooks.planning import plan_of
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.model import Timer

log = structlog.get_logger("stanch.look")


def look(timer: Timer, world: World) -> Effect:
    """Make exact what the timer names, and return the effect that proposes it."""
    what, plan = timer.data.get("what"), timer.data.get("plan")
    if timer.incident is None or not isinstance(plan, str):
        raise Bug(f"timer {timer.id} names no plan")
    with world.store.reading() as view:
        state = cases.load(view, timer.incident)
    if not state.is_open:
        return nothing
    if what == "undo":
        return _undo(state, world, plan)
    if what == "runbooks":
        return _runbooks(state, world)
    return _proposal(timer, state, world)


def _proposal(timer: Timer, state: IncidentState, world: World) -> Effect:
    asked = proposed_now(state, world)
    exact = look_at_proposal(world, asked)

    def effect(tx: Transaction) -> None:
        now = cases.load(tx, state.number, lock=True)
        if not now.is_open or is_settled(now, anew=timer.data.get("anew") is True):
            return
        if not _same(proposed_now(now, world), asked):
            tx.schedule(replace(timer, attempts=0, last_error="", lease_token=""))
        elif now.proposal is None or is_news(exact, now.proposal):
            cases.record(tx, state.number, exact)
            consider(tx, world, state.number)

    return effect


def _runbooks(state: IncidentState, world: World) -> Effect:
    """Propose the blocks that are marked automatic, of runbooks that fit the incident, and have it decided on them."""
    fitting = {one.runbook for one in matches(world, state)}
    shelf = shelf_of(world)
    top = state.hypotheses[0] if state.hypotheses else None
    found: list[ev.PlanAdded] = []
    for marked in world.catalog.automatic.runbooks:
        if marked.runbook not in fitting:
            continue
        runbook = shelf.get(marked.runbook)
        blocks = [one for one in runbook.blocks if one.number == marked.block and one.changes]
        try:
            plans = [plan_of(world, state, runbook, block) for block in blocks]
        except StanchError as error:
            log.warning("runbook_not_proposed", runbook=marked.runbook, why=error.message)
            continue
        for plan in plans:
            if plan.target in marked.services and plan.id not in state.actions:
                expected = expectation_of(state, world.catalog, plan.target)
                full = replace(plan, expectation=expected, hypothesis=top.id if top else "")
                (exact,) = look_at(world, replace(full, digest=digest_of(full)))
                found.append(ev.PlanAdded(plan=exact, runbook=runbook.id, block=marked.block))

    def effect(tx: Transaction) -> None:
        now = cases.load(tx, state.number, lock=True)
        if not now.is_open:
            return
        cases.record(tx, state.number, *(one for one in found if one.plan.id not in now.actions))
        consider(tx, world, state.number)

    return effect


def _undo(state: IncidentState, world: World, plan: str) -> Effect:
    (exact,) = look_at(world, undo_plan(state, state.actions[plan].plan, world.catalog.approvals))

    def effect(tx: Transaction) -> None:
        now = cases.load(tx, state.number, lock=True)
        if now.is_open and exact.id not in now.actions:
            reason = now.actions[plan].effect
            cases.record(tx, state.number, ev.PlanAdded(plan=exact, reason=reason))

    return effect


def _same(one: ev.MitigationProposed, other: ev.MitigationProposed) -> bool:
    pairs = list(zip(plans_of(one), plans_of(other), strict=False))
    return len(plans_of(one)) == len(plans_of(other)) == len(pairs) and all(same_wish(*pair) for pair in pairs)
