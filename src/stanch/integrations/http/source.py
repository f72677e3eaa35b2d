"""The query port over HTTP: one GET or HEAD against a system's own address; its answer is one row.

The row holds `status`, `took_ms`, `body` (a document where it is JSON) and, over TLS, `certificate_days`. What could
not be asked is a row too, with `trouble`: that nobody answers is an answer to whoever asks whether somebody does.
"""

import math
import socket
import ssl
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import urljoin, urlsplit

import msgspec

from stanch.integrations.http.asking import Answer, open_client
from stanch.integrations.http.asking import ask as send
from stanch.integrations.http.trust import Trust
from stanch.kernel.errors import Refused
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.query import Ask, ConfiguredSource, Reply, Row, SystemSpec

_LONGEST_BODY: Final = 8 * 1024
_DAY_S: Final = 86_400.0
_CONNECT_S: Final = 3.0


class HttpSource(ConfiguredSource):
    """What answers over HTTP at one address. The token goes to that address and to no other."""

    def __init__(self, spec: SystemSpec) -> None:
        super().__init__(spec)
        self._trust = Trust(spec.settings.get("ca_file", ""))

    @property
    def system(self) -> str:
        """Return `http`."""
        return "http"

    @property
    def where(self) -> str:
        """Return its address."""
        return self._spec.url

    @property
    def side_by_side(self) -> int:
        """Return 1: what is in trouble gets one request from us at a time."""
        return 1

    @contextmanager
    def open(self) -> "Iterator[HttpSource]":
        """Give itself: each request has a connection of its own."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """Send one request that reads; its first line is `GET /path`, headers may follow. No redirect is followed."""
        first, *rest = ask.text.strip().split("\n")
        method, _, target = first.strip().partition(" ")
        if method not in ("GET", "HEAD") or not target:
            raise Refused("only GET and HEAD are sent from here", reason="not_read_only")
        url = self._within(target)
        headers = dict(told.split(": ", 1) for told in rest if ": " in told) | self._authorization()
        with open_client(trust=self._trust.context()) as client:
            answer = send(
                client,
                method=method,
                url=url,
                headers=headers,
                body="",
                form={},
                follow=False,
                timeout_s=min(ask.timeout_s, self._spec.timeout_s),
            )
        row = _row(answer)
        if url.startswith("https:") and (days := self._certificate_days(url)) is not None:
            row["certificate_days"] = days
        return Reply(command=f"curl -i {'-I ' if method == 'HEAD' else ''}{redact(url)}", rows=(row,))

    def _within(self, target: str) -> str:
        """Return the whole address of a target. Raises `Refused` for one that leads elsewhere."""
        base = self._spec.url if self._spec.url.endswith("/") else f"{self._spec.url}/"
        url = target if "://" in target else urljoin(base, target.lstrip("/"))
        parts, own = urlsplit(url), urlsplit(base)
        same = (parts.scheme, parts.hostname, parts.port) == (own.scheme, own.hostname, own.port)
        inside = f"{parts.path}/".startswith(own.path) and ".." not in parts.path.replace("%2e", ".").replace(
            "%2E", "."
        )
        if not same or not inside or parts.username or parts.password:
            raise Refused(f"{redact(target)[:80]} lies outside of {self._spec.url}", reason="outside")
        return url

    def _authorization(self) -> dict[str, str]:
        if not self._spec.secret:
            return {}
        if self._spec.user:
            pair = b64encode(f"{self._spec.user}:{self._spec.secret}".encode()).decode()
            return {"Authorization": f"Basic {pair}"}
        return {"Authorization": f"Bearer {self._spec.secret}"}

    def _certificate_days(self, url: str) -> float | None:
        """Return for how many days the certificate still holds, None where it is not believed at all."""
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
        try:
            with (
                socket.create_connection((host, port), timeout=_CONNECT_S) as plain,
                self._trust.context().wrap_socket(plain, server_hostname=host) as secure,
            ):
                ends = (secure.getpeercert() or {}).get("notAfter")
        except (OSError, ssl.SSLError):
            return None
        if not isinstance(ends, str):
            return None
        return round((ssl.cert_time_to_seconds(ends) - time.time()) / _DAY_S, 2)


def _row(answer: Answer) -> Row:
    row: Row = {"status": answer.status, "took_ms": math.ceil(answer.took_ms)}
    if answer.trouble:
        return {**row, "trouble": answer.trouble}
    return {**row, "body": _document(answer)}


def _document(answer: Answer) -> JSON:
    text = redact(answer.text)
    try:
        found: JSON = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text[:_LONGEST_BODY]
    return found if len(text) <= _LONGEST_BODY else text[:_LONGEST_BODY]
