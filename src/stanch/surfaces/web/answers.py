"""What people and providers reach without logging in: `/a/<token>`, which answers a page, and `/pager/<name>/...`.

Opening a link changes nothing: mail and chat open links by themselves to show what is behind them. The form on that
page acts, and so does the button of a push message, which posts to the same address.
"""

from typing import Final
from urllib.parse import urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import BaseRoute, Route

from stanch.operations.oncall import answers
from stanch.operations.world import World
from stanch.ports.signals import Inbound
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.web.render import page

LINKS: Final = "/a/"
CALLBACKS: Final = "/pager/"
_MOST_BYTES: Final = 64 * 1024
# Nothing of the page may be kept, shown in another's frame, or told to a search engine.
_HEADERS: Final = {"cache-control": "no-store", "x-robots-tag": "noindex", "referrer-policy": "no-referrer"}


def answers_itself(path: str) -> bool:
    """Tell whether `path` is one that proves who sends by a token or a signature, and not by who is logged in."""
    return path.startswith((LINKS, CALLBACKS))


def routes(front: Front) -> list[BaseRoute]:
    """Return the routes."""
    world = front.world

    async def show(request: Request) -> Response:
        found = await run_in_threadpool(answers.look, world, request.path_params["token"])
        return _html(found)

    async def act(request: Request) -> Response:
        wants_page = "text/html" in request.headers.get("accept", "")
        how = "link" if wants_page else "button"
        found = await run_in_threadpool(answers.take, world, request.path_params["token"], how=how)
        return _html(found) if wants_page else PlainTextResponse(f"{_said(found)}\n", headers=_HEADERS)

    async def callback(request: Request) -> Response:
        inbound = Inbound(
            body=await _body(request),
            headers={key.lower(): value for key, value in request.headers.items()},
            query=dict(request.query_params),
            method=request.method,
            path=request.url.path,
        )
        url = public_url(world, request)
        reply, media_type = await run_in_threadpool(
            answers.heard, world, request.path_params["pager"], inbound, url=url
        )
        return Response(reply, status_code=200 if reply else 204, media_type=media_type if reply else None)

    return [
        Route(f"{LINKS}{{token}}", show, methods=["GET"]),
        Route(f"{LINKS}{{token}}", act, methods=["POST"]),
        Route(f"{CALLBACKS}{{pager}}/{{rest:path}}", callback, methods=["POST"]),
    ]


def public_url(world: World, request: Request) -> str:
    """Return the URL as the provider knows it: where we say that we are, whatever proxy it came through."""
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{world.url}{urlsplit(str(request.url)).path}{query}"


def _html(found: answers.Answer) -> Response:
    return HTMLResponse(page("answer.html", {"answer": found, "said": _said(found)}), headers=_HEADERS)


def _said(found: answers.Answer) -> str:
    if found.done:
        return "You have it. Paging has stopped."
    if found.acknowledged_by and found.acknowledged_at is not None:
        who = "You have" if found.acknowledged_by == found.person else f"{found.acknowledged_by} has"
        return f"{who} it since {found.acknowledged_at:%H:%M} UTC."
    if found.status == "ended":
        return "This page is over: nobody is looked for any more."
    return "This link was used before." if found.used else ""


async def _body(request: Request) -> bytes:
    chunks, total = [], 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > _MOST_BYTES:
            raise HTTPException(413, f"a report is at most {_MOST_BYTES:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)
