"""One HTTP request with a deadline for all of it and a limit in bytes, whatever the far end does.

A read has a time-out of its own, so a far end that drips would never be given up; when the time is over the connection
is therefore shut from outside.
"""

import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import httpx2

from stanch.kernel.redaction import redact

LARGEST_BODY: Final = 262_144
"""What is read of an answer: assertions are about the first 256 KiB."""

LONGEST_EXCERPT: Final = 200
MOST_REDIRECTS: Final = 5


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back. Without a status nothing did, and `trouble` says why. `took_ms` is until the last byte."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    took_ms: float = 0.0
    trouble: str = ""

    @property
    def text(self) -> str:
        """Return the body as text; bytes that are no UTF-8 become question marks."""
        return self.body.decode("utf-8", "replace")

    @property
    def excerpt(self) -> str:
        """Return the beginning of the body on one line, without secrets."""
        return redact(" ".join(self.text.split()))[:LONGEST_EXCERPT]


def open_client(*, trust: ssl.SSLContext) -> httpx2.Client:
    """Return a client with no cookies yet, that uses no proxy and keeps no connection."""
    return httpx2.Client(
        verify=trust,
        trust_env=False,
        max_redirects=MOST_REDIRECTS,
        limits=httpx2.Limits(max_keepalive_connections=0),
        headers={"User-Agent": "stanch", "Accept-Encoding": "identity", "Connection": "close"},
    )


def ask(
    client: httpx2.Client,
    *,
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: str,
    form: Mapping[str, str],
    follow: bool,
    timeout_s: float,
) -> Answer:
    """Send one request and return what came back within `timeout_s`. Never raises for what the far end does."""
    began = time.perf_counter()
    limit = _Limit()
    timer = threading.Timer(timeout_s, limit.cut)
    timer.daemon = True
    timer.start()
    try:
        with client.stream(
            method,
            url,
            headers=dict(headers),
            content=body.encode() if body else None,
            data=dict(form) if form else None,
            follow_redirects=follow,
            timeout=timeout_s,
            extensions={"trace": limit.watch},
        ) as response:
            read = bytearray()
            for piece in response.iter_raw():
                read += piece
                if len(read) > LARGEST_BODY or limit.is_over:
                    break
            if limit.is_over:
                return _nothing(began, f"{url} had not answered completely after {timeout_s:g} s")
            return Answer(
                status=response.status_code,
                headers={name.lower(): value for name, value in response.headers.items()},
                body=bytes(read[:LARGEST_BODY]),
                took_ms=(time.perf_counter() - began) * 1000,
            )
    except httpx2.TimeoutException:
        return _nothing(began, f"{url} did not answer within {timeout_s:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, ssl.SSLError, OSError, ValueError) as error:
        if limit.is_over:
            return _nothing(began, f"{url} had not answered completely after {timeout_s:g} s")
        what = "cannot be reached" if isinstance(error, httpx2.ConnectError) else "could not be asked"
        return _nothing(began, f"{url} {what}: {(str(error) or type(error).__name__)[:LONGEST_EXCERPT]}")
    finally:
        timer.cancel()
        limit.close()


def _nothing(began: float, trouble: str) -> Answer:
    return Answer(took_ms=(time.perf_counter() - began) * 1000, trouble=redact(trouble))


class _Limit:
    """Shuts the connection of a request when its time is over."""

    def __init__(self) -> None:
        self.is_over = False
        self._sockets: list[socket.socket] = []
        self._lock = threading.Lock()

    def watch(self, name: str, info: Mapping[str, Any]) -> None:  # Any: what the client tells differs by event
        """Note every connection that the client opens."""
        if name != "connection.connect_tcp.complete":
            return
        # A duplicate, for TLS takes the descriptor out of the object that is told here.
        found = info["return_value"].get_extra_info("socket").dup()
        with self._lock:
            self._sockets.append(found)
            if self.is_over:
                _shut(found)

    def cut(self) -> None:
        """End the request: who reads gets the end of the stream."""
        with self._lock:
            self.is_over = True
            for one in self._sockets:
                _shut(one)

    def close(self) -> None:
        """Let go of the connections."""
        with self._lock:
            for one in self._sockets:
                one.close()
            self._sockets.clear()


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
