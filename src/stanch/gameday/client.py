"""Talks to Stanch's HTTP API the way anybody would: JSON over loopback, with the standard library only."""

import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.kernel.errors import Refused, Unavailable

_TIMEOUT_S: Final = 30.0


@dataclass(frozen=True)
class Reply:
    """A JSON object that is read by name, with the type that is expected there."""

    data: dict[str, object]

    def has(self, name: str) -> bool:
        """Tell whether there is a value that is not null."""
        return self.data.get(name) is not None

    def get(self, name: str) -> "Reply":
        """Return the object under `name`, an empty one where there is none."""
        value = self.data.get(name)
        return Reply(value) if isinstance(value, dict) else Reply({})

    def items(self, name: str) -> list["Reply"]:
        """Return the objects of the list under `name`."""
        return [Reply(value) for value in self.values(name) if isinstance(value, dict)]

    def values(self, name: str) -> list[object]:
        """Return the list under `name`."""
        value = self.data.get(name)
        return value if isinstance(value, list) else []

    def text(self, name: str) -> str:
        """Return the text under `name`, an empty one where there is none."""
        value = self.data.get(name)
        return value if isinstance(value, str) else ""

    def number(self, name: str) -> int:
        """Return the whole number under `name`, 0 where there is none."""
        value = self.data.get(name)
        return value if isinstance(value, int) else 0

    def real(self, name: str) -> float:
        """Return the number under `name`, 0.0 where there is none."""
        value = self.data.get(name)
        return float(value) if isinstance(value, int | float) else 0.0

    def flag(self, name: str) -> bool:
        """Return whether `name` is true."""
        return self.data.get(name) is True

    def instant(self, name: str) -> datetime:
        """Return the instant under `name` (UTC). Raises ValueError where there is none."""
        return datetime.fromisoformat(self.text(name))

    def plain(self) -> dict[str, object]:
        """Return the object as it came."""
        return self.data


class Client:
    """A caller of the API under one name."""

    def __init__(self, url: str, *, actor: str) -> None:
        self.url = url.rstrip("/")
        self._actor = actor

    def read(self, path: str, **query: object) -> Reply:
        """Ask a read operation, e.g. `incident/show`."""
        answer = self._ask("GET", path, query)
        return Reply(answer) if isinstance(answer, dict) else Reply({})

    def read_list(self, path: str, **query: object) -> list[Reply]:
        """Ask a read operation that answers a list."""
        answer = self._ask("GET", path, query)
        return [Reply(one) for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []

    def write(self, path: str, **body: object) -> Reply:
        """Ask a write operation. Raises `Refused` with the server's words when it says no."""
        answer = self._ask("POST", path, body)
        return Reply(answer) if isinstance(answer, dict) else Reply({})

    def _ask(self, method: str, path: str, given: dict[str, object]) -> object:
        url = f"{self.url}/api/v1/{path}"
        data = None
        if method == "GET":
            url += "?" + urllib.parse.urlencode(given) if given else ""
        else:
            data = json.dumps(given).encode()
        headers = {"Content-Type": "application/json", "Stanch-Actor": self._actor}
        request = urllib.request.Request(url, data=data, method=method, headers=headers)  # noqa: S310  (loopback, http)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as response:  # noqa: S310
                answer: object = json.load(response)
                return answer
        except urllib.error.HTTPError as error:
            raise Refused(_words(error), reason=f"http_{error.code}") from error
        except OSError as error:
            raise Unavailable(f"{self.url} does not answer: {error}", retry=True) from error


def _words(error: urllib.error.HTTPError) -> str:
    try:
        told = json.load(error)["error"]
        return f"{told['message']} ({told['code']})"
    except (ValueError, KeyError, TypeError):
        return f"HTTP {error.code}"
