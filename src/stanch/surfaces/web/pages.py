"""The routes of the pages: each page whole, and `…/live`, which sends only the parts that have changed."""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.errors import NotFound, StanchError
from stanch.surfaces.asgi.errors import ErrorDetail
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import PageError
from stanch.surfaces.asgi.trust import Trust
from stanch.surfaces.web import (
    agents,
    alerts,
    answers,
    assets,
    automatic,
    comms,
    figures,
    forms,
    gamedays,
    items,
    ledger,
    maintenance,
    oncall,
    report,
    runbooks,
    services,
    silences,
    sources,
    statuspage,
    writeup,
)
from stanch.surfaces.web.incident import IncidentPage, load_incident
from stanch.surfaces.web.overview import OverviewPage, load_overview
from stanch.surfaces.web.reader import Reader, reader_of
from stanch.surfaces.web.render import page
from stanch.surfaces.web.screens import answer, by_name, changed, frame


def routes(front: Front, *, trust: Trust | None = None) -> list[BaseRoute]:
    """Return the routes of every page, of what their forms post to, and of their files.

    `trust` is asked by the form for customers, which is open to others than the pages.
    """
    pages = Pages(front)
    return [
        Route("/", pages.overview, methods=["GET"]),
        Route("/live", pages.overview_live, methods=["GET"]),
        Route("/i/{number}", pages.incident, methods=["GET"]),
        Route("/i/{number}/live", pages.incident_live, methods=["GET"]),
        *comms.routes(front),
        *alerts.routes(front),
        *silences.routes(front),
        *maintenance.routes(front),
        *sources.routes(front),
        *services.routes(front),
        *runbooks.routes(front),
        *automatic.routes(front),
        *agents.routes(front),
        *writeup.routes(front),
        *items.routes(front),
        *figures.routes(front),
        *gamedays.routes(front),
        *report.routes(front, trust=trust),
        *statuspage.routes(front, trust=trust),
        *ledger.routes(front),
        *oncall.routes(front),
        *answers.routes(front),
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
        values = {
            **frame(front, reader, request),
            "error": detail,
            "status": status,
            "phrase": HTTPStatus(status).phrase,
        }
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
        values = {**frame(self._front, reader, request), "page": shown, "parts": by_name(shown.parts()), "seq": seq}
        return answer(page("overview.html", values))

    async def overview_live(self, request: Request) -> Response:
        """Send the parts of the overview that have changed."""
        shown: OverviewPage = await load_overview(self._front, request, reader_of(request, self._front.world))
        return changed(request, shown.parts(), title=shown.title)

    async def incident(self, request: Request) -> Response:
        """Show one incident."""
        reader = reader_of(request, self._front.world)
        shown = await load_incident(self._front, request, reader, _number(request), show=_show(request))
        values = {**frame(self._front, reader, request), "page": shown, "parts": by_name(shown.parts())}
        return answer(page("incident.html", values))

    async def incident_live(self, request: Request) -> Response:
        """Send the parts of the incident that have changed, and the entries since `after`."""
        reader = reader_of(request, self._front.world)
        shown: IncidentPage = await load_incident(self._front, request, reader, _number(request), after=_after(request))
        return changed(request, shown.parts(), title=shown.title, shown=shown)


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
