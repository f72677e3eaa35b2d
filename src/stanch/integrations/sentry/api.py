"""Asks Sentry's web API: GETs with the token, page by page, what its refusals mean, and its limits of calls kept to.

How often one may ask is published nowhere; an answer 429 names the second from which on it is allowed again, and the
last call that is allowed says that none is left (https://docs.sentry.io/api/ratelimits/). Until then nothing is sent,
by any thread.
"""

import re
import shlex
import threading
import time
from collections.abc import Mapping, Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Final
from urllib.parse import quote, urlencode

from stanch.integrations.sentry.grants import Grants
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

_MOST_PAGES: Final = 5
"""Pages of one list: 500 rows, more than anybody reads; who needs more narrows the question."""
_LINK: Final = re.compile(r"<([^<>]*)>\s*;([^<]*)")
_PARAMETER: Final = re.compile(r'([a-z]+)="([^"]*)"')

NOT_ACCEPTED: Final = "not_accepted"
CONNECT: Final = "stanch sentry connect, or the token of an internal integration"
_LOOK: Final = "how it is connected, and what the token may: stanch sentry status"

Query = Sequence[tuple[str, str]]


class SentryApi:
    """One organization of one Sentry. Threads may share it."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        self._spec = spec
        self._fetch = fetch
        self._lock = threading.Lock()
        self._closed_until = 0.0
        kept = spec.settings.get("secrets", "")
        # A token that is configured is the one that is meant, whatever was granted besides.
        self._grants = Grants(Path(kept)) if kept and not spec.secret else None

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
        return project_of(self._spec, service)

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
        return _read(self._got(self._url(path, query), until=time.monotonic() + timeout_s))

    def at(self, path: str, query: Query = (), *, timeout_s: float) -> JSON:
        """Return what Sentry answers under `path` below `/api/0/`. Raises as `get` does."""
        return _read(self._got(self._any_url(path, query), until=time.monotonic() + timeout_s))

    def pages(
        self, path: str, query: Query = (), *, timeout_s: float, most: int = 100
    ) -> tuple[list[JsonObject], bool]:
        """Return at most `most` objects of a list, page by page, and whether there were more. Raises as `get` does.

        The header `Link` names the next page always, and says by `results` whether there is one.
        """
        until = time.monotonic() + timeout_s
        found: list[JsonObject] = []
        cursor = ""
        for _ in range(_MOST_PAGES):
            asked = [*query, ("cursor", cursor)] if cursor else query
            got = self._got(self._url(path, asked), until=until)
            answer = _read(got)
            if not isinstance(answer, list):
                raise Unavailable("Sentry answered no list", retry=False)
            found += [JsonObject(one) for one in answer if isinstance(one, dict)]
            cursor = next_cursor(got.headers.get("link", ""))
            if not cursor or len(found) >= most:
                break
        return found[:most], bool(cursor) or len(found) > most

    def _got(self, url: str, *, until: float) -> Got:
        token = self.token()
        if not token:
            raise no_token(self._spec)
        for _ in range(2):
            self._wait(until)
            got = self._sent(url, token, until=until)
            if got.status == 401 and self._grants is not None:
                # It was revoked, or another process renewed it a moment ago.
                token = self._grants.token(refused=token)
                got = self._sent(url, token, until=until)
            if got.status != 429:
                self._heed(got.headers)
                return got
            self._close(got.headers)
        raise self._limited()

    def _sent(self, url: str, token: str, *, until: float) -> Got:
        headers = {"Authorization": f"Bearer {token}"}
        left_s = max(0.05, until - time.monotonic())
        return self._fetch(url, headers=headers, timeout_s=left_s, most_bytes=_MOST_BYTES)

    @property
    def _root(self) -> str:
        return (self._spec.url or self._region() or URL).rstrip("/")

    @property
    def _organization(self) -> str:
        return self._spec.settings.get("organization", "")

    def _region(self) -> str:
        """Return the host of the region that a grant is for; what is wrong with the grant is said by a call."""
        try:
            grant = self._grants.read() if self._grants is not None else None
        except (Refused, Unavailable):
            return ""
        return grant.region if grant else ""

    def token(self) -> str:
        """Return the token of the moment: the configured one, else what was granted. Raises as `Grants.token` does."""
        if self._spec.secret:
            return self._spec.secret
        return self._grants.token() if self._grants is not None else ""

    def _url(self, path: str, query: Query) -> str:
        return self._any_url(f"organizations/{quote(self._organization, safe='')}/{path}", query)

    def _any_url(self, path: str, query: Query) -> str:
        # Every path ends with a slash: without one a redirect loses the question.
        asked = f"?{urlencode(list(query))}" if query else ""
        slashed = f"{path.strip('/')}/" if path.strip("/") else ""
        return f"{self._root}/api/0/{slashed}{asked}"

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

    def _heed(self, headers: Mapping[str, str]) -> None:
        """Stop before the limit is overrun, where an answer says that no call is left until its window is over."""
        if headers.get("x-sentry-rate-limit-remaining") == "0" and "x-sentry-rate-limit-reset" in headers:
            self._close(headers)

    def _limited(self) -> Unavailable:
        with self._lock:
            wait_s = max(0.0, self._closed_until - time.monotonic())
        return Unavailable(f"Sentry's limit of calls is reached, for {wait_s:.0f} s more", retry=True)


def project_of(spec: SystemSpec, service: str) -> str:
    """Return the slug of a service's project."""
    return (spec.settings.get("project") or "{service}").replace("{service}", service)


def no_token(spec: SystemSpec) -> Refused:
    """Return what a system without any token is refused with, before anything is asked over the network."""
    variable = spec.settings.get("secret_env", "")
    # No word like "token:" before a name: what follows one is taken for a secret where texts are cleaned.
    said = f"{variable} is not set" if variable else "no token is configured"
    return Refused(f"{said}, and nothing was granted", reason="not_connected", hint=CONNECT)


def segment(text: str) -> str:
    """Return a text of others as one part of a path.

    Raises `Invalid` for `.` and `..`, which no quoting keeps from being resolved (RFC 3986, 5.2.4): what is asked or
    written would be something else, as the organization itself in place of an issue.
    """
    if text in ("", ".", ".."):
        raise Invalid(f"{text!r} names nothing in Sentry")
    return quote(text, safe="")


def next_cursor(link: str) -> str:
    """Return the cursor of the next page that a header `Link` names, an empty text when there is none."""
    for _, words in _LINK.findall(link):
        named = dict(_PARAMETER.findall(words))
        if named.get("rel") == "next" and named.get("results") == "true":
            return str(named.get("cursor", ""))
    return ""


def _told_wait_s(headers: Mapping[str, str]) -> float:
    """Return how many seconds an answer asks to wait, by either header; a minute where it names none."""
    after = headers.get("retry-after", "")
    try:
        return float(after)
    except ValueError:
        pass
    try:
        # RFC 9110, section 10.2.3: a date may stand there as well.
        return parsedate_to_datetime(after).timestamp() - time.time()
    except (ValueError, TypeError):
        pass
    try:
        return float(headers["x-sentry-rate-limit-reset"]) - time.time()
    except (KeyError, ValueError):
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
    if got.status == 401:
        raise Refused(f"Sentry answered 401: the token is not accepted{said}", reason=NOT_ACCEPTED, hint=_LOOK)
    if got.status == 403:
        raise Refused(f"Sentry answered 403: the token may not read this{said}", reason="denied", hint=_LOOK)
    if got.status == 404:
        raise NotFound("Sentry answered 404: no such organization, project or issue")
    raise Unavailable(f"Sentry answered {got.status}{said}", retry=got.status >= 500)
