"""The routes of the pages: each page whole, and `…/live`, which sends only the parts that have changed."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.actor import Via
from stanch.kernel.errors import NotFound, StanchError
from stanch.operations.postmortem import Postmortem
from stanch.surfaces.asgi.errors import ErrorDetail
from stanch.surfaces.asgi.etag import tagged
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import PageError
from stanch.surfaces.web import assets, forms
from stanch.surfaces.web.incident import IncidentPage, load_incident
from stanch.surfaces.web.markdown import as_html
from stanch.surfaces.web.overview import OverviewPage, load_overview
from stanch.surfaces.web.reader import Reader, reader_of
from stanch.surfaces.web.render import Part, page

_HTML = "text/html; charset=utf-8"


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of every page, of what their forms post to, and of their files."""
    pages = Pages(front)
    return [
        Route("/", pages.overview, methods=["GET"]),
        Route("/live", pages.overview_live, methods=["GET"]),
        Route("/i/{number}", pages.incident, methods=["GET"]),
        Route("/i/{number}/live", pages.incident_live, methods=["GET"]),
        Route("/postmortem/{number}", pages.postmortem, methods=["GET"]),
        *forms.routes(front),
        *assets.routes(),
    ]


def page_error(front: Front) -> PageError:
    """Return what renders an error for a browser that navigates."""

    def render(request: Request, detail: ErrorDetail, status: int) -> Response:
        try:
            reader = reader_of(request, front.world)
        except StanchError:
            reader = Reader(person="", name="", theme="", zone="local")
        values = {**_frame(front, reader), "error": detail, "status": status, "phrase": HTTPStatus(status).phrase}
        return HTMLResponse(page("error.html", values), status_code=status)

    return render


class Pages:
    """The handlers of the pages of one front."""

    def __init__(self, front: Front) -> None:
        self._front = front

    async def overview(self, request: Request) -> Response:
        """Show what is wrong now."""
        reader = reader_of(request, self._front.world)
        shown = await load_overview(self._front, request, reader)
        seq = await self._front.live.head()
        values = {**_frame(self._front, reader), "page": shown, "parts": _by_name(shown.parts()), "seq": seq}
        return _page(page("overview.html", values))

    async def overview_live(self, request: Request) -> Response:
        """Send the parts of the overview that have changed."""
        shown: OverviewPage = await load_overview(self._front, request, reader_of(request, self._front.world))
        return self._changed(request, shown.parts(), title=shown.title)

    async def incident(self, request: Request) -> Response:
        """Show one incident."""
        reader = reader_of(request, self._front.world)
        shown = await load_incident(self._front, request, reader, _number(request), show=_show(request))
        values = {**_frame(self._front, reader), "page": shown, "parts": _by_name(shown.parts())}
        return _page(page("incident.html", values))

    async def incident_live(self, request: Request) -> Response:
        """Send the parts of the incident that have changed, and the entries since `after`."""
        reader = reader_of(request, self._front.world)
        shown: IncidentPage = await load_incident(self._front, request, reader, _number(request), after=_after(request))
        return self._changed(request, shown.parts(), title=shown.title, page=shown)

    async def postmortem(self, request: Request) -> Response:
        """Show the write-up of one incident."""
        reader = reader_of(request, self._front.world)
        answer = await self._front.ask(request, "postmortem.show", {"incident": _number(request)}, via=Via.WEB)
        if not isinstance(answer, Postmortem):
            raise NotFound("there is no such page")
        values = {**_frame(self._front, reader), "page": answer, "html": as_html(answer.markdown)}
        return _page(page("postmortem.html", values))

    def _changed(
        self, request: Request, parts: Sequence[Part], *, title: str, page: IncidentPage | None = None
    ) -> Response:
        known = set(request.query_params.get("v", "").split(","))
        changed = [part for part in parts if f"{part.name}:{part.version}" not in known]
        body = render_live(changed, title=title, shown=page)
        return tagged(request, body.encode(), media_type=_HTML)


def render_live(changed: Sequence[Part], *, title: str, shown: IncidentPage | None) -> str:
    """Return the document that a page's script takes its new parts from."""
    return page("live.html", {"changed": changed, "title": title, "page": shown})


def _frame(front: Front, reader: Reader) -> Mapping[str, object]:
    people = sorted(front.world.catalog.people.values(), key=lambda person: person.id)
    return {"reader": reader, "people": people, "now": front.world.clock.now(), "drill": front.world.catalog.drill}


def _page(body: str) -> Response:
    return Response(body, media_type=_HTML, headers={"cache-control": "no-store"})


def _by_name(parts: Sequence[Part]) -> dict[str, Part]:
    return {part.name: part for part in parts}


def _show(request: Request) -> str:
    return request.query_params.get("show", "")


def _number(request: Request) -> int:
    text = request.path_params["number"].upper().removeprefix("INC-")
    if not (text.isascii() and text.isdecimal() and len(text) < 10):
        raise NotFound(f"there is no incident {text[:40]!r}", hint="an incident's page is /i/ and its number")
    return int(text)


def _after(request: Request) -> int:
    text = request.query_params.get("after", "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 16 else 0
