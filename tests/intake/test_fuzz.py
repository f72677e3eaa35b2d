"""Whatever is posted anywhere: an answer below 500 that says what is wrong, and nothing half-written."""

import gzip
import http.client
import json
import os
import random
import re
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from stanch.app.server import asgi
from stanch.app.wiring import build_intake, build_world
from stanch.catalog.alerting import Heartbeat
from stanch.catalog.model import Catalog, Service, SourceSpec
from stanch.operations.all import all_operations
from stanch.operations.registry import Effect
from stanch.operations.world import World
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.http.alertmanager.routes import MOST_BYTES
from stanch.surfaces.http.api import path_of
from tests.intake.fuzzing import chunks, many_labels, mutated
from tests.integrations.sources.cases import CASES, SECRET, SOURCES, signed
from tests.surfaces.serving import serving

SEED: Final = os.environ.get("FUZZ_SEED", "20261121")
EACH: Final = int(os.environ.get("FUZZ_EACH", "40"))
"""How many bodies each path is sent: about 6,000 in all, in half a minute. More of them: FUZZ_EACH, FUZZ_SEED."""

_ALERT: Final = {"labels": {"alertname": "A", "severity": "critical", "service": "payments"}, "annotations": {"s": "x"}}
_TIMES: Final = {"startsAt": "2026-11-21T12:00:00Z", "endsAt": "2026-11-21T13:00:00Z", "generatorURL": "http://p:9090/"}
_SILENCE: Final = {
    "matchers": [{"name": "alertname", "value": "A", "isRegex": False, "isEqual": True}],
    "startsAt": "2026-11-21T12:00:00Z",
    "endsAt": "2099-11-21T13:00:00Z",
    "createdBy": "a",
    "comment": "c",
}
# What only whole requests write. Timers and groups of the intake move by themselves.
_KEPT: Final = (
    "events",
    "incidents",
    "inbound",
    "inbound_alerts",
    "intake_alerts",
    "intake_silences",
    "stored_changes",
)


class Target:
    """A served world, and a line to it that is kept open."""

    def __init__(self, url: str, world: World, front: Front) -> None:
        self.world = world
        self.front = front
        self.host = url.removeprefix("http://")
        self._line = http.client.HTTPConnection(self.host, timeout=60)
        self._used_at = 0.0

    def post(self, path: str, body: bytes, **headers: str) -> tuple[int, bytes]:
        """Post a body and return status and answer."""
        given = {"content-type": "application/json", "stanch-actor": "alice"}
        given |= {name.replace("_", "-"): value for name, value in headers.items()}
        # The server closes a line on which nothing came for five seconds.
        if time.monotonic() - self._used_at > 2:
            self._line.close()
        try:
            self._line.request("POST", path, body, given)
            answer = self._line.getresponse()
            return answer.status, answer.read()
        except (OSError, http.client.HTTPException):
            self._line.close()
            raise
        finally:
            self._used_at = time.monotonic()

    def get(self, path: str) -> int:
        """Return the status of what is answered to a question."""
        self._line.request("GET", path)
        answer = self._line.getresponse()
        answer.read()
        return answer.status

    def read(self, path: str) -> bytes:
        """Return what is answered to a question."""
        self._line.request("GET", path)
        return self._line.getresponse().read()

    def close(self) -> None:
        """Let the line go."""
        self._line.close()

    def raw(self, head: bytes, *pieces: bytes) -> bytes:
        """Return what is answered to these bytes until nothing more comes."""
        name, _, port = self.host.partition(":")
        with socket.create_connection((name, int(port)), timeout=20) as line:
            line.sendall(head)
            heard = b""
            try:
                for piece in pieces:
                    line.sendall(piece)
            except OSError:
                pass  # it has been told that it is too much, and the rest is not waited for
            while b"\r\n\r\n" not in heard:
                piece = line.recv(65_536)
                if not piece:
                    break
                heard += piece
            return heard

    def stored(self) -> dict[str, int]:
        """Return how many rows there are in the tables that only whole requests write."""
        with self.world.store.reading() as view:
            known = {
                row[0] for row in view.connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'table'"))
            }
            return {
                name: int(view.connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())  # noqa: S608
                for name in _KEPT
                if name in known
            }

    def bugs(self) -> int:
        """Return how many defects the server has counted."""
        return int(self.front.figures.bugs._value.get())


