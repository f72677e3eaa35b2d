"""`/metrics`: Stanch's own figures in the Prometheus text format, with what its store holds at this moment."""

from collections.abc import Iterable

from prometheus_client import REGISTRY
from prometheus_client.exposition import choose_encoder
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch.incidents import tables as incidents
from stanch.incidents.model import Severity
from stanch.store import deliveries, timers
from stanch.store.model import DeliveryState
from stanch.surfaces.asgi.front import Front


class _Holdings(Collector):
    """What the store holds, read when it is scraped."""

    def __init__(self, front: Front) -> None:
        self._front = front

    def collect(self) -> Iterable[Metric]:
        with self._front.world.store.reading() as view:
            seq = view.last_seq()
            waiting = timers.count(view.connection)
            open_rows = incidents.find(view.connection, open_only=True, limit=10_000)
            owed = len(deliveries.find(view.connection, state=DeliveryState.READY))
        counts = dict.fromkeys(Severity, 0)
        for row in open_rows:
            counts[row.severity] += 1
        incident_family = GaugeMetricFamily("stanch_incidents_open", "Open incidents.", labels=("severity",))
        for severity, count in counts.items():
            incident_family.add_metric((severity.label,), count)
        return (
            incident_family,
            GaugeMetricFamily("stanch_log_seq", "The newest position in the log.", value=seq),
            GaugeMetricFamily("stanch_timers", "Timers that are waiting or due.", value=waiting),
            GaugeMetricFamily("stanch_deliveries_ready", "Messages that wait to be sent.", value=owed),
        )


class _Everything(Collector):
    """The process's own registry (the interpreter, and what other parts count) and this server's."""

    def __init__(self, front: Front) -> None:
        self._parts: tuple[Collector, ...] = (REGISTRY, front.figures, _Holdings(front))

    def collect(self) -> Iterable[Metric]:
        for part in self._parts:
            yield from part.collect()


def routes(front: Front) -> list[BaseRoute]:
    """Return the route of the figures."""
    everything = _Everything(front)

    async def metrics(request: Request) -> Response:
        encode, content_type = choose_encoder(request.headers.get("accept", ""))
        body = await run_in_threadpool(encode, everything)
        return Response(body, headers={"content-type": content_type, "cache-control": "no-store"})

    return [Route("/metrics", metrics, methods=["GET"])]
