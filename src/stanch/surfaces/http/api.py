"""The JSON API: one route per operation, `GET /api/v1/<noun>/<verb>` for reads and `POST` for everything else.

A read whose question is too long for an address, a text to look over, is taken by `POST` too.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.actor import Via
from stanch.kernel.errors import NotFound
from stanch.operations.registry import Effect, Operation
from stanch.surfaces.asgi.body import json_object, query_object
from stanch.surfaces.asgi.etag import tagged
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.http import health, metrics, openapi, stream

Endpoint = Callable[[Request], Awaitable[Response]]

PREFIX: Final = "/api/v1"
# The page's script, the terminal and the agents' own process say which surface is used; others are the API itself.
_VIAS: Final = {"web": Via.WEB, "cli": Via.CLI, "mcp": Via.MCP}


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes of the API, of its description, and of what watches this server."""
    return [
        *(_route(front, entry) for entry in front.operations.values()),
        *openapi.routes(front),
        *stream.routes(front),
        *health.routes(front),
        *metrics.routes(front),
        Route("/api/{rest:path}", _nothing),
    ]


def path_of(entry: Operation[object, object]) -> str:
    """Return where the operation is served."""
    return f"{PREFIX}/{entry.noun}/{entry.verb}"


def _route(front: Front, entry: Operation[object, object]) -> Route:
    reads = entry.effect is Effect.READ
    endpoint = _read(front, entry) if reads else _write(front, entry)
    return Route(path_of(entry), endpoint, methods=["GET", "POST"] if reads else ["POST"], name=entry.name)


def _read(front: Front, entry: Operation[object, object]) -> Endpoint:
    async def read(request: Request) -> Response:
        asked = await json_object(request) if request.method == "POST" else query_object(request, entry.request)
        answer = await front.ask(request, entry.name, asked, via=Via.HTTP)
        return tagged(request, msgspec.json.encode(answer), media_type="application/json")

    return read


def _write(front: Front, entry: Operation[object, object]) -> Endpoint:
    async def write(request: Request) -> Response:
        body = await json_object(request)
        via = _VIAS.get(request.headers.get("stanch-via", ""), Via.HTTP)
        answer = await front.ask(request, entry.name, body, via=via)
        return Response(msgspec.json.encode(answer), media_type="application/json")

    return write


async def _nothing(request: Request) -> Response:
    raise NotFound("there is no such operation", hint="every operation is listed in /api/openapi.json")