@contextmanager
def target(folder: Path, *, secret: bool = False) -> Iterator[Target]:
    """Serve a small world with every path there is; with `secret` senders must sign."""
    sources = {
        name: SourceSpec(name=name, kind=name, secret_env="FUZZ_SECRET") for name in ("sentry", "github", "grafana")
    }
    catalog = Catalog(
        root=str(folder),
        services={"payments": Service(name="payments", tier=1)},
        sources=sources if secret else {},
        heartbeats={"backup": Heartbeat(name="backup", every_s=60)},
    )
    world = build_world(catalog=catalog, database=folder / "stanch.db")
    intake = build_intake(world, None)
    front = Front.of(world, all_operations())
    intake.start()
    try:
        with serving(asgi(front, intake), front) as url:
            found = Target(url, world, front)
            yield found
            found.close()
    finally:
        intake.stop()
        world.store.close()


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Give a served world."""
    with target(tmp_path_factory.mktemp("fuzz")) as found:
        yield found


def paths_of_senders() -> dict[str, tuple[str, bytes]]:
    """Return a path of every sender, own and vendors', with a good body for it."""
    found = {f"hook {one.file}": (f"/hooks/{one.source}", one.request.body) for one in CASES}
    found |= {f"path {one.file}": (one.path, one.request.body) for one in CASES if one.path}
    good = {one.source: one.request.body for one in CASES}
    for name, source in SOURCES.items():
        for path in source.paths:
            found[f"path {path}"] = (re.sub(r"\{[^}]*\}", "some", path), good[name])
    return found


def everywhere() -> dict[str, tuple[str, bytes]]:
    """Return every path that takes a body, with a good one for it."""
    found = {
        "alerts": ("/api/v2/alerts", json.dumps([_ALERT, {**_ALERT, **_TIMES}]).encode()),
        "alerts below a prefix": ("/some/where/api/v2/alerts", json.dumps([_ALERT]).encode()),
        "silences": ("/api/v2/silences", json.dumps(_SILENCE).encode()),
        "heartbeat": ("/heartbeat/backup", b"{}"),
    }
    for name, entry in all_operations().items():
        if entry.effect is not Effect.READ:
            found[name] = (path_of(entry), json.dumps(entry.example).encode())
    return found | paths_of_senders()


PLACES: Final = everywhere()
every_place = pytest.mark.parametrize("place", sorted(PLACES))


def told(status: int, answer: bytes) -> str:
    """Return what an answer says is wrong, empty where it says nothing."""
    if status < 400:
        return "fine"
    said = json.loads(answer)
    if isinstance(said, str):
        return said
    return str(said.get("error", said).get("message", ""))


@every_place
def test_no_body_is_too_strange(served: Target, place: str) -> None:
    """Every answer is below 500; what is refused is told why and leaves nothing behind."""
    path, good = PLACES[place]
    chance = random.Random(f"{SEED} {place}")
    wrong = []
    before = served.stored()
    for _ in range(EACH):
        body = mutated(good, chance)
        status, answer = served.post(path, body)
        after = served.stored()
        # Of a batch the alerts that are right are taken, as Alertmanager takes them, and the others are told of.
        partly = path.endswith("/api/v2/alerts")
        if status >= 500 or not told(status, answer) or (status >= 400 and not partly and after != before):
            wrong.append((status, body[:300], answer[:300], {key: after[key] - before[key] for key in after}))
        before = after

    assert [] == wrong


