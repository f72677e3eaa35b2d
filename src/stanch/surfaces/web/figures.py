"""The page of figures: how long incidents took, what came back, what alerts and pages were worth; and as CSV."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug, Invalid
from stanch.operations.figures import Figures, FiguresFile, GroupFigures
from stanch.review.figures.model import By, Spread
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.bars import bar, count_bar
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, asked, screen_routes
from stanch.surfaces.web.words import seconds

TIMES: Final = {"30": "a month", "90": "three months", "365": "a year", "1095": "three years"}
_USUAL: Final = "365"
_TITLES: Final = {
    "detect": "Detected after",
    "acknowledge": "Acknowledged after",
    "mitigate": "Mitigated after",
    "resolve": "Resolved after",
}


@dataclass(frozen=True, kw_only=True)
class Cell:
    """One figure of a row: what it says, over how many incidents where that is not all, and its bar."""

    title: str
    text: str
    note: str
    bar: Markup


@dataclass(frozen=True, kw_only=True)
class Line:
    """A row of the table: the figures of one group."""

    name: str
    of: GroupFigures
    count: Markup
    cells: tuple[Cell, ...]


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of this page and of its file."""

    async def sheet(request: Request) -> Response:
        told = await front.ask(request, "figures.export", _query(front, request), via=Via.WEB)
        if not isinstance(told, FiguresFile):
            raise Bug("figures.export does not answer with a file")
        headers = {"Content-Disposition": f'attachment; filename="{told.name}"'}
        return Response(told.text, media_type=told.media_type, headers=headers)

    return [Route("/figures.csv", sheet, methods=["GET"]), *screen_routes(front, "/figures", load)]


async def load(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the page together for the time and the grouping that the address says."""
    told = await front.ask(request, "figures.show", _query(front, request), via=Via.WEB)
    if not isinstance(told, Figures):
        raise Bug("figures.show does not answer with figures")
    values: dict[str, object] = {
        "told": told,
        "lines": lines_of(told.groups),
        "overall": lines_of((told.overall,))[0],
        "titles": list(_TITLES.values()),
        "choices": [one.value for one in By],
        "times": TIMES,
        "days": _days(request),
        "drills": "drills" in asked(request, "drills"),
    }
    shown = part("figures", "figures/figures.html", values)
    return Screen(template="figures.html", title="Figures · Stanch", parts=[shown], values=values, every=60)


def lines_of(groups: Sequence[GroupFigures]) -> list[Line]:
    """Return the rows of the table; the bars of one column share a scale, which ends at its longest 90th percentile."""
    longest = {
        name: max((spread.p90_s or 0.0 for one in groups for key, spread in _spreads(one) if key == name), default=0.0)
        for name in _TITLES
    }
    most = max((one.incidents for one in groups), default=0)
    return [
        Line(
            name=one.name,
            of=one,
            count=count_bar(one.incidents, most=most, label=f"{one.incidents} incidents"),
            cells=tuple(_cell(one, name, spread, longest[name]) for name, spread in _spreads(one)),
        )
        for one in groups
    ]


def _spreads(one: GroupFigures) -> Iterator[tuple[str, Spread]]:
    yield "detect", one.detect
    yield "acknowledge", one.acknowledge
    yield "mitigate", one.mitigate
    yield "resolve", one.resolve


def _cell(one: GroupFigures, name: str, of: Spread, longest: float) -> Cell:
    if of.median_s is None or of.p90_s is None:
        return Cell(title=_TITLES[name], text="not known", note="", bar=Markup(""))
    text = f"{seconds(of.median_s)}, 90 % within {seconds(of.p90_s)}"
    note = f"known of {of.known}" if of.known != one.incidents else ""
    return Cell(
        title=_TITLES[name], text=text, note=note, bar=bar(of, longest=longest, label=f"{_TITLES[name]} {text}")
    )


def _query(front: Front, request: Request) -> dict[str, object]:
    said = asked(request, "by", "drills")
    until = front.world.clock.now()
    since = until - timedelta(days=int(_days(request)))
    return {"by": said.get("by", By.SERVICE.value), "since": since, "until": until, "drills": "drills" in said}


def _days(request: Request) -> str:
    days = asked(request, "days").get("days", _USUAL)
    if days not in TIMES:
        raise Invalid(f"is one of {', '.join(TIMES)}", field="days")
    return days
