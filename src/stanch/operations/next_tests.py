"""The tests that can be run: what each hypothesis would be told apart by, and which collectors would look."""

from dataclasses import dataclass
from datetime import datetime

from stanch.diagnose.lookers import chosen, lookers_for
from stanch.incidents import events as ev
from stanch.incidents.model import Hypothesis
from stanch.incidents.state import IncidentState
from stanch.kernel.errors import NotFound, Refused
from stanch.operations.diagnosing import available
from stanch.operations.world import World


@dataclass(frozen=True, kw_only=True)
class NextTest:
    """A test as it is shown: of which hypothesis (empty for the most telling of all), what is looked at, how it went.

    `ready` says that it can be run; without collectors that can look, `command` is for a person. `summary` is what the
    newest run did, `under_way` that it is not back yet.
    """

    hypothesis: str
    text: str
    collectors: tuple[str, ...]
    command: str = ""
    ready: bool = False
    under_way: bool = False
    summary: str = ""
    by: str = ""
    at: datetime | None = None


def one_of(state: IncidentState, said: str) -> Hypothesis:
    """Return the hypothesis with this id, or at this place (1 is the first). Raises `NotFound`."""
    for place, one in enumerate(state.hypotheses, start=1):
        if said in (one.id, str(place)):
            return one
    raise NotFound(f"{state.key} has no hypothesis {said!r}", hint=f"see them: stanch incident show {state.key}")


def plan_of(state: IncidentState, world: World, hypothesis: Hypothesis | None) -> ev.NextTestAsked:
    """Return the test to run, numbered. Raises `Refused` where no collector of this process can look."""
    plan = _plan(state, world, hypothesis)
    if not plan.collectors:
        raise Refused(
            f"nothing here can look for it: {plan.text}",
            reason="nobody_can_look",
            hint=f"do it by hand: {plan.command}" if plan.command else "look by hand, then confirm or refute it",
        )
    return plan


def next_tests(state: IncidentState, world: World) -> tuple[NextTest, ...]:
    """Return the tests worth running: the most telling of all while the cause is not known, then one a hypothesis."""
    if not state.hypotheses and state.diagnosis is None:
        return ()
    wanted: list[Hypothesis | None] = [*([] if state.cause_known else [None]), *state.hypotheses[:4]]
    return tuple(_card(state, _plan(state, world, one)) for one in wanted)


def _plan(state: IncidentState, world: World, hypothesis: Hypothesis | None) -> ev.NextTestAsked:
    everyone = available(world)
    if hypothesis is None:
        diagnosis = state.diagnosis
        clue, text = (diagnosis.next_clue, diagnosis.next_test) if diagnosis else ("", "")
        about, command, id = diagnosis.next_about if diagnosis else (), "", ""
        collectors = lookers_for(clue, available=everyone)
    else:
        clue, text = hypothesis.next_clue, hypothesis.next_look or hypothesis.next_test
        about = tuple(name for name in (hypothesis.service, hypothesis.target) if name)
        command, id = hypothesis.next_command, hypothesis.id
        # Where everything was looked at, looking again at what it rests on tells whether it is still so.
        collectors = lookers_for(clue, available=everyone) or chosen(_cited(state, hypothesis), available=everyone)
    known = tuple(name for name in about if name in world.catalog.services)
    return ev.NextTestAsked(
        test=str(len(state.tests) + 1),
        hypothesis=id,
        text=text,
        clue=clue,
        collectors=collectors,
        about=known,
        command=command,
    )


def _cited(state: IncidentState, hypothesis: Hypothesis) -> tuple[str, ...]:
    cited = (*hypothesis.evidence_for, *hypothesis.evidence_against)
    return tuple(state.findings[one.finding].collector for one in cited if one.finding in state.findings)


def _card(state: IncidentState, plan: ev.NextTestAsked) -> NextTest:
    runs = [one for one in state.tests.values() if one.test.hypothesis == plan.hypothesis]
    last = runs[-1] if runs else None
    return NextTest(
        hypothesis=plan.hypothesis,
        text=plan.text,
        collectors=plan.collectors,
        command=plan.command,
        ready=bool(plan.collectors) and state.is_open,
        under_way=last is not None and last.ended is None,
        summary=last.ended.summary if last is not None and last.ended is not None else "",
        by=last.by if last is not None else "",
        at=last.at if last is not None else None,
    )
