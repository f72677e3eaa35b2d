"""Agents as principals: tokens that are kept as hashes, an hour's budget that outlives the process, keys."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.catalog.agents.model import Limits
from stanch.catalog.agents.tables import begin_key
from stanch.kernel.actor import Actor, Via, agent
from stanch.kernel.errors import Invalid, Refused
from stanch.operations import registry
from stanch.operations.agents import AgentView, CreatedAgent, agent_of
from stanch.operations.budgets import EXECUTES, PEOPLES
from stanch.operations.world import Call
from stanch.store import Store
from tests.surfaces.web.story import ALICE, OPERATIONS, Story

TRIAGE = agent("triage")
NOTE = "incident.note"


@pytest.fixture
def story(database_url: str) -> Iterator[Story]:
    """Give an incident with a plan that waits."""
    told = Story(database_url)
    told.declare()
    told.investigate()
    yield told
    told.store.close()


def ask(story: Story, name: str, /, *, by: Actor = TRIAGE, key: str = "", **body: object) -> object:
    """Ask an operation as the door is asked."""
    entry = OPERATIONS[name]
    call = Call(world=story.world, actor=by, via=Via.HTTP, key=key)
    return registry.call(entry, call, registry.decode(entry, body))


def created(story: Story) -> CreatedAgent:
    """Have Alice give the agent a token."""
    found = ask(story, "agent.create", by=ALICE, name="triage", about="looks first")
    assert isinstance(found, CreatedAgent)
    return found


def listed(story: Story, **body: object) -> list[AgentView]:
    """Return the agents that are listed."""
    found = ask(story, "agent.list", by=ALICE, **body)
    assert isinstance(found, tuple)
    return list(found)


def reason_of(doing: Callable[[], object]) -> str:
    """Return why something is refused."""
    with pytest.raises(Refused) as raised:
        doing()
    return raised.value.reason


def limit(story: Story, **limits: int) -> None:
    """Have the story go on in a world with these limits."""
    story.world = replace(story.world, agent_limits=replace(Limits(), **limits))


def notes(story: Story) -> int:
    """Return how many notes the incident has."""
    with story.store.reading() as view:
        return [event.kind for event in view.events(incident=1)].count("incident.note_added")


def test_a_token_names_its_agent(story: Story) -> None:
    """Until it is revoked, and no other text does."""
    token = created(story).token
    before = agent_of(story.world, token), agent_of(story.world, token[:-1])
    ask(story, "agent.revoke", by=ALICE, name="triage")

    assert (("triage", ""), "") == (before, agent_of(story.world, token))


def test_a_token_is_stored_as_its_hash(tmp_path: Path) -> None:
    """Whoever reads the file has no way in."""
    story = Story(str(tmp_path / "stanch.db"))
    token = created(story).token
    story.store.close()
    stored = b"".join(path.read_bytes() for path in tmp_path.iterdir())

    assert (False, True) == (token.encode() in stored, b"looks first" in stored)


def test_a_name_has_one_token(story: Story) -> None:
    """A second one is refused until the first is revoked; the record of that stays."""
    created(story)
    refused = reason_of(lambda: created(story))
    ask(story, "agent.revoke", by=ALICE, name="triage")
    created(story)

    assert ("exists", 1, ["", "alice"]) == (
        refused,
        len(listed(story)),
        sorted(one.revoked_by for one in listed(story, revoked=True)),
    )


@pytest.mark.parametrize(
    ("limits", "name", "body"),
    [
        ({"calls": 1}, "incident.list", {}),
        ({"writes": 1}, NOTE, {"incident": 1, "text": "one"}),
        ({"executions": 1}, "investigate.run", {"incident": 1}),
    ],
)
def test_an_hour_has_a_budget(story: Story, limits: dict[str, int], name: str, body: dict[str, object]) -> None:
    """Of calls, of writes, and of what runs outside."""
    limit(story, **limits)
    ask(story, name, **body)

    assert "budget_spent" == reason_of(lambda: ask(story, name, **body))


@pytest.mark.parametrize(
    ("own", "name", "body"),
    [
        ({"calls": 1}, "incident.list", {}),
        ({"writes": 1}, NOTE, {"incident": 1, "text": "one"}),
        ({"executions": 1}, "investigate.run", {"incident": 1}),
    ],
)
def test_a_token_has_limits_of_its_own(story: Story, own: dict[str, int], name: str, body: dict[str, object]) -> None:
    """They hold for its agent alone; another spends what all may."""
    ask(story, "agent.create", by=ALICE, name="triage", **own)
    ask(story, name, **body)
    refused = reason_of(lambda: ask(story, name, **body))
    ask(story, name, by=agent("other"), **body)
    ask(story, name, by=agent("other"), **body)

    assert "budget_spent" == refused


def test_a_token_may_have_more_than_all(story: Story) -> None:
    """A person gives it: what holds for all is the default, and no ceiling."""
    limit(story, calls=1)
    ask(story, "agent.create", by=ALICE, name="triage", calls=3)
    for _ in range(3):
        ask(story, "incident.list")

    assert "budget_spent" == reason_of(lambda: ask(story, "incident.list"))


def test_an_agent_that_only_reads(story: Story) -> None:
    """No writes at all is a limit too, and the first one is refused."""
    ask(story, "agent.create", by=ALICE, name="triage", writes=0)
    ask(story, "incident.list")

    assert ("budget_spent", 0) == (
        reason_of(lambda: ask(story, NOTE, incident=1, text="one")),
        notes(story),
    )


def test_limits_end_with_the_token(story: Story) -> None:
    """Once it is revoked the name is nobody's in particular, and has what all have."""
    ask(story, "agent.create", by=ALICE, name="triage", calls=1)
    ask(story, "incident.list")
    ask(story, "agent.revoke", by=ALICE, name="triage")
    ask(story, "incident.list")

    assert [] == listed(story)


