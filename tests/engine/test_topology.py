"""Who calls whom as it was measured."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.alerts.samples.tables import store_samples
from stanch.catalog.model import Catalog, Check, Service
from stanch.catalog.rules import service_at
from stanch.operations.topology import with_seen_calls
from stanch.operations.world import World
from stanch.ports.sampler import Sample

CHECK = Check(sampler="openmetrics", target="http://127.0.0.1:9003/metrics", every_s=10.0)
SHOP = Catalog(services={"checkout": Service(name="checkout"), "payments": Service(name="payments", checks=(CHECK,))})


def depends_on(world: World, target: str) -> tuple[str, ...]:
    """Return what checkout depends on when calls to `target` were measured."""
    now = world.clock.now()
    sample = Sample(
        service="checkout", metric="dependency_error_ratio", value=0.0, at=now, labels=(("target", target),)
    )
    with world.store.writing() as tx:
        store_samples(tx.connection, [sample])
        seen = with_seen_calls(tx.connection, replace(world, catalog=SHOP), start=now - timedelta(minutes=1), end=now)
    return seen.catalog.services["checkout"].depends_on


def test_a_measured_call_is_a_dependency(world: World) -> None:
    """A catalog that declares nothing learns from the calls that are counted."""
    assert ("payments",) == depends_on(world, "payments")


def test_a_call_to_somebody_else_is_none(world: World) -> None:
    """A far end that is no service of the catalog stays outside of it."""
    assert () == depends_on(world, "api.stripe.com")


@pytest.mark.parametrize(
    ("target", "service"),
    [
        ("payments", "payments"),
        ("payments:8080", "payments"),
        ("http://payments.shop.svc.cluster.local/charge", "payments"),
        ("127.0.0.1:9003", "payments"),
        ("127.0.0.1:9004", None),
        ("", None),
    ],
)
def test_a_target_is_known_by_name_host_or_check(target: str, service: str | None) -> None:
    """Clients name what they call in different ways."""
    assert service == service_at(SHOP, target)
