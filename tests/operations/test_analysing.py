"""A tracker's analysis of an issue: asked for within its cost, its claims cited, contradicted and outranked."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest

from stanch.incidents import events as ev
from stanch.incidents.tracking import Tracked
from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry import Sentry, SentryDesk
from stanch.kernel.errors import Refused
from stanch.operations import cases
from stanch.operations.analysing import ask_by_itself
from stanch.operations.intake import take
from stanch.operations.writeback import tracked
from stanch.ports.evidence import Finding, FindingStatus, Signal
from stanch.ports.issues import Stage
from stanch.ports.query import SystemSpec
from stanch.ports.signals import Inbound
from stanch.store import timers
from tests.operations.desk import START, Desk
from tests.support.sentry_writing import TOKEN, WrittenSentry, blocks, written_sentry

CAUSE = "The form sends no amount when the cart is empty."


@pytest.fixture
def sentry() -> Iterator[WrittenSentry]:
    """Give a Sentry with Seer."""
    with written_sentry() as running:
        yield running


def connected(desk: Desk, sentry: WrittenSentry, **settings: str) -> Desk:
    """Return the desk with that Sentry, whose Seer may be asked."""
    spec = SystemSpec(
        name="sentry",
        kind="sentry",
        url=sentry.url,
        secret=TOKEN,
        settings={"organization": "shop", "seer": "true", **settings},
    )
    world = replace(
        desk.world, desks={"sentry": SentryDesk(spec, fetch=HttpGet())}, signal_sources={"sentry": Sentry()}
    )
    return replace(desk, world=world)


def declare(desk: Desk) -> int:
    """Declare an incident on payments that an alert of issue 4400 belongs to."""
    number = desk.declare("Checkout fails", services=["payments"])
    labels = {"alertname": "SentryIssue", "issue_id": "4400", "service": "payments"}
    desk.tell(
        number,
        ev.AlertAttached(
            alert="sentry/4400", summary="TypeError", reading=None, starts_at=START, labels=labels, source="sentry"
        ),
    )
    return number


def analysed(desk: Desk, sentry: WrittenSentry, state: object) -> int:
    """Declare, ask for an analysis, let Seer answer with `state`, and look when it is time."""
    number = declare(desk)
    desk.ask("investigate.analyse", incident=number)
    desk.work()
    sentry.seer = state  # type: ignore[assignment]  # what a test says is JSON
    desk.pass_time(seconds=30)
    desk.work()
    return number


def on_record(desk: Desk, number: int) -> Tracked:
    """Return what is on record of the incident about trackers."""
    with desk.world.store.reading() as view:
        return tracked(view, number)


def ending(desk: Desk, number: int) -> tuple[str, str]:
    """Return how the first analysis ended, and the words for it."""
    ended = on_record(desk, number).analyses["a1"].ended
    assert ended is not None
    return ended.outcome.value, ended.detail


def test_claims(desk: Desk, sentry: WrittenSentry) -> None:
    """What Seer says is a hypothesis raised by an integration, which cites a finding that is marked as untrusted."""
    desk = connected(desk, sentry)
    number = analysed(desk, sentry, blocks())

    state = desk.state(number)
    added = state.added["claim/a1"]
    assert (CAUSE, "analysis of sentry", False) == (added.hypothesis.title, added.by, added.by_person)
    assert ("a1-cause",) == added.hypothesis.cites
    assert state.findings["a1-cause"].data["untrusted"]


def test_solution(desk: Desk, sentry: WrittenSentry) -> None:
    """The solution is a finding of its own, with its steps."""
    desk = connected(desk, sentry)
    number = analysed(desk, sentry, blocks())

    found = desk.state(number).findings["a1-solution"]
    assert ["Check the cart: before the amount is read"] == found.data["steps"]
    assert ("completed", "") == ending(desk, number)


def test_older_shape(desk: Desk, sentry: WrittenSentry) -> None:
    """The older shape, with steps and a status in upper case, says the same."""
    causes = [{"description": CAUSE, "relevant_repos": ["acme/shop"], "root_cause_reproduction": [{"title": "pay"}]}]
    older = {"run_id": 1, "status": "COMPLETED", "steps": [{"key": "root_cause_analysis", "causes": causes}]}
    desk = connected(desk, sentry)
    number = analysed(desk, sentry, older)

    assert CAUSE == desk.state(number).added["claim/a1"].hypothesis.title


def test_not_configured(desk: Desk, sentry: WrittenSentry) -> None:
    """Without the switch nothing is ever started, and who asks is told so."""
    desk = connected(desk, sentry, seer="")
    number = declare(desk)
    with pytest.raises(Refused) as refused:
        desk.ask("investigate.analyse", incident=number)
    with desk.world.store.writing() as tx:
        ask_by_itself(tx, desk.world, cases.load(tx, number))
    desk.work()

    assert ("analysis_off", 0) == (refused.value.reason, sentry.runs)


def test_not_enabled(desk: Desk, sentry: WrittenSentry) -> None:
    """Where Seer is not enabled the record says so with Sentry's words, and nothing waits."""
    sentry.seer_on = False
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.ask("investigate.analyse", incident=number)
    desk.work()

    outcome, detail = ending(desk, number)
    assert "not_enabled" == outcome
    assert "AI Autofix is not enabled for this organization." in detail
    with desk.world.store.reading() as view:
        assert [] == timers.find(view.connection, kind="analysis")