def test_limits_are_listed_with_what_is_left(story: Story) -> None:
    """With those that are the token's own named."""
    limit(story, calls=50, writes=40, executions=30, seconds=20)
    ask(story, "agent.create", by=ALICE, name="triage", calls=5, executions=7)
    ask(story, NOTE, incident=1, text="one")
    (one,) = listed(story)

    assert (Limits(calls=5, writes=40, executions=7, seconds=20), ("calls", "executions")) == (one.limits, one.own)
    assert (4, 39, 7) == (one.left.calls, one.left.writes, one.left.executions)


@pytest.mark.parametrize("own", [{"calls": 0}, {"writes": -1}, {"executions": 1_000_001}, {"seconds": 0}])
def test_limits_that_make_no_sense(story: Story, own: dict[str, int]) -> None:
    """They are refused by the name of the field, and no token is made."""
    with pytest.raises(Invalid) as raised:
        ask(story, "agent.create", by=ALICE, name="triage", **own)

    assert ([*own], []) == ([one.field for one in raised.value.problems], listed(story))


def test_what_an_agent_did_is_listed(story: Story) -> None:
    """Its newest entries first, each with its address; no other's."""
    created(story)
    ask(story, NOTE, incident=1, text="first")
    ask(story, NOTE, incident=1, text="second")
    ask(story, NOTE, by=ALICE, incident=1, text="mine")
    ((first, second),) = [one.acts for one in listed(story, acts=5)]

    assert ("second", "first", 1) == (first.text, second.text, first.incident)
    assert first.url.endswith(f"/i/1#e-{first.seq}")


def test_agents_without_a_token_are_listed_where_asked(story: Story) -> None:
    """They act by a name alone, from the machine itself, and are forgotten after a day."""
    ask(story, "incident.list", by=agent("passing"))

    assert ([], [("passing", None)]) == (
        listed(story),
        [(one.name, one.made_at) for one in listed(story, nameless=True)],
    )


def test_time_is_a_budget_too(story: Story) -> None:
    """What the calls of an agent took together."""
    limit(story, seconds=0)

    assert "budget_spent" == reason_of(lambda: ask(story, "incident.list"))


def test_a_budget_comes_back(story: Story) -> None:
    """After an hour, by the minute."""
    limit(story, calls=1)
    created(story)
    ask(story, "incident.list")
    story.clock.advance(timedelta(minutes=61))
    before = listed(story)[0].spent.calls
    ask(story, "incident.list")

    assert (0, 1) == (before, listed(story)[0].spent.calls)


