"""Holds what our fakes of Sentry answer, and what our code asks of them, against what Sentry says of itself.

The facts in sentry_shapes.json are written by scripts/sentry_shapes.py from Sentry's OpenAPI document; what that
document does not have stands in `UNDESCRIBED`, each with the reason why we rely on it nevertheless.
"""

import contextlib
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft4Validator

from tests.support.farend import Asked, Reply, Site, site

FACTS: Final = Path(__file__).with_name("sentry_shapes.json")

# A schema may be any JSON.
Schema = Any
Query = Mapping[str, list[str]]
_TEXT: Final[Schema] = {"type": "string"}
_ORGANIZATION: Final = "/api/0/organizations/{organization_id_or_slug}/"
_NOTE: Final[Schema] = {
    "type": "object",
    "required": ["id", "type", "data"],
    "properties": {"data": {"type": "object", "required": ["text"]}},
}


@dataclass(frozen=True, kw_only=True)
class Undescribed:
    """A call that the document does not have: why we make it, what is asked, and what its answer must have."""

    reason: str
    query: tuple[str, ...] = ()
    body: Schema = None
    answers: Schema = field(default_factory=dict)


UNDESCRIBED: Final[Mapping[str, Undescribed]] = {
    "GET /api/0/": Undescribed(reason="tells the scopes of a token; where it does not, each right is tried"),
    f"GET {_ORGANIZATION}incidents/": Undescribed(
        reason="metric alerts that fire; what the document has instead tells rules, and not what fires now",
        query=("status", "project", "cursor"),
        answers={"type": "array", "items": {"required": ["identifier", "status", "dateStarted", "projects"]}},
    ),
    "GET /api/0/projects/{organization_id_or_slug}/{project_id_or_slug}/events/{event_id}/committers/": Undescribed(
        reason="suspect commits stand nowhere else",
        answers={"type": "object", "required": ["committers"]},
    ),
    f"GET {_ORGANIZATION}issues/{{issue_id}}/notes/": Undescribed(
        reason="whether a note stands there already", answers={"type": "array", "items": _NOTE}
    ),
    f"POST {_ORGANIZATION}issues/{{issue_id}}/notes/": Undescribed(
        reason="a note is how people at the issue learn of the incident",
        body={"type": "object", "required": ["text"], "properties": {"text": _TEXT}, "additionalProperties": False},
        answers=_NOTE,
    ),
    "GET /api/0/teams/{organization_id_or_slug}/{team_id_or_slug}/": Undescribed(
        reason="on Sentry's pages as Retrieve a Team, not in the document: the number that `assignedTo` takes",
        answers={"type": "object", "required": ["id", "slug"]},
    ),
    "POST /oauth/device/code/": Undescribed(
        reason="OAuth is on the pages and in RFC 8628, and not part of the API",
        answers={"type": "object", "required": ["device_code", "user_code", "verification_uri", "expires_in"]},
    ),
    "POST /oauth/token/": Undescribed(
        reason="OAuth is on the pages and in RFC 6749, and not part of the API",
        answers={"type": "object", "required": ["access_token", "refresh_token", "expires_in", "scope"]},
    ),
    "POST /api/{project_id}/envelope/": Undescribed(
        reason="events come in there from the SDKs (https://develop.sentry.dev/sdk/envelopes/); we never ask it",
        answers={"type": "object"},
    ),
}

NOT_REQUIRED: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    f"GET {_ORGANIZATION}issues/": {
        "comes only when `expand` asks for it": (
            *("inbox", "integrationIssues", "latestEventHasAttachments", "owners", "sentryAppIssues", "sessionCount"),
        ),
        "comes only from newer versions, or with a search for one event": (
            *("derivedData", "matchingEventEnvironment", "matchingEventId"),
        ),
    },
}
"""Fields of answers that the document calls required and that are not always there, by the reason."""
PARTIAL: Final[Mapping[str, str]] = {
    f"PUT {_ORGANIZATION}issues/{{issue_id}}/": "an update sends what it changes; the document requires all"
}
"""Calls of whose body no field is required, with the reason."""


@dataclass(frozen=True, kw_only=True)
class Call:
    """One call as Sentry describes it: the pattern of its path, its parameters, and the schemas of both bodies."""

    name: str
    pattern: re.Pattern[str]
    query: Mapping[str, Schema]
    needed: tuple[str, ...] = ()
    body: Schema = None
    answers: Mapping[str, Schema] = field(default_factory=dict)


def complaints(asked: Asked, reply: Reply) -> list[str]:
    """Return what is wrong with a request and with its answer, each with the call's name; an empty list for nothing.

    Of a request that was refused only the path is looked at: a test may ask for nonsense on purpose.
    """
    path = urlsplit(asked.path).path
    call = next((one for one in _calls() if one.name.startswith(f"{asked.method} ") and one.pattern.match(path)), None)
    if call is None:
        return [f"{asked.method} {path}: Sentry describes no such call"]
    if 400 <= reply.status < 500:
        return []
    query = parse_qs(urlsplit(asked.path).query, keep_blank_values=True)
    found = [*_in_query(call, query), *_in_body(call, asked.body)]
    if reply.status < 300:
        found += _in_answer(call, reply)
    return [f"{call.name}: {one}" for one in found]


