"""A language model asked about an incident, by the real integration, against a server that says what a test wrote."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.app.thinker import open_thinker
from stanch.catalog.thinker import ThinkerSpec
from stanch.incidents import events as ev
from stanch.incidents.recorded.thinking import Standing
from stanch.kernel.errors import Forbidden, Refused
from stanch.operations.communicating import PreviewView
from stanch.operations.thinking import ThinkerView
from stanch.ports.evidence import Finding, FindingStatus
from tests.operations.desk import AGENT, START, Desk
from tests.support.models import Line, Model, model

USES = ("summary", "update", "hypotheses")


@pytest.fixture
def far() -> Iterator[Model]:
    """Give a model with nothing to say yet."""
    with model() as found:
        yield found


def with_model(desk: Desk, far: Model, **changes: object) -> Desk:
    """Return the desk with a model that may be asked for everything."""
    given: dict[str, object] = {
        "provider": "anthropic",
        "model": "scripted",
        "url": far.url,
        "uses": USES,
        "price_in": 3.0,
        "price_out": 15.0,
        **changes,
    }
    spec = ThinkerSpec(**given)  # type: ignore[arg-type]  # the fields of a test's own choice
    catalog = replace(desk.world.catalog, thinker=spec)
    return replace(desk, world=replace(desk.world, catalog=catalog, thinker=open_thinker(spec)))


def finding(id: str, says: str, status: FindingStatus = FindingStatus.OK) -> ev.FindingRecorded:
    """Return a finding on record."""
    return ev.FindingRecorded(
        round=0,
        finding=Finding(
            id=id,
            collector="logs",
            source="log",
            command="grep",
            status=status,
            summary=says,
            start=START - timedelta(minutes=5),
            end=START,
        ),
    )


def incident(desk: Desk) -> int:
    """Declare an incident with two findings that saw something and one that did not."""
    number = desk.declare("Checkout fails")
    desk.work()
    desk.tell(
        number,
        finding("t1-logs-1", "payments logs 45 % PoolTimeout since 14:28, password=hunter2secret, bob@shop.example"),
        finding("t1-deploys-1", "payments v3.2.1 was deployed at 14:27"),
        finding("t1-db-1", "the database could not be asked", FindingStatus.FAILED),
    )
    return number


def ask(desk: Desk, what: str, number: int) -> ThinkerView:
    """Ask, let the engine do it, and return what is known then."""
    desk.ask(f"thinker.{what}", incident=number)
    desk.work()
    return shown(desk, number)


def shown(desk: Desk, number: int) -> ThinkerView:
    """Return what is known."""
    view = desk.ask("thinker.show", incident=number)
    assert isinstance(view, ThinkerView)
    return view


def said(text: str, *cites: str) -> dict[str, object]:
    """Return a sentence as a model writes it."""
    return {"text": text, "cites": list(cites)}


SUMMARY = {"statements": [said("Payments logs PoolTimeout in 45 % of requests.", "t1-logs-1")]}


@pytest.mark.parametrize("provider", ["anthropic", "openai", "local"])
def test_a_summary_cites_the_log(desk: Desk, far: Model, provider: str) -> None:
    """What is kept is what cites entries that exist; the same over every protocol."""
    desk = with_model(desk, far, provider=provider)
    far.says(SUMMARY)
    view = ask(desk, "summary", incident(desk))

    assert view.summary is not None
    assert [("Payments logs PoolTimeout in 45 % of requests.", ("t1-logs-1",))] == [
        (one.text, one.cites) for one in view.summary.statements
    ]


def test_what_is_not_backed_is_dropped_and_counted(desk: Desk, far: Model) -> None:
    """Without a citation, with one of nothing, with a figure that is not there, with a link: none is believed."""
    desk = with_model(desk, far)
    answer = [
        said("Payments is broken."),
        said("Payments is broken.", "f9-logs-9"),
        said("Payments fails in 99 % of requests.", "t1-logs-1"),
        said("See http://evil.example/x for more.", "t1-logs-1"),
        *SUMMARY["statements"],
    ]
    far.says({"statements": answer})
    view = ask(desk, "summary", incident(desk))

    assert {"no_such_entry": 1, "no_such_figure": 1, "not_plain": 1, "uncited": 1} == view.history[0].dropped


def test_nothing_leaves_unless_it_is_configured(desk: Desk) -> None:
    """Off by default: the operation refuses, and the log has no word of it."""
    number = incident(desk)
    with pytest.raises(Refused) as caught:
        desk.ask("thinker.summary", incident=number)

    assert ("thinker_off", False) == (
        caught.value.reason,
        any(kind.startswith("thinker.") for kind in desk.kinds(number)),
    )


def test_a_use_that_is_not_named_is_refused(desk: Desk, far: Model) -> None:
    """Consent to summaries is none to hypotheses."""
    desk = with_model(desk, far, uses=("summary",))
    with pytest.raises(Refused):
        desk.ask("thinker.hypotheses", incident=incident(desk))

    assert [] == far.heard


def test_a_program_cannot_ask(desk: Desk, far: Model) -> None:
    """What leaves and what it costs is a person's decision."""
    desk = with_model(desk, far)
    with pytest.raises(Forbidden):
        desk.ask("thinker.summary", incident=incident(desk), by=AGENT)

    assert [] == far.heard


