"""The query port on PostgreSQL: one connection a look, each query in a read-only transaction with a time-out.

Three locks keep it from writing: the text is checked, the session is read-only, and the role should be one without
rights (`pg_monitor`). A server that accepts and then says nothing is left when the time is over.
"""

import math
import os
import shlex
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from typing import Final, TypeVar

import psycopg
from psycopg import errors, sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.readonly import check_sql
from stanch.kernel.redaction import redact
from stanch.ports.query import Ask, ConfiguredSource, Exhausted, Reply, Row, SystemSpec

T = TypeVar("T")

_CONNECT_S: Final = 3
_SETTINGS: Final = (
    "default_transaction_read_only=on",
    "lock_timeout=500",
    "idle_in_transaction_session_timeout=10000",
)
_ROOM_S: Final = 1.5
"""How much longer than its time-out a query is waited for: the server itself should have ended it by then."""
_FULL: Final = ("too many clients", "remaining connection slots", "too many connections")
_DENIED: Final = ("password authentication failed", "no pg_hba.conf entry", "permission denied", "does not exist")


OURS: Final = "stanch"
"""What our sessions call themselves."""


class PostgresSource(ConfiguredSource):
    """A PostgreSQL server. The password goes to the driver and stands in no other place."""

    @property
    def system(self) -> str:
        """Return `postgresql`."""
        return "postgresql"

    @property
    def where(self) -> str:
        """Return host, port and database."""
        return address(self._spec)

    @property
    def side_by_side(self) -> int:
        """Return 1: a server in trouble gets one connection from us, not several."""
        return 1

    @contextmanager
    def open(self) -> Iterator["_Session"]:
        """Connect. Raises `Exhausted` when the server takes no more clients, `Refused` when it denies this one."""
        with translated(self._spec):
            connection = psycopg.connect(conninfo(self._spec), autocommit=True)
        try:
            yield _Session(connection, self._spec, where=self._command_start())
        finally:
            connection.close()

    def _command_start(self) -> str:
        # Without the options of ours, and never with a password.
        found = conninfo_to_dict(self._spec.url)
        found.pop("password", None)
        if self._spec.user:
            found["user"] = self._spec.user
        kept = {name: str(value) for name, value in found.items() if value is not None}
        return f"psql {shlex.quote(make_conninfo('', **kept))} -c"


def conninfo(spec: SystemSpec) -> str:
    """Return what the driver connects by, the password in it: it goes to the driver alone."""
    given: dict[str, str | int] = {
        "application_name": OURS,
        "connect_timeout": max(2, min(_CONNECT_S, math.ceil(spec.timeout_s))),  # libpq takes no less than 2
        "keepalives_idle": 5,
        "tcp_user_timeout": 8000,
        "options": " ".join(f"-c {setting}" for setting in _SETTINGS),
    }
    if spec.user:
        given["user"] = spec.user
    if spec.secret:
        given["password"] = spec.secret
    return make_conninfo(spec.url, **given)


def address(spec: SystemSpec) -> str:
    """Return host, port and database of a server."""
    try:
        found = conninfo_to_dict(spec.url)
    except psycopg.ProgrammingError:
        return ""
    host, port = found.get("host") or "localhost", found.get("port") or "5432"
    return f"{host}:{port}/{found.get('dbname') or ''}".rstrip("/")


class _Session:
    """One connection."""

    def __init__(self, connection: "psycopg.Connection[tuple[object, ...]]", spec: SystemSpec, *, where: str) -> None:
        self._connection = connection
        self._spec = spec
        self._where = where

    def ask(self, ask: Ask) -> Reply:
        """Run one statement that reads and return its rows."""
        check_sql(ask.text)
        command = f"{self._where} {shlex.quote(' '.join(ask.text.split()))}"
        with (
            translated(self._spec),
            watched(self._connection, after_s=ask.timeout_s + _ROOM_S),
            self._connection.transaction(force_rollback=True),
            self._connection.cursor() as cursor,
        ):
            cursor.execute("SET TRANSACTION READ ONLY")
            limit = sql.Literal(int(ask.timeout_s * 1000))
            cursor.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(limit))
            # As bytes: it is no literal of ours, and that it is one statement that only reads was checked above.
            cursor.execute(ask.text.encode())
            names = [column.name for column in cursor.description or ()]
            found = cursor.fetchmany(ask.most_rows + 1)
        rows = tuple(row_of(names, one) for one in found[: ask.most_rows])
        return Reply(command=command, rows=rows, cut=len(found) > len(rows))


@contextmanager
def watched(connection: "psycopg.Connection[T]", *, after_s: float) -> Iterator[None]:
    """End the connection when a query does not come back: the server's own time-out is no use where it hangs."""

    gone = threading.Event()

    def cut() -> None:
        gone.set()
        try:
            with socket.socket(fileno=os.dup(connection.fileno())) as raw:
                raw.shutdown(socket.SHUT_RDWR)
        except (OSError, psycopg.OperationalError):
            return

    timer = threading.Timer(after_s, cut)
    timer.daemon = True
    timer.start()
    try:
        yield
    except psycopg.Error:
        if gone.is_set():
            late = f"the query did not come back within its time-out and {_ROOM_S:g} s more"
            raise Unavailable(late, retry=True) from None
        raise
    finally:
        timer.cancel()


@contextmanager
def translated(spec: SystemSpec) -> Iterator[None]:
    """Turn what the driver raises into the errors of the port, without a secret in them."""
    try:
        yield
    except (errors.UndefinedTable, errors.UndefinedFunction, errors.UndefinedColumn, errors.UndefinedObject) as error:
        raise NotFound(f"this server does not have it: {_said(error, spec)}") from None
    except errors.ObjectNotInPrerequisiteState as error:
        raise NotFound(f"it is not loaded: {_said(error, spec)}") from None
    except errors.QueryCanceled as error:
        raise Unavailable(f"the query was stopped at its time-out ({_said(error, spec)})", retry=True) from None
    except (errors.InsufficientPrivilege, errors.ReadOnlySqlTransaction, errors.InvalidPassword) as error:
        raise Refused(f"the server denies it: {_said(error, spec)}", reason="denied") from None
    except errors.TooManyConnections as error:
        raise Exhausted(f"the server takes no more connections: {_said(error, spec)}") from None
    except psycopg.Error as error:
        said = _said(error, spec)
        if any(words in said for words in _FULL):
            raise Exhausted(f"the server takes no more connections: {said}") from None
        if any(words in said for words in _DENIED):
            raise Refused(f"the server denies it: {said}", reason="denied") from None
        raise Unavailable(f"the server does not answer: {said}", retry=True) from None


def _said(error: psycopg.Error, spec: SystemSpec) -> str:
    said = " ".join((error.diag.message_primary or str(error) or type(error).__name__).split())[:300]
    said = said.partition(" Is the server running")[0]
    return redact(said.replace(spec.secret, "[redacted]") if spec.secret else said)


def row_of(names: list[str], values: tuple[object, ...]) -> Row:
    """Return the values of a row by the names of their columns, as JSON has them."""
    return {name: json_of(value) for name, value in zip(names, values, strict=True)}


def json_of(value: object) -> JSON:
    """Return a value as JSON has it; what it has no word for becomes a text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float():
            return value if value == value and abs(value) != float("inf") else None
        case Decimal():
            return float(value)
        case datetime() | date():
            return value.isoformat()
        case list():
            return [json_of(one) for one in value]
        case _:
            return str(value)
