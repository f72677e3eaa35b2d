"""The webhook channel: one POST with its key, what may be tried again, and never a word of its URL."""

import json
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2
import pytest

from stanch.integrations.webhook import WebhookChannel
from stanch.kernel.errors import Unavailable
from stanch.ports.channel import Message
from tests.support.servers import free_port

SECRET = "hunter2secret"
MESSAGE = Message(
    id="inc1/update/2/hook/responders", room="incident-1", subject="s", text="t", markdown="m", incident=1
)


class Far(ThreadingHTTPServer):
    """The far side: answers what it is told and remembers what came."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.status = 200
        self.answer = b"ok"
        self.location = ""
        self.got: list[tuple[str, str | None, bytes]] = []

    @property
    def url(self) -> str:
        """Return the URL, with a secret in it."""
        return f"http://127.0.0.1:{self.server_port}/hook/{SECRET}"


class _Answer(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        far = self.server
        assert isinstance(far, Far)
        body = self.rfile.read(int(self.headers["Content-Length"]))
        far.got.append((self.path, self.headers.get("Idempotency-Key"), body))
        self.send_response(far.status)
        if far.location:
            self.send_header("Location", far.location)
        self.send_header("Content-Length", str(len(far.answer)))
        self.end_headers()
        self.wfile.write(far.answer)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def far() -> Iterator[Far]:
    """Give a far side that takes everything."""
    with Far() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def trouble_with(channel: WebhookChannel) -> Unavailable:
    """Return why the message was not taken."""
    with pytest.raises(Unavailable) as trouble:
        channel.post(MESSAGE)
    return trouble.value


def test_the_id_is_the_key(far: Far) -> None:
    """Every attempt carries the same key and the same body."""
    channel = WebhookChannel(name="hook", url=far.url)
    channel.post(MESSAGE)
    channel.post(MESSAGE)

    assert ([MESSAGE.id] * 2, 1) == ([key for _, key, _ in far.got], len({body for *_, body in far.got}))


def test_the_body_is_the_message(far: Far) -> None:
    """All of it, as JSON."""
    WebhookChannel(name="hook", url=far.url).post(MESSAGE)
    body = json.loads(far.got[0][2])

    assert ("incident-1", "s", "t", "m", 1) == tuple(
        body[name] for name in ("room", "subject", "text", "markdown", "incident")
    )


@pytest.mark.parametrize(
    ("status", "retry"),
    [
        (408, True),
        (425, True),
        (429, True),
        (500, True),
        (503, True),
        (301, False),
        (400, False),
        (404, False),
        (410, False),
    ],
)
def test_what_may_be_tried_again(far: Far, status: int, retry: bool) -> None:
    """Busy and broken pass; a refusal is final."""
    far.status = status

    assert retry is trouble_with(WebhookChannel(name="hook", url=far.url)).retry


def test_a_redirect_is_not_followed(far: Far) -> None:
    """A message goes where it was configured to go and nowhere else."""
    far.status, far.location = 307, f"http://127.0.0.1:{far.server_port}/elsewhere"
    trouble_with(WebhookChannel(name="hook", url=far.url))

    assert [f"/hook/{SECRET}"] == [path for path, *_ in far.got]


def test_an_answer_is_told_in_short(far: Far) -> None:
    """Two hundred characters of a long refusal."""
    far.status, far.answer = 400, b"x" * 10_000

    assert len(trouble_with(WebhookChannel(name="hook", url=far.url)).message) < 300


def test_nobody_there_can_be_tried_again() -> None:
    """A refused connection passes."""
    channel = WebhookChannel(name="hook", url=f"http://127.0.0.1:{free_port()}/{SECRET}")

    assert trouble_with(channel).retry


def test_silence_is_a_time_out_that_can_be_tried_again() -> None:
    """Who accepts and never answers is given up; the channel's own ten seconds are made short here."""
    with socket.socket() as mute:
        mute.bind(("127.0.0.1", 0))
        mute.listen()
        channel = WebhookChannel(name="hook", url=f"http://127.0.0.1:{mute.getsockname()[1]}/{SECRET}")
        channel._client.timeout = httpx2.Timeout(0.2)
        trouble = trouble_with(channel)

    assert (True, True) == (trouble.retry, "Timeout" in trouble.message)


@pytest.mark.parametrize("status", [400, 500])
def test_an_error_never_holds_the_url(far: Far, status: int) -> None:
    """The secret of a webhook is in its URL: no message of ours repeats it."""
    far.status = status

    assert SECRET not in str(trouble_with(WebhookChannel(name="hook", url=far.url)))


def test_an_error_without_an_answer_never_holds_the_url() -> None:
    """Nor when nobody was there to answer."""
    trouble = trouble_with(WebhookChannel(name="hook", url=f"http://127.0.0.1:1/{SECRET}"))

    assert SECRET not in str(trouble)
