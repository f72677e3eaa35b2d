"""The form for customers, `/report`, which needs no login; and `/reports`, where those who respond read what came.

Nobody's cookies or name count on the form, so a page from elsewhere gains nothing by posting to it; it is refused all
the same. Where `[report] public` says so, the form is open to everyone who reaches the server.
"""

from collections.abc import Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stanch.alerts.reports.tables import CustomerReport
from stanch.kernel.actor import Via
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused
from stanch.operations.reporting import LONGEST, SHORTEST, take_report
from stanch.operations.world import World
from stanch.surfaces.asgi.body import form_fields
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.sender import sender_of
from stanch.surfaces.asgi.trust import Distrust, Trust
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import page, part
from stanch.surfaces.web.screens import Screen, asked, screen_routes

FORM: Final = "/report"
_ASSETS: Final = "/assets/"
# A field that people do not see and that programs fill in.
_TRAP: Final = "website"
_HEADERS: Final = {"cache-control": "no-store", "x-robots-tag": "noindex"}
_PAGE_OF: Final = 50


def answers_itself(world: World, path: str) -> bool:
    """Tell whether `path` is the form, or what it is drawn with, where it is open to everyone."""
    spec = world.catalog.report
    return spec.enabled and spec.public and (path == FORM or path.startswith(_ASSETS))


def routes(front: Front, *, trust: Trust | None = None) -> list[BaseRoute]:
    """Return the routes of the form and of the list."""
    world = front.world
    guard = trust or Trust()

    async def show(request: Request) -> Response:
        _admit(world, guard, request, method="GET")
        return _form(world, sent="sent" in request.query_params)

    async def take(request: Request) -> Response:
        _admit(world, guard, request, method="POST")
        said = {name: values[0] for name, values in (await form_fields(request)).items()}
        if said.get(_TRAP):
            # Whoever filled that in is told what a person is told, and learns nothing.
            return RedirectResponse(f"{FORM}?sent", status_code=303)
        try:
            await run_in_threadpool(
                take_report,
                world,
                text=said.get("text", ""),
                service=said.get("service", ""),
                contact=said.get("contact", ""),
                sender=sender_of(request, day=f"{world.clock.now():%Y-%m-%d}"),
            )
        except Invalid as error:
            trouble = "; ".join(f"{one.field} {one.message}" for one in error.problems)
            return _form(world, said=said, trouble=trouble, status=400)
        except Refused as error:
            return _form(world, said=said, trouble=f"{error.message}. {error.hint}", status=429)
        return RedirectResponse(f"{FORM}?sent", status_code=303)

    return [
        Route(FORM, show, methods=["GET"]),
        Route(FORM, take, methods=["POST"]),
        *screen_routes(front, "/reports", list_page),
    ]


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of reports together."""
    said = asked(request, "service", "from")
    body = {"service": said.get("service", ""), "before": said.get("from", "0"), "limit": _PAGE_OF}
    found = await front.ask(request, "report.list", body, via=Via.WEB)
    reports = [one for one in found if isinstance(one, CustomerReport)] if isinstance(found, Sequence) else []
    values: dict[str, object] = {
        "reports": reports,
        "service": body["service"],
        "next": reports[-1].id if len(reports) == _PAGE_OF else 0,
        "spec": front.world.catalog.report,
        "now": front.world.clock.now(),
        "reader": reader,
    }
    return Screen(template="reports.html", title="Reports · Stanch", parts=[part("rows", "reports/rows.html", values)])


def _admit(world: World, guard: Trust, request: Request, *, method: str) -> None:
    """Raise where there is no form, under a name that is not ours, or for a form on somebody else's page."""
    spec = world.catalog.report
    if not spec.enabled:
        raise NotFound("there is no form here", hint="[report] enabled says whether there is")
    why = guard.refuse(method=method, headers=Headers(scope=request.scope), peer=None)
    if why in (Distrust.HOST, Distrust.ORIGIN):
        raise Forbidden("send the form from the page of this server", reason=why.value)


def _form(
    world: World, *, said: dict[str, str] | None = None, trouble: str = "", sent: bool = False, status: int = 200
) -> Response:
    values = {
        "said": said or {},
        "trouble": trouble,
        "sent": sent,
        "services": [one for one in world.catalog.services.values() if not one.external],
        "status_page": world.catalog.status_page,
        "trap": _TRAP,
        "shortest": SHORTEST,
        "longest": LONGEST,
    }
    return HTMLResponse(page("report.html", values), status_code=status, headers=_HEADERS)
