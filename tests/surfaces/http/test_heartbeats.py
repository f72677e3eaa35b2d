"""Jobs beat over HTTP, with a token where one is configured, from this machine alone where none is."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from stanch.app.wiring import build_world
from stanch.catalog.alerting import Heartbeat
from stanch.catalog.model import Catalog
from stanch.operations.world import World
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http.heartbeats import Heartbeats
from tests.surfaces.serving import PATIENT_S, serving

FROM_AFAR = {"host": "stanch.example", "x-forwarded-for": "203.0.113.9"}


@pytest.fixture
def world(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    """Give a world with a heartbeat that has a token, one that has none, and one whose token is missing."""
    monkeypatch.setenv("BEAT", "let-me-beat")
    beats = (
        Heartbeat(name="backup", every_s=60, secret_env="BEAT"),
        Heartbeat(name="cron", every_s=60),
        Heartbeat(name="lost", every_s=60, secret_env="NOT_SET"),
    )
    catalog = Catalog(root=str(tmp_path), heartbeats={one.name: one for one in beats})
    built = build_world(catalog=catalog, database=sqlite_url)
    yield built
    built.store.close()


@pytest.fixture
def client(world: World) -> Iterator[httpx2.Client]:
    """Give a client of the heartbeats."""
    front = Front.of(world, {})
    beats = Heartbeats(world)
    app = application(front, routes=beats.routes(), checks_itself=beats.answers)
    with serving(app, front) as address, httpx2.Client(base_url=address, timeout=PATIENT_S) as opened:
        yield opened


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT"])
def test_it_beats_with_any_method(client: httpx2.Client, method: str) -> None:
    """Whatever a job has at hand, curl or a browser's ping, is enough."""
    assert 200 == client.request(method, "/heartbeat/cron").status_code


def test_from_afar_with_the_token(client: httpx2.Client) -> None:
    """Another machine beats with the token."""
    assert 200 == client.post("/heartbeat/backup?token=let-me-beat", headers=FROM_AFAR).status_code


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/heartbeat/backup", "bad_token"),
        ("/heartbeat/backup?token=wrong", "bad_token"),
        ("/heartbeat/cron", "host_not_allowed"),
        ("/heartbeat/lost?token=", "secret_not_set"),
    ],
)
def test_what_is_refused(client: httpx2.Client, path: str, reason: str) -> None:
    """Without its token nobody beats, and without a configured one nobody from elsewhere does."""
    answer = client.post(path, headers=FROM_AFAR)

    assert (403, reason) == (answer.status_code, answer.json()["error"]["reason"])


def test_an_unknown_name(client: httpx2.Client) -> None:
    """A name that is not configured is told so."""
    assert 404 == client.get("/heartbeat/nothing").status_code
