"""What the pages' forms post to when no script runs: any operation that changes something, and who one is."""

import re
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route

from stanch.kernel.actor import Via
from stanch.kernel.errors import NotFound
from stanch.operations.registry import Effect
from stanch.operations.views import IncidentView
from stanch.surfaces.asgi.body import form_fields, texts_object
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.identity import PERSON_COOKIE, check_name

_A_YEAR_S: Final = 31_536_000
_LOCAL: Final = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d)(:\d\d)?")
_INSTANTS: Final = (datetime, datetime | None)


def routes(front: Front) -> list[BaseRoute]:
    """Return both routes."""

    async def do(request: Request) -> Response:
        texts = await form_fields(request)
        back = _local_path(texts.pop("back", [""])[0])
        name = "{noun}.{verb}".format(**request.path_params)
        entry = front.operations.get(name)
        if entry is None or entry.effect is Effect.READ:
            raise NotFound(f"there is nothing called {name[:80]} to do")
        body = texts_object(_filled(texts, entry.request), entry.request)
        answer = await front.ask(request, name, body, via=Via.WEB)
        if not back:
            back = f"/i/{answer.card.number}" if isinstance(answer, IncidentView) else "/"
        return RedirectResponse(back, status_code=303)

    async def me(request: Request) -> Response:
        texts = await form_fields(request)
        person = texts.get("person", [""])[0].strip()
        response = RedirectResponse(_local_path(texts.get("back", [""])[0]) or "/", status_code=303)
        if person:
            name = check_name(person, field="person")
            response.set_cookie(PERSON_COOKIE, name, max_age=_A_YEAR_S, samesite="lax", httponly=True)
        else:
            response.delete_cookie(PERSON_COOKIE, samesite="lax", httponly=True)
        return response

    return [Route("/do/{noun}/{verb}", do, methods=["POST"]), Route("/me", me, methods=["POST"])]


def _filled(texts: Mapping[str, list[str]], kind: type[object]) -> dict[str, list[str]]:
    """Leave out what was left empty and has a default: a form sends every field it shows."""
    optional = {
        one.name
        for one in fields(kind)  # type: ignore[arg-type]  # requests are dataclasses
        if one.default is not MISSING or one.default_factory is not MISSING
    }
    instants = {one.name for one in fields(kind) if one.type in _INSTANTS}  # type: ignore[arg-type]  # as above
    return {
        name: [in_utc(one) for one in values] if name in instants else values
        for name, values in texts.items()
        if name not in optional or any(values)
    }


def in_utc(text: str) -> str:
    """Return what a field for date and time holds with the zone that pages say it is in: UTC."""
    found = _LOCAL.fullmatch(text)
    return text if found is None else f"{found[1]}{found[2] or ':00'}Z"


def _local_path(text: str) -> str:
    """Return `text` when it is a path of this server, else nothing: no form leads elsewhere."""
    is_local = text.startswith("/") and not text.startswith("//") and "\\" not in text and text.isprintable()
    return text if is_local else ""
