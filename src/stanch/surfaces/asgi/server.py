"""The application itself: routes inside a frame that checks trust, adds headers, and answers every error.

`Frame` is this surface's outermost one: whatever escapes from below ends here, is logged once with the request's
id and counted once, and the caller is told that id and nothing else.
"""

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Router
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from stanch.catalog.agents.rules import is_token
from stanch.kernel.errors import StanchError
from stanch.operations.agents import agent_of
from stanch.surfaces.asgi.errors import ErrorDetail, detail_of, error_response, status_of
from stanch.surfaces.asgi.figures import Figures
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.identity import AGENT_SCOPE
from stanch.surfaces.asgi.trust import Distrust, Trust, bearer_of

log = structlog.get_logger(__name__)

PageError = Callable[[Request, ErrorDetail, int], Response]

# Answers carry no secret and depend on nothing of the caller's, so that a probe may reach them under any name.
_OPEN_PATHS: Final = frozenset({"/healthz", "/readyz"})
_CSP: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS: Final = {
    "content-security-policy": _CSP,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}
_RAW_HEADERS: Final = [(name.encode(), value.encode()) for name, value in _HEADERS.items()]
_REFUSALS: Final = {
    Distrust.HOST: (403, "this server does not answer to that host name", "name it in the configuration as a host"),
    Distrust.ORIGIN: (403, "a page from elsewhere may not change anything here", "open the page of this server"),
    Distrust.PEER: (403, "this server listens to its own machine only", "start it with a token to let others in"),
    Distrust.TOKEN: (401, "a token is needed from another machine", "send Authorization: Bearer with the token"),
    Distrust.AGENT: (
        403,
        "an agent on another machine needs a token of its own",
        "a person gives it one: stanch agent create NAME",
    ),
    Distrust.REVOKED: (
        401,
        "this is no agent's token, or it was revoked",
        "a person gives one: stanch agent create",
    ),
}
BODY_WITHIN_S: Final = 30.0
"""How long a body may take to arrive. The largest is 8 MiB, which a line of 3 Mbit/s carries in that time."""

_HTTP_CODES: Final = {
    404: "not_found",
    405: "method_not_allowed",
    408: "too_slow",
    413: "too_large",
    415: "unsupported_media_type",
}


def application(
    front: Front,
    *,
    routes: Sequence[BaseRoute],
    trust: Trust | None = None,
    page_error: PageError | None = None,
    checks_itself: Callable[[str], bool] = lambda path: False,
    body_within_s: float = BODY_WITHIN_S,
    direct: Mapping[tuple[str, str], ASGIApp] | None = None,
) -> ASGIApp:
    """Return the ASGI application that serves `routes`.

    `direct` are applications by method and path that are found without a look at the routes, for what must be fast;
    they answer their own errors. `page_error` renders errors for a browser that navigates; the API always answers JSON.
    `checks_itself` names the paths whose routes decide whom they listen to, as those of senders with a secret do.
    """

    async def on_error(request: Request, error: Exception) -> Response:
        detail, status, headers = _told(error, request_id=request.scope["stanch_request"])
        if page_error is not None and _wants_page(request):
            return page_error(request, detail, status)
        return error_response(detail, status=status, headers=headers)

    # Without Starlette's own class, whose outermost frame would answer before ours does.
    router = Router(routes, redirect_slashes=False)
    inner = ExceptionMiddleware(router, handlers={StanchError: on_error, HTTPException: on_error})
    frame = Frame(
        inner,
        trust=trust or Trust(),
        figures=front.figures,
        checks_itself=checks_itself,
        direct=direct or {},
        agent_of=partial(agent_of, front.world),
    )
    frame.body_within_s = body_within_s
    return frame


