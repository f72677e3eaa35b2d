"""Operations of the investigation: look again, run the next test; and what follows when the answers are there."""

from dataclasses import dataclass
from datetime import timedelta

from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import ActionState, IncidentState
from stanch.kernel.errors import Refused
from stanch.mitigate.tree import propose
from stanch.operations import cases
from stanch.operations.next_tests import one_of, plan_of
from stanch.operations.registry import Effect, operation
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call, World
from stanch.store import Transaction
from stanch.store.model import Timer

_UNDER_WAY = frozenset({ActionState.APPROVED, ActionState.RUNNING})
_DONE = frozenset(ActionState) - {ActionState.PROPOSED}
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
        reason = f"{top.title} ({top.score:.0%})"
        cases.record(tx, state.number, ev.StatusChanged(status=Status.IDENTIFIED, reason=reason))
    settled = _UNDER_WAY if anew else _DONE
    if any(action.state in settled for action in state.actions.values()):
        return
    proposal = propose(state, world.catalog, now=world.clock.now())
    if state.proposal is None or _is_news(proposal, state.proposal):
        cases.record(tx, state.number, proposal)


def _is_news(new: ev.MitigationProposed, old: ev.MitigationProposed) -> bool:
    def digests(proposal: ev.MitigationProposed) -> set[str]:
        plans = ((proposal.plan,) if proposal.plan else ()) + proposal.alternatives
        return {plan.digest for plan in plans}

    return digests(new) != digests(old) or new.verdict != old.verdict
