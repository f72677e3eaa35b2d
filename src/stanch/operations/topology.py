"""Who calls whom as it was measured: adds to the declared dependencies what callers count of their calls.

A catalog that declares no dependencies would otherwise leave a called service of ours unlooked at, and a caller's
failing calls would pass for the whole story.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from stanch.alerts.samples.tables import label_sets
from stanch.catalog.model import Catalog
from stanch.catalog.rules import service_at
from stanch.operations.world import World
from stanch.store import Connection

_CALLS = "dependency_error_ratio"


def with_seen_calls(connection: Connection, world: World, *, start: datetime, end: datetime) -> World:
    """Return `world` with the calls that were measured in (start, end] among the dependencies of its catalog."""
    catalog = world.catalog
    names = tuple(catalog.services)
    found = label_sets(connection, metric=_CALLS, services=names, start=start, end=end)
    seen: dict[str, list[str]] = {}
    for caller, labels in found:
        callee = service_at(catalog, labels.get("target", ""))
        if callee and callee != caller:
            seen.setdefault(caller, []).append(callee)
    return replace(world, catalog=_joined(catalog, seen)) if seen else world


def _joined(catalog: Catalog, seen: Mapping[str, list[str]]) -> Catalog:
    services = {
        name: replace(service, depends_on=tuple(dict.fromkeys((*service.depends_on, *seen.get(name, ())))))
        for name, service in catalog.services.items()
    }
    return replace(catalog, services=services)
