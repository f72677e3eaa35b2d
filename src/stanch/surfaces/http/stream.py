"""The log as server-sent events: `GET /api/v1/stream`. The id of a message is its position in the log.

A client that comes back sends the last id it saw, by the header `Last-Event-ID` or as `after`, and misses nothing.
Messages: `hello` (where the log stands), `entry` (one event), `tick` (every 10 s: still here), `reset` (the log is
shorter than the client believes: it is another one, read everything again).
"""

from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from stanch import __version__
from stanch.kernel.errors import Invalid
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.live import Entry

PATH: Final = "/api/v1/stream"
TICK_S: Final = 10.0
_RETRY_MS: Final = 2_000
_LONGEST_SEQ: Final = 16


def routes(front: Front) -> list[BaseRoute]:
    """Return the stream's route."""

    async def follow(request: Request) -> Response:
        after = _number(request.headers.get("last-event-id") or request.query_params.get("after"), field="after")
        incident = _number(request.query_params.get("incident"), field="incident")
        head = await front.live.head()
        hello = {"seq": head, "now": front.world.clock.now(), "version": __version__}
        start = [b"retry: %d\n\n" % _RETRY_MS, _message("hello", hello)]
        if after is not None and after > head:
            start.append(_message("reset", hello))
            after = head
        entries = front.live.follow(head if after is None else after, incident=incident, idle_s=TICK_S)
        return StreamingResponse(
            _messages(start, entries, front),
            media_type="text/event-stream",
            headers={"cache-control": "no-store", "x-accel-buffering": "no"},
        )

    return [Route(PATH, follow, methods=["GET"], name="stream")]


async def _messages(
    start: Sequence[bytes], entries: AsyncGenerator[Sequence[Entry], None], front: Front
) -> AsyncIterator[bytes]:
    for message in start:
        yield message
    # A client that goes away while a message is being sent must stop being a follower at once.
    async with aclosing(entries):
        async for batch in entries:
            if batch:
                yield b"".join(entry.message for entry in batch)
            else:
                yield _message("tick", {"now": front.world.clock.now()})


def _message(name: str, data: object) -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name.encode(), msgspec.json.encode(data))


def _number(text: str | None, *, field: str) -> int | None:
    if text is None or text == "":
        return None
    if not (text.isascii() and text.isdecimal() and len(text) < _LONGEST_SEQ):
        raise Invalid("is a whole number", field=field)
    return int(text)
