"""The Engine API over its socket: one container read, one call that acts. https://docs.docker.com/reference/api/engine/"""

import socket
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.kernel.errors import Invalid, NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_json
from stanch.kernel.redaction import redact
from stanch.ports.bounded import bounds

SOCKET: Final = "/var/run/docker.sock"
_VERSION: Final = "v1.41"
"""Of Docker 20.10, of December 2020; newer engines speak it, and Podman does."""

_LONGEST_SAID: Final = 300


class Engine:
    """The Engine behind one socket. Raises `Unavailable`, `NotFound` or `Refused` by what it answers."""

    def __init__(self, path: str, *, timeout_s: float = 10.0) -> None:
        self._socket = path
        self._timeout_s = timeout_s

    def container(self, name: str) -> dict[str, JSON]:
        """Return what the Engine says of a container, by its name or id."""
        found = self._call("GET", f"/containers/{quote(name, safe='')}/json")
        if not isinstance(found, dict) or not isinstance(found.get("Id"), str):
            raise Unavailable("the Engine answered no container", retry=False)
        return found

    def act(
        self, identity: str, verb: str, *, query: Mapping[str, str], body: JSON = None, timeout_s: float
    ) -> tuple[str, ...]:
        """Do `verb` to a container and return what the Engine warns of; it answers when it is done."""
        found = self._call(
            "POST", f"/containers/{quote(identity, safe='')}/{verb}", query=query, body=body, timeout_s=timeout_s
        )
        warnings = found.get("Warnings") if isinstance(found, dict) else None
        return tuple(redact(str(one)) for one in warnings) if isinstance(warnings, list) else ()

    def _call(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: JSON = None,
        timeout_s: float | None = None,
    ) -> JSON:
        wait_s = timeout_s or self._timeout_s
        self._knock()
        try:
            with httpx2.Client(
                # Nothing is encrypted on a socket of this machine; to read the certificates for it takes a while.
                transport=httpx2.HTTPTransport(uds=self._socket, verify=False),
                base_url="http://docker",
                trust_env=False,
                timeout=wait_s,
                event_hooks=bounds(),
            ) as client:
                answer = client.request(method, f"/{_VERSION}{path}", params=query, json=body)
        except httpx2.ConnectError:
            raise Unavailable(
                f"no Engine answers at {self._socket}, or this account may not use it", retry=True
            ) from None
        except httpx2.TimeoutException:
            raise Unavailable(f"the Engine did not answer within {wait_s:.0f} s", retry=True) from None
        except httpx2.HTTPError as error:
            raise Unavailable(f"the Engine does not answer: {type(error).__name__}", retry=True) from None
        # 304 says that it is so already.
        if answer.is_success or answer.status_code == httpx2.codes.NOT_MODIFIED:
            return _json(answer.content)
        said = redact(_said(_json(answer.content)))[:_LONGEST_SAID]
        if answer.status_code == httpx2.codes.NOT_FOUND:
            raise NotFound(f"the Engine does not have it: {said}")
        if answer.is_server_error and method == "GET":
            raise Unavailable(f"the Engine answered {answer.status_code}: {said}", retry=True)
        raise Refused(f"the Engine says no: {said}", reason="not_taken")

    def _knock(self) -> None:
        # The client says neither why a socket cannot be used nor closes the one that it tried with.
        with socket.socket(socket.AF_UNIX) as probe:
            probe.settimeout(self._timeout_s)
            try:
                probe.connect(self._socket)
            except OSError as error:
                said = f"no Engine can be asked at {self._socket}: {error.strerror or error}"
                raise Unavailable(said, retry=not isinstance(error, PermissionError)) from None


def _json(content: bytes) -> JSON:
    try:
        return read_json(content) if content.strip() else None
    except Invalid:
        return None


def _said(found: JSON) -> str:
    return str(found.get("message", "")) if isinstance(found, dict) else "nothing that can be read"
