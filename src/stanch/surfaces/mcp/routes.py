"""The agents' server over HTTP: `/mcp`, and the document that tells a client what protects it (RFC 9728).

Each request stands alone, in either generation of the protocol: no session is kept, so any process may answer the next.
The frame leaves both paths to us: a client of the protocol wants to be told where the document is (401), and the
document itself is for everybody.
"""

import json
import secrets
from dataclasses import replace
from typing import Any, Final, cast

import msgspec
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.server.transport_security import TransportSecuritySettings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import Receive, Scope, Send

from stanch.kernel.actor import Via, agent, is_name
from stanch.kernel.event import JSON
from stanch.operations.world import World
from stanch.surfaces.asgi.body import MOST_BYTES
from stanch.surfaces.asgi.errors import ErrorDetail, error_response
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.identity import AGENT_HEADER, AGENT_SCOPE
from stanch.surfaces.asgi.trust import Distrust, Trust
from stanch.surfaces.mcp.desk import Desk
from stanch.surfaces.mcp.server import Context, build_server

PATH: Final = "/mcp"
# What nobody can send: a request from elsewhere is let in by an agent's token alone.
_NEVER: Final = secrets.token_urlsafe(32)
METADATA: Final = f"/.well-known/oauth-protected-resource{PATH}"
_STATUS: Final = {Distrust.TOKEN: 401, Distrust.REVOKED: 401}
_MESSAGES: Final = {
    Distrust.HOST: "this server does not answer to that host name",
    Distrust.ORIGIN: "a page from elsewhere may not use this",
    Distrust.PEER: "this server listens to its own machine only",
    Distrust.TOKEN: "an agent's token is needed from another machine; a person gives it: stanch agent create NAME",
    Distrust.REVOKED: "this is no agent's token, or it was revoked",
}


class FrontAsking:
    """Asks the operations of this process, as one agent."""

    def __init__(self, front: Front, name: str, *, key: str = "") -> None:
        self._front = front
        self._actor = agent(name)
        self._key = key

    def ask(self, operation: str, /, **body: object) -> JSON:
        """Ask an operation."""
        given = {name: value for name, value in body.items() if value is not None}
        answer = self._front.call(operation, given, actor=self._actor, via=Via.MCP, key=self._key)
        return cast("JSON", json.loads(msgspec.json.encode(answer)))


class Agents:
    """The routes of the agents' server."""

    def __init__(self, front: Front, *, trust: Trust | None) -> None:
        self._world: World = front.world
        self._trust = trust or Trust()
        desk = Desk(operations=front.operations, asking=lambda name, key: FrontAsking(front, name, key=key))
        self._server: Server[Any] = build_server(desk, name_of=_named)  # the SDK's type of a server without a lifespan

    def answers(self, path: str) -> bool:
        """Tell whether `path` is checked here and not by the frame."""
        return path in (PATH, METADATA)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [
            # Without sessions there is no stream to follow (GET) and none to end (DELETE): 405, as the protocol says.
            Route(PATH, _Endpoint(self._serve), methods=["POST"], name="mcp"),
            Route(METADATA, self._describe, methods=["GET"], name="mcp-metadata"),
        ]

    async def _describe(self, request: Request) -> Response:
        """Say what protects us: a bearer token that a person gives out; there is no server that issues any."""
        document = {
            "resource": f"{self._world.url}{PATH}",
            "resource_name": "Stanch",
            "bearer_methods_supported": ["header"],
        }
        return Response(msgspec.json.encode(document), media_type="application/json")

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(Request(scope))
        if refusal is not None:
            await refusal(scope, receive, send)
            return
        # A manager lives as long as its task group; one for each request is all that a server without sessions needs.
        manager = StreamableHTTPSessionManager(
            self._server,
            json_response=True,
            stateless=True,
            # Host and Origin are the trust's, which knows the names of this server.
            security_settings=TransportSecuritySettings(enable_dns_rebinding_protection=False),
            max_request_body_size=MOST_BYTES,
        )
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    def _refusal(self, request: Request) -> Response | None:
        headers = {name.lower(): value for name, value in request.headers.items()}
        peer = request.client.host if request.client else None
        # Without the server's own token: that one is a person's, and who has it could approve.
        trust = replace(self._trust, token=_NEVER)
        why = trust.refuse(method=request.method, headers=headers, peer=peer, agent=request.scope.get(AGENT_SCOPE))
        if why is None:
            return None
        status = _STATUS.get(why, 403)
        detail = ErrorDetail(code="forbidden", message=_MESSAGES[why], reason=why.value)
        challenge = {"www-authenticate": f'Bearer resource_metadata="{self._world.url}{METADATA}"'}
        return error_response(detail, status=status, headers=challenge if status == 401 else None)


class _Endpoint:
    """An ASGI application as a route takes it: a class's instance is not wrapped as a function of requests would be."""

    def __init__(self, serve: Any) -> None:  # a bound coroutine function, whose type is that of __call__
        self._serve = serve

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._serve(scope, receive, send)


def _named(ctx: Context) -> str:
    """Return whose token came, else the name in the header by which programs say who they are; empty where neither."""
    headers = getattr(ctx.request, "headers", {})
    name = getattr(ctx.request, "scope", {}).get(AGENT_SCOPE) or headers.get(AGENT_HEADER, "").strip()
    return name if is_name(name) else ""
