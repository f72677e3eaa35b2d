"""The TCP probe against sockets that answer, refuse and hang."""

import socket
import threading
import time
from datetime import UTC, datetime

import pytest

from stanch.integrations.tcp import TcpSampler
from stanch.ports.checks import TcpCheck
from stanch.ports.sampler import Look
from tests.support.farend import flood, hang, wire
from tests.support.servers import free_port

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


def redis(peer: socket.socket, over: threading.Event) -> None:
    """Answer a PING as Redis does."""
    if peer.recv(100) == b"PING\r\n":
        peer.sendall(b"+PO")
        peer.sendall(b"NG\r\n")
    over.wait(5)


def looked(place: str, settings: TcpCheck | None = None, *, timeout_s: float = 20.0) -> Look:
    """Return one look."""
    return TcpSampler(settings, timeout_s=timeout_s).look(service="cache", target=place, cursor={}, now=NOW)


def test_connects() -> None:
    """A connection that is accepted means up."""
    with wire(hang) as place:
        assert 1.0 == looked(place).samples[0].value


def test_nobody_listens() -> None:
    """A refused connection is down, and the trouble says so."""
    place = f"127.0.0.1:{free_port()}"
    look = looked(place)

    assert (0.0, f"{place} cannot be reached: Connection refused") == (look.samples[0].value, look.trouble)


def test_expected_answer() -> None:
    """What comes back may come in parts."""
    with wire(redis) as place:
        assert "" == looked(place, TcpCheck(send="PING\r\n", expect=r"\+PONG")).trouble


@pytest.mark.parametrize("speak", [hang, flood])
def test_unexpected_answer(speak: object) -> None:
    """A far end that says nothing, or does not stop saying something else, is left in time."""
    with wire(speak) as place:  # type: ignore[arg-type]
        began = time.monotonic()
        look = looked(place, TcpCheck(send="PING\r\n", expect=r"\+PONG"), timeout_s=0.4)
        took = time.monotonic() - began

    assert (True, True) == (took < 10, "does not match" in look.trouble)