class Frame:
    """The outermost frame around every request."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        trust: Trust,
        figures: Figures,
        checks_itself: Callable[[str], bool],
        direct: Mapping[tuple[str, str], ASGIApp],
        agent_of: Callable[[str], str],
    ) -> None:
        self._agent_of = agent_of
        self._checks_itself = checks_itself
        self._app = app
        self._direct = direct
        self._trust = trust
        self._figures = figures
        self.body_within_s = BODY_WITHIN_S

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = scope["stanch_request"] = secrets.token_hex(8)
        scope["app"] = self  # tells the router to raise what it can not route, so that it is answered like the rest
        started = False

        async def dressed(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                own = list(message.get("headers", ()))
                named = {name for name, _ in own}
                own += [pair for pair in _RAW_HEADERS if pair[0] not in named]
                own.append((b"stanch-request-id", request_id.encode()))
                message["headers"] = own
                self._figures.requests.labels(method=_method(scope), status=str(message["status"])).inc()
            await send(message)

        try:
            headers = _headers(scope)
            if is_token(token := bearer_of(headers)):
                scope[AGENT_SCOPE] = await run_in_threadpool(self._agent_of, token)
            if (refusal := self._refusal(scope, headers, request_id)) is not None:
                await refusal(scope, receive, dressed)
            else:
                app = self._direct.get((scope["method"], scope["path"]), self._app)
                await app(scope, _Timed(receive, within_s=self.body_within_s), dressed)
        except ClientDisconnect:
            return  # whoever goes away while sending gets no answer, and is no defect of ours
        except Exception as error:  # the surface's outermost frame
            self._figures.bugs.inc()
            log.exception("http.bug", request=request_id, path=scope["path"], error=str(error))
            if started:
                raise
            detail = ErrorDetail(code="bug", message="an unexpected error", reason="bug", request_id=request_id)
            await error_response(detail, status=500)(scope, receive, dressed)

    def _refusal(self, scope: Scope, headers: Mapping[str, str], request_id: str) -> Response | None:
        if scope["path"] in _OPEN_PATHS and scope["method"] in ("GET", "HEAD"):
            return None
        if self._checks_itself(scope["path"]):
            return None
        peer = scope["client"][0] if scope.get("client") else None
        why = self._trust.refuse(method=scope["method"], headers=headers, peer=peer, agent=scope.get(AGENT_SCOPE))
        if why is None:
            return None
        status, message, hint = _REFUSALS[why]
        detail = ErrorDetail(code="forbidden", message=message, hint=hint, reason=why.value, request_id=request_id)
        # A browser asks for the token by itself when it is challenged; any user name will do.
        challenge = {"www-authenticate": 'Basic realm="Stanch", charset="UTF-8"'} if status == 401 else None
        return error_response(detail, status=status, headers=challenge)


class _Timed:
    """Receives what a client sends, whose body must have arrived some seconds after the first look at it."""

    def __init__(self, receive: Receive, *, within_s: float) -> None:
        self._receive = receive
        self._within_s = within_s
        self._until = 0.0
        self._whole = False

    async def __call__(self) -> Message:
        """Return the next message. Raises an `HTTPException` with 408 when the body does not end."""
        if self._whole:
            # What comes after the body is that the client has gone away, which may take as long as it likes.
            return await self._receive()
        self._until = self._until or asyncio.get_running_loop().time() + self._within_s
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            said = f"body: did not end within {self._within_s:g} s"
            raise HTTPException(408, said, headers={"connection": "close"}) from None
        self._whole = message["type"] != "http.request" or not message.get("more_body", False)
        return message


def _headers(scope: Scope) -> dict[str, str]:
    # The first of several counts, as it does with Starlette.
    return {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(scope["headers"])}


def _method(scope: Scope) -> str:
    # A label has few values, whatever a stranger sends.
    known = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
    return scope["method"] if scope["method"] in known else "OTHER"


def _told(error: Exception, *, request_id: str) -> tuple[ErrorDetail, int, dict[str, str]]:
    if isinstance(error, StanchError):
        return detail_of(error, request_id=request_id), status_of(error), {}
    if not isinstance(error, HTTPException):
        raise error
    code = _HTTP_CODES.get(error.status_code, "invalid")
    message = "there is nothing here" if error.status_code == 404 else error.detail
    detail = ErrorDetail(code=code, message=message, reason=code, request_id=request_id)
    return detail, error.status_code, dict(error.headers or {})


def _wants_page(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")
