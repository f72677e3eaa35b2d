"""One request to a flag's API: JSON there and back, no redirect, an end in time and in bytes, no secret told."""

import functools
import hashlib
import os
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

import httpx2
import msgspec

from stanch.integrations.flags.model import Changed, Told
from stanch.kernel.blocks import clean
from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact

_MOST_BYTES: Final = 4 * 1024 * 1024
_LONGEST_SAID: Final = 300
_CHANGED: Final = frozenset({409, 412})


@dataclass(frozen=True, kw_only=True)
class Answer:
    """A success: its body as JSON (None when it has none), and its entity tag."""

    body: JSON
    etag: str = ""


def ask(
    told: Told,
    method: str,
    url: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    scheme: str = "",
) -> Answer:
    """Send one request with the token of `token_env`, and return its answer.

    Raises `NotFound` for 404, `Changed` for 409 and 412, `Refused` for any other 4xx, `Unavailable` for the rest. A
    request that was not answered may have arrived: the caller reads back.
    """
    given = {"User-Agent": "stanch", "Accept": "application/json", "Accept-Encoding": "identity", **(headers or {})}
    if token := os.environ.get(told["token_env"] or "\0", "").strip():
        given["Authorization"] = f"{scheme} {token}".strip()
    began = time.monotonic()
    read = bytearray()
    try:
        with (
            httpx2.Client(timeout=told.timeout_s, trust_env=False, verify=_trusted(url)) as client,
            client.stream(method, url, content=body, headers=given) as response,
        ):
            for piece in response.iter_raw():
                read += piece
                if time.monotonic() - began > told.timeout_s or len(read) > _MOST_BYTES:
                    raise Unavailable(f"{shown(url)} sent more, or took longer, than it may", retry=False)
            status, etag = response.status_code, response.headers.get("etag", "")
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise Unavailable(f"{shown(url)} does not answer: {type(error).__name__}", retry=True) from None
    return _answer(status, bytes(read), etag, url=url, token=token)


def _trusted(url: str) -> ssl.SSLContext | bool:
    # The certificates that are trusted take a tenth of a second to read: once, and only for HTTPS.
    return _certificates() if url.lower().startswith("https:") else False


@functools.cache
def _certificates() -> ssl.SSLContext:
    return ssl.create_default_context()


def _answer(status: int, body: bytes, etag: str, *, url: str, token: str) -> Answer:
    if 200 <= status < 300:
        return Answer(body=_json(body), etag=etag)
    said = " ".join(clean(body[:4_000].decode(errors="replace")).split())
    said = redact(said.replace(token, "[redacted]") if token else said)[:_LONGEST_SAID]
    if status == 404:
        raise NotFound(f"{shown(url)} is not there: {said}")
    if status in _CHANGED:
        raise Changed(said)
    if 400 <= status < 500:
        raise Refused(f"{shown(url)} refuses it with {status}: {said}", reason="denied")
    raise Unavailable(f"{shown(url)} answers {status}: {said}", retry=status >= 500)


def _json(body: bytes) -> JSON:
    try:
        found: JSON = msgspec.json.decode(body) if body.strip() else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    return found


def path(*names: str) -> str:
    """Return segments of a path, each encoded: none of them becomes two, a query or another host."""
    return "/".join(quote(name, safe="") for name in names)


def shown(url: str) -> str:
    """Return a URL as it may be told: without a user, a password and a query."""
    parts = urlsplit(url)
    return redact(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}")


def url_problem(name: str, url: str) -> str:
    """Return what is wrong with a URL of a setting, empty when nothing is."""
    try:
        parts = urlsplit(url)
        known = parts.scheme in ("http", "https") and parts.hostname
    except ValueError:
        known = None
    if not known or any(letter.isspace() or not letter.isprintable() for letter in url):
        return f"{name} must be a URL that begins with http:// or https://"
    return f"{name} holds a password: name a variable with token_env instead" if parts.password else ""


def mark_of(exact: JSON) -> str:
    """Return a name for a state, where the far end gives it none."""
    return hashlib.sha256(msgspec.json.encode(exact, order="sorted")).hexdigest()[:16]


def encoded(body: JSON) -> bytes:
    """Return JSON as it is sent."""
    return msgspec.json.encode(body)


def table(found: JSON) -> dict[str, JSON]:
    """Return an object of JSON; an empty one for anything else."""
    return found if isinstance(found, dict) else {}


def rows(found: JSON) -> list[dict[str, JSON]]:
    """Return the objects of a list of JSON."""
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []
