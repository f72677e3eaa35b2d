"""Webhooks of strangers: posted to public addresses alone, and nothing of the answer is shown."""

import http.server
import json
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from stanch.integrations.webhook import SubscribedWebhook
from stanch.ports.channel import Failure, Message, NotTaken


def message(url: str) -> Message:
    """Return a message for a webhook."""
    return Message(id="status/1/1", room="status", subject="s", text="t", markdown="", data={"a": 1}, to=url)


@contextmanager
def far_end(status: int) -> Iterator[tuple[str, list[tuple[str, dict[str, object], str]]]]:
    """Give the address of a server that answers `status`, and what it is posted: path, body, host."""
    heard: list[tuple[str, dict[str, object], str]] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers with what is scripted."""

        def do_POST(self) -> None:
            """Keep what comes."""
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            heard.append((self.path, body, self.headers["host"]))
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:1/")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://localhost:{server.server_address[1]}/hook?x=1", heard
        server.shutdown()


def test_it_is_posted_under_its_own_name() -> None:
    """To the address that was looked up, with the host that was asked for."""
    with far_end(200) as (url, heard):
        SubscribedWebhook(name="w", private=True).post(message(url))

    assert [("/hook?x=1", {"a": 1}, url.split("/")[2])] == heard


@pytest.mark.parametrize(
    "url",
    [
        "https://127.0.0.1/",
        "https://localhost/",
        "https://[::1]/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data",
        "https://[::ffff:127.0.0.1]/",
        "https://0.0.0.0/",
        "https://2130706433/",
    ],
)
def test_no_stranger_leads_inside(url: str) -> None:
    """Addresses of this machine and its network are refused, in whatever way they are written."""
    with pytest.raises(NotTaken) as refusal:
        SubscribedWebhook(name="w").post(message(url))

    assert refusal.value.failure in (Failure.REFUSED, Failure.UNREACHABLE)


@pytest.mark.parametrize("host", ["[::127.0.0.1]", "[64:ff9b::a9fe:a9fe]", "[2002:7f00:1::]", "224.0.0.1"])
def test_no_gateway_leads_inside(host: str) -> None:
    """An address that holds one of the inside, or is of many machines, is refused before anything is tried."""
    with pytest.raises(NotTaken) as refusal:
        SubscribedWebhook(name="w").post(message(f"https://{host}/"))

    assert Failure.REFUSED is refusal.value.failure


@contextmanager
def slow_end() -> Iterator[str]:
    """Give the address of a server that never ends its answer: a byte now and then."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ended = threading.Event()

        def drip() -> None:
            near, _ = server.accept()
            with near:
                near.sendall(b"HTTP/1.1 200 OK\r\nx: ")
                while not ended.wait(0.05):
                    try:
                        near.sendall(b"a")
                    except OSError:
                        return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}/"
        ended.set()
        thread.join(10)


def test_who_answers_slowly_is_left() -> None:
    """A byte every moment keeps no time-out of one read from beginning anew; the whole has one."""
    with slow_end() as url, pytest.raises(NotTaken) as late:
        SubscribedWebhook(name="w", private=True, within_s=4).post(message(url))

    assert Failure.UNKNOWN is late.value.failure


def test_it_follows_nowhere() -> None:
    """A redirect is a refusal."""
    with far_end(302) as (url, _), pytest.raises(NotTaken) as refusal:
        SubscribedWebhook(name="w", private=True).post(message(url))

    assert "hook" not in str(refusal.value)
