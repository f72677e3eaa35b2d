"""The page of agents: who may act by itself, what is left to it, what it did; and a token that is taken back there."""

import httpx2

from stanch.kernel.actor import Actor, Via, agent
from stanch.operations import registry
from stanch.operations.world import Call
from tests.surfaces.web.story import ALICE, OPERATIONS, Story
from tests.surfaces.web.test_comms import text_of

TRIAGE = agent("triage")


def ask(story: Story, name: str, /, *, by: Actor, **body: object) -> None:
    """Ask an operation as the door is asked."""
    entry = OPERATIONS[name]
    registry.call(entry, Call(world=story.world, actor=by, via=Via.HTTP), registry.decode(entry, body))


def with_agent(story: Story) -> None:
    """Let an agent with three writes an hour have written one note."""
    story.declare()
    ask(story, "agent.create", by=ALICE, name="triage", about="looks first", writes=3)
    ask(story, "incident.note", by=TRIAGE, incident=1, text="the pool looks full")


def test_nobody_acts_by_itself(client: httpx2.Client, story: Story) -> None:
    """Then the page says so, and how one is given a token."""
    shown = text_of(client.get("/agents"))

    assert ("No agent has a token" in shown, "stanch agent create" in shown) == (True, True)


def test_an_agent_with_its_budget(client: httpx2.Client, story: Story) -> None:
    """Who gave the token, what is spent, left and allowed, and which limits are its own."""
    with_agent(story)
    shown = text_of(client.get("/agents"))

    assert "triage looks first A token from alice" in shown
    assert "writes 1 2 3 its own" in shown
    assert "calls 1 599 600 writes" in shown


def test_what_it_did_is_linked(client: httpx2.Client, story: Story) -> None:
    """Each of its entries leads into the incident's log."""
    with_agent(story)
    page = client.get("/agents").text

    assert ('href="/i/1#e-' in page, "the pool looks full" in page) == (True, True)


def test_an_agent_without_a_token(client: httpx2.Client, story: Story) -> None:
    """One that acts by a name alone is shown as that, and has nothing to be taken back."""
    ask(story, "incident.list", by=agent("passing"))
    answer = client.get("/agents")

    assert ("passing No token" in text_of(answer), "Revoke its token" in answer.text) == (True, False)


def test_its_words_are_no_markup(client: httpx2.Client, story: Story) -> None:
    """What an agent wrote is shown as it is."""
    story.declare()
    ask(story, "incident.note", by=TRIAGE, incident=1, text="<script>alert(1)</script>")

    assert "<script>alert(1)" not in client.get("/agents").text


def test_a_token_is_taken_back(client: httpx2.Client, story: Story) -> None:
    """With one press; what is left of it is who had it, and who took it."""
    with_agent(story)
    origin = {"origin": str(client.base_url).rstrip("/")}
    client.post("/do/agent/revoke", data={"name": "triage", "back": "/agents"}, headers=origin)
    shown = text_of(client.get("/agents"))

    assert "Revoked triage by alice" in shown
