"""Whom this server listens to: which peers, under which name of the host, from which origin. Pure.

The Host header stops a page on the internet from reaching us by pointing its own name at 127.0.0.1 (DNS rebinding);
the Origin header stops it from posting forms here (cross-site request forgery).
"""

import base64
import binascii
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import lru_cache
from typing import Final
from urllib.parse import urlsplit

LOCAL_HOSTS: Final = frozenset({"localhost", "127.0.0.1", "[::1]"})
AGENT_HEADER: Final = "stanch-agent"
SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
# Set by a proxy on this machine: the peer is then the proxy, and says nothing about who is behind it.
_FORWARDED: Final = ("forwarded", "x-forwarded-for", "x-real-ip")


class Distrust(StrEnum):
    """Why a request is turned away."""

    HOST = "host_not_allowed"
    ORIGIN = "origin_not_allowed"
    PEER = "peer_not_allowed"
    TOKEN = "token_needed"  # noqa: S105  # the name of a reason, no secret
    AGENT = "agent_token_needed"
    REVOKED = "agent_token_unknown"


@dataclass(frozen=True, kw_only=True)
class Trust:
    """`hosts` are names besides the local ones that people reach this server by; `token` lets other machines in."""

    hosts: frozenset[str] = frozenset()
    token: str = field(default="", repr=False)

    def refuse(
        self, *, method: str, headers: Mapping[str, str], peer: str | None, agent: str | None = None
    ) -> Distrust | None:
        """Return why a request is turned away, or None. `headers` are in lower case; a Unix socket has no `peer`.

        `agent` is the name of the agent whose token came with the request, empty where that token is nobody's, and
        None where none came. A program that says it is an agent needs one, unless it is on this machine.
        """
        host = headers.get("host", "")
        name = _name(host)
        if name not in LOCAL_HOSTS and name not in self.hosts:
            return Distrust.HOST
        if method not in SAFE_METHODS and not _same_origin(headers, host=host):
            return Distrust.ORIGIN
        if agent is not None:
            return None if agent else Distrust.REVOKED
        if _is_local(peer) and not any(name in headers for name in _FORWARDED):
            return None
        if not self.token:
            return Distrust.PEER
        if not self._has_token(headers.get("authorization", "")):
            return Distrust.TOKEN
        return Distrust.AGENT if AGENT_HEADER in headers else None

    def _has_token(self, authorization: str) -> bool:
        scheme, _, value = authorization.partition(" ")
        if scheme.lower() == "basic":
            try:
                value = base64.b64decode(value, validate=True).decode("utf-8", "replace").partition(":")[2]
            except binascii.Error:
                return False
        elif scheme.lower() != "bearer":
            return False
        return secrets.compare_digest(value.strip().encode(), self.token.encode())


def bearer_of(headers: Mapping[str, str]) -> str:
    """Return the bearer token of a request, empty where it has none."""
    scheme, _, value = headers.get("authorization", "").partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _name(host: str) -> str:
    """Return the host's name without its port, in lower case."""
    if host.startswith("["):
        address, closed, _ = host.partition("]")
        return address + closed
    return host.partition(":")[0].lower()


def _same_origin(headers: Mapping[str, str], *, host: str) -> bool:
    if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        return False
    origin = headers.get("origin")
    if origin is None:
        # A program sends none; a browser always does when it posts.
        return True
    try:
        return urlsplit(origin).netloc.lower() == host.lower()
    except ValueError:
        return False


@lru_cache(maxsize=1024)
def _is_local(peer: str | None) -> bool:
    if peer is None:
        return True
    try:
        return ipaddress.ip_address(peer).is_loopback
    except ValueError:
        return False
