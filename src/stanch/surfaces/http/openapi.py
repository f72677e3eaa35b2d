"""The OpenAPI 3.1 document at `/api/openapi.json`, made from the operations and the JSON Schema of their records."""

import copy
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Final, TypeAlias

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from stanch import __version__
from stanch.kernel.event import JSON
from stanch.operations.registry import Effect, Operation
from stanch.surfaces.asgi.errors import ErrorBody
from stanch.surfaces.asgi.etag import tagged
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.live import Glimpse

Schema: TypeAlias = dict[str, JSON]
Operations: TypeAlias = Mapping[str, Operation[object, object]]

_TEMPLATE: Final = "#/components/schemas/{name}"
_ERRORS: Final = {
    "400": "The request is not valid; `problems` names the fields.",
    "403": "This caller may not do this.",
    "404": "There is no such thing.",
    "409": "A rule says no (`reason` is stable), or somebody else changed it in the meantime.",
    "413": "The body is too large.",
    "415": "The body is not JSON.",
    "500": "A bug; the request's id is in the answer and in the log.",
    "503": "Something outside did not answer.",
}
_BODY_ERRORS: Final = frozenset({"413", "415"})


def routes(front: Front) -> list[BaseRoute]:
    """Return the document's route."""

    @cache
    def body() -> bytes:
        return msgspec.json.encode(document(front.operations))

    async def describe(request: Request) -> Response:
        return tagged(request, body(), media_type="application/json")

    return [Route("/api/openapi.json", describe, methods=["GET"], name="openapi")]


def document(operations: Operations) -> Schema:
    """Return the description of the API for `operations`."""
    kinds = [one for entry in operations.values() for one in (entry.request, entry.answer)]
    schemas, components = msgspec.json.schema_components([*kinds, ErrorBody, Glimpse], ref_template=_TEMPLATE)
    requests = dict(zip(operations, schemas[0::2], strict=False))
    answers = dict(zip(operations, schemas[1::2], strict=False))
    parts: dict[str, Schema] = {name: _tidy(part) for name, part in components.items()}
    paths: Schema = {
        _path(entry): _reading(entry, answers[name], _resolved(requests[name], parts))
        if entry.effect is Effect.READ
        else _writing(entry, answers[name], requests[name])
        for name, entry in operations.items()
    }
    paths["/api/v1/stream"] = _stream()
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Stanch",
            "version": __version__,
            "description": "Incident response: everything that can be asked for or done. Instants are RFC 3339, UTC; "
            "ratios are 0..1.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "tags": [{"name": noun} for noun in sorted({entry.noun for entry in operations.values()})],
        "security": [{"actor": []}, {"agent": []}, {}],
        "paths": paths,
        "components": {
            "schemas": {**parts},
            "responses": {f"E{status}": _error(text) for status, text in _ERRORS.items()},
            "securitySchemes": {
                "actor": _header("Stanch-Actor", "The person who acts."),
                "agent": _header("Stanch-Agent", "The program that acts by itself; it can not approve."),
            },
        },
    }


def _path(entry: Operation[object, object]) -> str:
    return f"/api/v1/{entry.noun}/{entry.verb}"


def _reading(entry: Operation[object, object], answer: Schema, request: Schema) -> Schema:
    fields = request.get("properties")
    required = request.get("required")
    names = required if isinstance(required, list) else []
    parameters: list[JSON] = []
    for name, schema in fields.items() if isinstance(fields, dict) else ():
        parameter: Schema = {"name": name, "in": "query", "required": name in names, "schema": schema}
        if name in entry.example and not isinstance(entry.example[name], list | dict):
            parameter["example"] = msgspec.to_builtins(entry.example[name])
        parameters.append(parameter)
    return {"get": {**_common(entry, answer, has_body=False), "parameters": parameters}}


def _writing(entry: Operation[object, object], answer: Schema, request: Schema) -> Schema:
    content: Schema = {"schema": request, "example": msgspec.to_builtins(entry.example)}
    body: Schema = {"required": True, "content": {"application/json": content}}
    return {"post": {**_common(entry, answer, has_body=True), "requestBody": body}}


def _common(entry: Operation[object, object], answer: Schema, *, has_body: bool) -> Schema:
    statuses = [status for status in _ERRORS if has_body or status not in _BODY_ERRORS]
    refusals: Schema = {status: {"$ref": f"#/components/responses/E{status}"} for status in statuses}
    return {
        "operationId": entry.name,
        "tags": [entry.noun],
        "summary": entry.summary,
        "description": entry.doc,
        "responses": {
            "200": {"description": "Done.", "content": {"application/json": {"schema": _tidy(answer)}}},
            **refusals,
        },
    }


def _stream() -> Schema:
    whole: Schema = {"type": "integer", "minimum": 0, "maximum": 2**53 - 1}
    parameters: list[JSON] = [
        {"name": name, "in": place, "required": False, "schema": whole, "description": text}
        for name, place, text in (
            ("incident", "query", "Only this incident's entries."),
            ("after", "query", "Replay from after this position."),
            ("Last-Event-ID", "header", "The same, as a browser sends it; it wins over `after`."),
        )
    ]
    content: Schema = {"text/event-stream": {"schema": {"type": "string"}}}
    return {
        "get": {
            "operationId": "stream",
            "tags": ["stream"],
            "summary": "Follow the log as server-sent events.",
            "description": "`entry` holds one event (the schema Glimpse) and its id is the position in the log; "
            "`hello` and `tick` say that the line is alive; `reset` says that this is another log.",
            "parameters": parameters,
            "responses": {
                "200": {"description": "An endless stream.", "content": content},
                "400": {"$ref": "#/components/responses/E400"},
                "503": {"$ref": "#/components/responses/E503"},
            },
        }
    }


def _error(text: str) -> Schema:
    schema: Schema = {"$ref": _TEMPLATE.format(name=ErrorBody.__name__)}
    return {"description": text, "content": {"application/json": {"schema": schema}}}


def _header(name: str, text: str) -> Schema:
    return {"type": "apiKey", "in": "header", "name": name, "description": text}


def _resolved(schema: Schema, parts: Mapping[str, Schema]) -> Schema:
    reference = schema.get("$ref")
    return parts[reference.rpartition("/")[2]] if isinstance(reference, str) else schema


def _tidy(schema: Mapping[str, JSON]) -> Schema:
    """Return `schema` with its descriptions set flush left; docstrings come indented."""
    tidied = copy.deepcopy(dict(schema))
    for one in _objects(tidied):
        text = one.get("description")
        if isinstance(text, str):
            one["description"] = "\n".join(line.strip() for line in text.splitlines()).strip()
    return tidied


def _objects(value: JSON) -> Iterable[Schema]:
    if isinstance(value, dict):
        yield value
        for one in value.values():
            yield from _objects(one)
    elif isinstance(value, list):
        for one in value:
            yield from _objects(one)
