"""Looks at one far end: fetch with a deadline and a limit, the certificate, the name. Knows nothing of findings."""

import ipaddress
import socket
import ssl
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Final
from urllib.parse import urljoin, urlsplit, urlunsplit

import httpx2

MOST_BYTES: Final = 65_536
_MOST_REDIRECTS: Final = 3
_LEAST_S: Final = 0.01
_EXPIRED: Final = 10
"""OpenSSL's X509_V_ERR_CERT_HAS_EXPIRED (https://docs.openssl.org/3.0/man3/X509_STORE_CTX_get_error/)."""


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What came back: `status` is None when nothing did, and `trouble` then says why; `body` is cut at 64 KiB."""

    status: int | None
    took_s: float
    body: bytes = b""
    trouble: str = ""


@dataclass(frozen=True, kw_only=True)
class Certificate:
    """The state of a certificate: seconds until it expires (negative when it has), None when that cannot be told."""

    expires_in_s: float | None
    text: str


def fetch(url: str, *, timeout_s: float, trust: ssl.SSLContext | None = None) -> Answer:
    """GET `url` once, following up to three redirects on its own host, within `timeout_s` for all of it.

    A redirect to anywhere else is the answer: whoever runs the far end must not choose what this machine asks for.
    Never raises for what the far end does: trouble is told in the answer.
    """
    began = time.monotonic()
    try:
        for _ in range(_MOST_REDIRECTS):
            answer, leads_to = _ask(url, began=began, timeout_s=timeout_s, trust=trust)
            if not leads_to or not _is_same_host(url, leads_to) or answer.took_s > timeout_s:
                return answer
            url = leads_to
        return _ask(url, began=began, timeout_s=timeout_s, trust=trust)[0]
    except httpx2.TimeoutException:
        took_s = time.monotonic() - began
        return Answer(status=None, took_s=took_s, trouble=f"no answer within {timeout_s:g} s")
    except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
        return Answer(status=None, took_s=time.monotonic() - began, trouble=_reason(error))


def _ask(url: str, *, began: float, timeout_s: float, trust: ssl.SSLContext | None) -> tuple[Answer, str]:
    """Return what `url` answers and where that leads to, empty where it leads nowhere."""
    # For plain HTTP there is nothing to verify: to read the certificates takes 0.2 s of a core, and on a busy machine
    # a look that then waits for a far end that hangs would end too late to be told.
    verify = (trust or _trusted()) if url.lower().startswith("https:") else False
    left_s = max(_LEAST_S, timeout_s - (time.monotonic() - began))
    with (
        # Without the surroundings' proxies and passwords: what is looked at is the far end itself.
        httpx2.Client(timeout=left_s, follow_redirects=False, trust_env=False, verify=verify) as client,
        client.stream("GET", url, headers={"Accept": "application/json, */*"}) as response,
    ):
        body = bytearray()
        # In pieces as they come: each read has a time-out of its own, so with pieces of a fixed size a far end that
        # drips would hold this look until one is full.
        for piece in response.iter_raw():
            body += piece
            if len(body) >= MOST_BYTES or time.monotonic() - began > timeout_s:
                break
        location = response.headers.get("location", "") if response.is_redirect else ""
        answer = Answer(
            status=response.status_code, took_s=time.monotonic() - began, body=_unpacked(response, bytes(body))
        )
        return answer, urljoin(url, location) if location else ""


@cache
def _trusted() -> ssl.SSLContext:
    """Return the context with the certificates that this machine trusts."""
    return ssl.create_default_context()


def _is_same_host(url: str, other: str) -> bool:
    """Tell whether `other` asks the server that `url` asks; plain HTTP may lead to HTTPS of the same name."""
    here, there = urlsplit(url), urlsplit(other)
    if (here.hostname, here.port, here.scheme) == (there.hostname, there.port, there.scheme):
        return True
    upgraded = (here.scheme, there.scheme) == ("http", "https") and not here.port and not there.port
    return upgraded and here.hostname == there.hostname


def certificate(host: str, port: int, *, timeout_s: float, trust: ssl.SSLContext | None = None) -> Certificate:
    """Look at the certificate of `host` by a TLS handshake that verifies it."""
    context = trust or _trusted()
    try:
        with (
            socket.create_connection((host, port), timeout=timeout_s) as raw,
            context.wrap_socket(raw, server_hostname=host) as wrapped,
        ):
            shown = wrapped.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        if error.verify_code == _EXPIRED:
            return Certificate(expires_in_s=-1.0, text="the certificate has expired")
        return Certificate(expires_in_s=None, text=f"the certificate is not trusted: {error.verify_message}")
    except OSError as error:
        return Certificate(expires_in_s=None, text=f"no TLS handshake: {_reason(error)}")
    until = shown.get("notAfter")
    if not isinstance(until, str):
        return Certificate(expires_in_s=None, text="the certificate does not say when it expires")
    expires = datetime.fromtimestamp(ssl.cert_time_to_seconds(until), UTC)
    left = (expires - datetime.now(UTC)).total_seconds()
    return Certificate(expires_in_s=left, text=f"the certificate is valid until {expires:%Y-%m-%d}")


def is_name(host: str) -> bool:
    """Tell whether a host is given by a name that has to be resolved, and not by its address."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return bool(host)
    return False


def resolves(host: str) -> tuple[bool, str]:
    """Tell whether a name has an address, with what was found."""
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)})
    except OSError as error:
        return False, f"{host} does not resolve: {_reason(error)}"
    except UnicodeError:
        return False, f"{host!r} is no host name"
    return bool(found), f"{host} resolves to {', '.join(found[:3])}"


def shown(url: str) -> str:
    """Return a URL without the user name and password in it."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, host, parts.path, parts.query, parts.fragment))


def _unpacked(response: httpx2.Response, raw: bytes) -> bytes:
    # Only plain bodies are read: nobody asked for packed ones, and unpacking could blow 64 KiB up to gigabytes.
    return b"" if response.headers.get("content-encoding", "identity") != "identity" else raw[:MOST_BYTES]


def _reason(error: Exception) -> str:
    said = str(error) or type(error).__name__
    return said.splitlines()[0][:200]
