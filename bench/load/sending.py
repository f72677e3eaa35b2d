"""Posts alerts over several connections at once, each in a thread, and keeps how long every answer took."""

import socket
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from bench.load.alerts import Case, Speaker, begun


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What a run of posts came to. `latencies` are seconds, one a request, in order of length."""

    accepted: int
    seconds: float
    latencies: list[float]
    problems: list[str] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Return accepted alerts a second."""
        return self.accepted / self.seconds

    def quantile_ms(self, share: float) -> float:
        """Return the latency in milliseconds that `share` of the requests stayed within."""
        return 1000 * self.latencies[min(len(self.latencies) - 1, int(share * len(self.latencies)))]


class Connection:
    """A connection that is kept. One request at a time; answers carry their length, or are chunked."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "127.0.0.1", parts.port or 80)
        self._head = f"Host: {parts.netloc}\r\nContent-Type: application/json\r\nContent-Length: "
        self._socket = socket.create_connection(self._address, 60)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._read = self._socket.makefile("rb", buffering=1 << 18)

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        """Send a request and return status and body of the answer."""
        self._socket.sendall(f"{method} {path} HTTP/1.1\r\n{self._head}{len(body)}\r\n\r\n".encode() + body)
        line = self._read.readline()
        if not line:
            raise ConnectionError("the server closed the connection")
        length, chunked = 0, False
        while (header := self._read.readline()) not in (b"\r\n", b""):
            name, _, value = header.lower().partition(b":")
            if name == b"content-length":
                length = int(value)
            elif name == b"transfer-encoding" and b"chunked" in value:
                chunked = True
        return int(line.split()[1]), self._chunks() if chunked else self._exactly(length)

    def close(self) -> None:
        """Let the connection go."""
        self._read.close()
        self._socket.close()

    def _exactly(self, length: int) -> bytes:
        body: bytes = self._read.read(length)
        if len(body) < length:
            raise ConnectionError("the server closed the connection within an answer")
        return body

    def _chunks(self) -> bytes:
        parts = []
        while size := int(self._read.readline().split(b";")[0], 16):
            parts.append(self._exactly(size))
            self._read.readline()
        self._read.readline()
        return b"".join(parts)


def post_all(url: str, case: Case, *, connections: int, batch: int) -> tuple[Outcome, list[Speaker]]:
    """Post everything in `case`; return how that went, and the speakers, who know what holds now."""
    texts = [begun(number) for number in range(case.distinct)]
    speakers = [Speaker(case, texts=texts, first=one, step=connections) for one in range(connections)]
    # Written beforehand, so that what is measured is the server: making them takes longer than taking them in.
    streams = [list(speaker.batches(batch, time.time())) for speaker in speakers]
    return post_streams(url, streams), speakers


def post_streams(
    url: str, streams: Sequence[Iterable[tuple[bytes, int]]], accepted: Callable[[int], None] = lambda number: None
) -> Outcome:
    """Post bodies, with how many alerts are in each, over one connection a stream."""
    start = threading.Barrier(len(streams) + 1)
    counts: list[int] = []
    latencies: list[float] = []
    problems: list[str] = []

    def work(stream: Iterable[tuple[bytes, int]]) -> None:
        own: list[float] = []
        connection = Connection(url)
        count = 0
        start.wait()
        try:
            for body, number in stream:
                began = time.perf_counter()
                status, said = connection.ask("POST", "/api/v2/alerts", body)
                own.append(time.perf_counter() - began)
                if status == 200:
                    count += number
                    accepted(number)
                else:
                    problems.append(f"{status} {said[:200]!r}")
        except OSError as error:
            problems.append(f"{type(error).__name__}: {error}")
        connection.close()
        counts.append(count)
        latencies.extend(own)

    threads = [threading.Thread(target=work, args=(stream,), daemon=True) for stream in streams]
    for thread in threads:
        thread.start()
    start.wait()
    began = time.perf_counter()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - began
    return Outcome(accepted=sum(counts), seconds=seconds, latencies=sorted(latencies), problems=problems)
