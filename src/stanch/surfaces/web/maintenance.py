"""The page of maintenance windows: which hold and come, and a new one with what it would cover before it is put."""

from collections.abc import Sequence
from typing import Final

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Invalid
from stanch.operations.maintenance import WindowPreview, WindowView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes

LENGTHS: Final = {"1h": "an hour", "2h": "2 hours", "4h": "4 hours", "8h": "8 hours", "1d": "a day"}
RHYTHMS: Final = {
    "": "once, from now",
    "FREQ=DAILY": "every day",
    "FREQ=WEEKLY": "every week",
    "FREQ=MONTHLY": "every month",
}
_ONE: Final = ("name", "why", "matchers", "lasts", "rrule", "first")


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of this page."""
    return screen_routes(front, "/maintenance", list_page)


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the windows and the form for a new one together."""
    over = "over" in asked(request, "over")
    found = await front.ask(request, "maintenance.list", {"over": over}, via=Via.WEB)
    windows = [one for one in found if isinstance(one, WindowView)] if isinstance(found, Sequence) else []
    said = asked(request, *_ONE)
    services = request.query_params.getlist("services")
    values: dict[str, object] = {
        "windows": windows,
        "over": over,
        "preview": None,
        "trouble": "",
        "now": front.world.clock.now(),
        "reader": reader,
    }
    if services or "matchers" in said:
        body = {name: value for name, value in said.items() if name not in ("name", "why")}
        if "rrule" not in body:
            body.pop("first", None)
        try:
            shown = await front.ask(request, "maintenance.preview", {**body, "services": services}, via=Via.WEB)
            values["preview"] = shown if isinstance(shown, WindowPreview) else None
        except Invalid as error:
            values["trouble"] = "; ".join(f"{one.field} {one.message}" for one in error.problems) or error.message
    return Screen(
        template="maintenance.html",
        title="Maintenance · Stanch",
        parts=[part(one, f"maintenance/{one}.html", values) for one in ("rows", "preview")],
        values={
            "said": said,
            "chosen": services,
            "services": list(front.world.catalog.services.values()),
            "lengths": LENGTHS,
            "rhythms": RHYTHMS,
        },
    )