@contextlib.contextmanager
def shaped(answer: Callable[[Asked], Reply]) -> Iterator[Site]:
    """Run a fake of Sentry; when it ends, everything that was asked and answered has been as Sentry describes it."""
    wrong: dict[str, None] = {}

    def looked_at(asked: Asked) -> Reply:
        try:
            reply = answer(asked)
        except Exception as error:
            # It happens in a thread of the fake, where nobody would see it.
            wrong[f"{asked.method} {asked.path}: the fake fell over: {error!r}"] = None
            raise
        wrong.update(dict.fromkeys(complaints(asked, reply)))
        return reply

    with site(looked_at) as running:
        yield running
    assert not wrong, "\n".join(["not as Sentry describes it:", *wrong])


def recorded(name: str, given: object) -> list[str]:
    """Return where `given` differs from what was recorded under that name; fields may be missing, none be added."""
    shape = json.loads(FACTS.read_text(encoding="utf-8"))["recorded"][name]
    return _against(plain(shape), given)


def plain(schema: Schema, *, closed: bool = True) -> Schema:
    """Return a schema of OpenAPI 3.0 as JSON schema: `nullable` is a type, and a field that is not named is wrong."""
    if isinstance(schema, list):
        return [plain(one, closed=closed) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # Of several that must all fit, none may forbid what another one names.
    found = {
        key: {name: plain(one) for name, one in value.items()}
        if key == "properties"
        else plain(value, closed=closed and key != "allOf")
        for key, value in schema.items()
        if key != "nullable"
    }
    if closed and "properties" in found:
        found.setdefault("additionalProperties", False)
    return {"anyOf": [found, {"type": "null"}]} if schema.get("nullable") is True else found


@cache
def _calls() -> tuple[Call, ...]:
    told = json.loads(FACTS.read_text(encoding="utf-8"))["operations"]
    described = [
        Call(
            name=name,
            pattern=_pattern(name),
            query=one["query"],
            needed=tuple(one["needed"]),
            body=_without(plain(one["body"]), one["body"]["required"]) if name in PARTIAL else plain(one["body"]),
            answers={status: _without(plain(schema), missing(name)) for status, schema in one["answers"].items()},
        )
        for name, one in told.items()
    ]
    more = [
        Call(
            name=name,
            pattern=_pattern(name),
            query={key: {} for key in one.query},
            body=one.body,
            answers={"*": one.answers},
        )
        for name, one in UNDESCRIBED.items()
    ]
    return (*described, *more)


def missing(name: str) -> tuple[str, ...]:
    """Return the fields that need not be there in what a call answers."""
    return tuple(one for names in NOT_REQUIRED.get(name, {}).values() for one in names)


def _without(schema: Schema, names: Sequence[str]) -> Schema:
    """Return a schema of an object, or of a list of them, of which these fields are not required."""
    if not isinstance(schema, dict) or not names:
        return schema
    if "items" in schema:
        return {**schema, "items": _without(schema["items"], names)}
    left = [one for one in schema["required"] if one not in names]
    return {**{key: one for key, one in schema.items() if key != "required"}, **({"required": left} if left else {})}


def _pattern(name: str) -> re.Pattern[str]:
    path = name.partition(" ")[2]
    return re.compile(
        "".join("[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"(\{\w+\})", path)) + "$"
    )


def _in_query(call: Call, query: Query) -> Iterator[str]:
    yield from (f"the parameter {name} is missing" for name in call.needed if name not in query)
    for name, values in query.items():
        schema = call.query.get(name)
        if schema is None:
            yield f"there is no parameter {name}"
        elif schema and schema.get("type") != "array" and len(values) > 1:
            yield f"the parameter {name} is given {len(values)} times"
        else:
            one = schema.get("items", {}) if schema.get("type") == "array" else schema
            yield from (f"{name}={value} is none of its values" for value in values if not _fits(one, value))


def _fits(schema: Schema, value: str) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    return schema.get("type") != "integer" or value.lstrip("-").isdigit()


def _in_body(call: Call, body: bytes) -> list[str]:
    if call.body is None:
        return []
    return [f"the body sent, {one}" for one in _against(call.body, json.loads(body))]


def _in_answer(call: Call, reply: Reply) -> list[str]:
    schema = call.answers.get(str(reply.status), call.answers.get("*"))
    if schema is None:
        return [f"Sentry answers it never with {reply.status}"]
    return [f"the answer, {one}" for one in _against(schema, json.loads(reply.body))]


def _against(schema: Schema, given: object) -> list[str]:
    errors = Draft4Validator(schema).iter_errors(given)
    return sorted(f"{'.'.join(map(str, one.absolute_path)) or 'as a whole'}: {one.message[:200]}" for one in errors)
