"""The next test of a hypothesis, run from where it is shown; and what people say of causes."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from stanch.catalog.model import ActionSpec, Catalog, Service
from stanch.engine.collect import collect_duty
from stanch.engine.collectors import built_in
from stanch.engine.loop import Engine
from stanch.engine.next_test import next_test_duty
from stanch.incidents import events as ev
from stanch.incidents.model import Status
from stanch.incidents.state import IncidentState
from stanch.kernel.actor import Via, person
from stanch.kernel.errors import Invalid, NotFound, Refused
from stanch.operations.diagnosing import BUILT_IN
from stanch.operations.hypotheses import AddHypothesis, JudgeHypothesis, add, confirm, refute
from stanch.operations.investigation import RunTest, conclude, run_test
from stanch.operations.world import Call, World
from stanch.ports.evidence import Finding, Question, Signal
from tests.engine.crew import Scripted, declare, finding, shop, state_of, with_crew

FAILING = (
    Signal(name="error_ratio", service="payments", value=0.4, normal=0.0),
    Signal(name="dependency_error_ratio", service="payments", value=0.35, normal=0.0, data={"target": "acquirer"}),
)
DOWN = Signal(
    name="dependency_up", service="payments", value=0.0, text="connection refused", data={"target": "acquirer"}
)


class Looks:
    """A collector that sees a little at first and, asked again, that the acquirer is down."""

    name = "dependencies"
    timeout_s = 60.0

    def __init__(self, *later: Signal) -> None:
        self.later = later
        self.asked: list[Question] = []

    def collect(self, question: Question) -> list[Finding]:
        """Tell more the second time."""
        self.asked.append(question)
        return [finding(question, *(FAILING if len(self.asked) == 1 else (*FAILING, *self.later)))]


def opening(world: World, *looks: Looks, catalog: Catalog | None = None) -> tuple[World, Engine, int]:
    """Declare an incident and let the collectors come back once."""
    ready = with_crew(world, *looks, catalog=catalog or shop())
    number = declare(ready)
    engine = Engine(ready, {"collect": collect_duty(conclude=conclude), "test": next_test_duty(conclude=conclude)})
    engine.run_due()
    return ready, engine, number


def alice(world: World) -> Call:
    """Return a call of Alice's."""
    return Call(world=world, actor=person("alice"), via=Via.CLI)


def after_its_test(world: World, looks: Looks) -> IncidentState:
    """Run the test of the first hypothesis and return the incident."""
    ready, engine, number = opening(world, looks)
    run_test(alice(ready), RunTest(incident=number, hypothesis="1"))
    engine.run_due()
    return state_of(ready, number)


def test_the_names_of_the_collectors_are_those_there_are(world: World) -> None:
    """What operations know of the built-in collectors is what the engine has."""
    assert BUILT_IN == tuple(one.name for one in built_in(world))


def test_a_test_moves_the_ranking(world: World) -> None:
    """What the test finds is weighed: the score of what it speaks for rises."""
    before = state_of(*_first(world))
    after = after_its_test(world, Looks(DOWN))

    assert after.hypotheses[0].score > before.hypotheses[0].score


def _first(world: World) -> tuple[World, int]:
    ready, _, number = opening(world, Looks())
    return ready, number


def test_the_move_is_on_record(world: World) -> None:
    """The end of a test names the scores before and after, and says so in words."""
    (asked,) = after_its_test(world, Looks(DOWN)).tests.values()
    ended = asked.ended

    assert ended is not None and ended.moved
    assert all((one.after or 0) != (one.before or 0) for one in ended.moved) and "→" in ended.summary


def test_a_test_that_sees_nothing_new_says_so(world: World) -> None:
    """Looking again at what is known moves nothing, and that is on record too."""
    (asked,) = after_its_test(world, Looks()).tests.values()

    assert asked.ended is not None and "It moved nothing: what it saw was known" == asked.ended.summary


def test_only_those_who_can_look_are_sent(world: World) -> None:
    """A test about a far end asks the collector of dependencies, about the services it concerns."""
    looks, other = Looks(DOWN), Scripted(lambda question: [])
    ready = with_crew(world, looks, other)
    number = declare(ready)
    engine = Engine(ready, {"collect": collect_duty(), "test": next_test_duty()})
    engine.run_due()
    run_test(alice(ready), RunTest(incident=number, hypothesis="1"))
    engine.run_due()

    assert (1, ("payments", "acquirer")) == (other.asked, looks.asked[-1].services)


def test_a_second_test_waits_for_the_first(world: World) -> None:
    """Two people who press at once run one test."""
    ready, _, number = opening(world, Looks(DOWN))
    run_test(alice(ready), RunTest(incident=number, hypothesis="1"))

    with pytest.raises(Refused, match="under way"):
        run_test(alice(ready), RunTest(incident=number, hypothesis="1"))


def test_who_asked_is_on_record(world: World) -> None:
    """The test stands in the log with the person's name."""
    (asked,) = after_its_test(world, Looks(DOWN)).tests.values()

    assert "alice" == asked.by


