"""What the series of all services say together: which one stands out, and which moved first."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from stanch.alerts.tables import find_alerts
from stanch.diagnose.dating import Moved, date_of, first_by_service
from stanch.diagnose.metric_causes import can_tell, in_words, rank_tracks
from stanch.diagnose.metrics.rootcause import Cause, Ranking
from stanch.diagnose.model import graph_of
from stanch.diagnose.wording import clock
from stanch.kernel.event import JSON
from stanch.operations.dating import read_tracks, told_first
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal

_SHOWN: Final = 5
_ALERTS: Final = ("error_ratio", "latency_p95_ms")


class RootCauseCollector:
    """Ranks the services in question by their stored samples, along the calls between them."""

    def __init__(self, world: World) -> None:
        self._world = world

    @property
    def name(self) -> str:
        """Return `rootcause`."""
        return "rootcause"

    @property
    def timeout_s(self) -> float:
        """Return how many seconds its caller waits."""
        return 10.0

    def collect(self, question: Question) -> list[Finding]:
        """Return one finding: the ranking, the order in which services moved, and what speaks for the first."""
        began = time.monotonic()
        with self._world.store.reading() as view:
            tracks = read_tracks(view.connection, services=question.services, start=question.start, end=question.end)
            alerts = find_alerts(view.connection, since=question.start)
        firing = sorted(
            (one for one in alerts if one.service in question.services and one.metric.value in _ALERTS),
            key=lambda one: (one.starts_at, one.id),
        )
        ranking = rank_tracks(
            tracks,
            at=question.onset.timestamp(),
            graph=graph_of(self._world.catalog),
            alert=(firing[0].service, firing[0].metric.value) if firing else None,
        )
        sure = can_tell(tracks, at=question.onset.timestamp(), now=question.end.timestamp())
        dated = date_of(tracks, told=question.onset)
        moved = dated.moved if dated is not None else ()
        first = told_first(moved)
        signals = (*_suspects(ranking, sure=sure), *([_first(moved, first)] if first else []))
        return [
            Finding(
                id="all",
                collector=self.name,
                source="stored samples",
                command="stanch rca",
                status=FindingStatus.OK if signals else FindingStatus.NO_DATA,
                summary=_summary(ranking if sure else None, first, question),
                start=question.start,
                end=question.end,
                took_s=time.monotonic() - began,
                services=tuple(dict.fromkeys(signal.service for signal in signals)),
                signals=signals,
                data={"causes": _rows(ranking), "moved": _order(moved)},
            )
        ]


def _suspects(ranking: Ranking | None, *, sure: bool) -> list[Signal]:
    if ranking is None:
        return []
    return [
        Signal(
            name="suspect",
            service=cause.service,
            value=round(cause.score, 3),
            text=in_words(cause.evidence[0]),
            data={"rank": place, "raised": sure and ranking.stands_out and place == 1},
        )
        for place, cause in enumerate(ranking.causes[:_SHOWN], start=1)
        if cause.service
    ]


def _first(moved: Sequence[Moved], said: str) -> Signal:
    one = first_by_service(moved)[0]
    at = datetime.fromtimestamp(one.at, UTC)
    return Signal(name="moved_first", service=one.service, text=said, at=at, data={"raised": True})


def _summary(ranking: Ranking | None, first: str, question: Question) -> str:
    if ranking is None or not ranking.causes:
        few = f"Too little has been measured since {clock(question.onset)} to rank services by their series"
        return f"{few}; {first}" if first else few
    top = ranking.causes[0]
    if not ranking.stands_out:
        return "No service stands out by its series" + (f"; {first}" if first else "")
    said = f"{top.service} stands out most, {in_words(top.evidence[0])}"
    return f"{said}; {first}" if first else said


def _rows(ranking: Ranking | None) -> list[JSON]:
    return [_row(cause) for cause in (ranking.causes[:_SHOWN] if ranking is not None else ())]


def _row(cause: Cause) -> JSON:
    return {
        "service": cause.service,
        "score": round(cause.score, 3),
        "evidence": [in_words(one) for one in cause.evidence[:3]],
    }


def _order(moved: Sequence[Moved]) -> list[JSON]:
    return [
        {
            "service": one.service,
            "metric": one.metric,
            "at": round(one.at, 1),
            "low": round(one.low, 1),
            "high": round(one.high, 1),
        }
        for one in first_by_service(moved)
    ]
