"""The paths of the v2 API, with and without a prefix before them, and `/-/ready`, `/-/healthy`, `/-/reload`.

Errors are a JSON string, which is what clients of this API expect, and 200 is the only success they know.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from stanch.alerts.intake.listing import Shown, View, view_at
from stanch.alerts.intake.matchers import Matcher, compile_regex, parse_matchers, selects
from stanch.alerts.intake.silenced.tables import find_silence
from stanch.engine.intake import Intake
from stanch.kernel.errors import Invalid, NotFound, StanchError
from stanch.kernel.redaction import redact
from stanch.operations.silencing import end_silence, known_silences, save_silence
from stanch.surfaces.asgi.errors import status_of
from stanch.surfaces.http.alertmanager.posted import Unprocessable, read_alerts, read_silence, told
from stanch.surfaces.http.alertmanager.shapes import (
    alerts_json,
    groups_json,
    receiver_json,
    silence_json,
    status_json,
    text,
)

MOST_BYTES: Final = 8_388_608
"""A body of 64 alerts, which is what Prometheus sends, is about 40 kB."""

Endpoint = Callable[[Request], Awaitable[Response]]
_TRUE: Final = ("true", "1", "yes", "on", "t", "y", "enabled", "checked", "ok", "selected", "accept", "accepted")
_FALSE: Final = ("false", "0", "no", "off", "f", "n", "disabled")


def routes(intake: Intake) -> list[BaseRoute]:
    """Return the routes; `intake` is what takes alerts in."""
    paths: list[tuple[str, str, Endpoint]] = [
        ("POST", "/api/v2/alerts", _post_alerts(intake)),
        ("GET", "/api/v2/alerts", _get_alerts(intake)),
        ("GET", "/api/v2/alerts/groups", _get_groups(intake)),
        ("GET", "/api/v2/silences", _get_silences(intake)),
        ("POST", "/api/v2/silences", _post_silence(intake)),
        ("GET", "/api/v2/silence/{id}", _get_silence(intake)),
        ("DELETE", "/api/v2/silence/{id}", _delete_silence(intake)),
        ("GET", "/api/v2/receivers", _get_receivers(intake)),
        ("GET", "/api/v2/status", _get_status(intake)),
        ("GET", "/-/ready", _ok),
        ("GET", "/-/healthy", _ok),
        ("POST", "/-/reload", _reload(intake)),
    ]
    plain = [Route(path, _answering(endpoint), methods=[method]) for method, path, endpoint in paths]
    # Alertmanager is often served below a prefix; whatever it is, senders keep it.
    below = [Route(f"/{{prefix:path}}{path}", _answering(endpoint), methods=[m]) for m, path, endpoint in paths]
    return [*plain, *below]


def taking(intake: Intake) -> ASGIApp:
    """Return what takes alerts in at their usual path, as an application that needs no route to be found."""
    answer = _answering(_post_alerts(intake))

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        response = await answer(Request(scope, receive))
        await response(scope, receive, send)

    return app


def _answering(endpoint: Endpoint) -> Endpoint:
    """Return `endpoint` with its errors told as a JSON string."""

    async def answer(request: Request) -> Response:
        try:
            return await endpoint(request)
        except Unprocessable as error:
            return _json({"code": 602, "message": redact(str(error))}, status=422)
        except StanchError as error:
            # What was refused may be quoted, and it may have been a secret.
            return _json(redact(error.message), status=status_of(error))
        except HTTPException as error:
            return _json(error.detail, status=error.status_code, headers=error.headers)

    return answer


def _post_alerts(intake: Intake) -> Endpoint:
    async def post(request: Request) -> Response:
        raw = await _body(request)
        received, problems = read_alerts(
            raw,
            now=intake.world.clock.now(),
            resolve_timeout=intake.routing.resolve_timeout,
            recognition=intake.recognition,
        )
        if received:
            await asyncio.wrap_future(intake.receive(received))
        if problems:
            return _json(redact(told(problems)), status=400)
        return Response()

    return post


def _get_alerts(intake: Intake) -> Endpoint:
    async def get(request: Request) -> Response:
        return Response(await run_in_threadpool(_alerts, intake, _Asked(request)), media_type="application/json")

    return get


def _alerts(intake: Intake, asked: "_Asked") -> bytes:
    wanted = [one for one in _view(intake).alerts if asked.wants(one) and asked.wants_receiver(intake, one.receivers)]
    return alerts_json(wanted)


def _get_groups(intake: Intake) -> Endpoint:
    async def get(request: Request) -> Response:
        return Response(await run_in_threadpool(_groups, intake, _Asked(request)), media_type="application/json")

    return get


def _groups(intake: Intake, asked: "_Asked") -> bytes:
    view = _view(intake)
    members: dict[int, list[Shown]] = {}
    for one in view.alerts:
        if asked.wants(one):
            for id in one.row.groups:
                members.setdefault(id, []).append(one)
    found = [
        (view.groups[id], alerts)
        for id, alerts in members.items()
        if id in view.groups
        and asked.wants_receiver(intake, (view.groups[id].receiver,))
        and (asked.muted or not all(one.is_suppressed for one in alerts))
    ]
    return groups_json(found)


def _view(intake: Intake) -> View:
    world = intake.world
    # Whoever has been told that an alert was accepted finds it in the list.
    intake.settle()
    with world.store.reading() as view:
        return view_at(view.connection, intake.routing, world.clock.now())


def _get_silences(intake: Intake) -> Endpoint:
    async def get(request: Request) -> Response:
        filters = _filters(request)
        states = {name: _truth(request, name) for name in ("active", "pending", "expired")}
        found = await run_in_threadpool(known_silences, intake.world)
        now = intake.world.clock.now()
        wanted = [
            silence_json(one, now=now)
            for one in found
            if states[one.state(now).value]
            and selects(filters, {matcher.name: matcher.value for matcher in one.matchers})
        ]
        return _json(wanted)

    return get


def _post_silence(intake: Intake) -> Endpoint:
    async def post(request: Request) -> Response:
        wanted = read_silence(await _body(request), now=intake.world.clock.now())
        saved = await run_in_threadpool(save_silence, intake.world, wanted)
        return _json({"silenceID": saved.id})

    return post


def _get_silence(intake: Intake) -> Endpoint:
    async def get(request: Request) -> Response:
        id = _silence_id(request)

        def find() -> object:
            with intake.world.store.reading() as view:
                found = find_silence(view.connection, id)
            return None if found is None else silence_json(found, now=intake.world.clock.now())

        found = await run_in_threadpool(find)
        return Response(status_code=404) if found is None else _json(found)

    return get


def _delete_silence(intake: Intake) -> Endpoint:
    async def delete(request: Request) -> Response:
        try:
            await run_in_threadpool(end_silence, intake.world, _silence_id(request))
        except NotFound:
            return Response(status_code=404)
        return Response()

    return delete


def _silence_id(request: Request) -> str:
    try:
        return str(uuid.UUID(request.path_params["id"]))
    except ValueError:
        raise Unprocessable("silenceID in path must be of type uuid") from None


def _get_receivers(intake: Intake) -> Endpoint:
    async def get(request: Request) -> Response:
        filters = _filters(request, "receiver_matchers")
        found = intake.routing.receivers.values()
        return _json([receiver_json(one) for one in found if selects(filters, one.labels)])

    return get


def _get_status(intake: Intake) -> Endpoint:
    started_at = intake.world.clock.now()

    async def get(request: Request) -> Response:
        return _json(status_json(intake.routing, started_at=started_at, name=intake.world.node))

    return get


async def _ok(request: Request) -> Response:
    return Response("OK", media_type="text/plain")


def _reload(intake: Intake) -> Endpoint:
    async def reload(request: Request) -> Response:
        try:
            await run_in_threadpool(intake.reload)
        except (Invalid, NotFound) as error:
            return Response(f"failed to reload config: {error.message}\n", status_code=500, media_type="text/plain")
        return Response()

    return reload


class _Asked:
    """What a query narrows alerts to."""

    def __init__(self, request: Request) -> None:
        self.filters = _filters(request)
        self.receivers = _filters(request, "receiver_matchers")
        self.active = _truth(request, "active")
        self.silenced = _truth(request, "silenced")
        self.inhibited = _truth(request, "inhibited")
        self.muted = _truth(request, "muted")
        # Every alert is processed the moment it is stored, so there is nothing that `unprocessed` would leave out.
        _truth(request, "unprocessed")
        named = request.query_params.get("receiver", "")
        try:
            self.receiver = compile_regex(named) if named else None
        except Invalid as error:
            raise Invalid(f"failed to parse receiver param: {error.message}", field="receiver") from error

    def wants(self, alert: Shown) -> bool:
        """Tell whether the query asks for `alert`."""
        return (
            (self.active or alert.is_suppressed)
            and (self.silenced or not alert.silenced_by)
            and (self.inhibited or not alert.inhibited_by)
            and (not self.filters or selects(self.filters, alert.labels))
        )

    def wants_receiver(self, intake: Intake, names: tuple[str, ...]) -> bool:
        """Tell whether the query asks for any of these receivers."""
        if self.receiver is not None and not any(self.receiver.fits(name) for name in names):
            return False
        if not self.receivers:
            return True
        known = (intake.routing.receivers.get(name) for name in names)
        return any(one is not None and selects(self.receivers, one.labels) for one in known)


def _filters(request: Request, name: str = "filter") -> tuple[Matcher, ...]:
    try:
        return tuple(one for given in request.query_params.getlist(name) for one in parse_matchers(given))
    except Invalid as error:
        raise Invalid(f"bad matcher format: {error.message}", field=name) from error


def _truth(request: Request, name: str) -> bool:
    given = request.query_params.get(name, "true").lower()
    if given not in _TRUE and given not in _FALSE:
        raise Unprocessable(f"{name} in query must be of type boolean: {given[:20]!r}")
    return given in _TRUE


async def _body(request: Request) -> bytes:
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise HTTPException(415, "body: send it as it is, without content-encoding")
    chunks, total = [], 0
    async for chunk in request.stream():
        total += len(chunk)
        if total > MOST_BYTES:
            raise HTTPException(413, f"body: at most {MOST_BYTES:,} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _json(body: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(text(body), status_code=status, media_type="application/json", headers=headers)
