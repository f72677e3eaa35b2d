"""Running a runbook's blocks: checks by themselves, changes as a plan that asks."""

from dataclasses import dataclass

from stanch.incidents import events as ev
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.mitigate.foresight import same_wish
from stanch.mitigate.runbooks.model import Block, Part, Runbook
from stanch.operations import cases
from stanch.operations.foreseeing import look_at
from stanch.operations.registry import Effect, operation
from stanch.operations.runbooks.asking import Known, run_block
from stanch.operations.runbooks.finding import shelf_of, values_of
from stanch.operations.runbooks.planning import plan_of
from stanch.operations.runbooks.views import CheckView
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call


@dataclass(frozen=True, kw_only=True)
class RunChecks:
    """The checks of a runbook; without `block`, all that stand under its checks; `part` chooses another section."""

    incident: int
    runbook: str
    block: int | None = None
    part: str = "checks"


@dataclass(frozen=True, kw_only=True)
class ProposeBlock:
    """A block that changes something, to be proposed as a plan."""

    incident: int
    runbook: str
    block: int


@operation("runbook.check", effect=Effect.WRITE, example={"incident": 1, "runbook": "postgresql-connections"})
def check(call: Call, request: RunChecks) -> tuple[CheckView, ...]:
    """Run the checks of a runbook, which only read, and put what they say on record."""
    runbook = shelf_of(call.world).get(request.runbook)
    with call.world.store.reading() as view:
        state = cases.load_open(view, request.incident)
    blocks = _chosen(runbook, request)
    found = tuple(run_block(call.world, known_of(state, runbook), runbook, block) for block in blocks)
    with call.world.store.writing() as tx:
        cases.load_open(tx, request.incident)
        for one in found:
            cases.record(tx, request.incident, _event(one), actor=call.actor, via=call.via)
    return found


@operation(
    "runbook.propose", effect=Effect.WRITE, example={"incident": 1, "runbook": "postgresql-connections", "block": 4}
)
def propose(call: Call, request: ProposeBlock) -> IncidentView:
    """Propose a change of a runbook as a plan; it runs when a person has approved it."""
    runbook = shelf_of(call.world).get(request.runbook)
    block = _block(runbook, request.block)
    if not block.changes:
        raise Refused("it only reads: run it as a check", reason="only_reads")
    with call.world.store.reading() as view:
        state = cases.load_open(view, request.incident)
    # Outside of a transaction: a far end may take its time to say what would happen.
    (plan,) = look_at(call.world, plan_of(call.world, state, runbook, block))
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        action = state.actions.get(plan.id)
        if action is not None and not _may_replace(action, plan):
            raise Refused(f"{action.plan.title} is {action.state.value} already", reason="already_proposed")
        if action is None:
            record = ev.PlanAdded(plan=plan, runbook=runbook.id, block=block.number)
            cases.record(tx, state.number, record, actor=call.actor, via=call.via)
        return incident_view(tx, call.world, cases.load(tx, state.number), now=call.now)


def _may_replace(action: Action, plan: ev.Plan) -> bool:
    return action.state is ActionState.PROPOSED and same_wish(action.plan, plan)


def _chosen(runbook: Runbook, request: RunChecks) -> tuple[Block, ...]:
    if request.block is not None:
        block = _block(runbook, request.block)
        if block.changes or block.why_not:
            reason = block.why_not or "it changes something: propose it, and a person approves"
            raise Refused(reason, reason="not_read_only")
        return (block,)
    if request.part not in [part.value for part in Part]:
        raise Invalid(f"is none of {', '.join(part.value for part in Part)}", field="part")
    return tuple(
        block for block in runbook.blocks if block.part == request.part and not block.changes and not block.why_not
    )


def _block(runbook: Runbook, number: int) -> Block:
    if not 1 <= number <= len(runbook.blocks):
        raise NotFound(f"{runbook.id} has {len(runbook.blocks)} blocks that can be run, and no {number}")
    return runbook.blocks[number - 1]


def known_of(state: IncidentState, runbook: Runbook) -> Known:
    """Return what an incident fills the blocks of a runbook with."""
    return Known(values=values_of(state, runbook), services=state.services, onset=state.started_at)


def _event(view: CheckView) -> ev.RunbookChecked:
    return ev.RunbookChecked(**{name: getattr(view, name) for name in CheckView.__dataclass_fields__})
