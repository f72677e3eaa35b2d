"""The running services: health, metrics, logs, and what the customers see."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families

from stanch.gameday.shop.places import ShopError
from stanch.gameday.shop.shop import Shop
from tests.gameday.shop.asking import customers_answers, get_json, get_text

pytestmark = pytest.mark.drill

SERVICES = ("gateway", "checkout", "payments")
Until = Callable[[Callable[[], object]], None]
Log = Callable[[str], list[dict[str, object]]]


def samples(url: str) -> dict[str, list[dict[str, str]]]:
    """Return the label sets of every sample by name; the strict parser raises on anything that is not valid."""
    found: dict[str, list[dict[str, str]]] = {}
    for family in text_string_to_metric_families(get_text(url)):
        for sample in family.samples:
            found.setdefault(sample.name, []).append(sample.labels)
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_health(shop: Shop, service: str) -> None:
    """Every service says that it is well, and at which release and configuration."""
    health = get_json(shop.health_url(service))

    assert ("ok", "v3.2.0", "c41") == (health["status"], health["version"], health["config"])


@pytest.mark.parametrize("service", SERVICES)
def test_metrics(shop: Shop, service: str, until: Until) -> None:
    """The metrics are valid OpenMetrics and count requests by route, method and status."""
    until(lambda: "http_client_request_duration_seconds_bucket" in samples(shop.metrics_url(service)))
    found = samples(shop.metrics_url(service))

    assert {"service", "route", "method", "status"} == set(found["http_requests_total"][0])
    assert {"service", "target", "status"} == set(found["http_client_requests_total"][0])
    assert "10.0" in {labels["le"] for labels in found["http_request_duration_seconds_bucket"]}
    assert "v3.2.0" == found["build_info"][0]["version"]
    assert {"process_resident_memory_bytes", "process_start_time_seconds"} <= set(found)


def test_pool_metrics(shop: Shop) -> None:
    """Payments says how many database connections it has and uses."""
    assert {"db_pool_connections_in_use", "db_pool_connections_max"} <= set(samples(shop.metrics_url("payments")))


def test_supervisor_metrics(shop: Shop) -> None:
    """The supervisor says for each service whether it is up and how often it was started again."""
    found = samples(shop.metrics_url("supervisor"))

    assert set(SERVICES) == {labels["service"] for labels in found["supervisor_process_up"]}
    assert set(SERVICES) == {labels["service"] for labels in found["supervisor_process_restarts_total"]}


def test_request_is_logged_by_every_service(shop: Shop, log_of: Log, until: Until) -> None:
    """A checkout is found by its request id in the logs of all three services, with the customer."""

    def requests(service: str) -> dict[object, object]:
        return {line.get("request_id"): line.get("user") for line in log_of(service) if line.get("status") == 201}

    until(lambda: len(requests("gateway")) > 3)
    request_id, user = next(iter(requests("gateway").items()))

    assert [user] * 3 == [requests(service)[request_id] for service in SERVICES]


def test_guests_and_customers(shop: Shop, log_of: Log, until: Until) -> None:
    """Guests as well as people with an account buy."""

    def kinds() -> set[object]:
        users = [line["user"] for line in log_of("gateway") if line.get("status") == 201]
        return {user["kind"] for user in users if isinstance(user, dict)}

    until(lambda: {"guest", "customer"} <= kinds())


def test_customers_are_served_quickly(shop: Shop, until: Until) -> None:
    """On a healthy day nineteen of twenty requests take less than 120 ms.

    Measured at 60 ms on two idle cores; 120 ms are asked for, and 500 allowed on a machine that tests share. There it
    may stand still for a second, which is many of the first requests and few of those that follow.
    """
    until(lambda: sum(customers_answers(shop).values()) > 40)

    until(lambda: float(str(shop.tell_customers({})["p95_ms"])) < 500)


def test_status_page(shop: Shop) -> None:
    """The acquirer has a status page in the shape of Statuspage's API."""
    status = get_json(shop.status_page_url)["status"]

    assert {"indicator": "none", "description": "All Systems Operational"} == status


def test_past_deploys(shop: Shop) -> None:
    """The record begins with how the shop came to be what it is."""
    lines = [json.loads(line) for line in shop.deploys_path.read_text().splitlines()]

    assert [("config", "c41"), *[("deploy", "v3.2.0")] * 3] == [(line["kind"], line["to"]) for line in lines[:4]]


def test_taken_ports(shop: Shop, tmp_path: Path) -> None:
    """A second shop on the same ports is refused, naming them."""
    with pytest.raises(ShopError, match=f"gateway {shop.ports.gateway}"):
        Shop.start(tmp_path, ports=shop.ports)


def test_foreign_folder(tmp_path: Path) -> None:
    """A folder that holds something else is left alone."""
    (tmp_path / "thesis.txt").write_text("two years of work")

    with pytest.raises(ShopError, match="not the folder of a sample shop"):
        Shop.start(tmp_path)
