"""The port to sessions on MySQL and MariaDB: who is connected, who waits for whom, and ending one of them.

`KILL` takes a number and no condition, so who it is is compared just before, on the same connection. That is as good as
in one statement: a server gives the number of a connection to nobody else while it lives, and when it is started anew
our connection is gone with it. Waits for metadata locks (`ALTER TABLE`) are not told by who holds them.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import pymysql
from pymysql.constants import ER

from stanch.integrations.mysql.source import address, connect, translated
from stanch.kernel.errors import Refused
from stanch.ports.query import SystemSpec
from stanch.ports.sessions import DatabaseSession, Doing, Ending, Identity, Wait, with_waits

_LIST: Final = """
SELECT list.ID, list.USER, list.HOST, COALESCE(list.DB, ''), list.COMMAND, list.TIME,
       COALESCE(LEFT(list.INFO, 300), ''), COALESCE(trx.trx_id, ''),
       COALESCE(TIMESTAMPDIFF(SECOND, trx.trx_started, NOW()), 0)
FROM information_schema.processlist list
LEFT JOIN information_schema.innodb_trx trx ON trx.trx_mysql_thread_id = list.ID
WHERE list.ID <> CONNECTION_ID()
"""
_WAITS_MARIA: Final = """
SELECT waiter.trx_mysql_thread_id, blocker.trx_mysql_thread_id, TIMESTAMPDIFF(SECOND, waiter.trx_wait_started, NOW())
FROM information_schema.innodb_lock_waits waits
JOIN information_schema.innodb_trx blocker ON blocker.trx_id = waits.blocking_trx_id
JOIN information_schema.innodb_trx waiter ON waiter.trx_id = waits.requesting_trx_id
"""
_WAITS_MYSQL: Final = "SELECT waiting_pid, blocking_pid, wait_age_secs FROM sys.innodb_lock_waits"
_KILL: Final = {Ending.CANCEL: "KILL QUERY %s", Ending.TERMINATE: "KILL CONNECTION %s"}
_GONE: Final = ER.NO_SUCH_THREAD
_NOT_YOURS: Final = ER.KILL_DENIED_ERROR
_SERVERS_OWN: Final = frozenset({"system user", "event_scheduler", "mysql.session", "mysql.sys", "mariadb.sys", "root"})
_NO_CLIENT: Final = ("Daemon", "Binlog Dump", "Slave_", "Replica", "Register Slave", "Connect")
_WATCHERS: Final = ("exporter", "pmm", "monitor", "datadog", "zabbix", "telegraf", "repl", "backup", "mariabackup")
"""What is in the names of users that watch, replicate or back up; such a session is never ended."""


class MysqlSessions:
    """The sessions of a server. The user needs `PROCESS` and `CONNECTION ADMIN` (MySQL: `CONNECTION_ADMIN`)."""

    def __init__(self, spec: SystemSpec) -> None:
        self._spec = spec

    @property
    def where(self) -> str:
        """Return host, port and database."""
        return address(self._spec)

    @contextmanager
    def open(self) -> Iterator["_Console"]:
        """Connect. Raises `Exhausted` when the server takes no more clients, `Refused` when it denies this one."""
        with translated(self._spec):
            connection = connect(self._spec)
        try:
            yield _Console(connection, self._spec)
        finally:
            connection.close()


class _Console:
    """One connection."""

    def __init__(
        self, connection: "pymysql.connections.Connection[pymysql.cursors.SSCursor]", spec: SystemSpec
    ) -> None:
        self._connection = connection
        self._spec = spec
        ((version, me),) = self._ask("SELECT VERSION(), SUBSTRING_INDEX(CURRENT_USER(), '@', 1)")
        self._is_maria = "maria" in str(version).lower()
        self._me = str(me)

    def sessions(self) -> tuple[DatabaseSession, ...]:
        """Return the clients' sessions, with those that wait for them."""
        waits = [
            Wait(waiter=int(str(waiter)), blocker=int(str(blocker)), for_s=_seconds(for_s))
            for waiter, blocker, for_s in self._ask(_WAITS_MARIA if self._is_maria else _WAITS_MYSQL)
        ]
        return with_waits([self._session(row) for row in self._ask(_LIST)], waits)

    def server(self) -> str:
        """Return name and port of the server: a client's port, beside its number, tells one life of it from another."""
        ((host, port),) = self._ask("SELECT @@hostname, @@port")
        return f"{host}:{port}"

    def denial(self, sessions: Sequence[DatabaseSession]) -> str:
        """Return nothing: its rights come from roles and grants in many ways; the server says no when it is asked."""
        return ""

    def end(self, identity: Identity, how: Ending) -> bool:
        """End its query, or its connection, when the number still is the same client's with the same transaction."""
        if identity not in [one.identity for one in self.sessions()]:
            return False
        try:
            with self._connection.cursor() as cursor:
                cursor.execute(_KILL[how], (identity.pid,))
        except pymysql.MySQLError as error:
            code = error.args[0] if error.args else None
            if code == _GONE:
                return False
            if code == _NOT_YOURS:
                needs = "CONNECTION ADMIN" if self._is_maria else "CONNECTION_ADMIN"
                message = f"the user {self._me} may not end sessions of others: GRANT {needs} ON *.* TO it"
                raise Refused(message, reason="denied") from None
            with translated(self._spec):
                raise
        return True

    def _session(self, row: tuple[object, ...]) -> DatabaseSession:
        pid, user, host, database, command, for_s, query, transaction, open_s = row
        doing = Doing.ACTIVE
        if command == "Sleep":
            doing = Doing.IDLE_IN_TRANSACTION if transaction else Doing.IDLE
        return DatabaseSession(
            identity=Identity(pid=int(str(pid)), started=f"{user}@{host}", work=str(transaction)),
            user=str(user),
            client=str(host).rpartition(":")[0] or str(host),
            database=str(database),
            doing=doing,
            for_s=_seconds(for_s),
            open_s=_seconds(open_s),
            query=str(query),
            protected=self._protection(str(user), str(command)),
        )

    def _protection(self, user: str, command: str) -> str:
        if user == self._me:
            return "it is one of ours"
        if user in _SERVERS_OWN or command.startswith(_NO_CLIENT):
            return "it is the server's own, an administrator's, or it replicates"
        if any(word in user.lower() for word in _WATCHERS):
            return "it watches or backs up the server"
        return ""

    def _ask(self, text: str) -> list[tuple[object, ...]]:
        with translated(self._spec), self._connection.cursor() as cursor:
            cursor.execute(text)
            rows = list(cursor.fetchall())
            # What InnoDB tells is of now; an open snapshot of ours would be one more old transaction.
            self._connection.rollback()
        return rows


def _seconds(value: object) -> float:
    try:
        return max(0.0, float(str(value)))
    except ValueError:
        return 0.0
