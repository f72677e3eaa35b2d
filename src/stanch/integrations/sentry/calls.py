"""Asks Sentry for what is more than a GET, and says what its refusals mean: which scope is missing, in its own words.

Reading is `api`'s. A call is made once; whether it is made again is its caller's decision.
"""

import weakref
from collections.abc import Callable, Mapping
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.integrations.sentry.api import URL, no_token
from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_json
from stanch.ports.bounded import bounds
from stanch.ports.issues import line
from stanch.ports.query import SystemSpec

_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
_MOST_BYTES: Final = 4 * 1024 * 1024
_LATER: Final = frozenset({408, 425, 429})


class SentryCalls:
    """One organization of one Sentry, by any method. `token` gives the token of the moment. Threads may share it."""

    def __init__(self, spec: SystemSpec, *, token: Callable[[], str]) -> None:
        self._root = (spec.url or URL).rstrip("/")
        self._organization = quote(spec.settings.get("organization", ""), safe="")
        self._spec = spec
        self._token = token
        # Read lazily: certificates take a while, and most processes never write.
        self._client: httpx2.Client | None = None

    def ask(
        self, method: str, path: str, body: Mapping[str, JSON] | None = None, *, scope: str, organization: bool = True
    ) -> JSON:
        """Return the answer under the organization's `path`, or under the API's own where `organization` is False.

        `scope` is what the token needs for it and is named where it may not: `Refused`. Raises `NotFound` for what is
        not there, `Unavailable` for all else, with `retry` where it may come through later.
        """
        token = self._token()
        if not token:
            raise no_token(self._spec)
        below = f"organizations/{self._organization}/{path}" if organization else path
        try:
            got = self._opened().request(
                method, f"{self._root}/api/0/{below}/", json=body, headers={"Authorization": f"Bearer {token}"}
            )
        except (httpx2.HTTPError, httpx2.InvalidURL, ValueError) as error:
            raise Unavailable(f"Sentry does not answer: {type(error).__name__}", retry=True) from error
        return _read(got, scope=scope)

    def in_organization(self, path: str) -> str:
        """Return a path that begins with something else than the organization, with the organization in it."""
        return path.replace("{organization}", self._organization)

    def _opened(self) -> httpx2.Client:
        if self._client is None:
            self._client = httpx2.Client(
                timeout=_TIMEOUT, follow_redirects=False, event_hooks=bounds(most_bytes=_MOST_BYTES)
            )
            weakref.finalize(self, self._client.close)
        return self._client


def _read(got: httpx2.Response, *, scope: str) -> JSON:
    if got.is_success and not got.content:
        return None
    try:
        answer = read_json(got.content, largest=_MOST_BYTES)
    except Invalid:
        answer = None
    if got.is_success:
        return answer
    said = _said(answer)
    if got.status_code in (401, 403):
        what = f"the token lacks {scope}" if got.status_code == 403 else "the token is not accepted"
        raise Refused(f"{what}; Sentry answered {got.status_code}{said}", reason="scope_missing")
    if got.status_code == 404:
        raise NotFound(f"Sentry answered 404{said}")
    retry = got.status_code in _LATER or got.status_code >= 500
    raise Unavailable(f"Sentry answered {got.status_code}{said}", retry=retry)


def _said(answer: JSON) -> str:
    if not isinstance(answer, dict) or not answer:
        return ""
    detail = answer.get("detail", answer)
    if isinstance(detail, dict):
        detail = detail.get("message", detail)
    return f": {line(str(detail))}"
