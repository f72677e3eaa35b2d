"""What runs by itself: decides on a plan that waits, keeps count, stops and pages when it did not help.

Every decision, to act or not, is an event of the incident with its reason. Two nodes decide one after the other, under
the lock that orders all events, so that no limit is passed by both at once and none waits for the other's streams.
"""

from datetime import timedelta
from typing import Final

from stanch.catalog.acting import AutomaticRunbook, Guard
from stanch.catalog.model import ActionSpec
from stanch.incidents import events as ev
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.kernel.errors import Invalid
from stanch.mitigate.foresight import root_of
from stanch.mitigate.guarding import Facts, decide
from stanch.mitigate.tables import AutomaticRun, end_run, last_switch, put_run, runs_since
from stanch.operations import cases, paging
from stanch.operations.world import World
from stanch.store import Transaction
from stanch.store.connection import lock_event_order
from stanch.store.model import Timer

_UNDER_WAY: Final = frozenset({ActionState.APPROVED, ActionState.RUNNING, ActionState.UNKNOWN})


def consider(tx: Transaction, world: World, number: int) -> None:
    """Decide whether the plan that is proposed first, or a runbook's, runs without a person where it is marked so.

    A decision that was made before for the same reason is not recorded again.
    """
    state = cases.load(tx, number)
    if not state.is_open:
        return
    first = waiting_first(state)
    spec = spec_of(world, first.plan) if first is not None else None
    if first is not None and spec is not None and spec.automatic:
        _consider(tx, world, state, first, name=spec.name, guard=spec.guard)
    for marked in world.catalog.automatic.runbooks:
        action = waiting_runbook(state, marked)
        if action is not None:
            # What was decided just now may be under way: it is looked at as it stands after each.
            now = cases.load(tx, number)
            _consider(tx, world, now, action, name=f"runbook {marked.runbook}", guard=marked.guard)


def waiting_runbook(state: IncidentState, marked: AutomaticRunbook) -> Action | None:
    """Return the plan of a block that is marked automatic, where it waits at one of its services."""
    root = f"runbook-{marked.runbook}-{marked.block}"
    found = (one for one in state.actions.values() if root_of(one.plan.id) == root)
    return next(
        (one for one in found if one.state is ActionState.PROPOSED and one.plan.target in marked.services), None
    )


def _consider(tx: Transaction, world: World, state: IncidentState, action: Action, *, name: str, guard: Guard) -> None:
    lock_event_order(tx.connection)
    number, plan, now = state.number, action.plan, world.clock.now()
    decision = decide(plan, guard, world.catalog.automatic, _facts(tx, world, state, plan, name=name, guard=guard))
    if not decision.acts and action.decided == (plan.digest, decision.why.value):
        return
    record = ev.AutomaticDecided(
        plan=plan.id,
        acts=decision.acts,
        reason=decision.why.value,
        detail=decision.detail,
        digest=plan.digest,
        expires_at=now + timedelta(seconds=world.catalog.timing.approval_s),
    )
    cases.record(tx, number, record, stream=ev.action_stream(number, plan.id))
    if not decision.acts:
        return
    run = AutomaticRun(incident=number, plan=plan.id, service=plan.target, action=name, began_at=now)
    put_run(tx.connection, run)
    timer = Timer(id=f"inc{number}/run/{plan.id}", kind="run", due_at=now, incident=number, data={"plan": plan.id})
    tx.schedule(timer)


def paused_by(tx: Transaction) -> str:
    """Return who paused everything that runs by itself, with the reason; empty where nobody did."""
    switch = last_switch(tx.connection)
    return f"{switch.by}: {switch.reason}" if switch is not None and switch.paused else ""


def ended(tx: Transaction, world: World, number: int, plan: str, *, outcome: str, detail: str = "") -> None:
    """Say what an automatic run did; stop acting by itself in this incident and page where it did not help.

    `outcome` is `helped`, `refused` (nothing ran), `settled` (a person looked), `over` (the incident is, before it was
    judged), or what else it was; does nothing for a run that a person said yes to.
    """
    if not end_run(tx.connection, incident=number, plan=plan, at=world.clock.now(), outcome=outcome):
        return
    if outcome in ("helped", "refused", "settled", "over"):
        return
    said = detail or outcome.replace("_", " ")
    stop_and_page(tx, world, number, plan, detail=f"only in part, {said}" if outcome == "partly" else said)