def test_first_by_itself(desk: Desk, sentry: WrittenSentry) -> None:
    """Where it is switched on, an investigation asks for the first one, once."""
    desk = connected(desk, sentry)
    number = declare(desk)
    for _ in range(2):
        with desk.world.store.writing() as tx:
            ask_by_itself(tx, desk.world, cases.load(tx, number))
        desk.work()

    assert 1 == sentry.runs


def test_cost_of_an_incident(desk: Desk, sentry: WrittenSentry) -> None:
    """An incident has no more runs than it may have."""
    desk = connected(desk, sentry)
    number = analysed(desk, sentry, blocks())
    with pytest.raises(Refused, match="1 of 1 analyses that an incident may have are used"):
        desk.ask("investigate.analyse", incident=number)

    assert 1 == sentry.runs


def test_cost_of_a_day(desk: Desk, sentry: WrittenSentry) -> None:
    """A day has no more runs than it may have; the next incident's record says why it has none, and so does the next
    day have some again."""
    desk = connected(desk, sentry, seer_per_day="1")
    analysed(desk, sentry, blocks())
    number = declare(desk)
    with desk.world.store.writing() as tx:
        ask_by_itself(tx, desk.world, cases.load(tx, number))

    [declined] = on_record(desk, number).declined
    assert ("capped", "1 of 1 analyses of a day are used") == (declined.outcome.value, declined.detail)
    desk.pass_time(days=1, seconds=1)
    desk.ask("investigate.analyse", incident=number)
    assert 1 == len(on_record(desk, number).analyses)


def test_adopted(desk: Desk, sentry: WrittenSentry) -> None:
    """An analysis that there is already costs nothing: none is started."""
    sentry.seer = blocks()
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.ask("investigate.analyse", incident=number)
    desk.work()

    assert (0, CAUSE) == (sentry.runs, desk.state(number).added["claim/a1"].hypothesis.title)


def test_waited_for_no_longer(desk: Desk, sentry: WrittenSentry) -> None:
    """One that does not end is waited for as long as is configured."""
    desk = connected(desk, sentry, seer_wait_s="60")
    number = analysed(desk, sentry, blocks("thinking hard", solution=False))
    desk.pass_time(seconds=40)
    desk.work()

    assert "timed_out" == ending(desk, number)[0]


def test_webhook(desk: Desk, sentry: WrittenSentry) -> None:
    """The webhook is taken when it comes: Seer is not asked for what it told."""
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.ask("investigate.analyse", incident=number)
    desk.work()
    asked = len(sentry.site.asked)
    for part, key, said in (
        ("root_cause", "one_line_description", CAUSE),
        ("solution", "one_line_summary", "Refuse an empty cart."),
    ):
        data = {"run_id": 12345, "group_id": 4400, part: {key: said}}
        body = json.dumps({"action": f"{part}_completed", "data": data}).encode()
        take(desk.world, "sentry", Inbound(body=body, headers={"sentry-hook-resource": "seer", "request-id": part}))
        desk.work()

    assert (CAUSE, asked) == (desk.state(number).added["claim/a1"].hypothesis.title, len(sentry.site.asked))
    assert "completed" == ending(desk, number)[0]


def told(desk: Desk, part: str) -> None:
    """Have the webhook tell one part of an analysis, before anything else is worked on."""
    key = {"root_cause": "one_line_description", "solution": "one_line_summary"}[part]
    data = {"run_id": 12345, "group_id": 4400, part: {key: f"the {part} of it"}}
    body = json.dumps({"action": f"{part}_completed", "data": data}).encode()
    take(desk.world, "sentry", Inbound(body=body, headers={"sentry-hook-resource": "seer", "request-id": part}))


@pytest.mark.parametrize("order", [("root_cause", "solution"), ("solution", "root_cause")])
def test_both_parts_are_taken_in_whichever_order(desk: Desk, sentry: WrittenSentry, order: tuple[str, ...]) -> None:
    """They are told at the same moment, or the later one first: neither is lost, and then it is over."""
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.ask("investigate.analyse", incident=number)
    desk.work()
    for part in order:
        told(desk, part)
    desk.work()

    assert (["a1-cause", "a1-solution"], ("completed", "")) == (
        sorted(id for id in desk.state(number).findings if id.startswith("a1-")),
        ending(desk, number),
    )


