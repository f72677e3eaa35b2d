"""What the on-call page says besides who is on now: at a chosen time, what comes next, overrides; and its past."""

from collections.abc import Sequence
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.operations.oncall.changing import OverrideView
from stanch.operations.oncall.replaying import History
from stanch.operations.oncall.views import Handover, OnCallAnswer
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.forms import in_utc
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import Part, part
from stanch.surfaces.web.screens import Screen, asked, screen_routes

T = TypeVar("T")

_NEXT: Final = 8


def routes(front: Front) -> list[BaseRoute]:
    """Return the route of the past."""
    return screen_routes(front, "/oncall/history", history_page)


async def rota_parts(front: Front, request: Request, values: dict[str, object]) -> list[Part]:
    """Return the parts; `values` gets what the address asks for, and is what the page has for its other parts."""
    said = asked(request, "at", "schedule")
    which = {name: value for name, value in said.items() if name == "schedule"}
    values["asked_at"] = said.get("at", "")
    values["chosen"] = None
    if "at" in said:
        answer = await front.ask(request, "oncall.at", {**which, "at": in_utc(said["at"])}, via=Via.WEB)
        values["chosen"] = answer if isinstance(answer, OnCallAnswer) else None
    changes = await front.ask(request, "oncall.next", {**which, "count": _NEXT}, via=Via.WEB)
    values["changes"] = _all(Handover, changes)
    made = await front.ask(request, "oncall.overrides", which, via=Via.WEB)
    values["overrides"] = _all(OverrideView, made)
    return [
        part("chosen", "oncall/chosen.html", values),
        part("next", "oncall/next.html", values),
        part("overrides", "oncall/overrides.html", values),
    ]


async def history_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the past together: what was declared, whom it paged, and whom it would page as it is configured now."""
    days = asked(request, "start", "end")
    said = {name: in_utc(text) for name, text in days.items()}
    found = await front.ask(request, "oncall.history", said, via=Via.WEB)
    people = front.world.catalog.people
    values = {
        "history": found if isinstance(found, History) else None,
        "names": {one.id: one.name for one in people.values()},
        "said": days,
        "reader": reader,
        "now": front.world.clock.now(),
    }
    return Screen(
        template="oncall_history.html",
        title="On call in the past · Stanch",
        parts=[part("history", "oncall/history.html", values)],
        values=values,
        followed=False,
    )


def _all(kind: type[T], found: object) -> list[T]:
    return [one for one in found if isinstance(one, kind)] if isinstance(found, Sequence) else []
