"""Reads an HTTP block: a request line, headers, an empty line, a body; fills it so that values stay values. Pure."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlsplit

from stanch.kernel.errors import Invalid, Refused
from stanch.mitigate.runbooks.variables import VARIABLE, value_of

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
READS: Final = frozenset({"GET", "HEAD"})
_LINE: Final = re.compile(r"(?:([A-Za-z]+)\s+)?(\S+)(?:\s+HTTP/[\d.]+)?")
_HEADER: Final = re.compile(r"([A-Za-z0-9-]+)\s*:\s*(.*)")
# What names the far end or carries a secret is the system's, and not the runbook's.
_KEPT_OUT: Final = frozenset({"host", "authorization", "cookie", "proxy-authorization", "content-length"})
_JSON: Final = "application/json"
_FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request. `target` is a path, or a URL that a configured system must cover."""

    method: str
    target: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    @property
    def reads(self) -> bool:
        """Tell whether it only asks."""
        return self.method in READS

    @property
    def type(self) -> str:
        """Return the type of its body, `application/json` where it does not say."""
        return self.headers.get("content-type", _JSON)


def read_request(text: str) -> Request:
    """Return the request of a block. Raises `Invalid` for what is none, or what would name a secret."""
    head, _, body = text.strip().replace("\r\n", "\n").partition("\n\n")
    first, *rest = head.split("\n")
    # A variable holds spaces only inside its braces.
    line = _LINE.fullmatch(VARIABLE.sub(lambda found: found.group().replace(" ", ""), first.strip()))
    method = (line.group(1) or "GET").upper() if line else ""
    if line is None or method not in METHODS:
        raise Invalid(f"{first[:80]!r} is no request: write GET /path, with one of {', '.join(METHODS)}")
    headers: dict[str, str] = {}
    for told in rest:
        found = _HEADER.fullmatch(told.strip())
        if found is None:
            raise Invalid(f"{told[:80]!r} is no header; an empty line stands before the body")
        if found.group(1).lower() in _KEPT_OUT:
            raise Invalid(f"{found.group(1)} is not a runbook's to say: the system has its address and its token")
        headers[found.group(1).lower()] = found.group(2)
    target = line.group(2)
    if not target.startswith("/") and urlsplit(target).scheme not in ("http", "https"):
        raise Invalid(f"{target[:80]!r} must begin with / or with http:// or https://")
    if body.strip() and method in READS:
        raise Invalid(f"a {method} has no body")
    return Request(method=method, target=target, headers=headers, body=body.strip())


def fill_request(request: Request, values: Mapping[str, str]) -> Request:
    """Return the request with its variables filled in: encoded in the address and in a form, escaped in JSON.

    Raises `Refused` for a value that is missing or has no safe place where it stands.
    """

    def encoded(found: re.Match[str]) -> str:
        return quote(value_of(found.group(1), values), safe="")

    def plain(found: re.Match[str]) -> str:
        value = value_of(found.group(1), values)
        if not value.isascii():
            raise Refused(f"{found.group(1)} has characters that no header takes", reason="unsafe_argument")
        return value

    return Request(
        method=request.method,
        target=VARIABLE.sub(encoded, request.target),
        headers={name: VARIABLE.sub(plain, value) for name, value in request.headers.items()},
        body=_filled_body(request, values),
    )


def written(request: Request) -> str:
    """Return a request as a block holds it."""
    head = [f"{request.method} {request.target}", *(f"{name}: {value}" for name, value in request.headers.items())]
    return "\n".join(head) + (f"\n\n{request.body}" if request.body else "")


def _filled_body(request: Request, values: Mapping[str, str]) -> str:
    if not VARIABLE.search(request.body):
        return request.body
    kind = request.type.partition(";")[0].strip().lower()
    if kind == _FORM:
        return VARIABLE.sub(lambda found: quote(value_of(found.group(1), values), safe=""), request.body)
    if kind != _JSON and not kind.endswith("+json"):
        raise Refused(f"a body of {kind} has no safe place for a variable", reason="unsafe_argument")
    filled = VARIABLE.sub(lambda found: _in_json(found, request.body, values), request.body)
    try:
        json.loads(filled)
    except ValueError as error:
        raise Refused(f"the body is no JSON: {error}", reason="cannot_run") from error
    return filled


def _in_json(found: re.Match[str], text: str, values: Mapping[str, str]) -> str:
    before = re.sub(r"\\.", "", text[: found.start()])
    if before.count('"') % 2 == 0:
        raise Refused(f"{found.group()} must stand inside a text of the JSON, between quotes", reason="unsafe_argument")
    return json.dumps(value_of(found.group(1), values))[1:-1]
