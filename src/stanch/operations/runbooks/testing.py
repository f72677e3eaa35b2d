"""Trying runbooks while nothing is wrong: their checks are asked, their changes looked over, their links followed.

Nothing is changed: of what changes something it is told whether it could be planned and whether its program is there.
What a shipped runbook needs and nobody has configured is skipped; the same in a runbook of one's own has rotted.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.incidents.tables import find
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.mitigate.runbooks.filling import bind_statement, fill_commands
from stanch.mitigate.runbooks.linting import KNOWN
from stanch.mitigate.runbooks.model import Block, Language, Runbook
from stanch.mitigate.runbooks.trials.model import Rot, Trial, Verdict
from stanch.mitigate.runbooks.trials.rules import followed
from stanch.mitigate.runbooks.trials.tables import find_trials, forget_trials, put_trials
from stanch.mitigate.runbooks.variables import variables_of
from stanch.operations import cases
from stanch.operations.registry import Effect, operation
from stanch.operations.runbooks.asking import Known, run_block, source_of
from stanch.operations.runbooks.finding import shelf_of, values_of
from stanch.operations.runbooks.planning import system_for
from stanch.operations.runbooks.trying import view_of_trial
from stanch.operations.runbooks.views import TrialView
from stanch.operations.world import Call, World
from stanch.ports.actuator import Step
from stanch.store import Transaction

_LINK_S: Final = 5.0
_LINK_BYTES: Final = 64 * 1024
_MOST_LINKS: Final = 30
_REMEMBERED: Final = 20
"""Labels of so many incidents stand for what an alert may bring."""
_STANDS_IN: Final = "stanch-trial"
# What says that it is there, and not for everybody.
_LIVES: Final = frozenset({401, 403, 405, 407, 429})
_VERDICTS: Final = {
    "as_expected": Verdict.HELD,
    "not_as_expected": Verdict.NOT_HELD,
    "told": Verdict.TOLD,
    "failed": Verdict.FAILED,
}


@dataclass(frozen=True, kw_only=True)
class TryRunbooks:
    """Which runbooks to try: one by its name, or all of them."""

    runbook: str = ""


@operation("runbook.test", effect=Effect.WRITE, example={"runbook": "postgresql-connections"})
def try_out(call: Call, request: TryRunbooks) -> tuple[TrialView, ...]:
    """Try what only reads in the runbooks, look over the rest, and keep what has rotted."""
    shelf = shelf_of(call.world)
    chosen = (shelf.get(request.runbook),) if request.runbook else tuple(shelf.runbooks.values())
    tried = try_runbooks(call.world, chosen)
    with call.world.store.writing() as tx:
        keep_trials(tx, tried, all_names=tuple(shelf.runbooks))
    return tuple(view_of_trial(one) for trials in tried.values() for one in trials)


def keep_trials(tx: Transaction, tried: Mapping[str, Sequence[Trial]], *, all_names: Sequence[str]) -> None:
    """Store the trials of runbooks in place of those before, and forget those of runbooks that are no more."""
    for runbook, trials in tried.items():
        put_trials(tx.connection, runbook, trials)
    forget_trials(tx.connection, keep=all_names)


def try_runbooks(world: World, runbooks: tuple[Runbook, ...]) -> dict[str, tuple[Trial, ...]]:
    """Return the trials of runbooks by their names; asks systems, and stores nothing."""
    now = world.clock.now()
    with world.store.reading() as view:
        before = {(one.runbook, one.part): one for one in find_trials(view.connection)}
        numbers = [row.number for row in find(view.connection, limit=_REMEMBERED)]
        labels = {name: value for number in numbers for name, value in values_of(cases.load(view, number)).items()}
    found = {}
    for runbook in runbooks:
        known = _known(world, runbook, labels, now=now)
        trials = [_tried(world, runbook, block, known) for block in runbook.blocks]
        if world.catalog.runbooks.test_links and not runbook.shipped:
            trials += _links(world, runbook)
        found[runbook.id] = tuple(followed(one, before.get((one.runbook, one.part))) for one in trials)
    return found


def _known(world: World, runbook: Runbook, labels: Mapping[str, str], *, now: datetime) -> Known:
    """Return what blocks are filled with: a service that the runbook is for, and what incidents have brought."""
    services = [name for name in world.catalog.services if name in runbook.services]
    services = services or [name for name, one in world.catalog.services.items() if not one.external]
    settings = {name: value for source in world.systems for name, value in source.settings.items()}
    service = {"service": services[0]} if services else {}
    return Known(values={**settings, **labels, **service}, services=tuple(services), onset=now)


def _tried(world: World, runbook: Runbook, block: Block, known: Known) -> Trial:
    verdict, rot, detail = _verdict(world, runbook, block, known)
    return Trial(
        runbook=runbook.id,
        part=str(block.number),
        line=block.line,
        digest=hashlib.sha256(f"{block.text}\n{block.expects}".encode()).hexdigest()[:16],
        verdict=verdict,
        rot=rot,
        detail=detail,
        tried_at=world.clock.now(),
    )


def _verdict(world: World, runbook: Runbook, block: Block, known: Known) -> tuple[Verdict, Rot, str]:
    if block.why_not:
        return Verdict.ROTTEN, Rot.CANNOT_RUN, block.why_not
    missing = [name for name in variables_of(block.text) if name not in known.values]
    if strange := [name for name in missing if name not in KNOWN]:
        return Verdict.ROTTEN, Rot.NOBODY_SETS, f"nothing sets {strange[0]}: no incident so far has had it"
    try:
        if block.changes:
            _could_be_planned(world, block, known)
        elif block.language is not Language.OWN:
            source_of(world, known, block)
    except NotFound as error:
        if runbook.shipped:
            return Verdict.SKIPPED, Rot.NONE, error.message
        return Verdict.ROTTEN, Rot.SYSTEM_GONE, error.message
    except Refused as refusal:
        rot = Rot.PROGRAM_MISSING if refusal.reason == "program_missing" else Rot.NOT_ALLOWED
        return (
            (Verdict.SKIPPED, Rot.NONE, refusal.message) if runbook.shipped else (Verdict.ROTTEN, rot, refusal.message)
        )
    except Invalid as error:
        return Verdict.ROTTEN, Rot.CANNOT_RUN, error.message
    if block.changes:
        return Verdict.READY, Rot.NONE, "it could be planned; nothing was run"
    if missing:
        return Verdict.UNKNOWN, Rot.NONE, f"only an incident knows {missing[0]}"
    found = run_block(world, known, runbook, block)
    missing_program = found.outcome == "failed" and found.answer.startswith("there is no program")
    if missing_program and not runbook.shipped:
        return Verdict.ROTTEN, Rot.PROGRAM_MISSING, found.answer
    return _VERDICTS[found.outcome], Rot.NONE, found.answer.splitlines()[0][:300] if found.answer else ""


def _could_be_planned(world: World, block: Block, known: Known) -> None:
    """Raise what keeps a change from being planned: a system or a program that is not there, a rule that is not."""
    # What an incident would bring is stood in for: only whether it could be done is asked.
    values = {name: known.values.get(name, _STANDS_IN) for name in variables_of(block.text)}
    match block.language:
        case Language.SH:
            actuator = world.actuators.get("command")
            for argv in fill_commands(block, values):
                step = Step(actuator="command", argv=argv[:1], cwd=world.catalog.root)
                if actuator is not None and (problems := actuator.problems(step)):
                    raise Refused(problems[0], reason="program_missing")
        case Language.SQL:
            system = system_for(world, known.services, block)
            text, bound = bind_statement(block, values)
            data: dict[str, JSON] = {
                "on": system.name,
                "text": text,
                "parameters": {**bound},
                "most_rows": block.most_rows,
            }
            actuator = world.actuators.get("statement")
            if actuator is not None and (problems := actuator.problems(Step(actuator="statement", data=data))):
                raise Refused(problems[0], reason="not_allowed")
        case _:
            system_for(world, known.services, block)


def _links(world: World, runbook: Runbook) -> Iterator[Trial]:
    for line, address in runbook.links[:_MOST_LINKS]:
        verdict, rot, detail = _followed_link(world, address)
        yield Trial(
            runbook=runbook.id,
            part=address[:500],
            line=line,
            digest="",
            verdict=verdict,
            rot=rot,
            detail=detail,
            tried_at=world.clock.now(),
        )


def _followed_link(world: World, address: str) -> tuple[Verdict, Rot, str]:
    if world.fetch is None:
        return Verdict.UNKNOWN, Rot.NONE, "nothing here follows links"
    try:
        got = world.fetch(address, timeout_s=_LINK_S, most_bytes=_LINK_BYTES)
    except (Unavailable, Refused, Invalid) as error:
        return Verdict.ROTTEN, Rot.LINK_DEAD, f"{address} does not answer: {error.message}"[:300]
    if got.status >= 400 and got.status not in _LIVES:
        return Verdict.ROTTEN, Rot.LINK_DEAD, f"{address} answers {got.status}"[:300]
    return Verdict.READY, Rot.NONE, f"answers {got.status}"
