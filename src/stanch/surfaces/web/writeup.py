"""The pages of one post-mortem: the text with its charts, its wording, its revisions, a preview, and as a file."""

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.actor import Via
from stanch.kernel.errors import NotFound
from stanch.operations.postmortem import Postmortem
from stanch.operations.writeups import ChartView, Difference, Exported, RevisionView, TemplateView, WordingView
from stanch.review.exporting import chart_in
from stanch.review.rendering import as_html
from stanch.surfaces.asgi.body import form_fields
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import reader_of
from stanch.surfaces.web.render import page
from stanch.surfaces.web.screens import answer, frame

_DIGITS = 9


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    pages = _WriteUp(front)
    return [
        Route("/postmortem/{number}", pages.show, methods=["GET"]),
        Route("/postmortem/{number}/preview", pages.preview, methods=["POST"]),
        Route("/postmortem/{number}/chart/{name}.svg", pages.chart, methods=["GET"]),
        Route("/postmortem/{number}/export/{format}", pages.export, methods=["GET"]),
    ]


class _WriteUp:
    def __init__(self, front: Front) -> None:
        self._front = front

    async def show(self, request: Request) -> Response:
        """Show a revision, by default the newest, with what was changed in it and what in its wording blames."""
        number, revision = _number(request.path_params["number"]), _number(request.query_params.get("revision", "0"))
        told = await self._front.ask(
            request, "postmortem.show", {"incident": number, "revision": revision}, via=Via.WEB
        )
        if not isinstance(told, Postmortem):
            raise NotFound("there is no such page")
        values: dict[str, object] = {
            **frame(self._front, reader_of(request, self._front.world), request),
            "page": told,
            "html": as_html(told.markdown, picture=lambda address: _chart(address, number)),
            "wording": await self._all(
                request, "postmortem.lint", WordingView, incident=number, markdown=told.markdown
            ),
            "history": await self._all(request, "postmortem.history", RevisionView, incident=number),
            "templates": await self._all(request, "postmortem.templates", TemplateView),
            "diff": await self._diff(request, told),
        }
        return answer(page("postmortem.html", values))

    async def preview(self, request: Request) -> Response:
        """Show a text as it would be shown once it is saved, and what in its wording blames. Nothing is saved."""
        number = _number(request.path_params["number"])
        text = (await form_fields(request)).get("markdown", [""])[0]
        values: dict[str, object] = {
            **frame(self._front, reader_of(request, self._front.world), request),
            "number": number,
            "html": as_html(text, picture=lambda address: _chart(address, number)),
            "wording": await self._wording(request, number, text),
        }
        return answer(page("preview.html", values))

    async def chart(self, request: Request) -> Response:
        """Draw one chart."""
        asked = {"incident": _number(request.path_params["number"]), "measure": request.path_params["name"]}
        drawn = await self._front.ask(request, "postmortem.chart", asked, via=Via.WEB)
        if not isinstance(drawn, ChartView):
            raise NotFound("there is no such chart")
        # Its style is its own, and nothing in it is code; a picture is shown without this policy being asked.
        return Response(
            drawn.svg,
            media_type="image/svg+xml",
            headers={"Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'"},
        )

    async def export(self, request: Request) -> Response:
        """Hand out the post-mortem as a file."""
        asked = {"incident": _number(request.path_params["number"]), "format": request.path_params["format"]}
        told = await self._front.ask(request, "postmortem.export", asked, via=Via.WEB)
        if not isinstance(told, Exported):
            raise NotFound("there is no such file")
        headers = {"Content-Disposition": f'attachment; filename="{told.name}"'}
        return Response(told.text, media_type=told.media_type, headers=headers)

    async def _wording(self, request: Request, number: int, text: str) -> list[object]:
        if not text.strip():
            return []
        return await self._all(request, "postmortem.lint", WordingView, incident=number, markdown=text)

    async def _all(self, request: Request, operation: str, kind: type, **asked: object) -> list[object]:
        found = await self._front.ask(request, operation, asked, via=Via.WEB)
        return [one for one in found if isinstance(one, kind)] if isinstance(found, Sequence) else []

    async def _diff(self, request: Request, told: Postmortem) -> list[tuple[str, str]]:
        """Return the lines of what was changed, each with the class it is shown in; nothing for the first revision."""
        if told.revision < 2:
            return []
        asked = {"incident": told.incident, "after": told.revision}
        found = await self._front.ask(request, "postmortem.compare", asked, via=Via.WEB)
        lines = found.diff.splitlines()[2:] if isinstance(found, Difference) else []
        return [({"+": "added", "-": "removed", "@": "place"}.get(line[:1], ""), line) for line in lines]


def _chart(address: str, number: int) -> str:
    name = chart_in(address, incident=number)
    return f"/postmortem/{number}/chart/{name}.svg" if name else ""


def _number(said: str) -> int:
    text = said.upper().removeprefix("INC-")
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise NotFound(f"there is no post-mortem {said[:40]!r}", hint="its page is /postmortem/ and a number")
    return int(text)
