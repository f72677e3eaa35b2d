"""A client that does not finish what it says is told so and let go."""

import socket
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.asgi.trust import Trust
from stanch.surfaces.http import api
from tests.surfaces.serving import PATIENT_S, serving

_HEAD = "POST /api/v1/desk/write HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nStanch-Actor: alice\r\n"


@pytest.fixture
def hasty(front: Front) -> Iterator[str]:
    """Serve the desk to clients that have a third of a second for a body."""
    app = application(front, routes=api.routes(front), trust=Trust(), body_within_s=0.3)
    with serving(app, front) as address:
        yield address


def answer(url: str, sent: bytes) -> bytes:
    """Return everything that is answered until the server closes the connection."""
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=PATIENT_S) as line:
        # In one piece: a test that is held up between two would write to a connection that is already refused.
        line.sendall(_HEAD.format(host=parts.netloc).encode() + sent)
        heard = b""
        while piece := line.recv(65_536):
            heard += piece
        return heard


@pytest.mark.parametrize(
    "sent",
    [
        b'Content-Length: 100\r\n\r\n{"text": "',
        b"Content-Length: 100\r\n\r\n",
        b'Transfer-Encoding: chunked\r\n\r\n5\r\n{"tex\r\n',
    ],
    ids=["stops in the middle", "sends nothing", "stops between chunks"],
)
def test_a_body_that_does_not_end(hasty: str, sent: bytes) -> None:
    """It is answered 408 with the limit, and the connection ends."""
    heard = answer(hasty, sent)

    assert (b"HTTP/1.1 408", True) == (heard[:12], b"body: did not end within 0.3 s" in heard)
