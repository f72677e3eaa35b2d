"""Asks a homeserver by the client API, for pages and for channels (https://spec.matrix.org/latest/client-server-api/)."""

import weakref

import httpx2

from stanch.ports.bounded import bounds
from stanch.ports.channel import hidden
from stanch.ports.pager import NotTaken, lost, refused


class MatrixError(NotTaken):
    """The homeserver said no; `word` is its own."""

    def __init__(self, trouble: NotTaken, *, code: str, wait_s: float | None) -> None:
        super().__init__(trouble.message, failure=trouble.failure, retry_after_s=wait_s or trouble.retry_after_s)
        self.word = code


class MatrixApi:
    """One account of one homeserver; `name` is the configured one. Threads may share it."""

    def __init__(self, *, name: str, url: str, secret: str, timeout: httpx2.Timeout) -> None:
        self._name = name
        self._secret = secret
        self._base = f"{url.rstrip('/')}/_matrix/client/v3"
        self._client = httpx2.Client(
            timeout=timeout, headers={"Authorization": f"Bearer {secret}"}, event_hooks=bounds()
        )
        weakref.finalize(self, self._client.close)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ask(self, method: str, path: str, body: object = None, *, missing: int = 0) -> dict[str, object]:
        """Return what is answered, nothing for the status `missing`; raises `MatrixError`, or `NotTaken` alone."""
        try:
            answer = self._client.request(method, self._base + path, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        if answer.status_code == missing:
            return {}
        try:
            said = answer.json()
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        if answer.is_success:
            return said
        code = str(said.get("errcode", ""))
        words = hidden(f"{code} {said.get('error', '')}".strip(), secret=self._secret)
        wait_ms = said.get("retry_after_ms")
        raise MatrixError(
            refused(self._name, status=answer.status_code, words=words, headers=answer.headers),
            code=code,
            wait_s=wait_ms / 1000 if isinstance(wait_ms, int | float) else None,
        )
