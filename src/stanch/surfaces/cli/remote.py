"""The way to the operations of a server, over HTTP with the standard library, which loads faster than a full client."""

import http.client
import json
import os
import time
from collections.abc import Mapping
from typing import Final, cast
from urllib.parse import urlencode, urlsplit

import click

from stanch.kernel.actor import agent_name, check_name
from stanch.kernel.errors import Bug, Conflict, Forbidden, Invalid, NotFound, Problem, Refused, StanchError, Unavailable
from stanch.kernel.event import JSON

_TIMEOUT_S: Final = 60.0
_LONGEST_ADDRESS: Final = 4_000


def remote_way(
    url: str, *, actor: str, debug: bool = False, via: str = "cli", token: str = "", key: str = ""
) -> "Remote":
    """Return the way to the server at `url`. Raises `Invalid` when that is no address of a server.

    `token` is an agent's own, in place of that of the environment; what is written under a `key` is done once.
    """
    return Remote(url, actor=actor, debug=debug, via=via, token=token, key=key)


def server_version(url: str) -> str:
    """Return the version of the server at `url`. Raises `Unavailable` when it does not answer."""
    told = Remote(url, actor="").ask("GET", "/healthz", None)
    return str(told.get("version", "")) if isinstance(told, dict) else ""


class Remote:
    """Asks a server over HTTP. With `debug` every call is told on standard error, without what must stay secret."""

    def __init__(
        self, url: str, *, actor: str, debug: bool = False, via: str = "cli", token: str = "", key: str = ""
    ) -> None:
        if "@" in url:
            # Not repeated even to say what is wrong with it: it would stand in terminals and logs.
            raise Invalid(
                "an address holds no user name and no password", field="server", hint="put the token into STANCH_TOKEN"
            )
        self._url = url.rstrip("/")
        self._parts = urlsplit(self._url)
        self._actor = actor
        self._debug = debug
        self._via = via
        self._token = token
        self._key = key
        if self._parts.scheme not in ("http", "https") or not self._parts.netloc:
            raise Invalid(f"{url!r} is no server", field="server", hint="say it like http://127.0.0.1:8484")

    @property
    def where(self) -> str:
        """Return the server's URL."""
        return self._url

    @property
    def is_server(self) -> bool:
        """Return True."""
        return True

    def read(self, operation: str, **query: object) -> JSON:
        """Ask a read operation."""
        given = {name: _word(value) for name, value in query.items() if value not in (None, "")}
        words = "?" + urlencode(given, doseq=True) if given else ""
        if len(words) > _LONGEST_ADDRESS:
            return self.write(operation, **query)
        return self.ask("GET", f"{_path(operation)}{words}", None)

    def write(self, operation: str, **body: object) -> JSON:
        """Ask any other operation."""
        given = {name: value for name, value in body.items() if value is not None}
        return self.ask("POST", _path(operation), json.dumps(given).encode())

    def settle(self) -> None:
        """Do nothing: the server works by itself."""

    def close(self) -> None:
        """Do nothing: every call has a connection of its own."""

    def _who(self) -> dict[str, str]:
        program = agent_name(self._actor)
        name = check_name(program or self._actor, field="actor") if self._actor else ""
        return {"Stanch-Agent" if program else "Stanch-Actor": name}

    def ask(self, method: str, path: str, body: bytes | None) -> JSON:
        """Send one request and return the JSON that is answered. Raises what the answer says went wrong."""
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.netloc, timeout=_TIMEOUT_S)
        headers = {"Content-Type": "application/json", **self._who(), "Stanch-Via": self._via}
        if self._key:
            headers["Idempotency-Key"] = self._key
        token = self._token or os.environ.get("STANCH_TOKEN")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        began = time.monotonic()
        try:
            connection.request(method, f"{self._parts.path}{path}", body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise Unavailable(
                f"{self._url} does not answer: {getattr(error, 'strerror', None) or error}",
                retry=True,
                hint="start it with `stanch serve`, or use the embedded store: --server none",
            ) from error
        finally:
            connection.close()
        if self._debug:
            took_ms = (time.monotonic() - began) * 1000
            click.echo(f"{method} {self._url}{path} -> {answer.status}, {took_ms:.0f} ms", err=True)
        return _answer(answer.status, content, self._url)


def _word(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _path(operation: str) -> str:
    return "/api/v1/" + operation.replace(".", "/", 1)


def _answer(status: int, content: bytes, url: str) -> JSON:
    try:
        told = json.loads(content) if content else None
    except ValueError:
        raise Unavailable(f"{url} answered {status} with something that is not JSON", retry=False) from None
    if 200 <= status < 300:
        return cast("JSON", told)
    raise _error(status, told if isinstance(told, dict) else {})


def _error(status: int, told: Mapping[str, object]) -> StanchError:
    given = told.get("error")
    error: Mapping[str, object] = given if isinstance(given, dict) else {}
    message, hint = str(error.get("message", f"HTTP {status}")), str(error.get("hint", ""))
    reason = str(error.get("reason", "")) or "refused"
    problems = error.get("problems")
    match error.get("code"):
        case "invalid":
            found = [
                Problem(field=str(one.get("field", "")), message=str(one.get("message", "")))
                for one in (problems if isinstance(problems, list) else [])
                if isinstance(one, dict)
            ]
            return Invalid(message, problems=found, hint=hint)
        case "forbidden":
            return Forbidden(message, reason=reason, hint=hint)
        case "not_found":
            return NotFound(message, reason=reason, hint=hint)
        case "conflict":
            return Conflict(message, reason=reason, hint=hint)
        case "refused":
            return Refused(message, reason=reason, hint=hint)
        case "unavailable":
            return Unavailable(message, retry=True, hint=hint)
        case _:
            return Bug(message, hint=hint)
