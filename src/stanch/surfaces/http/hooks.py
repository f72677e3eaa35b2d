"""Where senders post: `/hooks/<source>` and the vendors' own paths, so that a sender changes only the host it talks to.

These paths check who sends by themselves: with a source's secret. A source without one is open to this machine alone,
under the same rules as every other page, as a browser can be made to post by anybody's page.
"""

from collections.abc import Awaitable, Callable
from typing import Final

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, compile_path

from stanch.kernel.errors import Forbidden
from stanch.operations.intake import is_guarded, source_named, take
from stanch.operations.world import World
from stanch.ports.signals import Inbound
from stanch.surfaces.asgi.trust import Trust

PREFIX: Final = "/hooks/"
MOST_BYTES: Final = 5 * 1024 * 1024
"""GitHub's largest ordinary event is far below it; PagerDuty's limit of 512 KB is checked by that source."""

_METHODS: Final = ["POST", "PUT", "GET"]

Endpoint = Callable[[Request], Awaitable[Response]]


class Hooks:
    """The paths that senders post to. `wake` is called when something may be due at once."""

    def __init__(self, world: World, *, trust: Trust | None = None, wake: Callable[[], None] = lambda: None) -> None:
        self._world = world
        self._trust = trust or Trust()
        self._wake = wake
        kinds = {spec.kind: name for name, spec in reversed(world.catalog.sources.items())}
        # A vendor's own path leads to the first configured source of that kind.
        self._vendors = {
            path: kinds.get(source.name, name) for name, source in world.signal_sources.items() for path in source.paths
        }
        self._patterns = [compile_path(path)[0] for path in self._vendors]

    def answers(self, path: str) -> bool:
        """Tell whether `path` belongs to a sender, so that it is checked here and not by the frame."""
        return path.startswith(PREFIX) or any(pattern.match(path) for pattern in self._patterns)

    def routes(self) -> list[BaseRoute]:
        """Return the routes."""
        own = [f"{PREFIX}{{source}}", f"{PREFIX}{{source}}/{{rest:path}}"]
        return [
            *(Route(path, self._endpoint(""), methods=_METHODS) for path in own),
            *(Route(path, self._endpoint(name), methods=["POST"]) for path, name in self._vendors.items()),
        ]

    def _endpoint(self, fixed: str) -> Endpoint:
        async def take_in(request: Request) -> Response:
            name = fixed or request.path_params["source"]
            self._admit(name, request)
            inbound = Inbound(
                body=await _body(request),
                headers={key.lower(): value for key, value in request.headers.items()},
                query=dict(request.query_params),
                method=request.method,
                path=request.url.path,
            )
            taken = await run_in_threadpool(take, self._world, name, inbound)
            self._wake()
            reply = taken.reply
            if reply is None:
                reply = {"status": "duplicate" if taken.duplicate else "accepted"}
                reply |= {"remark": taken.remark} if taken.remark else {}
            return Response(msgspec.json.encode(reply), status_code=taken.status, media_type="application/json")

        return take_in

    def _admit(self, name: str, request: Request) -> None:
        """Raise `Forbidden` when nothing checks the message and it does not come from this machine itself."""
        source_named(self._world, name)
        if is_guarded(self._world, name):
            return
        peer = request.client.host if request.client else None
        # As a write whatever the method: some senders use GET, and so does an image on anybody's page.
        why = self._trust.refuse(method="POST", headers=Headers(scope=request.scope), peer=peer)
        if why is not None:
            raise Forbidden(
                f"{name} is not configured, so only this machine may post as it",
                reason=why.value,
                hint=f'write [sources.{name}] with secret_env = "..." into stanch.toml',
            )


async def _body(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "send the body as it is, without content-encoding")
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length) > MOST_BYTES:
        raise _too_large()
    chunks, total = [], 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > MOST_BYTES:
            raise _too_large()
        chunks.append(chunk)
    return b"".join(chunks)


def _too_large() -> HTTPException:
    return HTTPException(413, f"body: at most {MOST_BYTES:,} bytes")
