"""The query port on MySQL and MariaDB: one connection a look, each query in a read-only transaction with a time-out.

The driver's own read time-out ends what a server does not answer; the statement's time-out is set as far as the server
knows one (`max_statement_time` of MariaDB in seconds, `max_execution_time` of MySQL in milliseconds).
"""

import math
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Final
from urllib.parse import unquote, urlsplit

import pymysql
import pymysql.cursors
from pymysql.constants import ER

from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.readonly import check_sql
from stanch.kernel.redaction import redact
from stanch.ports.query import Ask, ConfiguredSource, Exhausted, Reply, SystemSpec

_CONNECT_S: Final = 3
_PORT: Final = 3306
_FULL: Final = frozenset({ER.CON_COUNT_ERROR, ER.USER_LIMIT_REACHED, ER.TOO_MANY_USER_CONNECTIONS})
_READ_ONLY: Final = 1792
"""What both say when a statement would write in a read-only transaction."""
_DENIED: Final = frozenset(
    {
        *(ER.ACCESS_DENIED_ERROR, ER.DBACCESS_DENIED_ERROR, ER.TABLEACCESS_DENIED_ERROR, ER.COLUMNACCESS_DENIED_ERROR),
        *(ER.SPECIFIC_ACCESS_DENIED_ERROR, _READ_ONLY, ER.HOST_NOT_PRIVILEGED),
    }
)
_ABSENT: Final = frozenset(
    {ER.NO_SUCH_TABLE, ER.BAD_TABLE_ERROR, ER.UNKNOWN_TABLE, ER.BAD_FIELD_ERROR, ER.BAD_DB_ERROR, ER.PARSE_ERROR}
)
_STOPPED: Final = frozenset({1969, 3024, ER.QUERY_INTERRUPTED})
"""What MariaDB (1969) and MySQL (3024) say when a statement ran into its limit."""
_NAME_VALUE: Final = {"Variable_name", "Value"}


class MysqlSource(ConfiguredSource):
    """A MySQL or MariaDB server, `mysql://user@host:3306/database`."""

    def __init__(self, spec: SystemSpec) -> None:
        super().__init__(spec)
        self._parts = urlsplit(spec.url)

    @property
    def system(self) -> str:
        """Return `mysql`."""
        return "mysql"

    @property
    def where(self) -> str:
        """Return host, port and database."""
        return address(self._spec)

    @property
    def side_by_side(self) -> int:
        """Return 1: a server in trouble gets one connection from us."""
        return 1

    @contextmanager
    def open(self) -> Iterator["_Session"]:
        """Connect. Raises `Exhausted` when the server takes no more clients, `Refused` when it denies this one."""
        with translated(self._spec):
            connection = connect(self._spec)
        try:
            yield _Session(connection, self._spec, where=self._command_start())
        finally:
            connection.close()

    def _command_start(self) -> str:
        user = unquote(self._parts.username or "") or self._spec.user
        host, port = self._parts.hostname or "localhost", self._parts.port or _PORT
        return f"mysql -h {shlex.quote(host)} -P {port}{f' -u {shlex.quote(user)}' if user else ''} -p -e"


def connect(spec: SystemSpec) -> "pymysql.connections.Connection[pymysql.cursors.SSCursor]":
    """Return a connection; each of its waits has an end."""
    parts, limit = urlsplit(spec.url), max(1, math.ceil(spec.timeout_s))
    return pymysql.connect(
        host=parts.hostname or "localhost",
        port=parts.port or _PORT,
        user=unquote(parts.username or "") or spec.user or None,
        password=spec.secret or unquote(parts.password or ""),
        database=parts.path.strip("/") or None,
        connect_timeout=min(_CONNECT_S, limit),
        read_timeout=limit,
        write_timeout=limit,
        autocommit=False,
        local_infile=False,
        program_name="stanch",
        cursorclass=pymysql.cursors.SSCursor,
    )


def address(spec: SystemSpec) -> str:
    """Return host, port and database of a server."""
    parts = urlsplit(spec.url)
    return f"{parts.hostname or 'localhost'}:{parts.port or _PORT}{parts.path}".rstrip("/")


class _Session:
    """One connection."""

    def __init__(
        self, connection: "pymysql.connections.Connection[pymysql.cursors.SSCursor]", spec: SystemSpec, *, where: str
    ) -> None:
        self._connection = connection
        self._spec = spec
        self._where = where
        with translated(spec), connection.cursor() as cursor:
            cursor.execute("SELECT VERSION()")
            self._is_maria = "maria" in str((cursor.fetchone() or ("",))[0]).lower()

    def ask(self, ask: Ask) -> Reply:
        """Run one statement that reads and return its rows."""
        check_sql(ask.text)
        command = f"{self._where} {shlex.quote(' '.join(ask.text.split()))}"
        with translated(self._spec), self._connection.cursor() as cursor:
            if self._is_maria:
                cursor.execute("SET SESSION max_statement_time = %s", (ask.timeout_s,))
            else:
                cursor.execute("SET SESSION max_execution_time = %s", (int(ask.timeout_s * 1000),))
            cursor.execute("START TRANSACTION READ ONLY")
            try:
                cursor.execute(ask.text)
                names = [str(column[0]) for column in cursor.description or ()]
                found = list(cursor.fetchmany(ask.most_rows + 1))
            finally:
                # The rest of a long answer is read and dropped when the cursor closes; the limits above bound it.
                cursor.close()
                self._connection.rollback()
        rows = [{name: json_of(value) for name, value in zip(names, one, strict=True)} for one in found]
        if set(names) == _NAME_VALUE:
            rows = [{str(row["Variable_name"]).lower(): _plain(row["Value"]) for row in rows}] if rows else []
        return Reply(command=command, rows=tuple(rows[: ask.most_rows]), cut=len(found) > ask.most_rows)


@contextmanager
def translated(spec: SystemSpec) -> Iterator[None]:
    """Turn what the driver raises into the errors of the port, without a secret in them."""
    try:
        yield
    except pymysql.MySQLError as error:
        code = error.args[0] if error.args else None
        said = " ".join(str(error.args[-1] if error.args else error).split())[:300]
        said = redact(said.replace(spec.secret, "[redacted]") if spec.secret else said)
        if code in _FULL:
            raise Exhausted(f"the server takes no more connections: {said}") from None
        if code in _DENIED:
            raise Refused(f"the server denies it: {said}", reason="denied") from None
        if code in _ABSENT:
            raise NotFound(f"this server does not have it: {said}") from None
        if code in _STOPPED:
            raise Unavailable(f"the query was stopped at its time-out ({said})", retry=True) from None
        raise Unavailable(f"the server does not answer: {said}", retry=True) from None
    except (OSError, UnicodeError, IndexError, ValueError, AssertionError) as error:
        # The driver reads what a far end sends that is no MySQL without checking it.
        raise Unavailable(f"this does not speak MySQL's protocol: {type(error).__name__}", retry=False) from None


def _plain(value: JSON) -> JSON:
    if not isinstance(value, str):
        return value
    try:
        number = float(value)
    except ValueError:
        return value
    return number if math.isfinite(number) else value


def json_of(value: object) -> JSON:
    """Return a value as JSON has it; what it has no word for becomes a text."""
    match value:
        case None | bool() | int() | str():
            return value
        case float() | Decimal():
            return float(value) if math.isfinite(float(value)) else None
        case datetime() | date():
            return value.isoformat()
        case timedelta():
            return value.total_seconds()
        case bytes():
            return value.decode(errors="replace")
        case _:
            return str(value)
