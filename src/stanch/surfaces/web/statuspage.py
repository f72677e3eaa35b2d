"""The status pages: `/status` for customers, who need no login where `[status] public` says so, with its feeds, its
JSON and its subscriptions; `/status/internal` for who works here, where updates are published.

Nobody's cookies or name count on the public page, so a page from elsewhere gains nothing by posting to it; it is
refused all the same, but for mail programs, which leave for their user from anywhere and prove that by the token alone.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from stanch.comms.status import feeds, v2
from stanch.comms.status import html as drawn
from stanch.comms.status.model import Page
from stanch.kernel.actor import Via
from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused
from stanch.operations.statuspage.exporting import api_text, style
from stanch.operations.statuspage.publishing import PageView, UpdateView
from stanch.operations.statuspage.showing import internal_page, named, public_page
from stanch.operations.statuspage.subscribing import Standing, confirm, kinds_of, leave, standing, subscribe
from stanch.operations.statuspage.tokens import Purpose
from stanch.operations.world import World
from stanch.surfaces.asgi.body import form_fields
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.sender import sender_of
from stanch.surfaces.asgi.trust import Distrust, Trust
from stanch.surfaces.web.reader import Reader
from stanch.surfaces.web.render import part
from stanch.surfaces.web.screens import Screen, screen_routes

ROOT: Final = "/status"
INTERNAL: Final = "/status/internal"
# A field that people do not see and that programs fill in.
_TRAP: Final = "website"
_SHOWN: Final = {"cache-control": "public, max-age=15"}
_PRIVATE: Final = {"cache-control": "no-store", "x-robots-tag": "noindex", "referrer-policy": "no-referrer"}
# Programs and pages of others read it, as they read anybody's status page.
_OPEN: Final = {
    **_SHOWN,
    "access-control-allow-origin": "*",
    "cross-origin-resource-policy": "cross-origin",
}
_DIGITS: Final = 9
_ENDING: Final = ".html"
_ASKED: Final = (
    "If the address does not get the updates already, it is asked now whether it wants them. "
    "What was sent there says how to confirm."
)

Handler = Callable[[Request], Awaitable[Response]]


def answers_itself(world: World, path: str) -> bool:
    """Tell whether `path` is of the public page, where that is open to everyone."""
    spec = world.catalog.status
    if not spec.is_shown or path == INTERNAL or path.startswith(f"{INTERNAL}/"):
        return False
    # Who holds a token was written to, and comes from anywhere: whether the page is open or not.
    if path.startswith((f"{ROOT}/confirm/", f"{ROOT}/leave/")):
        return True
    return spec.public and (path == ROOT or path.startswith(f"{ROOT}/"))


def routes(front: Front, *, trust: Trust | None = None) -> list[BaseRoute]:
    """Return the routes of both pages."""
    public = Public(front.world, trust or Trust())
    shown: dict[str, Handler] = {
        ROOT: public.first,
        f"{ROOT}/index{_ENDING}": public.first,
        f"{ROOT}/{drawn.STYLE}": public.style,
        f"{ROOT}/history": public.history,
        f"{ROOT}/history{_ENDING}": public.history,
        f"{ROOT}/incidents/{{number}}": public.incident,
        f"{ROOT}/feed.atom": public.atom,
        f"{ROOT}/feed.rss": public.rss,
        f"{ROOT}/api/v2/{{path:path}}": public.api,
    }
    return [
        *screen_routes(front, INTERNAL, internal),
        *(Route(path, handler, methods=["GET", "HEAD"]) for path, handler in shown.items()),
        Route(f"{ROOT}/subscribe", public.subscribe, methods=["POST"]),
        Route(f"{ROOT}/confirm/{{token}}", public.ask_confirm, methods=["GET"]),
        Route(f"{ROOT}/confirm/{{token}}", public.confirm, methods=["POST"]),
        Route(f"{ROOT}/leave/{{token}}", public.ask_leave, methods=["GET"]),
        Route(f"{ROOT}/leave/{{token}}", public.leave, methods=["POST"]),
    ]


async def internal(front: Front, request: Request, reader: Reader) -> Screen:
    """Put the internal page together: every service as the log says, and what waits for a yes."""
    found = await front.ask(request, "statuspage.waiting", {}, via=Via.WEB)
    shown = await front.ask(request, "statuspage.show", {"internal": True}, via=Via.WEB)
    known = await front.ask(request, "statuspage.subscribers", {}, via=Via.WEB)
    page = await run_in_threadpool(_internal, front.world)
    spec = front.world.catalog.status
    values: dict[str, object] = {
        "page": page,
        "waiting": [one for one in found if isinstance(one, UpdateView)] if isinstance(found, Sequence) else [],
        "subscribed": dict(shown.subscribers) if isinstance(shown, PageView) else {},
        "subscribers": known,
        "public": spec.is_shown,
        "automatic": spec.publish == "automatic",
        "components": drawn.components_html(page),
        "folder": spec.folder,
        "here": INTERNAL,
    }
    rows = part("rows", "statuspage/rows.html", values)
    return Screen(template="statuspage.html", title="Status · Stanch", parts=[rows], values=values, every=10)


class Public:
    """The handlers of the page for customers."""

    def __init__(self, world: World, trust: Trust) -> None:
        self._world = world
        self._trust = trust

    async def first(self, request: Request) -> Response:
        """Show the page."""
        page = await self._page(request)
        return HTMLResponse(drawn.first_page(page, self._links()), headers=_SHOWN)

    async def history(self, request: Request) -> Response:
        """Show all incidents by month."""
        return HTMLResponse(drawn.history_page(await self._page(request), self._links()), headers=_SHOWN)

    async def incident(self, request: Request) -> Response:
        """Show one incident."""
        page = await self._page(request)
        # The addresses that are given away are those of the static copy.
        text = str(request.path_params["number"]).removesuffix(_ENDING)
        is_number = text.isascii() and text.isdecimal() and len(text) <= _DIGITS
        found = named(page.incidents, int(text)) if is_number else None
        if found is None:
            raise NotFound("there is no such incident on the status page", hint="its first page lists them")
        return HTMLResponse(drawn.incident_page(page, self._links(), found), headers=_SHOWN)

    async def style(self, request: Request) -> Response:
        """Send the style sheet."""
        self._admit(request)
        return Response(style(), media_type="text/css", headers={"cache-control": "public, max-age=300"})

    async def atom(self, request: Request) -> Response:
        """Send the Atom feed."""
        text = feeds.atom(await self._page(request))
        return Response(text, media_type="application/atom+xml; charset=utf-8", headers=_OPEN)

    async def rss(self, request: Request) -> Response:
        """Send the RSS feed."""
        text = feeds.rss(await self._page(request))
        return Response(text, media_type="application/rss+xml; charset=utf-8", headers=_OPEN)

    async def api(self, request: Request) -> Response:
        """Send a document of the API."""
        found = v2.documents(await self._page(request)).get(str(request.path_params["path"]))
        if found is None:
            raise NotFound("there is no such document", hint="there is summary.json")
        return Response(api_text(found), media_type="application/json", headers=_OPEN)

    async def subscribe(self, request: Request) -> Response:
        """Take a wish to subscribe; the answer tells nothing of whether the address is known."""
        self._admit(request, form=True)
        said = {name: values[0] for name, values in (await form_fields(request)).items()}
        if not said.get(_TRAP):
            try:
                await run_in_threadpool(
                    subscribe,
                    self._world,
                    kind=said.get("kind", ""),
                    address=said.get("address", ""),
                    sender=sender_of(request, day=f"{self._world.clock.now():%Y-%m-%d}"),
                )
            except Invalid as error:
                why = "; ".join(f"The {one.field} {one.message}." for one in error.problems)
                return await self._notice(request, title="That did not work", text=why, status=400)
            except Refused as error:
                status = 429 if error.reason == "too_many" else 403
                return await self._notice(request, title="Not now", text=f"{error.message}.", status=status)
        return await self._notice(request, title="One step is left", text=_ASKED)

    async def ask_confirm(self, request: Request) -> Response:
        """Show the button that confirms: mail programs open links by themselves."""
        found = await run_in_threadpool(standing, self._world, request.path_params["token"], Purpose.CONFIRM)
        if found is Standing.ASKED:
            return await self._notice(
                request,
                title="Do you want the updates?",
                text="They are sent whenever something happens that this page tells of.",
                press="Yes, send them",
            )
        return await self._confirmed(request, found)

    async def confirm(self, request: Request) -> Response:
        """Confirm."""
        return await self._confirmed(request, await run_in_threadpool(confirm, self._world, _token(request)))

    async def ask_leave(self, request: Request) -> Response:
        """Show the button that ends it."""
        found = await run_in_threadpool(standing, self._world, _token(request), Purpose.LEAVE)
        if found is Standing.GONE:
            return await self._left(request)
        return await self._notice(
            request, title="No more updates?", text="Nothing is sent to you any more then.", press="Send no more"
        )

    async def leave(self, request: Request) -> Response:
        """End it: one press, or what a mail program posts by itself (RFC 8058)."""
        await run_in_threadpool(leave, self._world, _token(request))
        return await self._left(request)

    async def _confirmed(self, request: Request, found: Standing) -> Response:
        if found is Standing.GONE:
            return await self._notice(
                request, title="That was too late", text="The request was forgotten: subscribe again.", status=410
            )
        return await self._notice(request, title="You get the updates", text="Every one says how to end them.")

    async def _left(self, request: Request) -> Response:
        return await self._notice(request, title="You get no more updates", text="Your address is forgotten here.")

    async def _notice(self, request: Request, *, title: str, text: str, press: str = "", status: int = 200) -> Response:
        # Whoever holds a token is let in by it, from wherever they come.
        page = await run_in_threadpool(_public, self._world)
        form = drawn.press(press) if press else drawn.press("")[:0]
        body = drawn.notice_page(page, self._links(), title=title, text=text, form=form)
        return HTMLResponse(body, status_code=status, headers=_PRIVATE)

    async def _page(self, request: Request) -> Page:
        self._admit(request)
        return await run_in_threadpool(_public, self._world)

    def _admit(self, request: Request, *, form: bool = False) -> None:
        """Raise where there is no page, under a name that is not ours, or for a form on somebody else's page."""
        _require(self._world)
        method = "POST" if form else "GET"
        why = self._trust.refuse(method=method, headers=Headers(scope=request.scope), peer=None)
        if why in (Distrust.HOST, Distrust.ORIGIN):
            raise Forbidden("open the page of this server", reason=why.value)

    def _links(self) -> drawn.Links:
        return drawn.served(kinds=kinds_of(self._world))


def _token(request: Request) -> str:
    return str(request.path_params["token"])


def _require(world: World) -> None:
    if not world.catalog.status.is_shown:
        raise NotFound("there is no status page here", hint="[status.components.<service>] says what it shows")


def _public(world: World) -> Page:
    _require(world)
    with world.store.reading() as view:
        return public_page(view, world)


def _internal(world: World) -> Page:
    with world.store.reading() as view:
        return internal_page(view, world)


__all__ = ["INTERNAL", "ROOT", "answers_itself", "routes"]
