"""One bound for everything that an integration reads over HTTP: so many bytes, unpacked, and so long.

A client that reads an answer whole takes what it is sent: a far end that is broken, or not the one it was, can fill the
memory with it, or hold the thread for good by sending a byte before every time-out. The hooks here are given to a
client and hold for all it reads, whatever asks for it. What reads piece by piece and ends by itself needs none.

It is the only place besides the integrations that knows the HTTP client.
"""

import time
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Final

import httpx2

MOST_BYTES: Final = 4 * 1024 * 1024
"""A hundred issues with texts of 30 KB are 3 MB; whoever expects less says less."""
WITHIN_S: Final = 10.0
"""What is left of the ten seconds that handing one message or page over may take, and a little more."""


# How zlib is told that what it unpacks is gzip: https://docs.python.org/3/library/zlib.html#zlib.decompressobj
_GZIP: Final = 31


class AnswerTooLong(httpx2.RemoteProtocolError):
    """The far end sends more than is read."""


class AnswerTooSlow(httpx2.ReadTimeout):
    """The far end sends, and does not end."""


class AnswerPacked(httpx2.DecodingError):
    """The far end sends packed what was asked for as it is, in another way than gzip or broken."""


def bounds(
    *, most_bytes: int = MOST_BYTES, within_s: float = WITHIN_S
) -> dict[str, list[Callable[[httpx2.Request | httpx2.Response], None]]]:
    """Return a client's `event_hooks`: no answer is more than `most_bytes`, nor read for longer than `within_s`.

    The seconds count from when its head is there. What breaks a bound raises an `httpx2.HTTPError`, as a connection
    that broke does.
    """

    def bounded(answer: httpx2.Request | httpx2.Response) -> None:
        if isinstance(answer, httpx2.Response) and isinstance(answer.stream, httpx2.SyncByteStream):
            answer.stream = _Bounded(answer.stream, _Bound(most_bytes, within_s, unpack=_is_packed(answer)))

    return {"request": [_unpacked], "response": [bounded]}


def async_bounds(
    *, most_bytes: int = MOST_BYTES, within_s: float = WITHIN_S
) -> dict[str, list[Callable[[httpx2.Request | httpx2.Response], Awaitable[None]]]]:
    """Return the same as `bounds` for a client that is awaited."""

    async def unpacked(request: httpx2.Request | httpx2.Response) -> None:
        _unpacked(request)

    async def bounded(answer: httpx2.Request | httpx2.Response) -> None:
        if isinstance(answer, httpx2.Response) and isinstance(answer.stream, httpx2.AsyncByteStream):
            answer.stream = _AsyncBounded(answer.stream, _Bound(most_bytes, within_s, unpack=_is_packed(answer)))

    return {"request": [unpacked], "response": [bounded]}


def _unpacked(request: httpx2.Request | httpx2.Response) -> None:
    request.headers["Accept-Encoding"] = "identity"


def _is_packed(answer: httpx2.Response) -> bool:
    """Tell whether an answer is packed though it was not to be; the client then has nothing left to unpack.

    A few hundred bytes can become a few hundred thousand: what unpacks has to count.
    """
    how = answer.headers.pop("content-encoding", "").strip().lower()
    if how not in ("", "identity", "gzip", "x-gzip"):
        raise AnswerPacked(f"the answer is packed as {how[:20]!r}")
    return how in ("gzip", "x-gzip")


class _Bound:
    """What may still come of one answer."""

    def __init__(self, most_bytes: int, within_s: float, *, unpack: bool) -> None:
        self._most_bytes = most_bytes
        self._unpacker = zlib.decompressobj(_GZIP) if unpack else None
        self._left = most_bytes
        self._within_s = within_s
        self._ends = time.monotonic() + within_s

    def take(self, piece: bytes) -> bytes:
        """Return `piece` unpacked, where it still fits."""
        if self._unpacker is not None:
            try:
                # One more than fits tells that it does not, and no more is unpacked than that.
                piece = self._unpacker.decompress(piece, self._left + 1)
            except zlib.error:
                raise AnswerPacked("the answer is no gzip") from None
        self._left -= len(piece)
        if self._left < 0:
            raise AnswerTooLong(f"the answer is of more than {self._most_bytes:,} bytes")
        if time.monotonic() > self._ends:
            raise AnswerTooSlow(f"the answer had not ended after {self._within_s:g} s")
        return piece


class _Bounded(httpx2.SyncByteStream):
    def __init__(self, inner: httpx2.SyncByteStream, bound: _Bound) -> None:
        self._inner = inner
        self._bound = bound

    def __iter__(self) -> Iterator[bytes]:
        for piece in self._inner:
            yield self._bound.take(piece)

    def close(self) -> None:
        self._inner.close()


class _AsyncBounded(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream, bound: _Bound) -> None:
        self._inner = inner
        self._bound = bound

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for piece in self._inner:
            yield self._bound.take(piece)

    async def aclose(self) -> None:
        await self._inner.aclose()
