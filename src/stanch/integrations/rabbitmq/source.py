"""The query port on RabbitMQ's management API: a GET of a path, its objects as rows with dotted columns flattened."""

import base64
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote

import msgspec

from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.fetch import Fetch
from stanch.ports.query import Ask, ConfiguredSource, Reply, Row, SystemSpec

_MOST_BYTES: Final = 4 * 1024 * 1024
_SHARES: Final = (
    ("mem_used", "mem_limit"),
    ("fd_used", "fd_total"),
    ("sockets_used", "sockets_total"),
    ("proc_used", "proc_total"),
)
_SIZES: Final = ("mem_used", "mem_limit", "disk_free", "disk_free_limit", "memory")


class RabbitSource(ConfiguredSource):
    """A RabbitMQ with the management plug-in. A user with the tag `monitoring` sees all of it."""

    def __init__(self, spec: SystemSpec, *, fetch: Fetch) -> None:
        super().__init__(spec)
        self._fetch = fetch

    @property
    def system(self) -> str:
        """Return `rabbitmq`."""
        return "rabbitmq"

    @property
    def where(self) -> str:
        """Return the URL of the API."""
        return self._spec.url.rstrip("/")

    @property
    def settings(self) -> Mapping[str, str]:
        """Return the virtual host, ready to stand in a path."""
        return {"vhost": quote(self._spec.settings.get("vhost", "/"), safe="")}

    @property
    def side_by_side(self) -> int:
        """Return 2: listing queues costs the broker."""
        return 2

    @contextmanager
    def open(self) -> "Iterator[RabbitSource]":
        """Give itself: every question is a request of its own."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """GET one path and return its objects as rows."""
        headers = {}
        if self._spec.user or self._spec.secret:
            pair = base64.b64encode(f"{self._spec.user}:{self._spec.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {pair}"
        url = f"{self.where}{ask.text}"
        got = self._fetch(url, headers=headers, timeout_s=ask.timeout_s, most_bytes=_MOST_BYTES)
        command = f"curl -sS -u {shlex.quote(self._spec.user or 'USER')} {shlex.quote(url)}"
        if got.cut:
            raise Unavailable(f"the answer is longer than {_MOST_BYTES:,} bytes", retry=False)
        if got.status in (401, 403):
            raise Refused(f"it answered {got.status}: check `user` and `secret_env`", reason="denied")
        if got.status == 404:
            raise NotFound(f"it has no {ask.text}")
        rows = _rows(got.status, got.body)
        return Reply(command=command, rows=tuple(rows[: ask.most_rows]), cut=len(rows) > ask.most_rows)


def _rows(status: int, body: bytes) -> list[Row]:
    try:
        answer: JSON = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Unavailable(f"it answered {status} with something that is not JSON", retry=True) from None
    if isinstance(answer, dict) and isinstance(answer.get("items"), list):
        answer = answer["items"]  # what a list looks like with `page` in the path
    if isinstance(answer, dict) and status >= 400:
        raise Unavailable(f"it answered {status}: {redact(str(answer.get('reason', '')))[:200]}", retry=True)
    found = answer if isinstance(answer, list) else [answer]
    if status >= 400 or not all(isinstance(one, dict) for one in found):
        raise Unavailable(f"it answered {status} with something that is not RabbitMQ's", retry=True)
    return [_row(one) for one in found if isinstance(one, dict)]


def _row(one: dict[str, JSON]) -> Row:
    row: Row = {}
    for name, value in one.items():
        if isinstance(value, dict):
            row |= {f"{name}_{inner}": found for inner, found in value.items() if not isinstance(found, dict | list)}
        elif not isinstance(value, list):
            row[name] = value
    if "name" in row and "messages" in row:
        row["queue"] = row["name"]
        messages, consumers = _count(row, "messages"), _count(row, "consumers")
        row["waiting_unconsumed"] = messages if not consumers else 0
    for used, limit in _SHARES:
        if _count(row, limit):
            row[f"{used}_share"] = round(_count(row, used) / _count(row, limit), 4)
    if _count(row, "disk_free_limit"):
        row["disk_free_times_limit"] = round(_count(row, "disk_free") / _count(row, "disk_free_limit"), 2)
    alarms = ("mem_alarm", "disk_free_alarm")
    row |= {f"{alarm}_on": int(row[alarm] is True) for alarm in alarms if alarm in row}
    row |= {f"{size}_bytes": row[size] for size in _SIZES if size in row}
    return row


def _count(row: Row, name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0
