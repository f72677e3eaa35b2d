"""The incident's page: its parts, and its time line with the filters that stand in the address."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, TypeVar

from starlette.requests import Request

from stanch.incidents.model import Severity, Status
from stanch.incidents.state import Action, ActionState
from stanch.kernel.actor import Via
from stanch.kernel.errors import Bug
from stanch.operations.prevention import Prevention
from stanch.operations.similar import SimilarIncident
from stanch.operations.thinking import ThinkerView
from stanch.operations.views import IncidentView, SeriesView, TimelineEntry
from stanch.ports.evidence import Finding, FindingStatus
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.chart import excess
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import Part, part

T = TypeVar("T")

PARTS: Final = (
    "head",
    "now",
    "triage",
    "changed",
    "cause",
    "thinker",
    "analysis",
    "similar",
    "plan",
    "verify",
    "resolve",
    "prevent",
    "evidence",
    "messages",
    "rail",
)
# The filters of the time line: the word in the address and the word to read. Every entry is on the page, and the style
# sheet hides by tone, so that a permalink leads to its entry under any filter.
FILTERS: Final = {"": "Key", "all": "All", "people": "People", "alerts": "Alerts", "actions": "Actions"}
_MOST_SERIES: Final = 4
# What has been set going stands above what is merely proposed.
_UNDER_WAY: Final = frozenset(
    {ActionState.APPROVED, ActionState.RUNNING, ActionState.SUCCEEDED, ActionState.FAILED, ActionState.UNKNOWN}
)


_NOT_HAD: Final = frozenset({FindingStatus.FAILED, FindingStatus.REFUSED})


@dataclass(frozen=True, kw_only=True)
class IncidentPage:
    """What the page of one incident shows, to whom."""

    view: IncidentView
    entries: tuple[TimelineEntry, ...]
    last_seq: int
    show: str
    series: tuple[SeriesView, ...]
    similar: tuple[SimilarIncident, ...]
    thinker: ThinkerView
    prevention: Prevention | None
    reader: Reader
    now: datetime

    @property
    def number(self) -> int:
        """Return the incident's number."""
        return self.view.card.number

    @property
    def title(self) -> str:
        """Return what stands in the browser's tab."""
        card = self.view.card
        return f"{card.severity} {card.status} · {card.key} {card.title}"

    @property
    def filters(self) -> list[tuple[str, str]]:
        """Return the filters of the time line: the word in the address, the word to read."""
        return list(FILTERS.items())

    def parts(self) -> list[Part]:
        """Return the parts that live."""
        first, others = _plans(self.view)
        cited, uncited = _findings(self.view)
        values = {
            "cited": cited,
            "uncited": uncited,
            "view": self.view,
            "card": self.view.card,
            "series": self.series,
            "similar": self.similar,
            "thinker": self.thinker,
            "prevention": self.prevention,
            "reader": self.reader,
            "now": self.now,
            "action": first,
            "others": others,
            "severities": [one.label for one in Severity],
            "statuses": [one.value for one in Status if one.is_open],
        }
        return [part(name, f"incident/{name}.html", values) for name in PARTS]


async def load_incident(
    front: Front, request: Request, reader: Reader, number: int, *, show: str = "", after: int = 0
) -> IncidentPage:
    """Ask for everything that the page of incident `number` shows; entries only from after the position `after`."""
    view = await front.ask(request, "incident.show", {"incident": number}, via=Via.WEB)
    if not isinstance(view, IncidentView):
        raise Bug("incident.show does not answer with an incident")
    entries: object = ()
    if view.seq > after:
        asked = {"incident": number, "after": after}
        entries = await front.ask(request, "incident.timeline", asked, via=Via.WEB)
    series = await front.ask(request, "incident.series", {"incident": number}, via=Via.WEB)
    similar = await front.ask(request, "incident.similar", {"incident": number, "limit": 3}, via=Via.WEB)
    thinker = await front.ask(request, "thinker.show", {"incident": number}, via=Via.WEB)
    if not isinstance(thinker, ThinkerView):
        raise Bug("thinker.show does not answer with what a model was asked")
    # Not while people work on it: it is for afterwards, and is looked for in three days of samples.
    prevention = None
    if not view.card.is_open:
        prevention = await front.ask(request, "incident.prevent", {"incident": number}, via=Via.WEB)
    return IncidentPage(
        view=view,
        entries=_only(TimelineEntry, entries),
        # Read before the entries were: a client that follows from here misses none, and knows those it has.
        last_seq=view.seq,
        show=show if show in FILTERS else "",
        series=tuple(sorted(_only(SeriesView, series), key=excess, reverse=True)[:_MOST_SERIES]),
        similar=_only(SimilarIncident, similar),
        thinker=thinker,
        prevention=prevention if isinstance(prevention, Prevention) else None,
        reader=reader,
        now=front.world.clock.now(),
    )


def _only(kind: type[T], answer: object) -> tuple[T, ...]:
    return tuple(one for one in answer if isinstance(one, kind)) if isinstance(answer, tuple) else ()


def _findings(view: IncidentView) -> tuple[list[Finding], list[Finding]]:
    """Return the findings that a hypothesis cites or that could not be had, and all the others."""
    cited = {citation.finding for one in view.hypotheses for citation in (*one.evidence_for, *one.evidence_against)}
    stands_out = [one for one in view.findings if one.id in cited or one.status in _NOT_HAD]
    return stands_out, [one for one in view.findings if one not in stands_out]


def _plans(view: IncidentView) -> tuple[Action | None, Sequence[Action]]:
    """Return the plan that matters most at this moment, and the others."""
    proposed = view.proposal.plan.id if view.proposal and view.proposal.plan else ""

    def weight(action: Action) -> tuple[bool, bool, int]:
        return (action.state not in _UNDER_WAY, action.plan.id != proposed, -action.proposed_seq)

    ranked = sorted(view.actions, key=weight)
    return (ranked[0], ranked[1:]) if ranked else (None, ())
