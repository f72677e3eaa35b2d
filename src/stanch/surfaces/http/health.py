"""`/healthz`: the process answers. `/readyz`: it can also read its log. Neither looks at the world outside."""

import asyncio
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch import __version__
from stanch.surfaces.asgi.front import Front

_WAIT_S: Final = 2.0


def routes(front: Front) -> list[BaseRoute]:
    """Return both routes."""

    async def healthz(request: Request) -> Response:
        return _answer(200, {"status": "ok", "version": __version__})

    async def readyz(request: Request) -> Response:
        try:
            seq = await asyncio.wait_for(front.live.head(), _WAIT_S)
        except Exception as error:  # noqa: BLE001  # a probe's boundary: whatever keeps the log from being read
            return _answer(503, {"status": "unavailable", "store": type(error).__name__})
        return _answer(200, {"status": "ok", "seq": seq})

    return [Route("/healthz", healthz, methods=["GET"]), Route("/readyz", readyz, methods=["GET"])]


def _answer(status: int, body: dict[str, str | int]) -> Response:
    headers = {"cache-control": "no-store"}
    return Response(msgspec.json.encode(body), status_code=status, media_type="application/json", headers=headers)
