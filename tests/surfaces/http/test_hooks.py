"""Senders post as their vendors do, to a served world: taken once, checked, and in the groups of every other alert."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import httpx2
import pytest

from stanch.alerts.inbound.tables import figures
from stanch.alerts.intake.listing import view_at
from stanch.app.wiring import SIGNAL_SOURCES, build_world
from stanch.catalog.changes import changes_between
from stanch.catalog.model import Catalog, Service, SourceSpec
from stanch.engine.follow import follow
from stanch.engine.loop import Engine
from stanch.incidents.tables import find
from stanch.operations.world import World
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http.hooks import Hooks
from tests.integrations.sources.cases import BY_FILE, CASES, SECRET, SOURCES, Case, signed
from tests.surfaces.serving import PATIENT_S, serving

GUARDED = ("sentry", "github", "pagerduty-events")
FROM_AFAR = {"host": "stanch.example", "x-forwarded-for": "203.0.113.9"}


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a world with three senders that have a secret, and one whose secret is missing."""
    monkeypatch.setenv("HOOK_SECRET", f"old-one {SECRET}")
    sources = {name: SourceSpec(name=name, kind=name, secret_env="HOOK_SECRET") for name in GUARDED}
    sources["grafana"] = SourceSpec(name="grafana", kind="grafana", secret_env="NOT_SET")
    catalog = Catalog(root=str(tmp_path), services={"payments": Service(name="payments", tier=1)}, sources=sources)
    built = build_world(catalog=catalog, database=sqlite_url)
    yield built
    built.store.close()


@pytest.fixture
def client(world: World) -> Iterator[httpx2.Client]:
    """Give a client of the world's hooks."""
    front = Front.of(world, {})
    hooks = Hooks(world)
    app = application(front, routes=hooks.routes(), checks_itself=hooks.answers)
    with serving(app, front) as address, httpx2.Client(base_url=address, timeout=PATIENT_S) as opened:
        yield opened


def post(client: httpx2.Client, case: Case, *, path: str = "", **headers: str) -> httpx2.Response:
    """Post a signed fixture."""
    request = signed(case.source, case.request)
    return client.post(path or request.path, content=request.body, headers={**request.headers, **headers})


def names_open(world: World) -> list[str]:
    """Return the names of the alerts that are open."""
    with world.store.reading() as view:
        return sorted(
            one.labels["alertname"] for one in view_at(view.connection, world.routing.now, world.clock.now()).alerts
        )


def test_every_shipped_source_is_tested() -> None:
    """What the wiring ships is what the contract is held against."""
    assert sorted(SIGNAL_SOURCES) == sorted(SOURCES)


def test_every_message_is_answered(client: httpx2.Client) -> None:
    """Every message of every sender is answered 2xx."""
    apart = ("grafana", "cloudwatch", "json")

    assert [] == [str(one) for one in CASES if one.source not in apart and not post(client, one).is_success]


def test_an_alert_is_in_the_intake(client: httpx2.Client, world: World) -> None:
    """What a sender posts stands among the alerts that are grouped and silenced, by the time it is answered."""
    post(client, BY_FILE["sentry/issue_created"])

    assert ["SentryIssue"] == names_open(world)


def test_the_end_ends_it(client: httpx2.Client, world: World) -> None:
    """The end of an alert takes it out of what is open."""
    post(client, BY_FILE["sentry/issue_created"])
    post(client, BY_FILE["sentry/issue_resolved"])

    assert [] == names_open(world)


def test_a_repetition_is_taken_once(client: httpx2.Client, world: World) -> None:
    """A delivery that comes again is answered 2xx and counted, and leads to nothing."""
    again = [post(client, BY_FILE["github/push"]).json()["status"] for _ in range(2)]
    with world.store.reading() as view:
        known = figures(view.connection)["github"]

    assert ["accepted", "duplicate"] == again
    assert (1, 1, 1) == (known.deliveries, known.duplicates, known.changes)


