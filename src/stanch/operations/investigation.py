"""Operations of the investigation: look again, run the next test; and what follows when the answers are there."""

from dataclasses import dataclass
from datetime import timedelta

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.kernel.percentage import percent
from stanch.operations import cases
from stanch.operations.acting import consider
from stanch.operations.foreseeing import can_be_looked_at
from stanch.operations.next_tests import one_of, plan_of
from stanch.operations.planning import asks_for_more, is_settled, look_soon, plans_of, proposed_now
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call, World
from stanch.store import Transaction
from stanch.store.model import Timer

_WAITS = timedelta(seconds=60)
"""How long a test that was asked for keeps others waiting; longer than an investigation's budget."""
_BEFORE_IDENTIFIED = frozenset({Status.DETECTED, Status.ACKNOWLEDGED, Status.INVESTIGATING})


@dataclass(frozen=True, kw_only=True)
class Investigate:
    """The incident to look into again."""

    incident: int


@dataclass(frozen=True, kw_only=True)
class RunTest:
    """The test to run: of one hypothesis, by its id or its place in the ranking, or the most telling one of all."""

    incident: int
    hypothesis: str = ""


@operation("investigate.run", effect=Effect.WRITE, example={"incident": 1})
def run(call: Call, request: Investigate) -> IncidentView:
    """Send the collectors out again now; what they find appears as it comes."""
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        timer = Timer(id=f"inc{state.number}/collect", kind="collect", due_at=call.now, incident=state.number)
        # It takes the place of the round that would come by itself; what an older round still brings is dropped.
        tx.schedule(timer, replace=True)
        return incident_view(tx, call.world, state, now=call.now)


@operation("investigate.test", effect=Effect.WRITE, example={"incident": 1, "hypothesis": "1"})
def run_test(call: Call, request: RunTest) -> IncidentView:
    """Run the next test of a hypothesis now: look where it would be told from others, and rank again. Only reads."""
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        asked = plan_of(state, call.world, one_of(state, request.hypothesis) if request.hypothesis else None)
        if any(one.ended is None and call.now - one.at < _WAITS for one in state.tests.values()):
            raise Refused("a test is under way", reason="test_under_way", hint="what it finds appears as it comes")
        cases.record(tx, state.number, asked, actor=call.actor, via=call.via)
        timer = Timer(
            id=f"inc{state.number}/test/{asked.test}",
            kind="test",
            due_at=call.now,
            incident=state.number,
            data={"test": asked.test},
        )
        tx.schedule(timer)
        return incident_view(tx, call.world, cases.load(tx, state.number), now=call.now)


def conclude(tx: Transaction, world: World, state: IncidentState, *, anew: bool = False) -> None:
    """Follow a ranking: propose a mitigation unless one is under way, and say that the cause is identified.

    `anew` proposes again although something was done already: a person has confirmed another cause since.
    """
    if not state.is_open:
        return
    if state.cause_known and state.status in _BEFORE_IDENTIFIED:
        top = state.hypotheses[0]
        reason = f"{top.title} ({percent(top.score)})"
        cases.record(tx, state.number, ev.StatusChanged(status=Status.IDENTIFIED, reason=reason))
    if is_settled(state, anew=anew):
        return
    if state.cause_known and world.catalog.automatic.runbooks:
        look_soon(tx, world, state.number, what="runbooks")
    proposal = proposed_now(state, world)
    if state.proposal is not None and not asks_for_more(proposal, state.proposal):
        consider(tx, world, state.number)
        return
    if any(can_be_looked_at(world, plan) for plan in plans_of(proposal)):
        # Nothing outside is asked inside a transaction: what is proposed is looked at first, then shown.
        look_soon(tx, world, state.number, what="proposal", anew=anew)
        return
    cases.record(tx, state.number, proposal)
    consider(tx, world, state.number)
