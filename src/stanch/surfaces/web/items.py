"""The page of action items: what is to be done, by whom, until when; of all incidents, or of one."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Invalid
from stanch.operations.items import ItemView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes

_DIGITS = 9


def routes(front: Front) -> list[BaseRoute]:
    """Return the route of this page."""
    return [*screen_routes(front, "/items", list_page)]


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list together: what is open, or everything; of one incident or one person where the address says so."""
    said = asked(request, "incident", "owner", "all")
    number = _number(said.get("incident", ""))
    query = {"incident": number, "owner": said.get("owner", ""), "open_only": "all" not in said}
    found = await front.ask(request, "item.list", query, via=Via.WEB)
    values: dict[str, object] = {
        "items": [one for one in found if isinstance(one, ItemView)] if isinstance(found, Sequence) else [],
        "owners": sorted(front.world.catalog.people),
        "trackers": bool(front.world.catalog.trackers),
        "number": number,
        "here": "/items" + (f"?incident={number}" if number else ""),
    }
    rows = part("rows", "items/rows.html", values)
    values["said"] = said
    return Screen(template="items.html", title="To do · Stanch", parts=[rows], values=values, every=30)


def _number(text: str) -> int | None:
    digits = text.upper().removeprefix("INC-")
    if digits and not (digits.isascii() and digits.isdecimal() and len(digits) <= _DIGITS):
        raise Invalid("is a number or INC- and a number", field="incident")
    return int(digits) if digits else None
