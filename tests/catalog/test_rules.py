"""What the dependency graph says."""

import pytest

from stanch.catalog.model import Catalog, Service
from stanch.catalog.rules import (
    deepest_first,
    dependants,
    distance,
    downstream,
    neighbourhood,
    service_of_endpoint,
    upstream,
)


def catalog_with(calls: dict[str, tuple[str, ...]], *, endpoints: dict[str, tuple[str, ...]] | None = None) -> Catalog:
    """Return a catalog of who calls whom."""
    services = {
        name: Service(name=name, depends_on=called, endpoints=(endpoints or {}).get(name, ()))
        for name, called in calls.items()
    }
    return Catalog(services=services)


SHOP = catalog_with(
    {"gateway": ("checkout",), "checkout": ("payments",), "payments": ("acquirer",), "acquirer": (), "blog": ()}
)
RING = catalog_with({"a": ("b",), "b": ("c",), "c": ("a",)})


def test_downstream() -> None:
    """Downstream is everything a service needs, nearest first."""
    expected = ("payments", "acquirer")

    assert expected == downstream(SHOP, "checkout")


def test_upstream() -> None:
    """Upstream is everything that needs a service, nearest first."""
    expected = ("checkout", "gateway")

    assert expected == upstream(SHOP, "payments")


def test_cycle_ends() -> None:
    """A cycle is walked once and does not hold the service itself."""
    expected = ("b", "c")

    assert expected == downstream(RING, "a")


def test_unknown_service() -> None:
    """A service that is not in the catalog has no neighbours."""
    expected = ((), ())

    assert expected == (downstream(SHOP, "x"), upstream(SHOP, "x"))


def test_dependants() -> None:
    """Dependants are the direct callers alone."""
    expected = ("checkout",)

    assert expected == dependants(SHOP, "payments")


def test_neighbourhood() -> None:
    """The neighbourhood reaches up and down, and not to strangers."""
    assert frozenset({"gateway", "checkout", "payments", "acquirer"}) == neighbourhood(SHOP, ["checkout"])


@pytest.mark.parametrize(
    ("start", "end", "calls"),
    [("gateway", "payments", 2), ("payments", "gateway", None), ("blog", "blog", 0), ("gateway", "acquirer", 3)],
)
def test_distance(start: str, end: str, calls: int | None) -> None:
    """Distance counts calls along their direction."""
    assert calls == distance(SHOP, start, end)


def test_deepest_first() -> None:
    """What is needed comes before what needs it."""
    expected = ("payments", "checkout", "gateway")

    assert expected == deepest_first(SHOP, ["gateway", "payments", "checkout"])


@pytest.mark.parametrize(
    ("endpoint", "service"),
    [("/api/checkout", "gateway"), ("/api/checkout/7", "gateway"), ("/checkout", "checkout"), ("/checkouts", None)],
)
def test_service_of_endpoint(endpoint: str, service: str | None) -> None:
    """The longest declared path that leads to an end point names its service."""
    paths = {"gateway": ("/api",), "checkout": ("/checkout", "/api/x")}
    catalog = catalog_with({"gateway": (), "checkout": ()}, endpoints=paths)

    assert service == service_of_endpoint(catalog, endpoint)
