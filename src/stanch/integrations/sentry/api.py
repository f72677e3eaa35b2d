"""Asks Sentry's web API: GETs with the token, what its refusals mean, and its limits of calls kept to.

How often one may ask is published nowhere; an answer 429 names the second from which on it is allowed again
(https://docs.sentry.io/api/ratelimits/). Until then nothing is sent, by any thread.
"""

import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from typing import Final
from urllib.parse import quote, urlencode

from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import JsonObject, read_json
from stanch.kernel.redaction import redact
from stanch.ports.fetch import Fetch, Got
from stanch.ports.query import SystemSpec

URL: Final = "https://sentry.io"
_MOST_BYTES: Final = 4 * 1024 * 1024
_CLOSED_S: Final = 60.0
"""How long nothing is asked after an answer 429 that does not say."""
_LONGEST_CLOSED_S: Final = 600.0
_WORTH_WAITING_S: Final = 2.0
"""Windows of limits are short: a call that is allowed again within this is made then, if its time allows."""

Query = Sequence[tuple[str, str]]


class SentryApi:
    """One organization of one Sentry. Threads may share it."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        self._spec = spec
        self._fetch = fetch
        self._lock = threading.Lock()
        self._closed_until = 0.0

    @property
    def where(self) -> str:
        """Return where it is, and which organization."""
        return f"{self._root}, organization {self._organization}"

    @property
    def environment(self) -> Query:
        """Return the parameter that narrows to the configured environment, nothing where none is."""
        found = self._spec.settings.get("environment", "")
        return [("environment", found)] if found else []

    def project_of(self, service: str) -> str:
        """Return the slug of a service's project."""
        return (self._spec.settings.get("project") or "{service}").replace("{service}", service)

    def command(self, path: str, query: Query = ()) -> str:
        """Return a command that repeats a call by hand, with the token in a variable of the shell."""
        return f'curl --oauth2-bearer "$SENTRY_TOKEN" {shlex.quote(self._url(path, query))}'

    def objects(self, path: str, query: Query = (), *, timeout_s: float) -> list[JsonObject]:
        """Return the objects of a list. Raises as `get` does."""
        answer = self.get(path, query, timeout_s=timeout_s)
        if not isinstance(answer, list):
            raise Unavailable("Sentry answered no list", retry=False)
        return [JsonObject(one) for one in answer if isinstance(one, dict)]

    def object(self, path: str, query: Query = (), *, timeout_s: float) -> JsonObject:
        """Return an object. Raises as `get` does."""
        answer = self.get(path, query, timeout_s=timeout_s)
        if not isinstance(answer, dict):
            raise Unavailable("Sentry answered no object", retry=False)
        return JsonObject(answer)

    def get(self, path: str, query: Query = (), *, timeout_s: float) -> JSON:
        """Return what Sentry answers under the organization's `path`.

        Raises `Refused` when the token may not, `NotFound` for what is not there, `Unavailable` for all else.
        """
        until = time.monotonic() + timeout_s
        for _ in range(2):
            self._wait(until)
            got = self._fetch(
                self._url(path, query),
                headers=self._headers,
                timeout_s=max(0.05, until - time.monotonic()),
                most_bytes=_MOST_BYTES,
            )
            if got.status != 429:
                return _read(got)
            self._close(got.headers)
        raise self._limited()

    @property
    def _root(self) -> str:
        return (self._spec.url or URL).rstrip("/")

    @property
    def _organization(self) -> str:
        return self._spec.settings.get("organization", "")

    @property
    def _headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self._spec.secret}"} if self._spec.secret else {}

    def _url(self, path: str, query: Query) -> str:
        # Every path ends with a slash: without one a redirect loses the question.
        asked = f"?{urlencode(list(query))}" if query else ""
        return f"{self._root}/api/0/organizations/{quote(self._organization, safe='')}/{path}/{asked}"

    def _wait(self, until: float) -> None:
        """Wait for a limit that ends soon. Raises `Unavailable` for one that does not end in time."""
        with self._lock:
            wait_s = self._closed_until - time.monotonic()
        if wait_s <= 0:
            return
        if wait_s > _WORTH_WAITING_S or time.monotonic() + wait_s >= until:
            raise self._limited()
        time.sleep(wait_s)

    def _close(self, headers: Mapping[str, str]) -> None:
        wait_s = min(_LONGEST_CLOSED_S, max(0.0, _told_wait_s(headers)))
        with self._lock:
            self._closed_until = max(self._closed_until, time.monotonic() + wait_s)

    def _limited(self) -> Unavailable:
        with self._lock:
            wait_s = max(0.0, self._closed_until - time.monotonic())
        return Unavailable(f"Sentry's limit of calls is reached, for {wait_s:.0f} s more", retry=True)


def _told_wait_s(headers: Mapping[str, str]) -> float:
    """Return how many seconds an answer 429 asks to wait, by either header; a minute where it names none."""
    for name, now in (("retry-after", 0.0), ("x-sentry-rate-limit-reset", time.time())):
        try:
            return float(headers[name]) - now
        except (KeyError, ValueError):
            continue
    return _CLOSED_S


def _read(got: Got) -> JSON:
    said = ""
    try:
        answer = read_json(got.body)
    except Invalid as error:
        raise Unavailable(f"Sentry answered {got.status}: {error.message}", retry=True) from None
    if got.status < 400:
        return answer
    if isinstance(answer, dict):
        said = f": {redact(str(answer.get('detail') or answer))[:200]}"
    if got.status in (401, 403):
        raise Refused(f"Sentry answered {got.status}: the token may not read this{said}", reason="denied")
    if got.status == 404:
        raise NotFound("Sentry answered 404: no such organization, project or issue")
    raise Unavailable(f"Sentry answered {got.status}{said}", retry=got.status >= 500)
