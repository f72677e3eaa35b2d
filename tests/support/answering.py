"""A small HTTP server that answers paths with what a test says, and keeps what it was asked."""

import http.server
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit


@dataclass
class Heard:
    """The server's URL, and each request's method, path with query, and headers in lower case."""

    url: str = ""
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)

    @property
    def methods(self) -> set[str]:
        """Return the methods that were used."""
        return {method for method, _, _ in self.requests}


@contextmanager
def answering(answers: Mapping[str, object], *, status: Mapping[str, int] | None = None) -> Iterator[Heard]:
    """Serve JSON by path while the block runs; a path that is not there is 404. Every method is kept, GET answered."""
    heard = Heard()

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers one request."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer with what the test said."""
            heard.requests.append((self.command, self.path, {k.lower(): v for k, v in self.headers.items()}))
            path = urlsplit(self.path).path
            known = self.path if self.path in answers else path
            code = (status or {}).get(known, 200) if known in answers else 404
            body = json.dumps(answers.get(known, {"kind": "Status", "status": "Failure", "code": 404})).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    heard.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield heard
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
