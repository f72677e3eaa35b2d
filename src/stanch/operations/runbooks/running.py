"""Running a runbook's blocks: checks by themselves, changes as a plan that asks."""

import json
import shlex
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from stanch.incidents import events as ev
from stanch.incidents.state import Action, ActionState, IncidentState
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.redaction import redact
from stanch.mitigate.plan import RISKS, approvals_needed, digest_of
from stanch.mitigate.runbooks.expecting import holds
from stanch.mitigate.runbooks.filling import fill_commands, fill_text
from stanch.mitigate.runbooks.markdown import read_runbook
from stanch.mitigate.runbooks.model import Block, Language, Part, Runbook
from stanch.operations import cases
from stanch.operations.asking import concerns
from stanch.operations.registry import Effect, operation
from stanch.operations.runbooks.finding import shelf_of, values_of
from stanch.operations.runbooks.views import CheckView
from stanch.operations.showing import incident_view
from stanch.operations.views import IncidentView
from stanch.operations.world import Call, World
from stanch.ports.actuator import Step
from stanch.ports.query import Ask, QuerySource, Reply

_SYSTEMS: Final[dict[Language, frozenset[str]]] = {
    Language.SQL: frozenset({"postgresql", "mysql"}),
    Language.PROMQL: frozenset({"prometheus"}),
    Language.HTTP: frozenset({"http"}),
}
_TIMEOUT_S: Final = 8.0
_LONGEST: Final = 8 * 1024
_WINDOW: Final = timedelta(minutes=30)


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
    found = tuple(_run(call.world, state, runbook, block) for block in blocks)
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
    with call.world.store.writing() as tx:
        state = cases.load_open(tx, request.incident)
        plan = _plan(call.world, state, runbook, block)
        action = state.actions.get(plan.id)
        if action is not None and not _may_replace(action, plan):
            raise Refused(f"{action.plan.title} is {action.state.value} already", reason="already_proposed")
        if action is None:
            record = ev.PlanAdded(plan=plan, runbook=runbook.id, block=block.number)
            cases.record(tx, state.number, record, actor=call.actor, via=call.via)
        return incident_view(tx, call.world, cases.load(tx, state.number), now=call.now)


def _may_replace(action: Action, plan: ev.Plan) -> bool:
    return action.state is ActionState.PROPOSED and action.plan.digest == plan.digest


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


def _run(world: World, state: IncidentState, runbook: Runbook, block: Block) -> CheckView:
    began = time.monotonic()
    asked, on = block.text, ""
    try:
        source = _source(world, state, block)
        on = source.name
        known = dict(source.settings) | values_of(state)
        asked, answer, values = _ask(world, source, block, known)
        judged = holds(block.expects, answer, values) if block.expects else None
        outcome = {True: "as_expected", False: "not_as_expected", None: "told"}[judged]
    except (Refused, NotFound, Unavailable, Invalid) as error:
        outcome, answer = "failed", error.message
    return CheckView(
        runbook=runbook.id,
        block=block.number,
        heading=block.heading,
        asked=redact(asked),
        on=on,
        outcome=outcome,
        answer=redact(answer)[:_LONGEST],
        expects=block.expects.words if block.expects else "",
        took_s=round(time.monotonic() - began, 3),
    )


def _ask(
    world: World, source: QuerySource, block: Block, values: Mapping[str, str]
) -> tuple[str, str, tuple[float, ...]]:
    """Ask and return what was asked, the answer as text, and its figures."""
    if block.language is Language.SH:
        texts = [shlex.join(argv) for argv in fill_commands(block, values)]
    else:
        texts = [fill_text(block, values)]
    now = world.clock.now()
    answers: list[str] = []
    figures: list[float] = []
    with source.open() as session:
        for text in texts:
            reply = session.ask(Ask(text=text, start=now - _WINDOW, end=now, timeout_s=_TIMEOUT_S))
            answers.append(_words(reply))
            figures += _figures(reply)
    return "\n".join(texts), "\n".join(answers), tuple(figures)


def _words(reply: Reply) -> str:
    rows = [json.dumps(row, ensure_ascii=False, default=str) for row in reply.rows]
    lines = [f"{dict(line.labels)} {line.values[-1]:g}" for line in reply.lines if line.values]
    return "\n".join([*rows, *lines, *(["..."] if reply.cut else [])])


def _figures(reply: Reply) -> tuple[float, ...]:
    """Return the last value of each line, or the numbers of the rows where each row has one column."""
    if reply.lines:
        return tuple(line.values[-1] for line in reply.lines if line.values)
    only = [next(iter(row.values())) for row in reply.rows if len(row) == 1]
    return tuple(float(value) for value in only if isinstance(value, int | float) and not isinstance(value, bool))


def _source(world: World, state: IncidentState, block: Block) -> QuerySource:
    kinds = _SYSTEMS.get(block.language) or _program_systems(block)
    fitting = [source for source in world.systems if source.system in kinds]
    if block.on:
        named = [source for source in fitting if source.name == block.on]
        if not named:
            raise NotFound(f"no system {block.on!r} of the kind {' or '.join(sorted(kinds))} is configured")
        return named[0]
    near = [source for source in fitting if concerns(source, state.services)]
    if not near:
        raise NotFound(f"no system of the kind {' or '.join(sorted(kinds))} is configured for what is affected")
    return near[0]


def _program_systems(block: Block) -> frozenset[str]:
    return frozenset({"kubernetes"} if block.text.lstrip("$ ").startswith("kubectl") else {"linux"})


def _plan(world: World, state: IncidentState, runbook: Runbook, block: Block) -> ev.Plan:
    if block.why_not:
        raise Refused(block.why_not, reason="cannot_run")
    if block.language is not Language.SH:
        raise Refused(f"nothing here carries out {block.language.value}: run it by hand", reason="no_actuator")
    if block.risk not in RISKS or block.risk == "read":
        raise Invalid(f"is no risk; there are {', '.join(RISKS[1:])}", field="risk")
    settings = {name: value for source in world.systems for name, value in source.settings.items()}
    values = settings | values_of(state)
    title = f"{runbook.title}: {block.heading.lower()}, step {block.number}"
    plan = ev.Plan(
        id=f"runbook-{runbook.id}-{block.number}",
        mitigation="runbook",
        title=title,
        why=f"runbook {runbook.id}, line {block.line}",
        target=values.get("service", ""),
        steps=_steps(block, values, world, title),
        dry_run=(),
        undo=_steps(_undo(block), values, world, f"undo {title}") if block.undo else (),
        risk=block.risk,
        reversible=bool(block.undo),
        expectation=None,
        approvals_needed=approvals_needed(block.risk, state.ruling.severity),
        digest="",
    )
    return replace(plan, digest=digest_of(plan))


def _undo(block: Block) -> Block:
    """Return the undo of a block as a block of its own, read by the same rules."""
    undo = read_runbook(f"## Undo\n```sh\n{block.undo}\n```\n", id="undo").blocks[0]
    if undo.why_not:
        raise Refused(f"its undo cannot run: {undo.why_not}", reason="cannot_run")
    return undo


def _steps(block: Block, values: Mapping[str, str], world: World, title: str) -> tuple[Step, ...]:
    return tuple(
        Step(actuator="command", argv=argv, cwd=world.catalog.root, describe=title)
        for argv in fill_commands(block, values)
    )


def _event(view: CheckView) -> ev.RunbookChecked:
    return ev.RunbookChecked(**{name: getattr(view, name) for name in CheckView.__dataclass_fields__})