def test_a_change_is_known(client: httpx2.Client, world: World) -> None:
    """A deployment is among the changes of its service."""
    post(client, BY_FILE["github/deployment_status_success"])
    with world.store.reading() as view:
        found = changes_between(
            view.connection, start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2036, 1, 1, tzinfo=UTC)
        )

    assert [("payments", "v4.1.0")] == [(one.service, one.version) for one in found]


def test_a_severe_alert_of_a_known_service_is_an_incident(client: httpx2.Client, world: World) -> None:
    """A severe alert whose service is in the catalog declares one incident, and a second one joins it."""
    post(client, BY_FILE["sentry/issue_created"])
    post(client, BY_FILE["sentry/metric_critical"])
    Engine(world, {"follow": follow}).run_until_quiet()
    with world.store.reading() as view:
        found = find(view.connection, open_only=True)

    assert ["KeyError: 'amount'"] == [one.title for one in found]


def test_a_bad_signature_is_refused_and_counted(client: httpx2.Client, world: World) -> None:
    """A message that is not signed is answered 403, leaves nothing behind, and is counted."""
    answer = client.post("/hooks/sentry", content=BY_FILE["sentry/issue_created"].request.body)
    with world.store.reading() as view:
        known = figures(view.connection)["sentry"]

    assert 403 == answer.status_code
    assert (0, 1) == (known.deliveries, known.refused)
    assert [] == names_open(world)


def test_what_cannot_be_understood_names_the_field(client: httpx2.Client) -> None:
    """A body that can never be understood is answered 400 with the field."""
    answer = client.post("/v2/enqueue", content=json.dumps({"routing_key": SECRET, "event_action": "sing"}))

    assert 400 == answer.status_code
    assert "event_action" == answer.json()["error"]["problems"][0]["field"]


def test_senders_with_a_secret_may_come_from_afar(client: httpx2.Client) -> None:
    """With a signature neither the name of the host nor the peer matters."""
    assert 202 == post(client, BY_FILE["sentry/issue_created"], **FROM_AFAR).status_code


def test_senders_without_one_may_not(client: httpx2.Client) -> None:
    """A source that nothing checks is open to this machine alone."""
    body = BY_FILE["pingdom/down"].request.body

    assert 202 == client.post("/hooks/pingdom", content=body).status_code
    assert 403 == client.post("/hooks/pingdom", content=body, headers=FROM_AFAR).status_code


def test_a_page_from_elsewhere_may_not_post(client: httpx2.Client) -> None:
    """A browser that is made to post, or to load an image, is turned away."""
    address = "/hooks/uptimerobot?alertType=1&monitorFriendlyName=shop"

    assert 202 == client.get(address).status_code
    assert 403 == client.get(address, headers={"sec-fetch-site": "cross-site"}).status_code


def test_a_secret_that_is_missing_lets_nobody_in(client: httpx2.Client) -> None:
    """A source whose secret is named but not set refuses everything and says which variable."""
    answer = client.post("/hooks/grafana", content=BY_FILE["grafana/unified_firing"].request.body)

    assert 403 == answer.status_code
    assert "NOT_SET" in answer.json()["error"]["hint"]


def test_the_largest_body(client: httpx2.Client) -> None:
    """More than 5 MB is answered 413."""
    assert 413 == client.post("/hooks/pingdom", content=b" " * (5 * 1024 * 1024 + 1)).status_code


def test_an_unknown_source(client: httpx2.Client) -> None:
    """A source that nobody knows is answered 404."""
    assert 404 == client.post("/hooks/nobody", content=b"{}").status_code


def test_pagerduty_clients_get_their_key(client: httpx2.Client) -> None:
    """The answer to an event holds the key by which it is resolved."""
    assert "checkout-5xx" == post(client, BY_FILE["pagerduty/events_trigger"], path="/v2/enqueue").json()["dedup_key"]
