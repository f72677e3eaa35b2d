"""What most pages are: parts that are swapped when they change, at an address that says what is shown.

A page is served twice: whole, and at `<path>/live`, which sends only the parts that differ from those the page has. Of
the address, `after` and `v` are taken there: where the page's script is in the log, and which parts it has.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from stanch.surfaces.asgi.etag import tagged
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.nav import PLACES, current
from stanch.surfaces.web.reader import Reader, reader_of
from stanch.surfaces.web.render import Part, page

HTML: Final = "text/html; charset=utf-8"


@dataclass(frozen=True, kw_only=True)
class Screen:
    """What a page shows, to one reader. `values` are for the page around the parts; `every` is how often it asks (s).

    A page that is not `followed` is shown once.
    """

    template: str
    title: str
    parts: Sequence[Part]
    values: Mapping[str, object] = field(default_factory=dict)
    every: int = 5
    followed: bool = True


Load = Callable[[Front, Request, Reader], Awaitable[Screen]]


def screen_routes(front: Front, path: str, load: Load) -> list[BaseRoute]:
    """Return the routes of the page at `path` that `load` puts together."""

    async def whole(request: Request) -> Response:
        reader = reader_of(request, front.world)
        screen = await load(front, request, reader)
        values = {
            **frame(front, reader, request),
            **screen.values,
            "screen": screen,
            "parts": by_name(screen.parts),
            "live": _live(request) if screen.followed else "",
            "seq": await front.live.head(),
            "follows": screen.followed,
        }
        return answer(page(screen.template, values))

    async def live(request: Request) -> Response:
        screen = await load(front, request, reader_of(request, front.world))
        return changed(request, screen.parts, title=screen.title)

    return [Route(f"{path}/live", live, methods=["GET"]), Route(path, whole, methods=["GET"])]


def frame(front: Front, reader: Reader, request: Request | None = None) -> dict[str, object]:
    """Return what the frame around every page needs: reader, people, time, where one is and can go."""
    people = sorted(front.world.catalog.people.values(), key=lambda person: person.id)
    place = current(request.url.path) if request is not None else None
    return {
        "reader": reader,
        "people": people,
        "now": front.world.clock.now(),
        "drill": front.world.catalog.drill,
        "places": PLACES,
        "place": place,
        "here": _here(request) if request is not None else "/",
    }


def changed(request: Request, parts: Sequence[Part], *, title: str, shown: object = None) -> Response:
    """Return the parts that differ from those that the page has; `shown` brings new entries of a time line."""
    known = set(request.query_params.get("v", "").split(","))
    fresh = [part for part in parts if f"{part.name}:{part.version}" not in known]
    body = page("live.html", {"changed": fresh, "title": title, "page": shown})
    return tagged(request, body.encode(), media_type=HTML)


def answer(body: str) -> Response:
    """Return a whole page; no cache keeps it."""
    return HTMLResponse(body, headers={"cache-control": "no-store"})


def by_name(parts: Sequence[Part]) -> dict[str, Part]:
    """Return parts by their names."""
    return {part.name: part for part in parts}


def asked(request: Request, *names: str) -> dict[str, str]:
    """Return what the address says under these names, without blanks around it and without what is empty."""
    found = {name: request.query_params.get(name, "").strip() for name in names}
    return {name: value for name, value in found.items() if value}


def _live(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}/live{query}"


def _here(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"
