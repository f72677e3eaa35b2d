"""Finding a runbook: all, one, those that fit an incident, and what will not work in them."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from stanch.incidents.model import Hypothesis
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import Refused
from stanch.mitigate.runbooks.filling import fill_text
from stanch.mitigate.runbooks.linting import lint
from stanch.mitigate.runbooks.matching import Seen, match_runbooks
from stanch.mitigate.runbooks.model import Block, Runbook
from stanch.mitigate.runbooks.shelf import Shelf, read_shelf
from stanch.mitigate.runbooks.trials.model import Trial
from stanch.mitigate.runbooks.trials.tables import find_trials
from stanch.operations import cases
from stanch.operations.registry import Effect, operation
from stanch.operations.runbooks.trying import view_of_trial
from stanch.operations.runbooks.views import (
    BlockView,
    CheckView,
    LintView,
    MatchView,
    RunbookCard,
    RunbookView,
    SectionView,
)
from stanch.operations.world import Call, World

_LIKELY: Final = 0.2


@dataclass(frozen=True, kw_only=True)
class Everything:
    """Which runbooks: those whose title or name contains `text`."""

    text: str = ""


@dataclass(frozen=True, kw_only=True)
class OneRunbook:
    """A runbook by its name; with `incident`, filled in for it."""

    runbook: str
    incident: int | None = None


@dataclass(frozen=True, kw_only=True)
class ForIncident:
    """The incident that needs a runbook."""

    incident: int


@operation("runbook.list", effect=Effect.READ, example={"text": "postgresql"})
def list_runbooks(call: Call, request: Everything) -> tuple[RunbookCard, ...]:
    """List the runbooks, shipped and own."""
    words = request.text.casefold()
    with call.world.store.reading() as view:
        trials = find_trials(view.connection)
    return tuple(
        card_of(runbook, [one for one in trials if one.runbook == runbook.id])
        for runbook in shelf_of(call.world).runbooks.values()
        if words in runbook.id.casefold() or words in runbook.title.casefold()
    )


@operation("runbook.show", effect=Effect.READ, example={"runbook": "postgresql-connections"})
def show_runbook(call: Call, request: OneRunbook) -> RunbookView:
    """Show one runbook; with an incident, with its variables filled in and what its checks said."""
    runbook = shelf_of(call.world).get(request.runbook)
    with call.world.store.reading() as view:
        state = None if request.incident is None else cases.load(view, request.incident)
        return view_of(runbook, find_trials(view.connection, runbook=runbook.id), state=state)


@operation("runbook.match", effect=Effect.READ, example={"incident": 1})
def match(call: Call, request: ForIncident) -> tuple[MatchView, ...]:
    """Return the runbooks that fit an incident, best first, with why."""
    with call.world.store.reading() as view:
        state = cases.load(view, request.incident)
    return matches(call.world, state)


@operation("runbook.lint", effect=Effect.READ, example={})
def lint_runbooks(call: Call, request: Everything) -> tuple[LintView, ...]:
    """Return what will not work in the runbooks of the configuration, and in the shipped ones."""
    shelf = shelf_of(call.world)
    unread = tuple(
        LintView(runbook=problem.field, line=1, message=problem.message, advice=False) for problem in shelf.problems
    )
    return unread + tuple(
        LintView(runbook=runbook.id, line=one.line, message=one.message, advice=one.advice)
        for runbook in shelf.runbooks.values()
        if request.text.casefold() in runbook.id.casefold()
        for one in lint(runbook)
    )


def shelf_of(world: World) -> Shelf:
    """Return the runbooks as their files are now."""
    return read_shelf(Path(world.catalog.root) / "runbooks")


def matches(world: World, state: IncidentState) -> tuple[MatchView, ...]:
    """Return the runbooks that fit an incident."""
    found = match_runbooks(tuple(shelf_of(world).runbooks.values()), _seen(state))
    return tuple(MatchView(runbook=one.runbook, title=one.title, score=one.score, reasons=one.reasons) for one in found)


def values_of(state: IncidentState, runbook: Runbook | None = None) -> dict[str, str]:
    """Return what is known of an incident, by the names that blocks may use. Labels of its alerts come last.

    While the cause is not known, `runbook` is filled by the likeliest hypothesis of a kind that it is for, and by the
    incident alone where none of these is likely: a guess at nine in a hundred names no service to be restarted.
    """
    top = _filled_by(state, runbook.kinds if runbook else ())
    labels = {name: value for attached in state.alerts.values() for name, value in attached.alert.labels.items()}
    known = {
        "service": (top.service if top else "") or next(iter(state.services), ""),
        "environment": state.environment,
        "endpoint": state.endpoint,
        "version": top.version if top else "",
        "previous": top.previous if top else "",
        "target": top.target if top else "",
    }
    return labels | {name: value for name, value in known.items() if value}


def _filled_by(state: IncidentState, kinds: Sequence[str]) -> Hypothesis | None:
    likely = (one for one in state.hypotheses if one.kind in kinds and one.score >= _LIKELY)
    return state.known_cause or next(likely, None)


def card_of(runbook: Runbook, trials: Sequence[Trial] = ()) -> RunbookCard:
    """Return the card of a runbook, with what its newest trials said."""
    return RunbookCard(
        id=runbook.id,
        title=runbook.title,
        shipped=runbook.shipped,
        services=runbook.services,
        alerts=runbook.alerts,
        kinds=runbook.kinds,
        owner=runbook.owner,
        blocks=len(runbook.blocks),
        complaints=sum(not one.advice for one in lint(runbook)),
        tested_at=max((one.tried_at for one in trials), default=None),
        rotten=tuple(one.detail for one in trials if one.rot),
    )


def view_of(runbook: Runbook, trials: Sequence[Trial], *, state: IncidentState | None) -> RunbookView:
    """Return a runbook, filled in for an incident where there is one."""
    return RunbookView(
        card=card_of(runbook, trials),
        sections=tuple(
            SectionView(part=one.part.value, heading=one.heading, markdown=one.text) for one in runbook.sections
        ),
        blocks=tuple(_block(runbook, block, state) for block in runbook.blocks),
        trials=tuple(view_of_trial(one) for one in trials),
    )


def _block(runbook: Runbook, block: Block, state: IncidentState | None) -> BlockView:
    text, why_not = block.text, block.why_not
    last = None
    if state is not None:
        if not why_not:
            try:
                text = fill_text(block, values_of(state, runbook))
            except Refused as refusal:
                why_not = refusal.message
        ran = state.runbook_checks.get((runbook.id, block.number))
        last = CheckView(**{name: getattr(ran, name) for name in CheckView.__dataclass_fields__}) if ran else None
    return BlockView(
        number=block.number,
        language=block.language.value,
        text=text,
        line=block.line,
        part=block.part.value,
        heading=block.heading,
        on=block.on,
        expects=block.expects.words if block.expects else "",
        changes=block.changes,
        risk=block.risk,
        undo=block.undo,
        why_not=why_not,
        last=last,
    )


def _seen(state: IncidentState) -> Seen:
    labels = {name: value for attached in state.alerts.values() for name, value in attached.alert.labels.items()}
    texts = [state.title, state.summary, state.text, state.symptom]
    if state.error:
        texts += [state.error.title, state.error.sample]
    texts += [attached.alert.summary for attached in state.alerts.values()]
    return Seen(
        services=state.services,
        alerts=tuple({name for name in (labels.get("alertname", ""),) if name}),
        kinds={one.kind: one.score for one in reversed(state.hypotheses)},
        labels=labels,
        text="\n".join(text for text in texts if text),
    )
