"""The ledger's pages: who was paged, one page with every notice and attempt, whether everybody can be reached."""

from collections.abc import Sequence
from typing import TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug, NotFound
from stanch.operations.oncall.contacts import ContactView
from stanch.operations.oncall.pages import PageCard, PageView
from stanch.operations.oncall.readiness import Readiness
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, screen_routes

T = TypeVar("T")

_MOST = 100


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [
        *screen_routes(front, "/pages", list_page),
        *screen_routes(front, "/pages/{number}", one_page),
    ]


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of pages together, with what is not ready."""
    cards = _only(PageCard, await front.ask(request, "page.list", {"limit": _MOST}, via=Via.WEB))
    ready = await front.ask(request, "oncall.readiness", {}, via=Via.WEB)
    contacts = _only(ContactView, await front.ask(request, "contact.list", {}, via=Via.WEB))
    if not isinstance(ready, Readiness):
        raise Bug("oncall.readiness does not answer with a readiness")
    now = front.world.clock.now()
    return Screen(
        template="pages.html",
        title="Pages · Stanch",
        parts=[
            part("rows", "pages/rows.html", {"cards": cards, "now": now}),
            part("ready", "pages/ready.html", {"ready": ready, "contacts": contacts, "reader": reader, "now": now}),
        ],
    )


async def one_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put one page together."""
    text = request.path_params["number"]
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound(f"there is no page {text[:40]!r}", hint="all of them: /pages")
    found = await front.ask(request, "page.show", {"page": int(text)}, via=Via.WEB)
    if not isinstance(found, PageView):
        raise Bug("page.show does not answer with a page")
    values = {"view": found, "card": found.card, "reader": reader, "now": front.world.clock.now()}
    return Screen(
        template="page.html",
        title=f"Page {found.card.number} · Stanch",
        parts=[part("page", "pages/page.html", values)],
    )


def _only(kind: type[T], found: object) -> list[T]:
    return [one for one in found if isinstance(one, kind)] if isinstance(found, Sequence) else []
