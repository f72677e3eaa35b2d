"""The overview: what is broken, how bad, since when, what changed, what to do first."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from starlette.requests import Request

from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug
from stanch.operations.views import IncidentCard, Overview, SeriesView
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.chart import excess
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import Part, part

# One small line for each of the worst incidents; every one costs a query.
_MOST_SPARKS: Final = 3


@dataclass(frozen=True, kw_only=True)
class OverviewPage:
    """What the overview shows, to whom, with one series per incident number."""

    overview: Overview
    sparks: dict[int, SeriesView]
    reader: Reader
    now: datetime

    @property
    def title(self) -> str:
        """Return what stands in the browser's tab."""
        worst = self.overview.incidents[0] if self.overview.incidents else None
        return f"{worst.severity} {worst.title} · Stanch" if worst else "All quiet · Stanch"

    def parts(self) -> list[Part]:
        """Return the parts that live."""
        values = {"overview": self.overview, "sparks": self.sparks, "reader": self.reader, "now": self.now}
        return [part(name, f"overview/{name}.html", values) for name in ("incidents", "services", "recent")]


async def load_overview(front: Front, request: Request, reader: Reader) -> OverviewPage:
    """Ask for everything that the overview shows."""
    answer = await front.ask(request, "incident.overview", {}, via=Via.WEB)
    if not isinstance(answer, Overview):
        raise Bug("incident.overview does not answer with an overview")
    sparks = {}
    for card in answer.incidents[:_MOST_SPARKS]:
        if (found := await _spark(front, request, card)) is not None:
            sparks[card.number] = found
    return OverviewPage(overview=answer, sparks=sparks, reader=reader, now=front.world.clock.now())


async def _spark(front: Front, request: Request, card: IncidentCard) -> SeriesView | None:
    answer = await front.ask(request, "incident.series", {"incident": card.number}, via=Via.WEB)
    found = [one for one in answer if isinstance(one, SeriesView)] if isinstance(answer, tuple) else []
    return max(found, key=excess, default=None)
