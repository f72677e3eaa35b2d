"""A served incident with a plan that waits, and an agent that looks at it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from stanch.catalog.agents.model import Limits
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.asgi.trust import Trust
from stanch.surfaces.http import api
from stanch.surfaces.mcp.routes import Agents
from tests.surfaces.mcp.agent import Agent
from tests.surfaces.serving import serving
from tests.surfaces.web.story import OPERATIONS, Story

TOKEN = "let-me-in"


@dataclass(frozen=True)
class Served:
    """The story and where it is served."""

    story: Story
    url: str

    @property
    def agent(self) -> Agent:
        """Return an agent that is called triage."""
        return Agent(f"{self.url}/mcp")

    def kinds(self) -> list[str]:
        """Return the kinds of all events of the incident."""
        with self.story.store.reading() as view:
            return [event.kind for event in view.events(incident=1)]


@pytest.fixture
def limits() -> Limits:
    """Give the usual budget."""
    return Limits()


@pytest.fixture
def served(tmp_path: Path, limits: Limits) -> Iterator[Served]:
    """Give an incident with a plan that waits, served as the product serves it."""
    story = Story(str(tmp_path / "stanch.db"))
    story.calm()
    story.declare()
    story.investigate()
    with story.store.writing() as tx:
        tx.next_number("incident")  # the story's own, which nobody counted
    story.world = replace(story.world, agent_limits=limits)
    front = Front.of(story.world, OPERATIONS)
    trust = Trust(hosts=frozenset({"stanch.example"}), token=TOKEN)
    agents = Agents(front, trust=trust)
    app = application(front, routes=[*agents.routes(), *api.routes(front)], trust=trust, checks_itself=agents.answers)
    with serving(app, front) as url:
        yield Served(story=story, url=url)
    story.store.close()
