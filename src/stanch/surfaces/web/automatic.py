"""The page of what runs by itself: whether it is paused, what is marked and within which guard, what has run."""

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug
from stanch.operations.automatic import AutomaticView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, screen_routes


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of this page."""
    return [*screen_routes(front, "/automatic", automatic_page)]


async def automatic_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page together."""
    view = await front.ask(request, "automatic.status", {}, via=Via.WEB)
    if not isinstance(view, AutomaticView):
        raise Bug("automatic.status answered with something else")
    rows = part("rows", "automatic/rows.html", {"view": view})
    return Screen(template="automatic.html", title="By itself · Stanch", parts=[rows], values={}, every=15)
