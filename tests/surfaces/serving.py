"""Serves an application on a free port of this machine, as it runs in production: uvicorn, real sockets."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import httpx2
from starlette.types import ASGIApp

from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.running import Server

PATIENT_S: Final = 60.0
"""How long a client waits for an answer; five seconds, the library's own, measure the machine and not the server."""


@contextmanager
def serving(app: ASGIApp, front: Front, *, port: int = 0) -> Iterator[str]:
    """Serve `app` while the block runs, on a free port or on `port`; give its base URL."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = Server(app, front=front)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            with httpx2.Client(transport=httpx2.HTTPTransport(retries=20), timeout=PATIENT_S) as client:
                client.get(f"{address}/healthz")
            yield address
        finally:
            server.should_exit = True
            thread.join(PATIENT_S)
            # What the block was given, a store above all, is closed next: nobody may be using it any more.
            assert not thread.is_alive(), "the server did not stop"
