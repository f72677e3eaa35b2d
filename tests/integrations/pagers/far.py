"""The far ends of providers: one small server that speaks HTTP as it is told to, and remembers what came."""

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

SECRET = "s3cr3t-of-the-provider"


@dataclass(frozen=True)
class Got:
    """One request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:  # Any: whatever the provider's protocol says
        """Return the body as JSON."""
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, list[str]]:
        """Return the body as a form."""
        return parse_qs(self.body.decode())

    @property
    def login(self) -> str:
        """Return name and password of Basic authorization."""
        return base64.b64decode(self.headers["authorization"].removeprefix("Basic ")).decode()


@dataclass
class Answer:
    """What is answered."""

    status: int = 200
    body: object = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False


Speak = Callable[["Got", int], Answer]


@dataclass(frozen=True)
class Place:
    """Where a far end is, or would be."""

    url: str


# Port 1 is reserved, and nothing listens there.
NOWHERE = Place("http://127.0.0.1:1")


class Far(ThreadingHTTPServer):
    """A far end. `speak` says what is answered to which request; `trouble` is answered first, one after the other."""

    daemon_threads = True

    def __init__(self, speak: Speak) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.speak = speak
        self.trouble: list[Answer] = []
        self.got: list[Got] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        """Return where it is."""
        return f"http://127.0.0.1:{self.server_port}"

    def answer(self, got: Got) -> Answer:
        """Return what is answered to `got`."""
        with self.lock:
            self.got.append(got)
            return self.trouble.pop(0) if self.trouble else self.speak(got, len(self.got))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def _take(self) -> None:
        far = self.server
        assert isinstance(far, Far)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        answer = far.answer(Got(self.command, self.path, headers, body))
        if answer.hang_up:
            self.close_connection = True
            return
        said = json.dumps(answer.body).encode()
        self.send_response(answer.status)
        for name, value in {"Content-Type": "application/json", **answer.headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_PUT = do_GET = do_PATCH = _take

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def far_end(speak: Speak) -> Iterator[Far]:
    """Run a far end while the block lasts."""
    with Far(speak) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        yield server
        server.shutdown()
        thread.join()
