"""The query port on Redis: INFO, SLOWLOG, LATENCY and the like, as rows."""

import math
import shlex
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlsplit

from stanch.integrations.redis.wire import Complaint, Value, Wire
from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.readonly import check_redis
from stanch.kernel.redaction import redact
from stanch.ports.query import Ask, ConfiguredSource, Exhausted, Reply, Row, SystemSpec

_CONNECT_S: Final = 3.0
_PORT: Final = 6379
_DENIED: Final = ("NOAUTH", "WRONGPASS", "NOPERM", "ERR invalid password", "ERR AUTH")


class RedisSource(ConfiguredSource):
    """A Redis or Valkey server, `redis://` or `rediss://`."""

    def __init__(self, spec: SystemSpec, *, trust: ssl.SSLContext | None = None) -> None:
        super().__init__(spec)
        self._trust = trust
        parts = urlsplit(spec.url)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or _PORT
        self._is_tls = parts.scheme == "rediss"

    @property
    def system(self) -> str:
        """Return `redis`."""
        return "redis"

    @property
    def where(self) -> str:
        """Return host and port."""
        return f"{self._host}:{self._port}"

    @property
    def side_by_side(self) -> int:
        """Return 1: Redis runs one command at a time anyway."""
        return 1

    @contextmanager
    def open(self) -> Iterator["_Session"]:
        """Connect and authenticate. Raises `Exhausted` when no more clients are taken, `Refused` when denied."""
        tls = (self._trust or ssl.create_default_context()) if self._is_tls else None
        wire = Wire(self._host, self._port, timeout_s=min(_CONNECT_S, self._spec.timeout_s), tls=tls)
        try:
            if self._spec.secret:
                said = ["AUTH", *([self._spec.user] if self._spec.user else []), self._spec.secret]
                _checked(wire.call(said, timeout_s=min(_CONNECT_S, self._spec.timeout_s)))
            yield _Session(wire, command=f"redis-cli -h {self._host} -p {self._port}")
        finally:
            wire.close()


class _Session:
    """One connection; INFO is read once a look."""

    def __init__(self, wire: Wire, *, command: str) -> None:
        self._wire = wire
        self._command = command
        self._info: dict[str, Row] = {}

    def ask(self, ask: Ask) -> Reply:
        """Send one command that only reads and return what it answers as rows."""
        argv = shlex.split(ask.text)
        check_redis(argv)
        command = f"{self._command} {shlex.join(argv)}"
        name = argv[0].upper()
        if name == "INFO":
            if ask.text not in self._info:
                self._info[ask.text] = info_row(_text(_checked(self._wire.call(argv, timeout_s=ask.timeout_s))))
            return Reply(command=command, rows=(self._info[ask.text],))
        answer = _checked(self._wire.call(argv, timeout_s=ask.timeout_s))
        rows = _rows(argv, answer, since=ask.start)
        return Reply(command=command, rows=tuple(rows[: ask.most_rows]), cut=len(rows) > ask.most_rows)


def info_row(text: str) -> Row:
    """Return the fields of INFO as one row, with shares worked out beside them; a limit that is not set gives none."""
    row: Row = {}
    for line in text.splitlines():
        name, found, value = line.partition(":")
        if found and name and not name.startswith("#"):
            row[name.strip()] = _plain(value.strip())
    if not {"redis_version", "used_memory", "valkey_version"} & row.keys():
        raise Unavailable("the answer to INFO is not Redis's", retry=False)
    used, most = _number(row, "used_memory"), _number(row, "maxmemory")
    row |= {"used_memory_bytes": used, "maxmemory_bytes": most}
    row["memory_used_share"] = round(used / most, 4) if most else None
    clients, allowed = _number(row, "connected_clients"), _number(row, "maxclients")
    row["clients_used_share"] = round(clients / allowed, 4) if allowed else None
    hits, misses = _number(row, "keyspace_hits"), _number(row, "keyspace_misses")
    row |= {"keyspace_reads": hits + misses, "hit_share": round(hits / (hits + misses), 4) if hits + misses else None}
    row["refused_for_memory"] = _counted(row.get("errorstat_OOM"))
    row["link_down"] = int(row.get("role") == "slave" and row.get("master_link_status") != "up")
    row.setdefault("master_link_status", "not a replica")
    failed = row.get("rdb_last_bgsave_status") == "err" or row.get("aof_last_write_status") == "err"
    row["save_failed"] = int(failed)
    row["keys"] = sum(_counted(value, "keys") for name, value in row.items() if name.startswith("db"))
    return row


