"""Asks one Jira site: authorisation, one request, and what its answers mean."""

import base64
import weakref
from typing import Final

import httpx2

from stanch.kernel.redaction import redact
from stanch.ports.bounded import bounds
from stanch.ports.channel import hidden
from stanch.ports.ticketing import Failure, NotTaken, TrackerSettings, lost, refused

_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)

Found = dict[str, object]


class BadFields(NotTaken):
    """Jira refuses values of fields; `fields` are their names."""

    def __init__(self, message: str, *, fields: frozenset[str]) -> None:
        super().__init__(message, failure=Failure.REFUSED)
        self.fields = fields


class Site:
    """One site, `https://acme.atlassian.net`."""

    def __init__(self, settings: TrackerSettings) -> None:
        self._settings = settings
        self.url = settings.url.rstrip("/")
        credentials = f"{settings.account}:{settings.secret}".encode()
        basic = f"Basic {base64.b64encode(credentials).decode()}"
        authorisation = basic if settings.account else f"Bearer {settings.secret}"
        headers = {"Authorization": authorisation, "Accept": "application/json", "User-Agent": "stanch"}
        self._hidden = (settings.secret, authorisation)
        # Over plain HTTP there is nothing to verify, and to read the certificates takes a while.
        verify = self.url.startswith("https:")
        self._client = httpx2.Client(
            timeout=_TIMEOUT, headers=headers, follow_redirects=False, verify=verify, event_hooks=bounds()
        )
        weakref.finalize(self, self._client.close)

    def ask(self, method: str, path: str, body: object = None, *, writes: bool) -> Found:
        """Return the answer of one request, empty where it has no body. Raises `NotTaken`.

        Of what `writes` an answer that was lost is `UNKNOWN`.
        """
        if not self._settings.secret:
            raise NotTaken("its token is not set in the server's environment", failure=Failure.CREDENTIALS)
        name = self._settings.name
        try:
            answer = self._client.request(method, f"{self.url}/rest/api/3{path}", json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(name, error, begun=writes) from None
        found = _json(answer)
        if not answer.is_success:
            raise self._refused(answer, found, writes=writes)
        if found is None and answer.content:
            raise NotTaken(f"{name} answered no JSON", failure=Failure.UNKNOWN if writes else Failure.UNREACHABLE)
        return found or {}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _refused(self, answer: httpx2.Response, found: Found | None, *, writes: bool) -> NotTaken:
        errors = found.get("errors") if found else None
        fields = {str(key): str(value) for key, value in errors.items()} if isinstance(errors, dict) else {}
        messages = found.get("errorMessages") if found else None
        said = [str(one) for one in messages] if isinstance(messages, list) else []
        said += [f"{key}: {value}" for key, value in fields.items()]
        words = "; ".join(said) or answer.text
        for secret in self._hidden:
            words = hidden(words, secret=secret)
        name = self._settings.name
        failure = refused(name, status=answer.status_code, words=redact(words), headers=answer.headers)
        if fields and failure.failure is Failure.REFUSED:
            return BadFields(failure.message, fields=frozenset(fields))
        if failure.failure is Failure.UNKNOWN and not writes:
            return NotTaken(failure.message, failure=Failure.UNREACHABLE)
        return failure


def _json(answer: httpx2.Response) -> Found | None:
    try:
        found = answer.json() if answer.content else None
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
