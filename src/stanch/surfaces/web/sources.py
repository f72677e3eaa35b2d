"""The page of sources: who posts, when last, what was wrong, how to point one at us; and what we ask, such as Sentry.

What is asked is tried when a person looks, and not while a page stands open: each look costs calls there.
"""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug
from stanch.operations.senders import SourceCard
from stanch.operations.trying import Tried
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes


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
    looks = bool(asked(request, "look"))
    tried: object = ()
    if looks:
        tried = await front.ask(request, "system.list", {}, via=Via.WEB)
    outward: dict[str, object] = {
        "systems": sorted(front.world.catalog.systems.values(), key=lambda one: one.name),
        "model": front.world.catalog.thinker,
        "tried": [one for one in tried if isinstance(one, Tried)] if isinstance(tried, Sequence) else [],
        "looks": looks,
        "reader": reader,
    }
    parts = [part("rows", "sources/rows.html", values), part("asked", "sources/asked.html", outward)]
    return Screen(template="sources.html", title="Sources · Stanch", parts=parts, followed=not looks)
