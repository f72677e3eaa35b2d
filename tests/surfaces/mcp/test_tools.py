"""What an agent can do, over HTTP with the official client: look, note, suppose, propose; and what it cannot."""

from typing import Any

import httpx2
import jsonschema
import mcp_types as types
import pytest
from mcp import Client

from stanch.catalog.agents.model import Limits
from stanch.incidents import events as ev
from stanch.incidents.recorded.thinking import Claim, Standing, Statement, Use
from stanch.surfaces.mcp.prompts import PROMPTS
from stanch.surfaces.mcp.server import INSTRUCTIONS
from stanch.surfaces.mcp.tool import MOST, text_of
from stanch.surfaces.mcp.tools import TOOLS
from tests.surfaces.mcp.agent import Agent
from tests.surfaces.mcp.conftest import Served
from tests.surfaces.serving import PATIENT_S
from tests.surfaces.web.test_thinker import asked

# What each tool is asked in the test that its answer is what its schema says.
LOOKS: dict[str, dict[str, object]] = {
    "overview": {},
    "incident_show": {"incident": 1},
    "incident_timeline": {"incident": 1},
    "declare": {"text": "500 errors on /api/checkout since 14:00 UTC"},
    "note": {"incident": 1, "text": "the pool looks full"},
    "investigate": {"incident": 1},
    "hypotheses": {"incident": 1},
    "changes": {},
    "query": {"name": ""},
    "alerts": {},
    "oncall": {},
    "runbook": {"incident": 1},
    "plan": {"incident": 1},
    "update_draft": {"incident": 1},
    "postmortem": {"incident": 1, "do": "draft"},
    "postmortem_lint": {"markdown": "Carol broke it."},
}


def tools(agent: Agent) -> list[types.Tool]:
    """Return the list as the client gets it."""

    async def doing(client: Client) -> list[types.Tool]:
        """Do it in one session."""
        return (await client.list_tools()).tools

    return agent.run(doing)


def test_the_list_costs_less_than_four_thousand_tokens(served: Served) -> None:
    """With the instructions; a token is about four characters."""
    listed = [one.model_dump(by_alias=True, exclude_none=True, mode="json") for one in tools(served.agent)]

    assert (len(text_of(listed)) + len(INSTRUCTIONS)) / 4 < 4_000


def test_reading_tools_say_that_they_only_read(served: Served) -> None:
    """An agent's program may let them through without asking."""
    reading = {one.name for one in tools(served.agent) if one.annotations and one.annotations.read_only_hint}

    assert {"overview", "incident_show", "incident_timeline", "changes", "alerts", "oncall"} <= reading
    assert not reading & {"declare", "note", "plan", "hypotheses", "resolve"}


def test_an_answer_is_what_its_schema_says(served: Served) -> None:
    """The output schemas of the list describe what comes."""
    schemas: dict[str, Any] = {one.name: one.output_schema for one in tools(served.agent)}
    for name, given in LOOKS.items():
        jsonschema.validate(served.agent.told(name, **given), schemas[name])


def test_an_answer_says_what_to_do_next(served: Served) -> None:
    """And is never longer than an agent can read."""
    told = {name: served.agent.told(name, **given) for name, given in LOOKS.items()}

    assert [] == [name for name, one in told.items() if not one["next"] or len(text_of(one)) > MOST]


def test_every_tool_is_tried() -> None:
    """A new tool gets a line above; `resolve` is tried below."""
    assert {one.name for one in TOOLS} - {"resolve"} == LOOKS.keys()


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_both_generations_of_the_protocol_are_served(served: Served, mode: str) -> None:
    """The one without sessions, and the one with a handshake, give the same."""
    told = Agent(f"{served.url}/mcp", mode=mode).told("incident_show", incident=1)

    assert "INC-1" == told["data"]["card"]["key"]


def test_what_an_agent_does_is_recorded_as_its_own(served: Served) -> None:
    """Its name and this surface stand on the event."""
    served.agent.told("note", incident=1, text="the pool looks full")
    with served.story.store.reading() as view:
        last = view.events(incident=1)[-1]

    assert ("incident.note_added", "agent:triage", "agent", "mcp") == (
        last.kind,
        last.actor.id,
        last.actor.kind.value,
        last.via.value,
    )


def test_a_persons_name_makes_no_person(served: Served) -> None:
    """Whatever speaks this protocol is a program, and says its own name in the handshake."""
    Agent(f"{served.url}/mcp", headers=(("stanch-actor", "alice"),)).told("note", incident=1, text="x")
    with served.story.store.reading() as view:
        last = view.events(incident=1)[-1]

    assert "agent" == last.actor.kind.value


