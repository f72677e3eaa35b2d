"""Stanch's own figures for Prometheus, one set per process. What they count is decided where it happens."""

from collections.abc import Iterable
from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from stanch import __version__

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


class Figures(Collector):
    """Counts what is asked over HTTP and how it ends. Has its own registry: two servers can share a process."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "stanch_http_requests",
            "Requests answered, by method and status.",
            ("method", "status"),
            registry=self._registry,
        )
        self.operations = Counter(
            "stanch_operations",
            "Operations called, by name, surface and how they ended (ok, or the code of the error).",
            ("operation", "via", "outcome"),
            registry=self._registry,
        )
        self.seconds = Histogram(
            "stanch_operation_seconds",
            "How long operations took, in seconds.",
            ("operation",),
            buckets=_SECONDS,
            registry=self._registry,
        )
        self.followers = Gauge(
            "stanch_live_followers", "Clients that follow the log at this moment.", registry=self._registry
        )
        self.bugs = Counter(
            "stanch_bugs", "Requests that ended in an unexpected error; each is in the log.", registry=self._registry
        )
        build = Gauge("stanch_build_info", "The version that runs.", ("version",), registry=self._registry)
        build.labels(version=__version__).set(1)

    def collect(self) -> Iterable[Metric]:
        """Return every family of figures."""
        return self._registry.collect()
