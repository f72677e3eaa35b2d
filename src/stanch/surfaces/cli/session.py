"""What a command works with: what was said before it, and the way to the operations, near or far.

A command asks operations through a `Way`: over HTTP where a server runs, else in this process on the embedded store.
"""

import getpass
import http.client
import importlib
import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, cast
from urllib.parse import urlencode, urlsplit

from stanch.kernel.errors import Bug, Conflict, Forbidden, Invalid, NotFound, Problem, Refused, StanchError, Unavailable
from stanch.kernel.event import JSON

_TIMEOUT_S: Final = 60.0
_NONE: Final = "none"


@dataclass(frozen=True, kw_only=True)
class Doors:
    """Where the rest of the product is found when a command needs it; imported then and not before.

    `modules` says for each function which module holds it.
    """

    modules: Mapping[str, str]

    def open(self, name: str) -> Callable[..., object]:
        """Return the function `name`."""
        found: Callable[..., object] = getattr(importlib.import_module(self.modules[name]), name)
        return found


class Way(Protocol):
    """The way to the operations."""

    @property
    def where(self) -> str:
        """Return what answers: a URL, or the path of the embedded store."""
        ...

    def read(self, operation: str, **query: object) -> JSON:
        """Ask a read operation, e.g. `incident.show`, and return its answer as JSON values."""
        ...

    def write(self, operation: str, **body: object) -> JSON:
        """Ask any other operation."""
        ...

    def settle(self) -> None:
        """Let what is due be done before the command ends; a server does it by itself."""
        ...

    def close(self) -> None:
        """Give everything back."""
        ...


@dataclass(frozen=True, kw_only=True)
class Session:
    """What was said before the command."""

    doors: Doors
    server: str = ""
    actor: str = ""
    data: str = ""

    @property
    def person(self) -> str:
        """Return who is asking: `--actor`, else the login name."""
        return self.actor or getpass.getuser()

    @property
    def folder(self) -> Path:
        """Return where the embedded store and the server's traces are: `--data`, else the XDG state folder."""
        if self.data:
            return Path(self.data)
        base = os.environ.get("XDG_STATE_HOME") or str(Path.home() / ".local" / "state")
        return Path(base) / "stanch"

    def way(self) -> Way:
        """Return the way to the operations: the server that was named, one that runs here, or the embedded store."""
        url = self.server if self.server != _NONE else ""
        if not url and not self.server and not self.data:
            url = running_server(self.folder) or ""
        if url:
            return Remote(url, actor=self.person)
        return cast("Way", self.doors.open("embedded_way")(self.folder, actor=self.person))


def server_file(folder: Path) -> Path:
    """Return the file in which a running server says where it is."""
    return folder / "server.json"


def running_server(folder: Path) -> str | None:
    """Return the URL of the server that runs for this user, None when there is none."""
    try:
        told = json.loads(server_file(folder).read_text(encoding="utf-8"))
        os.kill(int(told["pid"]), 0)
        return str(told["url"])
    except (OSError, ValueError, KeyError, TypeError):
        return None


class Remote:
    """Asks a server over HTTP, with the standard library: it loads in a fraction of the time of a full client."""

    def __init__(self, url: str, *, actor: str) -> None:
        self._url = url.rstrip("/")
        self._parts = urlsplit(self._url)
        self._actor = actor
        if self._parts.scheme not in ("http", "https") or not self._parts.netloc:
            raise Invalid(f"{url!r} is no server", field="server", hint="say it like http://127.0.0.1:8484")

    @property
    def where(self) -> str:
        """Return the server's URL."""
        return self._url

    def read(self, operation: str, **query: object) -> JSON:
        """Ask a read operation."""
        given = {name: value for name, value in query.items() if value not in (None, "")}
        words = "?" + urlencode(given, doseq=True) if given else ""
        return self._ask("GET", f"{_path(operation)}{words}", None)

    def write(self, operation: str, **body: object) -> JSON:
        """Ask any other operation."""
        return self._ask("POST", _path(operation), json.dumps(body).encode())

    def settle(self) -> None:
        """Do nothing: the server works by itself."""

    def close(self) -> None:
        """Do nothing: every call has a connection of its own."""

    def _ask(self, method: str, path: str, body: bytes | None) -> JSON:
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(self._parts.netloc, timeout=_TIMEOUT_S)
        headers = {"Content-Type": "application/json", "Stanch-Actor": self._actor, "Stanch-Via": "cli"}
        token = os.environ.get("STANCH_TOKEN")
        if token:
            headers["Authorization"] = f"Bearer {token}"
        try:
            connection.request(method, f"{self._parts.path}{path}", body=body, headers=headers)
            answer = connection.getresponse()
            content = answer.read()
        except OSError as error:
            raise Unavailable(
                f"{self._url} does not answer: {error.strerror or error}",
                retry=True,
                hint="start it with `stanch serve`, or use the embedded store: --server none",
            ) from error
        finally:
            connection.close()
        return _answer(answer.status, content, self._url)


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
