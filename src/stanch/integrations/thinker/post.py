"""One bounded request in JSON: a deadline for the whole answer, a limit in bytes, no redirect, no key in an error."""

import socket
import ssl
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

import httpx2

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject, read_object
from stanch.kernel.redaction import redact
from stanch.ports.thinker import Unanswered

_MOST_BYTES: Final = 1024 * 1024
"""Far above the longest answer that is asked for: 8,192 tokens are some 40 KB."""
_LONGEST_WORDS: Final = 200
_LATER: Final = frozenset({408, 409, 425, 429, 500, 502, 503, 504, 529})
_NOTHING: Final = frozenset({404, 405, 501})
# What is answered after the model may have read the question; 429 and 529 are answered before.
_MAY_HAVE_READ: Final = frozenset({408, 500, 502, 504})


@dataclass(frozen=True, kw_only=True)
class Posted:
    """The object that was answered, and how long that took in seconds."""

    body: JsonObject
    took_s: float


def host_of(url: str) -> str:
    """Return the host of a URL with its port."""
    return urlsplit(url).netloc.rpartition("@")[2]


def post_json(url: str, body: Mapping[str, JSON], *, headers: Mapping[str, str], timeout_s: float) -> Posted:
    """Return the answer to `body`. Raises `Unanswered` when none came in time, or one that is no success or no JSON."""
    status, raw, given, took_s = _sent("POST", url, body, headers=headers, timeout_s=timeout_s)
    if status != httpx2.codes.OK:
        raise _refused(host_of(url), status, raw, given)
    return Posted(body=_object(url, raw), took_s=took_s)


def get_json(url: str, *, headers: Mapping[str, str], timeout_s: float) -> JsonObject | None:
    """Return what stands at a URL, None where nothing does. Raises `Unanswered` as `post_json` does."""
    status, raw, given, _ = _sent("GET", url, None, headers=headers, timeout_s=timeout_s)
    if status in _NOTHING:
        return None
    if status != httpx2.codes.OK:
        raise _refused(host_of(url), status, raw, given)
    return _object(url, raw)


def unreadable(url: str, error: Invalid) -> Unanswered:
    """Return what an answer of another shape than the protocol's is."""
    return Unanswered(f"{host_of(url)} answered in another shape: {error.message}", retry=False, begun=True)


def _object(url: str, raw: bytes) -> JsonObject:
    try:
        return read_object(raw)
    except Invalid as error:
        raise Unanswered(f"{host_of(url)} answered what is no JSON: {error.message}", retry=True, begun=True) from None


def _sent(
    method: str, url: str, body: Mapping[str, JSON] | None, *, headers: Mapping[str, str], timeout_s: float
) -> tuple[int, bytes, dict[str, str], float]:
    """Return the status, the body, the headers in lower case, and how long it took in seconds."""
    began = time.monotonic()
    place = host_of(url)
    verify: ssl.SSLContext | bool = ssl.create_default_context() if url.lower().startswith("https:") else False
    try:
        with (
            httpx2.Client(follow_redirects=False, verify=verify, timeout=timeout_s) as client,
            client.stream(method, url, json=body, headers={"Accept-Encoding": "identity", **headers}) as response,
        ):
            raw = _read(response, place=place, began=began, timeout_s=timeout_s)
            status, given = response.status_code, {name.lower(): value for name, value in response.headers.items()}
    except httpx2.ConnectError as error:
        raise Unanswered(f"{place} cannot be reached: {_why(error)}", retry=True, begun=False) from None
    except httpx2.ConnectTimeout:
        raise Unanswered(f"{place} cannot be reached within {timeout_s:g} s", retry=True, begun=False) from None
    except httpx2.TimeoutException:
        raise Unanswered(f"{place} did not answer within {timeout_s:g} s", retry=True, begun=True) from None
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        raise Unanswered(f"{place} broke off: {_words_of(error)}", retry=True, begun=True) from None
    return status, raw, given, time.monotonic() - began


def _read(response: httpx2.Response, *, place: str, began: float, timeout_s: float) -> bytes:
    body = bytearray()
    # Each read has a time-out of its own, so a far end that drips must be stopped here.
    for piece in response.iter_raw():
        body += piece
        if time.monotonic() - began > timeout_s:
            raise Unanswered(f"{place} had not sent all within {timeout_s:g} s", retry=True, begun=True)
        if len(body) > _MOST_BYTES:
            raise Unanswered(f"{place} sent more than {_MOST_BYTES:,} bytes", retry=False, begun=True)
    return bytes(body)


def _why(error: httpx2.ConnectError) -> str:
    """Return in words why there is no connection. Whatever wraps it, the reason stands at the bottom."""
    inner: BaseException = error
    while (below := inner.__cause__ or inner.__context__) is not None:
        inner = below
    match inner:
        case ssl.SSLCertVerificationError():
            return f"its certificate is not trusted ({inner.verify_message})"
        case ssl.SSLError():
            return "it speaks no TLS"
        case socket.gaierror():
            return "its name is not known"
        case ConnectionRefusedError():
            return "nothing listens there"
        case OSError() if inner.strerror:
            return inner.strerror.lower()
        case _:
            return str(inner)[:_LONGEST_WORDS] or "the connection could not be made"


def _words_of(error: Exception) -> str:
    return redact(str(error))[:_LONGEST_WORDS] or "the connection ended"


def _refused(place: str, status: int, raw: bytes, headers: Mapping[str, str]) -> Unanswered:
    wait = headers.get("retry-after", "").strip()
    hint = f"it asks to wait {wait} s" if wait.isdecimal() and len(wait) < 6 else ""
    if status in (401, 403):
        hint = "see key_env under [thinker]"
    said = f"{place} answered {status} {_words(raw)}".strip()
    return Unanswered(said, retry=status in _LATER, begun=status in _MAY_HAVE_READ, hint=hint)


def _words(raw: bytes) -> str:
    """Return what an error says: both protocols answer `{"error": {"message": ...}}`, some servers only a text."""
    try:
        body = read_object(raw)
        words = body.text("error") if isinstance(body.data.get("error"), str) else body.object("error").text("message")
    except Invalid:
        words = ""
    return redact(" ".join(words.split()))[:_LONGEST_WORDS]
