"""The pages of runbooks: all of them, and one, filled in for an incident, with its checks and its changes to press."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug, Invalid
from stanch.operations.runbooks.views import MatchView, RunbookCard, RunbookView
from stanch.review.rendering import as_html
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [*screen_routes(front, "/runbooks", list_page), *screen_routes(front, "/runbooks/{name}", runbook_page)]


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of runbooks together; for an incident, what fits it stands first."""
    said = asked(request, "text", "incident")
    number = _number(said)
    found = await front.ask(request, "runbook.list", {"text": said.get("text", "")}, via=Via.WEB)
    fitting = await front.ask(request, "runbook.match", {"incident": number}, via=Via.WEB) if number else ()
    values: dict[str, object] = {
        "runbooks": [one for one in found if isinstance(one, RunbookCard)] if isinstance(found, Sequence) else [],
        "fitting": [one for one in fitting if isinstance(one, MatchView)] if isinstance(fitting, Sequence) else [],
        "number": number,
    }
    rows = part("rows", "runbook/rows.html", values)
    return Screen(template="runbooks.html", title="Runbooks · Stanch", parts=[rows], values={"said": said}, every=30)


async def runbook_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page of one runbook together."""
    number = _number(asked(request, "incident"))
    asks = {"runbook": request.path_params["name"], "incident": number}
    view = await front.ask(request, "runbook.show", asks, via=Via.WEB)
    if not isinstance(view, RunbookView):
        raise Bug("runbook.show answered with something else")
    values: dict[str, object] = {
        "view": view,
        "number": number,
        "sections": [(section, as_html(section.markdown)) for section in view.sections],
        "here": f"/runbooks/{view.card.id}" + (f"?incident={number}" if number else ""),
    }
    parts = [part(one, f"runbook/{one}.html", values) for one in ("text", "blocks")]
    return Screen(template="runbook.html", title=f"{view.card.title} · Stanch", parts=parts, values={"view": view})


def _number(said: dict[str, str]) -> int | None:
    text = said.get("incident", "")
    if text and not (text.isascii() and text.isdigit() and len(text) < 10):
        raise Invalid("is a number", field="incident")
    return int(text) if text else None