def end_unjudged(tx: Transaction, world: World, number: int) -> None:
    """End what ran by itself in an incident that is over: nobody judges it any more, and its service is free again.

    What is under way ends by itself, and of what nobody knows the outcome a person says it.
    """
    for action in cases.load(tx, number).actions.values():
        if action.automatic and action.state not in _UNDER_WAY:
            ended(tx, world, number, action.plan.id, outcome="over")


def stop_and_page(tx: Transaction, world: World, number: int, plan: str, *, detail: str) -> None:
    """Act no more by itself in this incident, and let somebody be paged now."""
    state = cases.load(tx, number)
    action = state.actions.get(plan)
    if action is None or not action.automatic or state.automatic_stopped:
        return
    reason = f"{action.plan.title} ran by itself and did not help: {detail}"
    cases.record(tx, number, ev.AutomaticStopped(plan=plan, reason=reason))
    if state.is_open:
        state = cases.load(tx, number)
        paging.resume(tx, world, state)
        paging.follow(tx, world, state)
        paging.hurry_incident(tx, world, number, reason=reason)


def waiting_first(state: IncidentState) -> Action | None:
    """Return the plan that the tree proposes first, where it waits; also the one in its place for a changed world."""
    first = state.proposal.plan if state.proposal else None
    if first is None:
        return None
    waiting = [
        one
        for one in state.actions.values()
        if one.state is ActionState.PROPOSED and one.plan.origin == "tree" and root_of(one.plan.id) == root_of(first.id)
    ]
    return max(waiting, key=lambda one: one.proposed_seq, default=None)


def spec_of(world: World, plan: ev.Plan) -> ActionSpec | None:
    """Return the action of the catalog that a plan of the tree carries out."""
    service = world.catalog.services.get(plan.target)
    names = {f"{spec.name}-{plan.target}": spec for spec in service.actions} if service else {}
    return names.get(root_of(plan.id))


def _facts(tx: Transaction, world: World, state: IncidentState, plan: ev.Plan, *, name: str, guard: Guard) -> Facts:
    now, overall = world.clock.now(), world.catalog.automatic
    longest = timedelta(seconds=max(overall.within_s, guard.within_s))
    known = runs_since(tx.connection, now - longest)
    # What was refused has not run, and counts for no limit.
    ran = [one for one in known if one.outcome != "refused"]
    own = [one for one in ran if (one.service, one.action) == (plan.target, name)]
    services = [name for name, one in world.catalog.services.items() if not one.external]
    impact = (*state.impact.down, *state.impact.affected) if state.impact else ()
    hit = {*state.services, *impact}
    cause = next((one for one in state.hypotheses if one.id == plan.hypothesis), None)
    return Facts(
        now=now,
        severity=state.ruling.severity,
        score=cause.score if cause is not None and state.cause_known else 0.0,
        hit=len(hit.intersection(services)),
        services=len(services),
        zone=world.catalog.zone,
        runs=tuple(one.began_at for one in own),
        all_runs=tuple(one.began_at for one in ran),
        busy=_busy(state, plan, known),
        paused=paused_by(tx),
        stopped=state.automatic_stopped,
    )


def _busy(state: IncidentState, plan: ev.Plan, known: list[AutomaticRun]) -> str:
    for one in known:
        if one.service == plan.target and one.ended_at is None:
            return f"{one.action} runs at {one.service} for INC-{one.incident}, and what it does is not known yet"
    for action in state.actions.values():
        if action.plan.target == plan.target and action.state in _UNDER_WAY:
            return f"{action.plan.title} is {action.state.value}"
    return ""


def check_reason(reason: str) -> str:
    """Return a reason without blanks around it. Raises `Invalid` for an empty one."""
    if not reason.strip():
        raise Invalid("say why", field="reason")
    return reason.strip()
