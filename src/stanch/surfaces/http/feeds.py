"""`/oncall/<token>.ics`: shifts for calendar programs, which cannot log in; the address is the secret."""

from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch.operations.oncall.feeding import PREFIX, SUFFIX, read_feed
from stanch.surfaces.asgi.front import Front

# An address must not leak through a cache between, or to where a link in the calendar leads.
_HEADERS: Final = {"cache-control": "private, max-age=300", "referrer-policy": "no-referrer", "x-robots-tag": "noindex"}


def answers_itself(path: str) -> bool:
    """Tell whether `path` is that of a feed, which proves by itself that one may read it."""
    return path.startswith(PREFIX) and path.endswith(SUFFIX)


def routes(front: Front) -> list[BaseRoute]:
    """Return the route."""

    async def feed(request: Request) -> Response:
        world = front.world
        token = str(request.path_params["token"])
        text = await run_in_threadpool(read_feed, world, token, now=world.clock.now())
        return Response(text, media_type="text/calendar; charset=utf-8", headers=_HEADERS)

    return [Route(f"{PREFIX}{{token}}{SUFFIX}", feed, methods=["GET", "HEAD"])]
