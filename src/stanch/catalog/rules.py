"""What the dependency graph says: who needs a service, what it needs, how far apart two are. Pure; cycles are fine.

Upstream is towards the callers, where a failure shows; downstream is towards what is called, where it may come from.
"""

from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from stanch.catalog.model import Catalog


def dependencies(catalog: Catalog, service: str) -> tuple[str, ...]:
    """Return what `service` calls itself; empty for a service that is not in the catalog."""
    found = catalog.services.get(service)
    return found.depends_on if found else ()


def dependants(catalog: Catalog, service: str) -> tuple[str, ...]:
    """Return who calls `service` itself, in the order of the catalog."""
    return tuple(name for name, other in catalog.services.items() if service in other.depends_on)


def downstream(catalog: Catalog, service: str) -> tuple[str, ...]:
    """Return everything that `service` needs, nearest first, without itself."""
    return tuple(_reached(service, lambda name: dependencies(catalog, name)))


def upstream(catalog: Catalog, service: str) -> tuple[str, ...]:
    """Return everything that needs `service`, nearest first, without itself."""
    return tuple(_reached(service, lambda name: dependants(catalog, name)))


def neighbourhood(catalog: Catalog, services: Iterable[str]) -> frozenset[str]:
    """Return the services together with everything upstream and downstream of each: where one fault can show."""
    found: set[str] = set()
    for service in services:
        found |= {service, *upstream(catalog, service), *downstream(catalog, service)}
    return frozenset(found)


def distance(catalog: Catalog, start: str, end: str) -> int | None:
    """Return how many calls lie between two services along the direction of calls, None when there is no way.

    0 for the same service. `distance(gateway, payments)` is 2 where the gateway calls checkout and that payments.
    """
    if start == end:
        return 0
    return _reached(start, lambda name: dependencies(catalog, name)).get(end)


def deepest_first(catalog: Catalog, services: Iterable[str]) -> tuple[str, ...]:
    """Return the services so that one that is needed comes before those that need it; ties keep their order.

    In a cycle the one that more of the others need comes first.
    """
    given = tuple(dict.fromkeys(services))
    needs = {name: len(set(downstream(catalog, name)) & set(given)) for name in given}
    return tuple(sorted(given, key=lambda name: needs[name]))


def service_of_endpoint(catalog: Catalog, endpoint: str) -> str | None:
    """Return the service that answers `endpoint`: the longest declared path that is it or leads to it."""
    best: tuple[int, str] | None = None
    for name, service in catalog.services.items():
        for path in service.endpoints:
            inside = endpoint == path or endpoint.startswith(path.rstrip("/") + "/")
            if inside and (best is None or len(path) > best[0]):
                best = (len(path), name)
    return best[1] if best else None


def service_at(catalog: Catalog, target: str) -> str | None:
    """Return the service that the target of a measured call is: by name, by its host, or by where a check looks.

    `payments`, `payments:8080`, `http://payments.shop.svc/x` and the host and port of one of its checks are payments.
    """
    if target in catalog.services:
        return target
    parts = urlsplit(target if "//" in target else f"//{target}")
    place = parts.netloc.rpartition("@")[2]
    for name, service in catalog.services.items():
        if place and any(urlsplit(check.target).netloc == place for check in service.checks):
            return name
    first = place.partition(":")[0].partition(".")[0]
    return first if first in catalog.services else None


def _reached(start: str, near: Callable[[str], tuple[str, ...]]) -> dict[str, int]:
    """Walk breadth first from `start`; return the steps to each service reached, nearest first, without the start."""
    steps: dict[str, int] = {}
    edge, depth = [start], 0
    while edge:
        depth += 1
        found = dict.fromkeys(name for service in edge for name in near(service))
        edge = [name for name in found if name != start and name not in steps]
        steps.update(dict.fromkeys(edge, depth))
    return steps
