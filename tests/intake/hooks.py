"""Webhook receivers for the cases: real ones on ports, which note what arrives when."""

import json
import threading
import time
from collections.abc import Mapping
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self

from tests.intake.story import Arrived, Got, Hook

_NEVER = "0001-01-01T00:00:00Z"


class Hooks:
    """One server for any number of hooks; `http://…/<number>` is the hook with that number."""

    def __init__(self, behaviours: Mapping[int, Hook] | None = None) -> None:
        self._behaviours = dict(behaviours or {})
        self._seen: list[tuple[float, int, dict[str, object], str]] = []
        self._lock = threading.Lock()
        self.began = time.time()
        hooks = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                status = hooks._take(int(self.path.strip("/") or 0), body, self.headers.get("Idempotency-Key", ""))
                self.send_response(status)
                if status == 302:
                    self.send_header("Location", "/0")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def url(self, number: int) -> str:
        """Return the URL of a hook."""
        return f"http://127.0.0.1:{self._server.server_port}/{number}"

    def filled(self, config: str) -> str:
        """Return a configuration with the URLs of the hooks in it."""
        for number in range(4):
            config = config.replace(f"{{wh{number}}}", self.url(number))
        return config

    def arrived(self) -> list[Arrived]:
        """Return what has arrived and counts, with times since `began`."""
        with self._lock:
            seen = list(self._seen)
        return [
            Arrived(hook=hook, at=at - self.began, alerts=tuple(_got(one, self.began) for one in alerts_of(body)))
            for at, hook, body, _ in seen
        ]

    def bodies(self) -> list[dict[str, object]]:
        """Return the bodies of what has arrived and counts."""
        with self._lock:
            return [body for _, _, body, _ in self._seen]

    def keys(self) -> list[str]:
        """Return the idempotency keys of what has arrived and counts."""
        with self._lock:
            return [key for _, _, _, key in self._seen]

    def _take(self, hook: int, body: dict[str, object], key: str) -> int:
        now = time.time()
        behaviour = self._behaviours.get(hook)
        early = behaviour is not None and now - self.began < behaviour.until
        with self._lock:
            if not early:
                self._seen.append((now, hook, body, key))
        return behaviour.status if behaviour is not None and early else 200


def alerts_of(body: Mapping[str, object]) -> list[dict[str, object]]:
    """Return the alerts in the body of a notification."""
    found = body["alerts"]
    assert isinstance(found, list)
    return found


def _got(alert: Mapping[str, object], began: float) -> Got:
    labels, annotations = alert["labels"], alert["annotations"]
    assert isinstance(labels, dict)
    assert isinstance(annotations, dict)
    ends_at = str(alert["endsAt"])
    return Got(
        labels=labels,
        annotations=annotations,
        start=_seconds(str(alert["startsAt"])) - began,
        end=None if ends_at == _NEVER else _seconds(ends_at) - began,
    )


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
