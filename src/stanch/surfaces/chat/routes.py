"""Where chats post: `/chat/<channel>`. Each request is checked by what the chat signs it with, on the bytes as they
came; what takes longer than a chat waits for (Slack: three seconds) is kept, and done after the answer."""

import hashlib
from collections.abc import Mapping
from typing import Final

import msgspec
import structlog
from starlette.background import BackgroundTask
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.errors import NotFound, StanchError
from stanch.ports.chat import Asked, Chat, Reply
from stanch.ports.signals import Inbound
from stanch.surfaces.chat.asks import Asks
from stanch.surfaces.chat.desk import Desk

PREFIX: Final = "/chat/"
_MOST_BYTES: Final = 1024 * 1024

log = structlog.get_logger("stanch.chat")


class Chats:
    """The paths that chats post to, by the name of the channel."""

    def __init__(self, desk: Desk, chats: Mapping[str, Chat]) -> None:
        self._desk = desk
        self._chats = chats
        self.asks = {name: Asks(name, chat, desk) for name, chat in chats.items()}

    def answers(self, path: str) -> bool:
        """Tell whether `path` is checked here and not by the frame."""
        return path.startswith(PREFIX) and path.removeprefix(PREFIX) in self._chats

    def routes(self) -> list[BaseRoute]:
        """Return the route."""
        return [Route(f"{PREFIX}{{channel}}", self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response:
        name = request.path_params["channel"]
        chat = self._chats.get(name)
        if chat is None:
            raise NotFound(f"no chat is called {name[:60]!r}", hint="give its channel a signing_env")
        inbound = Inbound(
            body=await _body(request),
            headers={key.lower(): value for key, value in request.headers.items()},
            method=request.method,
            path=request.url.path,
        )
        heard = chat.hear(inbound, now=self._desk.world.clock.now())
        if heard.asked is None:
            return _json(heard.answer) if heard.answer is not None else Response()
        if heard.at_once:
            return await self._now(name, chat, heard.asked)
        # Nothing that is answered here would be shown: it is said afterwards. A body names its press or its event, so
        # the same bytes are the same request.
        asks = self.asks[name]
        await run_in_threadpool(asks.keep, hashlib.sha256(inbound.body).hexdigest(), heard.asked)
        return Response(background=BackgroundTask(asks.do_all))

    async def _now(self, name: str, chat: Chat, asked: Asked) -> Response:
        try:
            asked = await run_in_threadpool(chat.complete, asked)
        except StanchError as error:
            reply = Reply(text="\n".join(word for word in (error.message, error.hint) if word))
        else:
            reply = await run_in_threadpool(self._desk.answer, asked, channel=name, kind=chat.kind)
        body = chat.answer(asked, reply)
        if body is not None:
            return _json(body)
        said = _json({})
        said.background = BackgroundTask(self._send, name, chat, asked, reply)
        return said

    def _send(self, name: str, chat: Chat, asked: Asked, reply: Reply) -> None:
        try:
            chat.send(asked, reply)
        except StanchError as error:
            # What was asked is done and on record, or was never begun; only the chat was not told.
            log.warning("chat.unanswered", channel=name, by=asked.by.value, error=error.message)


def _json(body: object) -> Response:
    return Response(msgspec.json.encode(body), media_type="application/json")


async def _body(request: Request) -> bytes:
    chunks, total = [], 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > _MOST_BYTES:
            raise HTTPException(413, f"body: at most {_MOST_BYTES:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
