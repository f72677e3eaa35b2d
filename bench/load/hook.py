"""A webhook of this process that keeps when every notification came, its idempotency key and the alerts in it."""

import json
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


@dataclass(frozen=True, kw_only=True)
class Told:
    """A notification. `at` is of `time.perf_counter`; `numbers` are the labels `number` of the alerts that fire."""

    at: float
    key: str
    group: str
    numbers: tuple[str, ...]
    alerts: tuple[str, ...]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of senders that were killed."""
        if not isinstance(sys.exc_info()[1], OSError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # as it came


class Hook:
    """Listens while the `with` block lasts."""

    def __init__(self, *, answers: Callable[[], int] = lambda: 200) -> None:
        self._told: list[Told] = []
        self._arrived = threading.Condition()
        self._answers = answers
        self._server = _Server(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()

    def told(self) -> list[Told]:
        """Return what has come, in order."""
        with self._arrived:
            return list(self._told)

    def wait_for(self, wanted: Callable[[list[Told]], bool], *, seconds: float) -> bool:
        """Wait until `wanted` says so of what has come; False when it did not within `seconds`."""
        with self._arrived:
            return self._arrived.wait_for(lambda: wanted(self._told), timeout=seconds)

    def _took(self, told: Told) -> None:
        with self._arrived:
            self._told.append(told)
            self._arrived.notify_all()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        hook = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                length = int(self.headers["Content-Length"])
                raw = self.rfile.read(length)
                if len(raw) < length:
                    return  # the sender was killed
                at = time.perf_counter()
                body = json.loads(raw)
                firing = [one["labels"] for one in body["alerts"] if one["status"] == "firing"]
                status = hook._answers()
                if status == 200:
                    hook._took(
                        Told(
                            at=at,
                            key=self.headers.get("Idempotency-Key", ""),
                            group=body["groupKey"],
                            numbers=tuple(one.get("number", "") for one in firing),
                            alerts=tuple(one["alertname"] for one in firing),
                        )
                    )
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *told: object) -> None:
                """Say nothing."""

        return Handler
