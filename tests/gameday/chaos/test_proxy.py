"""The fault proxy: bytes pass, and on demand they come late, fail or do not come; told by HTTP."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable
from typing import TypeVar

import pytest

from stanch.gameday.chaos.proxy import Fault, Proxy

T = TypeVar("T")
_SLEEP = asyncio.sleep


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while chunk := await reader.read(1000):
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok" if b"HTTP/1" in chunk else chunk)
            await writer.drain()
    except ConnectionError:
        writer.transport.abort()
    finally:
        writer.close()


def with_proxy(
    say: Callable[[Proxy, int, int], Awaitable[T]], *, speaks_http: bool = False, now: Callable[[], float] = lambda: 0.0
) -> T:
    """Run something beside a proxy before an echo; it is given the proxy, its port and its control port."""

    async def run() -> T:
        """Run both, then end every connection."""
        far = await asyncio.start_server(_echo, "127.0.0.1", 0)
        upstream = ("127.0.0.1", far.sockets[0].getsockname()[1])
        proxy = Proxy(upstream, speaks_http=speaks_http, now=now)
        front = await asyncio.start_server(proxy.serve, "127.0.0.1", 0)
        back = await asyncio.start_server(proxy.control, "127.0.0.1", 0)
        async with far, front, back:
            ports = [one.sockets[0].getsockname()[1] for one in (front, back)]
            said = await asyncio.wait_for(say(proxy, *ports), 90)
            # Every connection ends before its loop does.
            others = asyncio.all_tasks() - {asyncio.current_task()}
            if others:
                await asyncio.wait(others, timeout=90)
            for _ in range(10):
                await _SLEEP(0)
            return said

    return asyncio.run(run())


async def ask(port: int, words: bytes) -> bytes:
    """Send words and return what is answered; empty where it is hung up."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(words)
        await writer.drain()
        return await reader.read(1000)
    except ConnectionError:
        return b""
    finally:
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


REQUEST = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"


def test_bytes_pass() -> None:
    """Without a fault nothing is changed."""
    assert b"hello" == with_proxy(lambda proxy, port, _: ask(port, b"hello"))


def test_cut_connections_are_closed() -> None:
    """Nothing gets through."""

    async def say(proxy: Proxy, port: int, control: int) -> bytes:
        """Tell the proxy, then ask."""
        proxy.set(Fault(cut=True))
        return await ask(port, b"hello")

    assert b"" == with_proxy(say)


def test_a_share_of_the_requests_fails() -> None:
    """A half is every second one, also on HTTP, where the answer has the status."""

    async def say(proxy: Proxy, port: int, control: int) -> list[bytes]:
        """Tell the proxy, then ask."""
        proxy.set(Fault(ratio=0.5, status=502))
        return [(await ask(port, REQUEST))[9:12] for _ in range(4)]

    assert [b"200", b"502", b"200", b"502"] == with_proxy(say, speaks_http=True)


def test_a_tenth_is_one_of_ten() -> None:
    """However a tenth is written in binary."""
    proxy = Proxy(("127.0.0.1", 1), speaks_http=True, now=lambda: 0.0)
    proxy.set(Fault(ratio=0.1))

    assert 10 == sum(proxy.fails() for _ in range(100))


def test_a_fault_ends_by_itself() -> None:
    """Nobody has to live to end it."""
    clock = [0.0]
    proxy = Proxy(("127.0.0.1", 1), speaks_http=False, now=lambda: clock[0])
    proxy.set(Fault(cut=True, for_s=30))
    seen = []
    for clock[0] in (0.0, 29.9, 30.0):
        seen.append(proxy.fault.cut)

    assert [True, True, False] == seen


@pytest.mark.parametrize(
    ("host", "body", "expected"),
    [
        ("127.0.0.1:1", b'{"delay_ms": 250}', (200, 250)),
        ("127.0.0.1:1", b'{"delay_ms": "much"}', (400, 0)),
        ("shop.example", b'{"cut": true}', (403, 0)),
    ],
)
def test_it_is_told_from_this_machine_alone(host: str, body: bytes, expected: tuple[int, int]) -> None:
    """A name that somebody pointed here is refused, and so is what is no fault."""

    async def say(proxy: Proxy, port: int, control: int) -> tuple[int, float]:
        """Tell the proxy, then ask."""
        head = f"PUT /fault HTTP/1.1\r\nHost: {host}\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        answer = await ask(control, head + body)
        json.loads(answer.partition(b"\r\n\r\n")[2])
        return int(answer[9:12]), proxy.fault.delay_ms

    assert expected == with_proxy(say)


def test_a_delay_waits_before_each_chunk(monkeypatch: pytest.MonkeyPatch) -> None:
    """As long as it was told, in seconds."""
    slept: list[float] = []

    async def note(seconds: float) -> None:
        """Note the length instead of waiting."""
        slept.append(seconds)
        await _SLEEP(0)

    async def say(proxy: Proxy, port: int, control: int) -> bytes:
        """Tell the proxy, then ask."""
        proxy.set(Fault(delay_ms=2000))
        monkeypatch.setattr("stanch.gameday.chaos.proxy.asyncio.sleep", note)
        return await ask(port, b"hello")

    assert (b"hello", [2.0]) == (with_proxy(say), slept)
