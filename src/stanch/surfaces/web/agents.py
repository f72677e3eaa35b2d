"""The page of agents: who has a token or acts by a name, what is left of each budget, and what each did last."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug
from stanch.operations.agents import AgentView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, screen_routes

_ACTS: Final = 5
_BUDGET: Final = (("calls", "calls"), ("writes", "writes"), ("executions", "looks and runs"), ("seconds", "seconds"))


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of this page."""
    return screen_routes(front, "/agents", agents_page)


async def agents_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page together: those that may act, then those whose token was revoked."""
    asked = {"revoked": True, "nameless": True, "acts": _ACTS}
    found = await front.ask(request, "agent.list", asked, via=Via.WEB)
    if not isinstance(found, Sequence):
        raise Bug("agent.list does not answer with agents")
    agents = [one for one in found if isinstance(one, AgentView)]
    values: dict[str, object] = {
        "acting": [one for one in agents if one.revoked_at is None],
        "revoked": [one for one in agents if one.revoked_at is not None],
        "budget": _BUDGET,
        "now": front.world.clock.now(),
        "reader": reader,
    }
    rows = part("rows", "agents/rows.html", values)
    return Screen(template="agents.html", title="Agents · Stanch", parts=[rows], every=15)