def test_no_secret_and_no_address_leaves(desk: Desk, far: Model) -> None:
    """They are taken out before the question goes, and counted."""
    desk = with_model(desk, far)
    far.says(SUMMARY)
    view = ask(desk, "summary", incident(desk))
    left = far.heard[0].data

    assert (False, False, {"email": 1, "password": 1}) == (
        "hunter2secret" in left,
        "bob@shop.example" in left,
        view.history[0].redacted,
    )


def test_a_call_is_on_record_with_what_it_cost(desk: Desk, far: Model) -> None:
    """Who, whom, how much: 1,000 tokens at 3 and 100 at 15 for a million are 0.0045."""
    desk = with_model(desk, far)
    far.says(SUMMARY)
    call = ask(desk, "summary", incident(desk)).history[0]

    assert ("Alice", "anthropic", "scripted-1", "answered", 1_000, 100, True, 0.0045) == (
        call.by,
        call.provider,
        call.model,
        call.outcome,
        call.tokens_in,
        call.tokens_out,
        call.counted,
        round(call.money, 6),
    )


def test_the_same_question_is_asked_once(desk: Desk, far: Model) -> None:
    """While the log says nothing new, the answer that is there is shown."""
    desk = with_model(desk, far)
    far.says(SUMMARY, SUMMARY)
    number = incident(desk)
    ask(desk, "summary", number)
    ask(desk, "summary", number)

    assert 1 == len(far.heard)


def test_more_in_the_log_is_another_question(desk: Desk, far: Model) -> None:
    """A note makes the answer stale, and a new one is asked for."""
    desk = with_model(desk, far)
    far.says(SUMMARY, SUMMARY)
    number = incident(desk)
    ask(desk, "summary", number)
    desk.ask("incident.note", incident=number, text="The pool is full")
    stale = shown(desk, number).summary
    ask(desk, "summary", number)

    assert (True, 2) == (stale is not None and stale.stale, len(far.heard))


@pytest.mark.parametrize("limits", [{"calls": 1}, {"tokens": 6_000}, {"money": 0.05}])
def test_the_budget_of_an_incident_holds(desk: Desk, far: Model, limits: dict[str, float]) -> None:
    """Calls, tokens and money: what would go beyond is refused before anything leaves."""
    desk = with_model(desk, far, **limits)
    # 5,500 tokens; 4,000 at 3 and 1,500 at 15 for a million are 0.0345.
    far.says(Line(text=json.dumps(SUMMARY), tokens=(4_000, 1_500)), SUMMARY)
    number = incident(desk)
    ask(desk, "summary", number)
    desk.ask("incident.note", incident=number, text="The pool is full")
    with pytest.raises(Refused) as caught:
        desk.ask("thinker.summary", incident=number)

    assert ("thinker_budget", 1) == (caught.value.reason, len(far.heard))


CAUSES = {
    "hypotheses": [
        {"title": "The deploy of v3.2.1", "reason": "It came just before.", "cites": ["t1-deploys-1", "t1-logs-1"]},
        {"title": "The connection pool", "reason": "The log names it.", "cites": ["t1-logs-1"]},
        {"title": "The database is down", "reason": "It was not reached.", "cites": ["t1-db-1"]},
    ]
}
AGAINST = {"objections": [{"hypothesis": 2, "reason": "A deploy came before it.", "cites": ["t1-deploys-1"]}]}