def test_a_plan_is_proposed(served: Served) -> None:
    """It waits for a person, who had said no to another one."""
    body = {"incident": 1, "plan": "restart-payments", "reason": "not yet"}
    httpx2.post(
        f"{served.url}/api/v1/mitigation/reject", json=body, headers={"stanch-actor": "alice"}, timeout=PATIENT_S
    )
    told = served.agent.told("plan", incident=1, do="propose", action="restart", service="payments", reason="pool full")
    states = [one["state"] for one in told["data"]["actions"] if "Restart payments" in one["plan"]["title"]]

    assert "proposed" in states, told["data"]["actions"]


@pytest.mark.parametrize("name", ["approve", "mitigation.approve", "postmortem_publish"])
def test_approving_is_no_tool(served: Served, name: str) -> None:
    """Whoever asks for one is told why, with the code of every other surface."""
    assert ("forbidden", "approval_needs_a_person") == served.agent.refused(name, incident=1)


def test_the_api_refuses_an_agent_alike(served: Served) -> None:
    """The operation itself says no: the tools are not what keeps an agent out."""
    body = {"incident": 1, "plan": "rollback-payments", "digest": served.story.plan.digest}
    headers = {"stanch-agent": "triage"}
    answers = [
        httpx2.post(f"{served.url}/api/v1/mitigation/approve", json=body, headers=headers, timeout=PATIENT_S),
        httpx2.post(
            f"{served.url}/api/v1/postmortem/publish",
            json={"incident": 1, "revision": 1},
            headers=headers,
            timeout=PATIENT_S,
        ),
    ]

    assert ["approval_needs_a_person", "publishing_needs_a_person"] == [
        one.json()["error"]["reason"] for one in answers
    ]
    assert "action.approved" not in served.kinds()


def test_the_unverified_is_not_resolved(served: Served) -> None:
    """There is no argument that forces it, either."""
    assert ("refused", "not_verified") == served.agent.refused("resolve", incident=1)
    assert ("invalid", "invalid") == served.agent.refused("resolve", incident=1, force_reason="I say so")


def test_a_hypothesis_of_an_agent_cites_findings(served: Served) -> None:
    """Without one it is refused; one that is not there as well."""
    idea = {"incident": 1, "do": "raise", "title": "the new validation", "reason": "it went live just before"}

    assert ("invalid", "invalid") == served.agent.refused("hypotheses", **idea)
    assert ("invalid", "invalid") == served.agent.refused("hypotheses", **idea, cites=["nothing"])


def test_a_hypothesis_with_citations_is_ranked(served: Served) -> None:
    """What it rests on is in the log."""
    findings = served.agent.told("incident_show", incident=1, part="findings")["data"]["findings"]
    cited = findings[0]["id"]
    served.agent.told(
        "hypotheses", incident=1, do="raise", title="the new validation", reason="it just went live", cites=[cited]
    )
    entry = served.agent.told("incident_timeline", incident=1, after=0)
    last = entry["data"]
    while "more" in entry:
        entry = served.agent.told("incident_timeline", incident=1, after=entry["data"][-1]["seq"])
        last = entry["data"]

    assert any(f"cites {cited}" in one.get("text", "") for one in last)


def test_an_agents_word_adds_nothing_to_a_score(served: Served) -> None:
    """A person's does: so nobody can talk an agent into making a cause known, from which an action follows."""
    findings = served.agent.told("incident_show", incident=1, part="findings")["data"]["findings"]
    idea = {"incident": 1, "reason": "it says so", "cause": "bad_deploy", "service": "gateway"}
    served.agent.told("hypotheses", do="raise", title="an agent's", cites=[findings[0]["id"]], **idea)
    body = {**idea, "title": "alice's", "service": "checkout"}
    answer = httpx2.post(
        f"{served.url}/api/v1/hypothesis/add", json=body, headers={"stanch-actor": "alice"}, timeout=PATIENT_S
    ).json()
    said = [
        cited["text"] for one in answer["hypotheses"] for cited in one["evidence_for"] if "thought" in cited["text"]
    ]

    assert ["Alice Adams thought of it: it says so"] == said


def test_an_agent_refutes_nothing(served: Served) -> None:
    """It may doubt in a note; what it takes away another cause would gain."""
    body = {"incident": 1, "hypothesis": "1", "reason": "it says so"}
    answer = httpx2.post(
        f"{served.url}/api/v1/hypothesis/refute", json=body, headers={"stanch-agent": "triage"}, timeout=PATIENT_S
    )

    assert "refute_needs_a_person" == answer.json()["error"]["reason"]