def test_no_defect_was_counted(served: Target) -> None:
    """The server itself has seen no defect in all of that."""
    assert 0 == served.bugs()


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/silences", "/hooks/grafana", "/api/v1/incident/report"])
def test_ten_megabytes(served: Target, path: str) -> None:
    """A body that is too large is answered 413 with the limit."""
    body = b'[{"labels":{"alertname":"' + b"x" * 10_000_000 + b'"}}]'
    heard = served.raw(_head(served, path, f"Content-Length: {len(body)}"), body)

    assert b"HTTP/1.1 413" == heard[:12]


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/hooks/grafana", "/api/v1/incident/report"])
def test_chunks_without_end(served: Target, path: str) -> None:
    """A stream of chunks is answered 413 where the limit is passed, and not read for ever."""
    piece = b"%x\r\n%s\r\n" % (1 << 20, b" " * (1 << 20))
    heard = served.raw(_head(served, path, "Transfer-Encoding: chunked"), *([piece] * (MOST_BYTES // (1 << 20) + 4)))

    assert b"HTTP/1.1 413" == heard[:12]


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/hooks/grafana"])
def test_a_packed_body_is_not_unpacked(served: Target, path: str) -> None:
    """A few kilobytes that would be gigabytes are answered 415."""
    bomb = gzip.compress(b"0" * 10_000_000)

    assert 415 == served.post(path, bomb, content_encoding="gzip")[0]


def test_a_packed_body_for_an_operation(served: Target) -> None:
    """The same where people and agents ask."""
    assert 400 <= served.post("/api/v1/incident/report", zlib.compress(b"{}"), content_encoding="deflate")[0] < 500


def test_good_chunks(served: Target) -> None:
    """A good body in chunks is as good as in one piece."""
    pieces = chunks(json.dumps([{"labels": {"alertname": "Chunked"}}]).encode(), 7)
    heard = served.raw(_head(served, "/api/v2/alerts", "Transfer-Encoding: chunked"), *pieces)

    assert b"HTTP/1.1 200" == heard[:12]


def test_a_hundred_thousand_labels(served: Target) -> None:
    """More labels than are kept are refused, and the field is named."""
    status, answer = served.post("/api/v2/alerts", many_labels(100_000))

    assert (400, '"[0].labels: there are 100001 labels; at most 1000 are kept"') == (status, answer.decode())


@pytest.mark.parametrize("year", ["0001-01-01T00:00:01Z", "9999-12-31T23:59:59-14:00"])
@pytest.mark.parametrize("field", ["startsAt", "endsAt"])
def test_the_ends_of_the_calendar(served: Target, field: str, year: str) -> None:
    """A time nobody can mean is refused by its field."""
    status, answer = served.post("/api/v2/alerts", json.dumps([{**_ALERT, field: year}]).encode())

    assert (400, f"[0].{field}:") == (status, json.loads(answer).split(" ")[0])


@pytest.mark.parametrize("end", ["9999-12-31T23:59:59.999999999Z", "9999-12-31T23:59:59Z"])
def test_never_is_a_time(served: Target, end: str) -> None:
    """The last instant that can be written, by which some say never, is taken to the microsecond."""
    silence = json.dumps({**_SILENCE, "endsAt": end}).encode()

    assert [200, 200] == [
        served.post("/api/v2/alerts", json.dumps([{**_ALERT, "endsAt": end}]).encode())[0],
        served.post("/api/v2/silences", silence)[0],
    ]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"matchers": [{"name": "job", "value": "(", "isRegex": True}]}, "matchers[0].value of 'job':"),
        ({"endsAt": "tomorrow"}, "endsAt: 'tomorrow' is no time"),
        ({"endsAt": "9999-12-31T23:59:59-14:00"}, "endsAt:"),
    ],
)
def test_a_wrong_silence_names_its_field(served: Target, change: dict[str, object], said: str) -> None:
    """What is wrong with a silence is said with the place where it stands."""
    status, answer = served.post("/api/v2/silences", json.dumps({**_SILENCE, **change}).encode())

    assert (400, True) == (status, json.loads(answer).startswith(said))


@pytest.mark.parametrize(("source", "body"), [("alertmanager", b"{}"), ("json", b"[]")])
def test_a_message_without_alerts_says_so(served: Target, source: str, body: bytes) -> None:
    """A good message in which nothing is, is taken, and the answer says that nothing came of it."""
    status, answer = served.post(f"/hooks/{source}", body)

    assert (202, True) == (status, "no alerts are in it" in json.loads(answer)["remark"])


