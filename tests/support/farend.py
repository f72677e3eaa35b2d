"""Far ends for tests of probes: an HTTP server that answers as told, and sockets that hang, flood, drip or speak."""

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What to answer."""

    status: int = 200
    body: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class Site:
    """A running server: where it is, and what it was asked."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextlib.contextmanager
def site(answer: Callable[[Asked], Reply]) -> Iterator[Site]:
    """Run an HTTP server on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        """Answers whatever is asked, and remembers it."""

        def _do(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked = Asked(
                method=self.command, path=self.path, headers=dict(self.headers.items()), body=self.rfile.read(length)
            )
            found.asked.append(asked)
            reply = answer(asked)
            body = reply.body.encode()
            self.send_response(reply.status)
            for name, value in reply.headers:
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _do

        def log_message(self, format: str, *args: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    found = Site(url=f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@contextlib.contextmanager
def wire(speak: Callable[[socket.socket, threading.Event], None]) -> Iterator[str]:
    """Run a TCP server whose connections are handled by `speak`, which ends when the event is set; yield host:port."""
    over = threading.Event()
    listener = socket.create_server(("127.0.0.1", 0), backlog=100)
    listener.settimeout(0.05)
    talks: list[threading.Thread] = []

    def talk(peer: socket.socket) -> None:
        with peer, contextlib.suppress(OSError):
            speak(peer, over)

    def accept() -> None:
        while not over.is_set():
            try:
                peer, _ = listener.accept()
            except TimeoutError:
                continue
            peer.settimeout(5)
            talks.append(threading.Thread(target=talk, args=(peer,), daemon=True))
            talks[-1].start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield f"127.0.0.1:{listener.getsockname()[1]}"
    finally:
        over.set()
        thread.join()
        for one in talks:
            one.join(5)
        listener.close()


def hang(peer: socket.socket, over: threading.Event) -> None:
    """Take the request and never answer."""
    peer.recv(65_536)
    over.wait(20)


def drip_headers(peer: socket.socket, over: threading.Event) -> None:
    """Answer one byte of a header at a time, for ever."""
    peer.recv(65_536)
    peer.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not over.wait(0.05):
        peer.sendall(b"x")


def drip_body(peer: socket.socket, over: threading.Event) -> None:
    """Answer one byte of the body at a time, for ever."""
    peer.recv(65_536)
    peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\n")
    while not over.wait(0.05):
        peer.sendall(b"x")


def flood(peer: socket.socket, over: threading.Event) -> None:
    """Answer a body without an end, as fast as it is taken."""
    peer.recv(65_536)
    peer.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    piece = b"x" * 65_536
    while not over.is_set():
        peer.sendall(piece)
