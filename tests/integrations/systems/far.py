"""Far ends that misbehave: a server that hangs, one that lies, one that floods, one that drips."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

GARBAGE: Final = b"\x00\xff\x13 this is none of the protocols you speak \xfe\r\n\r\n" * 4
_HTTP_GARBAGE: Final = (
    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 19\r\n\r\n<html>no JSON</html"
)
_HTTP_FLOOD: Final = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n["


@contextmanager
def far_end(*, first: bytes = b"", after: bytes = b"", flood: bytes = b"", drip: bytes = b"") -> Iterator[int]:
    """Give the port of a server: `first` at once, `after` once it was spoken to, then it floods, drips or hangs."""
    stopping = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.05)

    def talk(peer: socket.socket) -> None:
        try:
            with peer:
                peer.sendall(first)
                if after or flood or drip:
                    peer.recv(65_536)
                peer.sendall(after)
                while flood and not stopping.is_set():
                    peer.sendall(flood)
                while drip and not stopping.wait(0.05):
                    peer.sendall(drip)
                stopping.wait(30)
        except OSError:
            return  # the client went away, as it should

    def listen() -> None:
        while not stopping.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            threading.Thread(target=talk, args=(peer,), daemon=True).start()

    thread = threading.Thread(target=listen, daemon=True)
    thread.start()
    try:
        yield int(listener.getsockname()[1])
    finally:
        stopping.set()
        thread.join()
        listener.close()


@contextmanager
def hanging() -> Iterator[int]:
    """Give the port of a server that accepts and never says anything."""
    with far_end() as port:
        yield port


@contextmanager
def lying(*, http: bool) -> Iterator[int]:
    """Give the port of a server that answers something that is not what it should be."""
    with far_end(first=b"" if http else GARBAGE, after=_HTTP_GARBAGE if http else GARBAGE) as port:
        yield port


@contextmanager
def flooding(*, http: bool) -> Iterator[int]:
    """Give the port of a server that never stops sending."""
    with far_end(after=_HTTP_FLOOD if http else b"$999999999\r\n", flood=b"[" * 65_536) as port:
        yield port


@contextmanager
def dripping(*, http: bool) -> Iterator[int]:
    """Give the port of a server that sends a byte now and then."""
    with far_end(after=_HTTP_FLOOD if http else b"+", drip=b"x") as port:
        yield port
