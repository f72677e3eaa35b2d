"""The HTTP actuator against a server of the tests: what is sent, what is told, what is refused."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import ClassVar

import pytest

from stanch.integrations.http import HttpActuator
from stanch.kernel.event import JSON
from stanch.ports.actuator import Step, StepResult
from tests.support.farend import Asked, Reply, site

TOKEN = "tok-5up3r-s3cr3t-value"


class Far(BaseHTTPRequestHandler):
    """Keeps what it was sent; answers with the status that the path names."""

    seen: ClassVar[list[tuple[str, str, bytes, str]]] = []

    def _answer(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.seen.append((self.command, self.path, body, self.headers.get("Authorization", "")))
        status = int(self.path.rsplit("/", 1)[-1])
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/secret/200")
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"done")

    do_POST = do_PATCH = do_DELETE = _answer

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def url() -> Iterator[str]:
    """Give the address of a far end."""
    Far.seen = []
    with ThreadingHTTPServer(("127.0.0.1", 0), Far) as server:
        Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def step(**data: JSON) -> Step:
    """Return a step."""
    return Step(actuator="http", timeout_s=5, data=data)


def run(**data: JSON) -> StepResult:
    """Send a request."""
    return HttpActuator().run(step(**data), emit=lambda _: None)


def test_what_is_told_is_sent(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Method, path, body, and the token from the environment."""
    monkeypatch.setenv("FLAGS_TOKEN", TOKEN)
    result = run(url=f"{url}/flags/200", method="PATCH", body='{"on": false}', token_env="FLAGS_TOKEN")

    assert (0, [("PATCH", "/flags/200", b'{"on": false}', f"Bearer {TOKEN}")]) == (result.code, Far.seen)


def test_the_token_is_shown_nowhere(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither in the output nor in the step."""
    monkeypatch.setenv("FLAGS_TOKEN", TOKEN)
    said: list[str] = []
    HttpActuator().run(step(url=f"{url}/200", token_env="FLAGS_TOKEN"), emit=said.append)

    assert TOKEN not in "".join(said)


@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (302, 1), (404, 1), (500, 1)])
def test_only_a_success_is_one(url: str, status: int, code: int) -> None:
    """A redirect is not followed: it could go anywhere."""
    assert (code, 1) == (run(url=f"{url}/{status}").code, len(Far.seen))


def test_a_try_sends_nothing(url: str) -> None:
    """The dry run says what would be sent."""
    result = run(url=f"{url}/200", body=json.dumps({"on": False}), dry_run=True)

    assert (0, [], True) == (result.code, Far.seen, '{"on": false}' in result.output)


def test_no_answer_is_no_success() -> None:
    """Whether it arrived is not known, and that is said."""
    result = run(url="http://127.0.0.1:9/200")

    assert (1, True) == (result.code, "not known" in result.output)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"url": "ftp://x"}, "http://"),
        ({"url": ""}, "http://"),
        ({"url": "http://user:pw@x/"}, "password"),
        ({"url": "http://x", "method": "CONNECT"}, "method"),
        ({"url": "http://x", "token_env": "NOT_THERE_AT_ALL"}, "NOT_THERE_AT_ALL"),
        ({"url": "http://x", "headers": "a"}, "no setting"),
    ],
)
def test_what_cannot_be_sent_says_why(data: dict[str, JSON], why: str) -> None:
    """Before anything is sent."""
    assert why in "; ".join(HttpActuator().problems(step(**data)))


@dataclass
class Limit:
    """A gateway with a rate limit: `PUT` sets it, `GET` tells it; `stuck` takes what it is sent and does nothing."""

    limit: int = 500
    stuck: bool = False

    def answer(self, asked: Asked) -> Reply:
        """Answer one request."""
        if asked.method == "PUT" and not self.stuck:
            self.limit = json.loads(asked.body)["per_second"]
        return Reply(body=json.dumps({"route": {"checkout": {"per_second": self.limit}}}))


def limited(place: str, wanted: int, **more: JSON) -> Step:
    """Return a step that sets the limit, with its check."""
    data: dict[str, JSON] = {"url": f"{place}/limit", "method": "PUT", "body": json.dumps({"per_second": wanted})}
    data |= {"check_url": f"{place}/limit", "check_path": "route.checkout.per_second", "check_is": str(wanted)}
    return Step(actuator="http", timeout_s=5, data={**data, "check_within_s": "0.3", **more})


@pytest.mark.parametrize(("stuck", "code", "said"), [(False, 0, "says 50, read back"), (True, 1, "it should be 50")])
def test_what_was_sent_is_read_back(stuck: bool, code: int, said: str) -> None:
    """An answer of 200 is a success only when the check says what it should."""
    with site(Limit(stuck=stuck).answer) as here:
        result = HttpActuator().run(limited(here.url, 50), emit=lambda line: None)

    assert (code, True) == (result.code, said in result.output)


def test_a_look_says_what_is_there_now() -> None:
    """It reads and sends nothing; the fingerprint follows what it reads."""
    gateway = Limit()
    with site(gateway.answer) as here:
        first = HttpActuator().look(limited(here.url, 50))
        gateway.limit = 400
        second = HttpActuator().look(limited(here.url, 50))

    assert ({"GET"}, True, False) == (
        {asked.method for asked in here.asked},
        "says 500; afterwards it should say 50" in first.preview[0],
        first.fingerprint == second.fingerprint,
    )


def test_what_already_is_needs_no_request() -> None:
    """A limit that is in force is not set again."""
    with site(Limit(limit=50).answer) as here:
        assert HttpActuator().look(limited(here.url, 50)).refusal.endswith("says 50 already")


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"check_url": "http://x/"}, "both check_url and check_is"),
        ({"scheme": "Bearer\r\nX-Evil: 1"}, "scheme cannot be"),
        ({"type": "text/plain\nX: y"}, "type cannot be"),
        ({"url": "http://x/a b"}, "a space or a control character"),
        ({"url": "http://x/flags/../users"}, "climbs up"),
    ],
)
def test_what_would_be_another_request_says_why(data: dict[str, JSON], why: str) -> None:
    """A header, a path or a check that is not what it seems is refused before anything is sent."""
    assert why in "; ".join(HttpActuator().problems(step(**{"url": "http://x/", **data})))
