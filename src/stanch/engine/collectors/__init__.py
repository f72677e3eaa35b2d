"""Collectors that need the store or the diagnosis: what Stanch has measured itself, logs, stored changes, alerts.

Collectors that talk to a vendor or a machine are integrations and come in `World.collectors`.
"""

from stanch.engine.collectors.alerts import AlertsCollector
from stanch.engine.collectors.calls import CallsCollector
from stanch.engine.collectors.changes import ChangesCollector
from stanch.engine.collectors.logs import LogsCollector
from stanch.engine.collectors.metrics import MetricsCollector
from stanch.engine.collectors.packs import PackCollector
from stanch.engine.collectors.rootcause import RootCauseCollector
from stanch.engine.collectors.streams import StreamCollector
from stanch.operations.world import World
from stanch.ports.evidence import Collector


def built_in(world: World) -> tuple[Collector, ...]:
    """Return the collectors that every process has, and one for each system that is configured."""
    return (
        MetricsCollector(world),
        CallsCollector(world),
        LogsCollector(world),
        ChangesCollector(world),
        AlertsCollector(world),
        RootCauseCollector(world),
        *(PackCollector(source, packs=world.packs, catalog=world.catalog) for source in world.systems),
        *(StreamCollector(world, source) for source in world.log_sources),
    )


__all__ = [
    "AlertsCollector",
    "CallsCollector",
    "ChangesCollector",
    "LogsCollector",
    "MetricsCollector",
    "PackCollector",
    "RootCauseCollector",
    "StreamCollector",
    "built_in",
]
