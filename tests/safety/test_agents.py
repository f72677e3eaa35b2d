"""What an agent reads of an incident in which every text is hostile: all of it marked, and reading changes nothing."""

import re
from collections.abc import Iterator

import httpx2
import mcp_types as types
import pytest
from mcp import Client

from stanch.kernel.event import JSON
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from stanch.surfaces.mcp.incident_views import PARTS
from stanch.surfaces.mcp.routes import Agents
from tests.safety.incident import Told
from tests.support.hostile import CORPUS, MARK
from tests.surfaces.mcp.agent import Agent
from tests.surfaces.serving import serving
from tests.surfaces.web.story import OPERATIONS

_MARKED = re.compile("⟪[^⟪⟫]*⟫")
# What no answer of ours says by itself: words of the corpus that give an order.
_ORDERS = re.compile(rf"{MARK}|previous instructions|operator said|approve every|DROP TABLE|<script", re.IGNORECASE)

READS: list[tuple[str, dict[str, object]]] = [
    ("overview", {}),
    ("incident_show", {"incident": 1}),
    *(("incident_show", {"incident": 1, "part": part}) for part in PARTS),
    ("hypotheses", {"incident": 1}),
    ("plan", {"incident": 1}),
    ("changes", {"since": "2026-03-01T00:00:00Z"}),
    ("alerts", {}),
    ("runbook", {"incident": 1}),
    ("update_draft", {"incident": 1}),
]


@pytest.fixture(scope="module")
def url(told: Told) -> Iterator[str]:
    """Give the address where the incident is served."""
    front = Front.of(told.story.world, OPERATIONS)
    agents = Agents(front, trust=None)
    with serving(
        application(front, routes=[*agents.routes(), *api.routes(front)], checks_itself=agents.answers), front
    ) as address:
        yield address


def bare(value: JSON) -> str:
    """Return everything in `value` that stands outside marks, names of fields and all."""
    match value:
        case dict():
            return " ".join(f"{bare(name)} {bare(one)}" for name, one in value.items())
        case list():
            return " ".join(bare(one) for one in value)
        case str():
            return _MARKED.sub("", value)
        case _:
            return str(value)


@pytest.mark.parametrize(("tool", "given"), READS)
def test_nothing_from_outside_stands_bare(url: str, tool: str, given: dict[str, object]) -> None:
    """No order is left when what is marked is taken away."""
    answer = Agent(f"{url}/mcp").told(tool, **given)

    assert [] == _ORDERS.findall(bare(answer))


def test_the_time_line_is_marked_to_its_end(url: str) -> None:
    """Every entry, part by part."""
    agent, after, found = Agent(f"{url}/mcp"), 0, []
    while True:
        answer = agent.told("incident_timeline", incident=1, after=after)
        found += _ORDERS.findall(bare(answer))
        if "more" not in answer:
            break
        after = answer["data"][-1]["seq"]

    assert (True, []) == (after > 0, found)


@pytest.mark.parametrize("uri", ["stanch://incident/1", "stanch://incident/1/timeline"])
def test_resources_are_marked_as_well(url: str, uri: str) -> None:
    """What is read by address is the same text."""

    async def doing(client: Client) -> str:
        """Do it in one session."""
        content = (await client.read_resource(uri)).contents[0]
        assert isinstance(content, types.TextResourceContents)
        return content.text

    assert [] == _ORDERS.findall(_MARKED.sub("", Agent(f"{url}/mcp").run(doing)))


def test_an_error_that_quotes_is_marked(url: str) -> None:
    """An agent that was talked into an argument gets it back as data."""
    result = Agent(f"{url}/mcp").call("plan", incident=1, do="dry_run", plan=CORPUS["prompt-ignore"])

    assert (True, []) == (result.is_error, _ORDERS.findall(bare(result.structured_content)))


@pytest.mark.parametrize("name", [one for one in sorted(CORPUS) if len(CORPUS[one]) < 300 and CORPUS[one].strip()])
def test_an_alert_that_gives_orders_changes_nothing(url: str, told: Told, name: str) -> None:
    """It is listed, marked; no yes is on record, no plan, no other state of the incident."""
    with told.story.store.reading() as view:
        before = [event.seq for event in view.events(incident=1)]
    body = {"name": CORPUS[name].replace("\x00", ""), "summary": CORPUS[name].replace("\x00", "")}
    sent = httpx2.post(f"{url}/api/v1/alert/send", json=body, headers={"stanch-actor": "alice"})
    answer = Agent(f"{url}/mcp").told("alerts")
    with told.story.store.reading() as view:
        after = [event.seq for event in view.events(incident=1)]

    assert (before, [], True) == (after, _ORDERS.findall(bare(answer)), sent.status_code in (200, 400))
