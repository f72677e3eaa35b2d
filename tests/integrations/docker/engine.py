"""A Docker Engine on a socket: containers that are read, started, stopped, restarted and given other limits.

It answers as https://docs.docker.com/reference/api/engine/version/v1.41/ says, and the `docker` command, where it is
installed, is run against it to see that it does.
"""

import http.server
import json
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

# JSON as the Engine has it.
Object = dict[str, Any]
ID = "4fa6e0f0c678" + "0" * 52
MIB = 1024**2


@dataclass
class FakeEngine:
    """The containers by id, and what was asked."""

    socket: str
    containers: dict[str, Object] = field(default_factory=dict)
    heard: list[tuple[str, str, Object]] = field(default_factory=list)
    falls_over: bool = False
    health_after: list[str] = field(default_factory=list)
    """What the health check says at the next looks, once something was started."""
    starts: int = 0

    @property
    def done(self) -> list[tuple[str, Object]]:
        """Return path and body of what was more than a question."""
        return [(path, body) for method, path, body in self.heard if method == "POST"]

    def answer(self, method: str, target: str, body: Object) -> tuple[int, Object | None]:
        """Answer one request."""
        parts = urlsplit(target)
        path = re.sub(r"^/v1\.\d+", "", parts.path)
        self.heard.append((method, f"{path}?{parts.query}".rstrip("?"), body))
        if path == "/_ping":
            return 200, None
        _, _, name, verb = [*unquote(path).split("/"), "", ""][:4]
        found = next((one for one in self.containers.values() if name in (one["Id"], one["Name"][1:])), None)
        if found is None:
            return 404, {"message": f"No such container: {name}"}
        if method == "GET" and verb == "json":
            return 200, self._seen(found)
        if method != "POST":
            return 405, {"message": "method not allowed"}
        query = parse_qs(parts.query)
        if any(not one.isdecimal() for one in query.get("t", [])):
            return 400, {"message": "bad parameter"}
        return self._act(found, verb, body)

    def _act(self, found: Object, verb: str, body: Object) -> tuple[int, Object | None]:
        state = found["State"]
        match verb:
            case "start" if state["Status"] == "running":
                return 304, None
            case "start" | "restart":
                self.starts += 1
                state.update(Status="running", StartedAt=f"2026-11-21T14:00:{self.starts:02}Z", ExitCode=0)
                return 204, None
            case "stop" if state["Status"] == "exited":
                return 304, None
            case "stop":
                state.update(Status="exited", ExitCode=137)
                return 204, None
            case "update":
                limits = found["HostConfig"]
                swap = body.get("MemorySwap") or limits["MemorySwap"]
                if body.get("Memory", 0) > swap > 0:
                    said = "Memory limit should be smaller than already set memoryswap limit"
                    return 409, {"message": f"Cannot update container {found['Id']}: {said}"}
                # Zero is not a value here.
                limits.update({name: value for name, value in body.items() if value})
                return 200, {"Warnings": []}
            case _:
                return 404, {"message": "page not found"}

    def _seen(self, found: Object) -> Object:
        state = found["State"]
        if self.starts and self.falls_over and state["Status"] == "running":
            state.update(Status="exited", ExitCode=1)
        if self.starts and self.health_after:
            state["Health"] = {"Status": self.health_after.pop(0)}
        return found


def container(name: str = "payments", **limits: int) -> Object:
    """Return a container that runs."""
    return {
        "Id": ID,
        "Name": f"/{name}",
        "State": {"Status": "running", "StartedAt": "2026-11-21T13:00:00Z", "ExitCode": 0},
        "HostConfig": {"Memory": 0, "MemorySwap": 0, "NanoCpus": 0, "AutoRemove": False, **limits},
        "Config": {"Image": "shop/payments:v3.2.1", "Labels": {}},
    }


class _Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


@contextmanager
def engine(folder: Path, *containers: Object) -> Iterator[FakeEngine]:
    """Serve an Engine on a socket in a folder while the block runs."""
    fake = FakeEngine(socket=str(folder / "docker.sock"), containers={one["Id"]: one for one in containers})
    lock = threading.Lock()

    class Handler(http.server.BaseHTTPRequestHandler):
        """Answers one request."""

        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            """Answer as the Engine does."""
            sent = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with lock:
                code, found = fake.answer(self.command, self.path, json.loads(sent) if sent else {})
                body = b"" if found is None else json.dumps(found).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Api-Version", "1.41")
            if code not in (204, 304):
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        do_POST = do_HEAD = do_DELETE = do_GET

        def address_string(self) -> str:
            """Return no address: a socket has none."""
            return "socket"

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    server = _Server(fake.socket, Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
