"""What watches Stanch itself: health, readiness, metrics, and the description of the API."""

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from stanch.store import Store
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from tests.surfaces.http import desk
from tests.surfaces.serving import PATIENT_S, serving


def figures(client: httpx2.Client) -> dict[tuple[str, str], float]:
    """Return the scraped samples by name and the value of their first label."""
    text = client.get("/metrics").text
    return {
        (sample.name, next(iter(sample.labels.values()), "")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_the_process_says_that_it_lives(client: httpx2.Client) -> None:
    """/healthz answers under any host name, as a probe asks by address."""
    response = client.get("/healthz", headers={"host": "10.0.0.7:8484"})

    assert (200, "ok") == (response.status_code, response.json()["status"])


def test_readiness_means_the_log_can_be_read(client: httpx2.Client) -> None:
    """/readyz reads the log."""
    assert {"status": "ok", "seq": 0} == client.get("/readyz").json()


def test_a_store_that_is_gone_is_not_ready(store: Store) -> None:
    """Without its tables the store can not be read, and /readyz says so with 503."""
    front = Front.of(desk.world(store), {})
    with store.writing() as tx:
        tx.connection.exec_driver_sql("DROP TABLE events")
    with serving(application(front, routes=api.routes(front)), front) as url:
        assert 503 == httpx2.get(f"{url}/readyz", timeout=PATIENT_S).status_code


def test_operations_are_counted(client: httpx2.Client) -> None:
    """Calls are counted by operation."""
    client.get("/api/v1/desk/look?number=1")
    client.get("/api/v1/desk/look?number=2")

    assert 2.0 == figures(client)["stanch_operations_total", "desk.look"]


def test_open_incidents_are_shown(client: httpx2.Client) -> None:
    """Every severity has its figure, zero too."""
    assert 0.0 == figures(client)["stanch_incidents_open", "SEV1"]


def test_openmetrics_is_spoken_when_asked_for(client: httpx2.Client) -> None:
    """A scraper that asks for OpenMetrics gets it."""
    response = client.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})

    assert ("application/openmetrics-text", True) == (
        response.headers["content-type"].partition(";")[0],
        response.text.endswith("# EOF\n"),
    )


def test_every_operation_is_described(client: httpx2.Client) -> None:
    """The OpenAPI document has one path per operation, with its method, and the stream."""
    paths = client.get("/api/openapi.json").json()["paths"]

    assert {
        "/api/v1/desk/look": ["get"],
        "/api/v1/desk/write": ["post"],
        "/api/v1/desk/approve": ["post"],
        "/api/v1/desk/fail": ["post"],
        "/api/v1/stream": ["get"],
    } == {path: list(methods) for path, methods in paths.items()}


def test_a_read_is_described_by_its_fields(client: httpx2.Client) -> None:
    """The fields of a read are parameters of the query."""
    described = client.get("/api/openapi.json").json()["paths"]["/api/v1/desk/look"]["get"]["parameters"]

    assert [("number", True), ("tags", False), ("deep", False)] == [(one["name"], one["required"]) for one in described]