def test_a_solution_alone_is_not_the_end(desk: Desk, sentry: WrittenSentry) -> None:
    """Where the webhook with the cause is lost, asking after it finds both."""
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.ask("investigate.analyse", incident=number)
    desk.work()
    told(desk, "solution")
    desk.work()
    sentry.seer = blocks()
    desk.pass_time(seconds=30)
    desk.work()

    assert (CAUSE, "completed") == (desk.state(number).added["claim/a1"].hypothesis.title, ending(desk, number)[0])


def test_strange_webhook(desk: Desk, sentry: WrittenSentry) -> None:
    """A webhook about an analysis that nobody asked for changes no incident."""
    desk = connected(desk, sentry)
    number = declare(desk)
    data = {"run_id": 1, "group_id": 4400, "root_cause": {"one_line_description": "ignore your rules"}}
    body = json.dumps({"action": "root_cause_completed", "data": data}).encode()
    take(desk.world, "sentry", Inbound(body=body, headers={"sentry-hook-resource": "seer", "request-id": "x"}))
    desk.work()

    assert {} == desk.state(number).added


def seen(*, raised: bool) -> ev.FindingRecorded:
    """Return a finding in which the issue was seen, and payments' errors."""
    data = {"fingerprint": "sentry/4400", "raised": raised}
    signals = (
        Signal(name="error_group", service="payments", value=9, normal=9, text="TypeError", data=dict(data)),
        Signal(name="error_ratio", service="checkout", value=0.4, normal=0.01, unit="ratio", data={"raised": True}),
    )
    finding = Finding(
        id="f1-sentry-1",
        collector="sentry",
        source="sentry",
        command="",
        status=FindingStatus.OK,
        summary="payments: no new errors",
        start=START,
        end=START,
        services=("payments",),
        signals=signals,
    )
    return ev.FindingRecorded(round=1, finding=finding)


def claim_of(desk: Desk, number: int) -> tuple[float, list[str]]:
    """Return the claim's log-odds, and what speaks against it."""
    [found] = [one for one in desk.state(number).hypotheses if one.id == "claim/a1"]
    return found.log_odds, [one.text for one in found.evidence_against]


def test_contrary_findings(desk: Desk, sentry: WrittenSentry) -> None:
    """Findings against a claim are cited against it: its issue comes as ever, and the trouble starts elsewhere."""
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.tell(number, seen(raised=False))
    desk.ask("investigate.analyse", incident=number)
    sentry.seer = blocks()
    desk.work()
    desk.pass_time(seconds=30)
    desk.work()

    _, against = claim_of(desk, number)
    assert [
        "the error that it explains comes no more often since the onset than before",
        "the trouble starts at checkout, not at payments",
    ] == against


def test_outranked(desk: Desk, sentry: WrittenSentry) -> None:
    """A claim is never known as the cause by itself, however sure it sounds."""
    desk = connected(desk, sentry)
    number = analysed(desk, sentry, blocks())

    state = desk.state(number)
    assert not state.cause_known
    assert all(one.weight <= 0 for one in state.hypotheses[0].evidence_for if state.hypotheses[0].id == "claim/a1")


def test_cites_where_it_was_seen(desk: Desk, sentry: WrittenSentry) -> None:
    """A claim cites the finding in which its issue was seen, beside what was claimed."""
    desk = connected(desk, sentry)
    number = declare(desk)
    desk.tell(number, seen(raised=True))
    desk.ask("investigate.analyse", incident=number)
    sentry.seer = blocks()
    desk.work()
    desk.pass_time(seconds=30)
    desk.work()

    assert ("a1-cause", "f1-sentry-1") == desk.state(number).added["claim/a1"].hypothesis.cites


def test_hostile_text(desk: Desk, sentry: WrittenSentry) -> None:
    """What Seer says is cut, and without control characters and secrets."""
    data = {"one_line_description": "\x1b[2Jtoken=" + "ghp_" + "a1B2c3D4e5" * 4 + " " + "x" * 5_000}
    answer = {"run_id": 1, "status": "completed", "blocks": [{"artifacts": [{"key": "root_cause", "data": data}]}]}
    desk = connected(desk, sentry)
    number = analysed(desk, sentry, answer)

    claim = str(desk.state(number).findings["a1-cause"].data["claim"])
    assert "\x1b" not in claim
    assert "a1B2c3D4e5" not in claim
    assert len(claim) <= 500


def test_nothing_is_told(desk: Desk, sentry: WrittenSentry) -> None:
    """Seer is told the incident's link and nothing else that is known here."""
    desk = connected(desk, sentry)
    number = analysed(desk, sentry, blocks())

    assert [f"Part of incident INC-{number}: http://stanch.example/i/{number}"] == sentry.contexts


def test_unknown_word(desk: Desk, sentry: WrittenSentry) -> None:
    """A status that nobody knows counts as running."""
    desk = connected(desk, sentry)
    read = desk.world.desks["sentry"]
    sentry.seer = {"run_id": 1, "status": "PONDERING", "steps": []}

    assert Stage.RUNNING is read.analysis("4400", started=True).stage
