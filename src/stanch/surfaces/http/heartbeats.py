"""Where jobs and dead man's switches say that they are alive: `/heartbeat/<name>`, with any of the usual methods."""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.errors import Forbidden
from stanch.operations.beating import beat, check_beat_token
from stanch.operations.world import World
from stanch.ports.signals import Inbound
from stanch.surfaces.asgi.trust import Trust

PREFIX: Final = "/heartbeat/"
_METHODS: Final = ["GET", "HEAD", "POST", "PUT"]


class Heartbeats:
    """The paths of heartbeats. One without a token is open to this machine alone, like every other page."""

    def __init__(self, world: World, *, trust: Trust | None = None) -> None:
        self._world = world
        self._trust = trust or Trust()

    def answers(self, path: str) -> bool:
        """Tell whether `path` belongs to a heartbeat, so that it is checked here and not by the frame."""
        return path.startswith(PREFIX)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        return [Route(f"{PREFIX}{{name}}", self._endpoint(), methods=_METHODS)]

    def _endpoint(self) -> Callable[[Request], Awaitable[Response]]:
        async def hear(request: Request) -> Response:
            name = request.path_params["name"]
            self._admit(name, request)
            # Whatever is said besides is not read: that it was said is all.
            heard = await run_in_threadpool(beat, self._world, name)
            return Response(msgspec.json.encode(heard), media_type="application/json")

        return hear

    def _admit(self, name: str, request: Request) -> None:
        told = Inbound(
            body=b"",
            headers={key.lower(): value for key, value in request.headers.items()},
            query=dict(request.query_params),
        )
        if check_beat_token(self._world, name, told):
            return
        peer = request.client.host if request.client else None
        # As a write whatever the method: an image on anybody's page uses GET.
        why = self._trust.refuse(method="POST", headers=Headers(scope=request.scope), peer=peer)
        if why is not None:
            raise Forbidden(
                f"{name} has no token, so only this machine may beat it",
                reason=why.value,
                hint=f'write secret_env = "..." into [heartbeats.{name}]',
            )
