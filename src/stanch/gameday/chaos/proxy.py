"""A small fault proxy: bytes pass through it to one address, and on demand they come late, fail, or do not come.

It is told by HTTP on another port of the same machine: `PUT /fault` with `delay_ms`, `ratio` and `status`, `cut`, and
`for_s`; `GET /fault`; `DELETE /fault`. A fault ends by itself after `for_s`, so that nobody has to live to end it.
"""

import asyncio
import json
import re
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Final

import msgspec

_CHUNK: Final = 65_536
_LONGEST_S: Final = 86_400.0
_HEAD: Final = re.compile(rb"[A-Z]{3,7} \S+ HTTP/1")
_LOOPBACK: Final = ("127.0.0.1", "localhost", "[::1]")
_MOST_BODY: Final = 10_000


@dataclass(frozen=True, kw_only=True)
class Fault:
    """What is wrong: every chunk from a client waits `delay_ms`, `ratio` (0..1) of the requests are answered with
    `status` (without HTTP: of the connections are reset), or with `cut` nothing gets through."""

    delay_ms: float = 0.0
    ratio: float = 0.0
    status: int = 503
    cut: bool = False
    for_s: float = 60.0


NOTHING: Final = Fault()


class Proxy:
    """One proxy. `upstream` is a host and a port; `speaks_http` lets single requests fail instead of connections."""

    def __init__(self, upstream: tuple[str, int], *, speaks_http: bool, now: Callable[[], float]) -> None:
        self._upstream = upstream
        self._speaks_http = speaks_http
        self._now = now
        self._fault = NOTHING
        self._until = 0.0
        self._owed = 0.0
        self._open: set[asyncio.StreamWriter] = set()

    @property
    def fault(self) -> Fault:
        """Return what is wrong now; a fault whose time is over is none."""
        return self._fault if self._now() < self._until else NOTHING

    def set(self, fault: Fault) -> None:
        """Let something be wrong from now on, for its time and at most a day."""
        self._fault, self._until, self._owed = fault, self._now() + min(fault.for_s, _LONGEST_S), 0.0
        if fault.cut:
            for writer in tuple(self._open):
                writer.transport.abort()

    def fails(self) -> bool:
        """Tell whether the next one fails: exactly `ratio` of them do, evenly spread."""
        self._owed += self.fault.ratio
        # A tenth ten times is a little less than one in binary.
        if self._owed >= 1.0 - 1e-9:
            self._owed -= 1.0
            return True
        return False

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Carry one connection to its end."""
        self._open.add(writer)
        try:
            if self.fault.cut or (not self._speaks_http and self.fails()):
                writer.transport.abort()
                return
            await self._carry(reader, writer)
        except OSError:
            # Whoever hung up, the other side is hung up on too.
            writer.transport.abort()
        finally:
            self._open.discard(writer)
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(*self._upstream)
        answers = asyncio.create_task(_pump(far_reader, writer))
        try:
            while chunk := await reader.read(_CHUNK):
                if self._speaks_http and _HEAD.match(chunk) and self.fails():
                    writer.write(_refusal(self.fault.status))
                    await writer.drain()
                    return
                if self.fault.delay_ms:
                    await asyncio.sleep(self.fault.delay_ms / 1000)
                far_writer.write(chunk)
                await far_writer.drain()
            if far_writer.can_write_eof():
                far_writer.write_eof()
            await answers
        finally:
            answers.cancel()
            far_writer.close()

    async def control(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer one request at the control port."""
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            method, _, path = head.partition("\r\n")[0].partition(" ")
            length = re.search(r"content-length: *([0-9]{1,5})\r\n", head)
            body = await reader.readexactly(min(int(length[1]), _MOST_BODY)) if length else b""
            status, told = self._answer(method, path.partition(" ")[0], _host_in(head), body)
            text = json.dumps(told).encode()
            writer.write(b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\n" % status)
            writer.write(b"Content-Length: %d\r\nConnection: close\r\n\r\n%s" % (len(text), text))
            await writer.drain()
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            # Nobody is there to be answered.
            return
        finally:
            writer.close()

    def _answer(self, method: str, path: str, host: str, body: bytes) -> tuple[int, dict[str, object]]:
        if host not in _LOOPBACK:
            # A page in a browser that made its own name point here must not break anything.
            return 403, {"error": "this port is for this machine"}
        if path != "/fault":
            return 404, {"error": "there is /fault"}
        match method:
            case "get":
                return 200, asdict(self.fault)
            case "delete":
                self.set(NOTHING)
                return 200, asdict(self.fault)
            case "put":
                try:
                    self.set(msgspec.json.decode(body, type=Fault))
                except msgspec.MsgspecError as error:
                    return 400, {"error": f"{error}"}
                return 200, asdict(self.fault)
            case _:
                return 405, {"error": "GET, PUT, DELETE"}


async def serve(
    *, listen: tuple[str, int], upstream: tuple[str, int], control: int, speaks_http: bool, ready: Callable[[], None]
) -> None:
    """Serve until cancelled; `ready` is called once both ports listen."""
    loop = asyncio.get_running_loop()
    proxy = Proxy(upstream, speaks_http=speaks_http, now=loop.time)
    front = await asyncio.start_server(proxy.serve, *listen)
    back = await asyncio.start_server(proxy.control, "127.0.0.1", control)
    async with front, back:
        ready()
        await asyncio.gather(front.serve_forever(), back.serve_forever())


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(_CHUNK):
            writer.write(chunk)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except OSError:
        writer.transport.abort()


def _host_in(head: str) -> str:
    found = re.search(r"\r\nhost: *(\S+?)(?::[0-9]+)?\r\n", head)
    return found[1] if found else ""


def _refusal(status: int) -> bytes:
    text = b"this is a game day\n"
    return b"HTTP/1.1 %d Fault\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s" % (status, len(text), text)
