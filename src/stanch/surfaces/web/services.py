"""The pages of services and of what changed: all of them, and one with what is wrong and what changed about it."""

from collections.abc import Sequence
from typing import Final, TypeVar

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Invalid, NotFound
from stanch.kernel.moment import read_since
from stanch.operations.board.views import AlertPage
from stanch.operations.views import IncidentCard, ServiceCard
from stanch.ports.changes import Change
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes

T = TypeVar("T")

SPANS: Final = {"1h": "last hour", "24h": "last day", "7d": "last week", "30d": "last month"}
_MOST_CHANGES: Final = 200
_MOST_HERE: Final = 10


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [
        *screen_routes(front, "/services", services_page),
        *screen_routes(front, "/s/{name}", service_page),
        *screen_routes(front, "/changes", changes_page),
    ]


async def services_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of services together."""
    found = await front.ask(request, "service.list", {}, via=Via.WEB)
    values: dict[str, object] = {"services": _only(ServiceCard, found), "now": front.world.clock.now()}
    return Screen(
        template="services.html", title="Services · Stanch", parts=[part("rows", "services/rows.html", values)]
    )


async def service_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page of one service together."""
    name = request.path_params["name"]
    cards = _only(ServiceCard, await front.ask(request, "service.list", {}, via=Via.WEB))
    card = next((one for one in cards if one.name == name), None)
    if card is None:
        raise NotFound(f"there is no service {name[:60]!r}", hint="see the list: stanch service list")
    now = front.world.clock.now()
    alerts = await front.ask(request, "alert.list", {"service": name, "limit": _MOST_HERE}, via=Via.WEB)
    changes = await _changes(front, request, service=name, since="30d")
    incidents = _only(IncidentCard, await front.ask(request, "incident.list", {"limit": 200}, via=Via.WEB))
    values: dict[str, object] = {
        "service": card,
        "description": front.world.catalog.services[name].description,
        "used_by": [one.name for one in cards if name in one.depends_on],
        "alerts": alerts.alerts if isinstance(alerts, AlertPage) else (),
        "changes": changes[:_MOST_HERE],
        "incidents": [one for one in incidents if name in one.services][:_MOST_HERE],
        "now": now,
        "reader": reader,
    }
    parts = [part(one, f"service/{one}.html", values) for one in ("head", "wrong", "changed")]
    return Screen(template="service.html", title=f"{card.title} · Stanch", parts=parts, values={"service": card})


async def changes_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of changes together, its filters in the address."""
    said = asked(request, "service", "since", "text")
    trouble = ""
    found: list[Change] = []
    try:
        found = await _changes(front, request, service=said.get("service", ""), since=said.get("since", "24h"))
    except Invalid as error:
        trouble = "; ".join(one.message for one in error.problems) or error.message
    words = said.get("text", "").lower()
    found = [one for one in found if words in f"{one.title} {one.version} {one.author} {one.commit}".lower()]
    values: dict[str, object] = {
        "changes": found[:_MOST_CHANGES],
        "more": len(found) > _MOST_CHANGES,
        "trouble": trouble,
        "since": SPANS.get(said.get("since", "24h"), said.get("since", "")),
        "now": front.world.clock.now(),
        "reader": reader,
    }
    return Screen(
        template="changes.html",
        title="Changes · Stanch",
        parts=[part("rows", "changes/rows.html", values)],
        values={"said": said, "spans": SPANS, "services": list(front.world.catalog.services)},
    )


async def _changes(front: Front, request: Request, *, service: str, since: str) -> list[Change]:
    read = read_since(since, now=front.world.clock.now(), zone=front.world.catalog.zone)
    if read is None:
        raise Invalid("say it like 2h, 14:30 or 2026-11-21T14:30Z", field="since")
    found = await front.ask(request, "change.list", {"service": service, "since": read.at}, via=Via.WEB)
    return _only(Change, found)


def _only(kind: type[T], answer: object) -> list[T]:
    return [one for one in answer if isinstance(one, kind)] if isinstance(answer, Sequence) else []
