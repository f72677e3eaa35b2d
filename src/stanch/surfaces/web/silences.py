"""The pages of silences: the list, and a new one with what it would keep quiet before it is put."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug, Invalid
from stanch.operations.board.selecting import SilenceDraft
from stanch.operations.board.views import AlertPage
from stanch.operations.silencing import SilencePreview, SilenceView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes

_MOST_SHOWN: Final = 100
# Asked for again while somebody types; the terminal looks at all.
_MOST_LOOKED_AT: Final = 5_000
LENGTHS: Final = {"30m": "30 minutes", "2h": "2 hours", "8h": "8 hours", "1d": "a day", "7d": "a week"}


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [*screen_routes(front, "/silences", list_page), *screen_routes(front, "/silences/new", new_page)]


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of silences together."""
    expired = "expired" in asked(request, "expired")
    found = await front.ask(request, "silence.list", {"expired": expired}, via=Via.WEB)
    if not isinstance(found, Sequence):
        raise Bug("silence.list does not answer with silences")
    silences = [one for one in found if isinstance(one, SilenceView)]
    values: dict[str, object] = {
        "silences": silences,
        "expired": expired,
        "now": front.world.clock.now(),
        "reader": reader,
    }
    return Screen(
        template="silences.html", title="Silences · Stanch", parts=[part("rows", "silences/rows.html", values)]
    )


async def new_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the form for a new silence together, drafted from the alerts that the address names."""
    said = asked(request, "matchers", "lasts", "comment")
    alerts = request.query_params.getlist("alert")
    matchers, trouble = said.get("matchers", ""), ""
    left_out: tuple[str, ...] = ()
    values: dict[str, object] = {"preview": None, "page": None, "now": front.world.clock.now(), "reader": reader}
    try:
        if alerts and not matchers:
            drafted = await front.ask(request, "silence.draft", {"alerts": alerts}, via=Via.WEB)
            if isinstance(drafted, SilenceDraft):
                matchers, left_out = drafted.matchers, drafted.left_out
        if matchers:
            values |= await _preview(front, request, matchers)
    except Invalid as error:
        trouble = "; ".join(one.message for one in error.problems) or error.message
    values |= {"matchers": matchers, "left_out": left_out, "trouble": trouble}
    return Screen(
        template="silence_new.html",
        title="New silence · Stanch",
        parts=[part("preview", "silences/preview.html", values)],
        values={
            "matchers": matchers,
            "comment": said.get("comment", ""),
            "lasts": said.get("lasts", "2h"),
            "lengths": LENGTHS,
        },
        every=30,
    )


async def _preview(front: Front, request: Request, matchers: str) -> dict[str, object]:
    asked_for = {"matchers": matchers, "most": _MOST_LOOKED_AT}
    preview = await front.ask(request, "silence.preview", asked_for, via=Via.WEB)
    body = {"matchers": matchers, "state": "firing", "limit": _MOST_SHOWN}
    firing = await front.ask(request, "alert.list", body, via=Via.WEB)
    if not isinstance(preview, SilencePreview) or not isinstance(firing, AlertPage):
        raise Bug("a preview is missing")
    return {"preview": preview, "firing": firing.alerts, "more": bool(firing.next)}