def test_a_cause_of_ones_own_is_ranked_among_the_others(world: World) -> None:
    """What a person adds has a score, the reason, and the name."""
    ready, _, number = opening(world, Looks())
    add(alice(ready), AddHypothesis(incident=number, title="the new firewall rule", reason="it went live then"))
    own = next(one for one in state_of(ready, number).hypotheses if one.added_by)

    assert ("the new firewall rule", "alice") == (own.title, own.added_by)
    assert own.score > 0 and "alice thought of it: it went live then" == own.evidence_for[0].text


def test_what_is_confirmed_is_the_cause(world: World) -> None:
    """A confirmed cause stands first, is known, and the incident is identified."""
    ready, _, number = opening(world, Looks())
    add(alice(ready), AddHypothesis(incident=number, title="the new firewall rule", reason="it went live then"))
    confirm(alice(ready), JudgeHypothesis(incident=number, hypothesis="own/1", reason="without it all is well"))
    state = state_of(ready, number)

    assert ("own/1", True, Status.IDENTIFIED) == (state.hypotheses[0].id, state.cause_known, state.status)


def test_what_is_refuted_falls(world: World) -> None:
    """A refuted cause is not first any more, and the reason is the first thing against it."""
    ready, _, number = opening(world, Looks(DOWN))
    first = state_of(ready, number).hypotheses[0]
    refute(alice(ready), JudgeHypothesis(incident=number, hypothesis="1", reason="their page is green"))
    state = state_of(ready, number)
    again = next(one for one in state.hypotheses if one.id == first.id)

    assert (True, True) == (state.hypotheses[0].id != first.id, again.score < 0.01)
    assert "alice refuted it: their page is green" == again.evidence_against[0].text


def test_a_confirmed_cause_leads_to_its_mitigation(world: World) -> None:
    """From a confirmed cause the mitigation that the catalog declares for it is proposed anew."""
    restart = ActionSpec(name="restart", mitigation="restart", title="Restart payments", run=("true",), risk="low")
    payments = Service(name="payments", depends_on=("acquirer",), actions=(restart,))
    ready, _, number = opening(world, Looks(), catalog=shop(payments=payments))
    leak = AddHypothesis(
        incident=number, title="payments leaks memory", reason="it grows", cause="memory_leak", service="payments"
    )
    add(alice(ready), leak)
    own = next(one.id for one in state_of(ready, number).hypotheses if one.added_by)
    confirm(alice(ready), JudgeHypothesis(incident=number, hypothesis=own, reason="the heap dump shows it"))
    proposal = state_of(ready, number).proposal

    assert proposal is not None and proposal.plan is not None and "restart" == proposal.plan.mitigation


@pytest.mark.parametrize("act", [confirm, refute])
def test_a_word_needs_a_reason(world: World, act: Callable[[Call, JudgeHypothesis], object]) -> None:
    """Who confirms or refutes says why."""
    ready, _, number = opening(world, Looks())

    with pytest.raises(Invalid):
        act(alice(ready), JudgeHypothesis(incident=number, hypothesis="1", reason=" "))


def test_a_cause_that_is_none_of_the_kinds_is_refused(world: World) -> None:
    """A mistyped kind is told with those there are."""
    ready, _, number = opening(world, Looks())

    with pytest.raises(Invalid, match="bad_deploy"):
        add(alice(ready), AddHypothesis(incident=number, title="x", reason="y", cause="bad_deplyo"))


def test_a_place_that_is_not_there_is_not_found(world: World) -> None:
    """There is no ninety-ninth hypothesis."""
    ready, _, number = opening(world, Looks())

    with pytest.raises(NotFound):
        refute(alice(ready), JudgeHypothesis(incident=number, hypothesis="99", reason="no"))


def test_a_test_that_nobody_can_run_says_how_by_hand(world: World) -> None:
    """Where no collector can look for it, the refusal tells what a person would do."""
    ready, _, number = opening(world, Looks())
    add(alice(ready), AddHypothesis(incident=number, title="the moon", reason="it is full"))

    with pytest.raises(Refused, match="nothing here can look"):
        run_test(alice(ready), RunTest(incident=number, hypothesis="own/1"))


def test_an_agent_cannot_confirm(world: World) -> None:
    """Whether it is the cause is a person's word."""
    ready, _, number = opening(world, Looks())
    agent = replace(alice(ready), actor=replace(person("helper"), kind="agent"))

    with pytest.raises(Refused, match="only a person"):
        confirm(agent, JudgeHypothesis(incident=number, hypothesis="1", reason="sure"))


def test_the_ranking_that_follows_a_word_is_on_record(world: World) -> None:
    """After a word the log holds a new ranking."""
    ready, _, number = opening(world, Looks())
    refute(alice(ready), JudgeHypothesis(incident=number, hypothesis="1", reason="no"))
    with ready.store.reading() as view:
        kinds = [each.kind for each in view.events(incident=number)]

    assert kinds.index(ev.HypothesisRefuted.kind) < len(kinds) - 1 - kinds[::-1].index(ev.HypothesesRanked.kind)
