"""The pages about alerts: the list with its filters in the address, one alert, the groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlencode

from starlette.requests import Request
from starlette.routing import BaseRoute

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug, Invalid
from stanch.kernel.moment import read_since
from stanch.operations.board.views import AlertPage, AlertView, GroupPage
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes

# The word in the address and the word to read. Without one the page shows what fires.
STATES: Final = {
    "": "Firing",
    "active": "Not kept quiet",
    "suppressed": "Kept quiet",
    "resolved": "Resolved",
    "all": "All",
}
SPANS: Final = {"1h": "last hour", "24h": "last day", "7d": "last week", "30d": "last month"}
SEVERITIES: Final = ("critical", "page", "error", "warning", "info")
_FILTERS: Final = ("state", "service", "source", "severity", "name", "text", "matchers", "since", "until", "from")


@dataclass(frozen=True, kw_only=True)
class Filters:
    """What the list is narrowed to, as the address says it."""

    said: Mapping[str, str]

    def __getitem__(self, name: str) -> str:
        """Return one filter, empty where the address does not say it."""
        return self.said.get(name, "")

    def link(self, **changed: str) -> str:
        """Return the address with some filters changed; it begins at the newest again unless `from` is given."""
        told = {**self.said, "from": "", **changed}
        query = urlencode({name: told[name] for name in _FILTERS if told.get(name)})
        return f"/alerts?{query}" if query else "/alerts"

    def older(self, place: str) -> str:
        """Return the address of the part that begins after `place`."""
        return self.link(**{"from": place})

    @property
    def narrowed(self) -> list[tuple[str, str, str]]:
        """Return what narrows the list: the filter, its value, and the address without it."""
        shown = [name for name in _FILTERS if name not in ("state", "from") and self[name]]
        return [(name, self[name], self.link(**{name: ""})) for name in shown]


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of these pages."""
    return [
        *screen_routes(front, "/alerts", list_page),
        *screen_routes(front, "/groups", groups_page),
        *screen_routes(front, "/alerts/{id}", alert_page),
    ]


async def list_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of alerts together."""
    filters = Filters(said=asked(request, *_FILTERS))
    trouble = ""
    try:
        found = await front.ask(request, "alert.list", _question(front, filters), via=Via.WEB)
    except Invalid as error:
        trouble = "; ".join(f"{one.field}: {one.message}" for one in error.problems) or error.message
        found = await front.ask(request, "alert.list", {"limit": 1, "state": "firing"}, via=Via.WEB)
    if not isinstance(found, AlertPage):
        raise Bug("alert.list does not answer with a page of alerts")
    values: dict[str, object] = {
        "page": found,
        "filters": filters,
        "trouble": trouble,
        "states": STATES,
        "now": front.world.clock.now(),
        "reader": reader,
    }
    firing = f"{found.counts.firing:,}{'+' if found.counts.capped else ''}"
    return Screen(
        template="alerts.html",
        title=f"{firing} firing · Alerts · Stanch",
        parts=[part("tally", "alerts/tally.html", values), part("rows", "alerts/rows.html", values)],
        values={
            "filters": filters,
            "services": found.services,
            "sources": found.sources,
            "severities": SEVERITIES,
            "spans": SPANS,
        },
    )


async def alert_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page of one alert together."""
    found = await front.ask(request, "alert.show", {"id": request.path_params["id"]}, via=Via.WEB)
    if not isinstance(found, AlertView):
        raise Bug("alert.show does not answer with an alert")
    values: dict[str, object] = {"view": found, "alert": found.alert, "now": front.world.clock.now(), "reader": reader}
    return Screen(
        template="alert.html",
        title=f"{found.alert.state.value} · {found.alert.title or found.alert.name} · Stanch",
        parts=[part(name, f"alert/{name}.html", values) for name in ("head", "became", "facts", "history", "similar")],
        values={"alert": found.alert},
    )


async def groups_page(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the list of groups together."""
    said = asked(request, "receiver", "from")
    body = {"receiver": said.get("receiver", ""), "after": said.get("from", "0")}
    found = await front.ask(request, "group.list", body, via=Via.WEB)
    if not isinstance(found, GroupPage):
        raise Bug("group.list does not answer with groups")
    values: dict[str, object] = {
        "page": found,
        "receiver": said.get("receiver", ""),
        "now": front.world.clock.now(),
        "reader": reader,
        "next": f"/groups?{urlencode({**said, 'from': found.next})}" if found.next else "",
    }
    return Screen(template="groups.html", title="Groups · Stanch", parts=[part("rows", "groups/rows.html", values)])


def matching(matchers: str) -> str:
    """Return the address of the list of alerts that matchers select."""
    return f"/alerts?matchers={quote(matchers)}"


def _question(front: Front, filters: Filters) -> dict[str, object]:
    """Return what to ask for. Raises `Invalid` for a time that cannot be read."""
    body: dict[str, object] = {name: filters[name] for name in _FILTERS if filters[name] and name != "from"}
    body["after"] = filters["from"]
    body["state"] = {"": "firing", "all": ""}.get(filters["state"], filters["state"])
    for name in ("since", "until"):
        if filters[name]:
            read = read_since(filters[name], now=front.world.clock.now(), zone=front.world.catalog.zone)
            if read is None:
                raise Invalid("say it like 2h, 14:30 or 2026-11-21T14:30Z", field=name)
            body[name] = read.at
    return body