def _rows(argv: list[str], answer: Value, *, since: datetime) -> list[Row]:
    if not isinstance(answer, list):
        if argv[:2] and argv[0].upper() == "CLIENT":
            return [_pairs(line) for line in _text(answer).splitlines() if line.strip()]
        return [{"answer": answer}]
    match argv[0].upper():
        case "SLOWLOG":
            return [row for one in answer if (row := _slow(one)) and _at(row) >= since.timestamp()]
        case "LATENCY":
            named = ("event", "at", "latest_ms", "worst_ms")
            return [
                {
                    name: str(value) if isinstance(value, list) else value
                    for name, value in zip(named, one, strict=False)
                }
                for one in answer
                if isinstance(one, list)
            ]
        case "CONFIG":
            names, values = answer[::2], answer[1::2]
            return [{str(name): _plain(str(value)) for name, value in zip(names, values, strict=False)}]
        case _:
            return [{"answer": redact(str(one))[:300]} for one in answer]


def _slow(one: Value) -> Row | None:
    """Return an entry of the slow log; of its arguments only the first, since the others hold what is stored."""
    if not isinstance(one, list) or len(one) < 4 or not isinstance(one[1], int) or not isinstance(one[2], int):
        return None
    words = [str(word) for word in one[3]] if isinstance(one[3], list) else []
    shown = " ".join(words[:2])[:80] + (" ..." if len(words) > 2 else "")
    at = datetime.fromtimestamp(one[1], UTC)
    return {"at": at.isoformat(), "at_unix": one[1], "took_ms": one[2] / 1000, "command": redact(shown)}


def _at(row: Row) -> float:
    found = row["at_unix"]
    return float(found) if isinstance(found, int | float) else 0.0


def _checked(answer: Value) -> Value:
    """Return an answer that is no complaint. Raises the port's error for one that is."""
    if not isinstance(answer, Complaint):
        return answer
    said = redact(str(answer))[:200]
    if said.startswith(_DENIED):
        raise Refused(f"the server denies it: {said}", reason="denied")
    if "max number of clients" in said:
        raise Exhausted(f"the server takes no more clients: {said}")
    if "unknown command" in said.lower() or "unknown subcommand" in said.lower():
        raise NotFound(f"this server does not have it: {said}")
    raise Unavailable(f"the server answered: {said}", retry=True)


def _text(answer: Value) -> str:
    if not isinstance(answer, str):
        raise Unavailable("the answer is not what Redis gives", retry=False)
    return answer


def _pairs(line: str) -> Row:
    return {name: _plain(value) for name, found, value in (word.partition("=") for word in line.split(" ")) if found}


def _plain(text: str) -> JSON:
    try:
        number = float(text)
    except ValueError:
        return text
    if not math.isfinite(number):
        return text
    return int(number) if number == int(number) and "." not in text and abs(number) < 1e18 else number


def _number(row: Row, name: str) -> float:
    value = row.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0.0


def _counted(value: JSON, name: str = "count") -> float:
    """Return one figure out of `count=3` or `keys=5,expires=0`, 0 where there is none."""
    if not isinstance(value, str):
        return 0.0
    for part in value.split(","):
        key, _, figure = part.partition("=")
        if key == name and figure.isdigit():
            return float(figure)
    return 0.0