def test_the_rest_of_a_long_list_can_be_had(served: Served) -> None:
    """Following `after` gives every entry once."""
    for number in range(30):
        served.story.say(ev.NoteAdded(text=f"note {number}"))
    seen, after = [], 0
    while True:
        told = served.agent.told("incident_timeline", incident=1, after=after)
        seen += [one["seq"] for one in told["data"]]
        if "more" not in told:
            break
        after = told["data"][-1]["seq"]

    assert len(served.kinds()) == len(set(seen)) == len(seen)


def test_the_same_key_is_done_once(served: Served) -> None:
    """A call that is sent again after a broken line writes nothing twice."""
    first = served.agent.told("note", incident=1, text="once", key="k-1")
    again = served.agent.told("note", incident=1, text="once", key="k-1")

    assert (first, 1) == (again, served.kinds().count("incident.note_added"))


def test_a_key_stands_for_one_call(served: Served) -> None:
    """Other arguments under it are a mistake of the agent's."""
    served.agent.told("note", incident=1, text="once", key="k-1")

    assert ("conflict", "key_reused") == served.agent.refused("note", incident=1, text="twice", key="k-1")


@pytest.mark.parametrize("limits", [Limits(calls=5, writes=1)])
def test_an_hour_has_a_budget(served: Served) -> None:
    """Looking goes on when writing does not; each agent has its own."""
    other = Agent(f"{served.url}/mcp", headers=(("stanch-agent", "other"),))
    served.agent.told("note", incident=1, text="one")

    assert ("refused", "budget_spent") == served.agent.refused("note", incident=1, text="two")
    assert served.agent.told("hypotheses", incident=1)["data"]
    assert other.told("note", incident=1, text="three")["data"]


@pytest.mark.parametrize(
    ("tool", "given"),
    [
        ("incident_show", {}),
        ("incident_show", {"incident": 1, "part": "secrets"}),
        ("incident_show", {"incident": "DROP"}),
        ("note", {"incident": 1, "text": "x", "actor": "alice"}),
        ("changes", {"after": -1}),
    ],
)
def test_bad_arguments_are_answered(served: Served, tool: str, given: dict[str, object]) -> None:
    """As a result that says which, which an agent can mend."""
    assert "invalid" == served.agent.refused(tool, **given)[0]


@pytest.mark.parametrize(
    ("uri", "begins"),
    [
        ("stanch://incident/1", '{"untrusted"'),
        ("stanch://incident/1/timeline", '{"untrusted"'),
        ("stanch://thinker/1", '{"untrusted"'),
        ("stanch://postmortem/1", "Text between"),
        ("stanch://runbook/postgresql-connections", "Text between"),
    ],
)
def test_what_a_tool_cuts_can_be_read_whole(served: Served, uri: str, begins: str) -> None:
    """By address, marked in the same way."""
    served.agent.told("postmortem", incident=1, do="draft")

    async def doing(client: Client) -> str:
        """Do it in one session."""
        content = (await client.read_resource(uri)).contents[0]
        assert isinstance(content, types.TextResourceContents)
        return content.text

    assert served.agent.run(doing).startswith(begins)


def test_what_a_model_said_can_be_read(served: Served) -> None:
    """With what it cites and what was found against it, marked as text from outside: it is no finding."""
    said = Statement(text="Payments times out.", cites=("e-1",))
    claim = Claim(title="The pool", reason="It is full.", cites=("e-1",), standing=Standing.STANDS)
    asked(served.story, 1, Use.SUMMARY, statements=(said,))
    asked(served.story, 2, Use.HYPOTHESES, claims=(claim,))
    told = served.agent.told("incident_show", incident=1, part="thinker")

    assert "\u27eaPayments times out.\u27eb" == told["data"]["summary"]["statements"][0]["text"]
    assert "\u27eaIt is full.\u27eb" == told["data"]["claims"][0]["reason"]
    assert "What a model said is no finding: read what it cites" == told["next"][0]


def test_no_model_was_asked(served: Served) -> None:
    """Then that is said, and nothing else."""
    told = served.agent.told("incident_show", incident=1, part="thinker")

    assert "No model was asked; people ask one" == told["next"][0]


def test_the_verbs_are_prompts(served: Served) -> None:
    """With what the person said in them."""

    async def doing(client: Client) -> tuple[list[str], str]:
        """Do it in one session."""
        names = [one.name for one in (await client.list_prompts()).prompts]
        content = (await client.get_prompt("incident", {"text": "checkout is slow"})).messages[0].content
        assert isinstance(content, types.TextContent)
        return names, content.text

    names, text = served.agent.run(doing)
    assert ([one.name for one in PROMPTS], True) == (names, "checkout is slow" in text)
