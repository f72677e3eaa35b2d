"""The page of senders: who posts, when last, how much was taken, what was wrong, and how to point one at us."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug
from stanch.operations.senders import SourceCard
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, screen_routes


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of this page."""
    return screen_routes(front, "/sources", list_page)


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page together: those that were heard or are configured, then those that could be."""
    found = await front.ask(request, "source.list", {"shipped": True}, via=Via.WEB)
    if not isinstance(found, Sequence):
        raise Bug("source.list does not answer with sources")
    cards = [one for one in found if isinstance(one, SourceCard)]
    heard = [one for one in cards if one.configured or one.first_seen is not None or one.last_error]
    values: dict[str, object] = {
        "heard": heard,
        "others": [one for one in cards if one not in heard],
        "now": front.world.clock.now(),
        "reader": reader,
    }
    return Screen(template="sources.html", title="Sources · Stanch", parts=[part("rows", "sources/rows.html", values)])