def test_a_budget_outlives_the_process(story: Story, database_url: str) -> None:
    """It stands in the store, which all processes of a server share."""
    limit(story, calls=1)
    ask(story, "incident.list")
    again = Store.open(database_url, clock=story.clock)
    story.world = replace(story.world, store=again)
    reason = reason_of(lambda: ask(story, "incident.list"))
    again.close()

    assert "budget_spent" == reason


def test_people_have_none(story: Story) -> None:
    """A budget is what an agent is given by people."""
    limit(story, calls=0, writes=0)
    ask(story, NOTE, by=ALICE, incident=1, text="one")

    assert 1 == notes(story)


def test_a_key_has_it_done_once(story: Story) -> None:
    """The same answer comes again, from the store."""
    told = [ask(story, NOTE, key="k", incident=1, text="once") for _ in range(2)]

    assert (told[0], 1) == (told[1], notes(story))


def test_a_key_stands_for_one_call(story: Story) -> None:
    """Under it no other is done; another agent's is another key."""
    ask(story, NOTE, key="k", incident=1, text="once")
    ask(story, NOTE, by=agent("other"), key="k", incident=1, text="mine")

    assert "key_reused" == reason_of(lambda: ask(story, NOTE, key="k", incident=1, text="twice"))


def test_what_was_refused_may_be_tried_again(story: Story) -> None:
    """The key is free again, and the answer the same."""
    reasons = [reason_of(lambda: ask(story, "incident.resolve", key="k", incident=1)) for _ in range(2)]

    assert ["not_verified"] * 2 == reasons


def test_what_has_no_end_on_record_is_not_done_again(story: Story) -> None:
    """A process that died in a call leaves it open whether it was done: the agent is told to look."""
    request = registry.decode(OPERATIONS[NOTE], {"incident": 1, "text": "once"})
    with story.store.writing() as tx:
        begin_key(tx.connection, "triage", "k", same=registry.told_as(OPERATIONS[NOTE], request), now=story.clock.now())

    assert ("key_under_way", 0) == (
        reason_of(lambda: ask(story, NOTE, key="k", incident=1, text="once")),
        notes(story),
    )


def test_what_broke_off_is_not_done_again(story: Story) -> None:
    """A defect may show after the writing is done: the key stays, and the agent is told to look."""
    entry = OPERATIONS[NOTE]

    def broken(call: Call, request: object) -> object:
        entry.run(call, request)
        raise RuntimeError("after the note was written")

    request = registry.decode(entry, {"incident": 1, "text": "once"})
    with pytest.raises(RuntimeError):
        registry.call(replace(entry, run=broken), Call(world=story.world, actor=TRIAGE, via=Via.HTTP, key="k"), request)

    assert ("key_under_way", 1) == (
        reason_of(lambda: ask(story, NOTE, key="k", incident=1, text="once")),
        notes(story),
    )


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("incident.dismiss", {"incident": 1, "reason": "it is none"}, "dismissing_needs_a_person"),
        ("statuspage.discard", {"incident": 1, "number": 1, "reason": "no"}, "discarding_needs_a_person"),
        ("statuspage.forget", {"id": "0123456789abcdef"}, "forgetting_needs_a_person"),
        ("gameday.end", {"gameday": 1, "reason": "aborted"}, "ending_needs_a_person"),
    ],
)
def test_what_ends_a_persons_matter_is_a_persons(story: Story, name: str, body: dict[str, object], reason: str) -> None:
    """An agent neither ends what nobody verified nor takes away what waits for a person."""
    assert reason == reason_of(lambda: ask(story, name, **body))


@pytest.mark.parametrize("name", sorted(PEOPLES))
def test_what_decides_over_people_is_a_persons(story: Story, name: str) -> None:
    """An agent neither hides an alert, nor lowers what a yes needs, nor says who is paged."""
    assert "needs_a_person" == reason_of(lambda: ask(story, name, **OPERATIONS[name].example))


@pytest.mark.parametrize("look", ["errors", "releases", "performance", "query"])
def test_looks_at_a_tracker_are_executions(look: str) -> None:
    """They run outside, with the tracker's own limit of calls."""
    assert f"investigate.{look}" in EXECUTES


def test_executions_are_operations() -> None:
    """A name that is none would count nothing."""
    assert set() == (EXECUTES | PEOPLES) - OPERATIONS.keys()
