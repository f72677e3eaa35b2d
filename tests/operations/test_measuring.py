"""Measuring the blast radius: each failed request of a user is counted once."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.alerts.samples.tables import store_samples
from stanch.catalog.model import Service
from stanch.operations.measuring import measure
from stanch.ports.sampler import Sample
from tests.operations.desk import START, Desk

SINCE = START - timedelta(minutes=1)


def counted(desk: Desk, *names: str) -> tuple[int, int]:
    """Measure `names`, each of which saw 3 of 10 requests fail, and return what is counted for payments."""
    at = START - timedelta(seconds=20)
    found = [
        Sample(service=name, metric=metric, value=value, at=at)
        for name in names
        for metric, value in (("failed_requests", 3.0), ("requests", 10.0))
    ]
    with desk.world.store.writing() as tx:
        store_samples(tx.connection, found)
        impact = measure(tx, desk.world, services=("payments",), since=SINCE, now=START)
    return impact.failed_requests, impact.total_requests


@pytest.mark.parametrize(
    "names",
    [("gateway", "checkout", "payments"), ("checkout", "payments"), ("payments",), ("gateway", "payments")],
)
def test_a_request_is_counted_once(desk: Desk, names: tuple[str, ...]) -> None:
    """The outermost caller that is measured counts; those behind it saw the same requests."""
    assert (3, 10) == counted(desk, *names)


def test_services_that_call_each_other_are_counted_once(desk: Desk) -> None:
    """Where nobody is outermost, one of them stands for all."""
    services = dict(desk.world.catalog.services)
    services["payments"] = Service(name="payments", depends_on=("checkout",))
    desk = replace(desk, world=replace(desk.world, catalog=replace(desk.world.catalog, services=services)))

    assert (3, 10) == counted(desk, "checkout", "payments")
