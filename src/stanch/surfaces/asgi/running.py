"""Runs the application: uvicorn, told to let go of those who follow the log before it waits for requests to end."""

import socket
from typing import Final

import uvicorn
from starlette.types import ASGIApp

from stanch.surfaces.asgi.front import Front

_GRACE_S: Final = 3


class Server(uvicorn.Server):
    """A server whose streams end when it stops. `run` blocks; setting `should_exit` from any thread stops it."""

    def __init__(self, app: ASGIApp, *, front: Front, host: str = "127.0.0.1", port: int = 8484) -> None:
        # Proxy headers are left alone: who stands behind a proxy is `trust`'s question. Logging is the process's own.
        config = uvicorn.Config(
            app,
            host=host,
            port=port,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="none",
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        super().__init__(config)
        self._front = front

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, on sockets that send what they have at once.

        asyncio switches Nagle's algorithm off only for sockets that name their protocol, which most listeners do not;
        with it, an answer in two writes waits 40 ms for the other side's acknowledgement. Connections inherit this.
        """
        for listener in sockets or ():
            if listener.family in (socket.AF_INET, socket.AF_INET6):
                listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop: streams first, then everything else."""
        self._front.live.close()
        await super().shutdown(sockets)