def test_causes_are_looked_at_twice(desk: Desk, far: Model) -> None:
    """The second pass is a question of its own; what it contradicts does not stand, and a look that saw nothing
    supports nothing."""
    desk = with_model(desk, far)
    far.says(CAUSES, AGAINST)
    view = ask(desk, "hypotheses", incident(desk))

    assert (
        [("The deploy of v3.2.1", Standing.STANDS), ("The connection pool", Standing.CONTRADICTED)],
        {"saw_nothing": 1},
    ) == ([(one.title, one.standing) for one in view.claims], view.history[0].dropped)


def test_a_cause_of_a_model_moves_nothing(desk: Desk, far: Model) -> None:
    """No ranking, no status, no plan, no message follows: only entries on the model itself."""
    desk = with_model(desk, far)
    far.says(CAUSES, AGAINST)
    number = incident(desk)
    desk.work()
    before = len(desk.log(number))
    ask(desk, "hypotheses", number)

    assert {"thinker.asked", "thinker.sent", "thinker.ended"} == set(desk.kinds(number)[before:])


def test_a_second_pass_that_fails_is_made_up_for(desk: Desk, far: Model) -> None:
    """Asked again, the causes that are there are looked at; they are not asked for twice."""
    desk = with_model(desk, far)
    far.says(CAUSES, Line(status=529, body='{"error": {"message": "overloaded"}}'), AGAINST)
    number = incident(desk)
    first = ask(desk, "hypotheses", number)
    again = ask(desk, "hypotheses", number)

    assert ([Standing.UNCHECKED] * 2, [Standing.STANDS, Standing.CONTRADICTED], 3) == (
        [one.standing for one in first.claims],
        [one.standing for one in again.claims],
        len(far.heard),
    )


def test_a_draft_is_sent_to_nobody(desk: Desk, far: Model) -> None:
    """It waits to be taken over; until then nobody was told."""
    desk = with_model(desk, far)
    number = incident(desk)
    desk.work()
    told = sum(len(one.heard) for one in desk.channels.values())
    far.says(SUMMARY)
    view = ask(desk, "update", number)
    desk.work()
    preview = desk.ask("comms.preview", incident=number)

    assert view.update is not None
    assert isinstance(preview, PreviewView)
    assert ("Payments logs PoolTimeout in 45 % of requests.", told, False) == (
        view.update.text,
        sum(len(one.heard) for one in desk.channels.values()),
        any("PoolTimeout" in one.text for one in preview.messages),
    )


@pytest.mark.parametrize(
    ("line", "outcome", "spends"),
    [
        (Line(status=429, body="{}"), "failed", False),
        (Line(hangs=True), "lost", True),
        (Line(text='{"statements": [{"te', stop="done"), "unreadable", True),
        (Line(text='{"statements": [', stop="cut_off"), "cut_off", True),
        (Line(text="", stop="refused"), "refused", True),
        (Line(text="Certainly! Here it is."), "unreadable", True),
    ],
    ids=["429", "time-out", "half an answer", "cut off", "refusal", "prose"],
)
def test_what_goes_wrong_is_on_record(desk: Desk, far: Model, line: Line, outcome: str, spends: bool) -> None:
    """And counts as spent where the question may have been read."""
    # Only who never answers is waited for in vain: an answer may take its time.
    desk = with_model(desk, far, timeout_s=1.0 if line.hangs else 20.0)
    far.says(line)
    view = ask(desk, "summary", incident(desk))

    assert (outcome, spends, None) == (view.history[0].outcome, view.tokens > 0, view.summary)


def test_a_question_is_never_sent_twice(desk: Desk, far: Model) -> None:
    """A node that finds it gone and unanswered says that it does not know; what was set aside stays spent."""
    desk = with_model(desk, far)
    number = incident(desk)
    desk.ask("thinker.summary", incident=number)
    desk.tell(number, ev.ThoughtSent(call=1), stream=ev.thinker_stream(number))
    desk.work()
    view = shown(desk, number)

    assert ("unknown", [], True) == (view.history[0].outcome, far.heard, view.tokens > 1_000)


def test_one_question_at_a_time(desk: Desk, far: Model) -> None:
    """Two people who press at once ask once."""
    desk = with_model(desk, far)
    number = incident(desk)
    desk.ask("thinker.summary", incident=number)
    with pytest.raises(Refused) as caught:
        desk.ask("thinker.update", incident=number)

    assert "thinker_busy" == caught.value.reason