def test_go_s_zero_time_is_no_time(served: Target) -> None:
    """What clients in Go send for a time that is not set is taken as not set."""
    assert 200 == served.post("/api/v2/alerts", json.dumps([{**_ALERT, "endsAt": "0001-01-01T00:00:00Z"}]).encode())[0]


def test_bad_signatures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever stands where a signature should be, nothing is taken and nothing breaks."""
    monkeypatch.setenv("FUZZ_SECRET", SECRET)
    chance = random.Random(SEED)
    statuses = set()
    with target(tmp_path, secret=True) as guarded:
        for case in (one for one in CASES if one.source in ("sentry", "github", "grafana")):
            request = signed(case.source, case.request)
            for name in request.headers:
                headers = {**request.headers, name: "".join(chr(chance.randint(33, 126)) for _ in range(70))}
                body = request.body if chance.random() < 0.5 else mutated(request.body, chance)
                status, _ = guarded.post(request.path or f"/hooks/{case.source}", body + b" ", **headers)
                statuses.add(status)
        rows = guarded.stored()

    assert ({403}, 0) == (statuses, rows["inbound"])


def test_a_replayed_id(tmp_path: Path) -> None:
    """The same delivery again is answered well and stored once, whatever its body says then."""
    case = next(one for one in CASES if one.file == "sentry/issue_created")
    with target(tmp_path) as found:
        statuses = [found.post("/hooks/sentry", case.request.body, **case.request.headers)[0] for _ in range(3)]
        rows = found.stored()

    assert ([True] * 3, 1) == ([200 <= one < 300 for one in statuses], rows["inbound"])


JSONS: Final = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=12,
)
ALERTS: Final = st.lists(
    st.fixed_dictionaries(
        {},
        optional={
            "labels": st.dictionaries(st.text(max_size=8), st.text(max_size=20) | JSONS, max_size=4),
            "annotations": JSONS,
            "startsAt": st.text(max_size=30) | st.datetimes().map(lambda at: f"{at.isoformat()}Z") | JSONS,
            "endsAt": st.datetimes().map(lambda at: f"{at.isoformat()}+01:00") | JSONS,
            "generatorURL": JSONS,
        },
    ),
    max_size=3,
)
SILENCES: Final = st.fixed_dictionaries(
    {},
    optional={
        "id": st.text(max_size=40) | JSONS,
        "matchers": st.lists(
            st.fixed_dictionaries(
                {"name": st.text(max_size=5), "value": st.text(max_size=10), "isRegex": st.booleans()},
                optional={"isEqual": st.booleans() | JSONS},
            ),
            max_size=2,
        )
        | JSONS,
        "startsAt": st.datetimes().map(lambda at: f"{at.isoformat()}Z") | JSONS,
        "endsAt": st.datetimes().map(lambda at: f"{at.isoformat()}Z") | JSONS,
        "createdBy": st.text(max_size=5) | JSONS,
        "comment": st.text(max_size=5) | JSONS,
    },
)
LOOSELY: Final = settings(
    max_examples=150,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
    derandomize=True,
)


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/silences", "/hooks/alertmanager", "/hooks/grafana"])
@given(data=st.data())
@LOOSELY
def test_any_json(served: Target, path: str, data: st.DataObject) -> None:
    """Any JSON, and whatever nearly is what is expected, is taken or refused with words."""
    body = data.draw(
        SILENCES | JSONS if "silence" in path else ALERTS | JSONS | ALERTS.map(lambda some: {"alerts": some})
    )
    status, answer = served.post(path, json.dumps(body).encode())

    assert (True, True) == (status < 500, bool(told(status, answer)))


def _head(served: Target, path: str, more: str) -> bytes:
    lines = (
        f"POST {path} HTTP/1.1",
        f"Host: {served.host}",
        "Content-Type: application/json",
        "Stanch-Actor: alice",
        more,
    )
    return "\r\n".join((*lines, "", "")).encode()
