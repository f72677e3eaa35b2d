"""The port to sessions on PostgreSQL: who is connected, who waits for whom, and ending one of them.

The statement that ends a session compares its number, the start of its connection and the start of its transaction in
the same moment: a number that the server has given to somebody else since ends nobody.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import psycopg
from psycopg.rows import dict_row

from stanch.integrations.postgresql.source import OURS, address, conninfo, translated, watched
from stanch.ports.query import SystemSpec
from stanch.ports.sessions import DatabaseSession, Doing, Ending, Identity, Wait, with_waits

_STATEMENT_S: Final = 5
_LONGEST_QUERY: Final = 300

# `application_name` is what a client says of itself: by it a session is only ever spared.
_LIST: Final = """
SELECT a.pid, a.backend_start::text AS started, coalesce(a.xact_start, a.query_start)::text AS work,
       coalesce(a.usename::text, '') AS "user", coalesce(a.application_name, '') AS application,
       coalesce(host(a.client_addr), 'local') AS client, coalesce(a.datname::text, '') AS database,
       coalesce(a.state, '') AS state, left(a.query, %(longest)s) AS query,
       extract(epoch FROM clock_timestamp()
               - CASE WHEN a.state = 'active' THEN a.query_start ELSE a.state_change END)::float8 AS for_s,
       coalesce(extract(epoch FROM clock_timestamp() - a.xact_start), 0)::float8 AS open_s,
       coalesce(r.rolreplication AND NOT r.rolsuper, false) AS replicates, coalesce(r.rolsuper, false) AS superuser,
       coalesce(NOT r.rolsuper AND (pg_has_role(a.usesysid, 'pg_monitor', 'MEMBER')), false) AS monitors,
       pg_blocking_pids(a.pid) AS blockers
FROM pg_stat_activity a LEFT JOIN pg_roles r ON r.oid = a.usesysid
WHERE a.backend_type = 'client backend' AND a.pid <> pg_backend_pid()
"""
_END: Final = {
    Ending.CANCEL: "SELECT pg_cancel_backend(pid)",
    Ending.TERMINATE: "SELECT pg_terminate_backend(pid)",
}
_ONLY: Final = """
FROM pg_stat_activity
WHERE pid = %(pid)s AND backend_start = %(started)s::timestamptz AND pid <> pg_backend_pid()
  AND coalesce(xact_start, query_start) = %(work)s::timestamptz AND backend_type = 'client backend'
"""
_RIGHTS: Final = """
SELECT current_user::text AS me, current_setting('is_superuser') = 'on' AS superuser,
       pg_has_role(current_user, 'pg_signal_backend', 'MEMBER') AS signals,
       pg_has_role(current_user, 'pg_read_all_stats', 'MEMBER') AS reads
"""
_WATCHERS: Final = (
    *("postgres_exporter", "pgwatch", "pg_exporter", "telegraf", "datadog", "pmm", "zabbix", "check_postgres"),
    *("pg_dump", "pg_basebackup", "pgbackrest", "barman", "wal-g", "repmgr", "patroni", "pg_receivewal"),
)
"""How programs that watch, back up or replicate call themselves; such a session is never ended."""


class PostgresSessions:
    """The sessions of a server. The role needs `pg_signal_backend`, and `pg_monitor` to see what others do."""

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
            connection = psycopg.connect(conninfo(self._spec), autocommit=True, row_factory=dict_row)
        try:
            with translated(self._spec):
                connection.execute(f"SET statement_timeout = '{_STATEMENT_S}s'")
            yield _Console(connection, self._spec)
        finally:
            connection.close()


class _Console:
    """One connection. A row is read by its columns' names; what is in them is checked where it is taken."""

    def __init__(self, connection: "psycopg.Connection[dict[str, object]]", spec: SystemSpec) -> None:
        self._connection = connection
        self._spec = spec

    def sessions(self) -> tuple[DatabaseSession, ...]:
        """Return the clients' sessions, with those that wait for them."""
        rows = self._ask(_LIST, {"longest": _LONGEST_QUERY})
        waits = [
            Wait(waiter=int(str(row["pid"])), blocker=blocker, for_s=_seconds(row["for_s"]))
            for row in rows
            for blocker in _numbers(row["blockers"])
        ]
        return with_waits([_session(row) for row in rows], waits)

    def server(self) -> str:
        """Return the start of the server: numbers of processes begin anew with it."""
        (row,) = self._ask("SELECT pg_postmaster_start_time()::text AS began", {})
        return str(row["began"])

    def denial(self, sessions: Sequence[DatabaseSession]) -> str:
        """Return why the role may not end `sessions`: not its own, and no `pg_signal_backend`."""
        (rights,) = self._ask(_RIGHTS, {})
        me = str(rights["me"])
        if not rights["superuser"] and not rights["signals"] and any(one.user != me for one in sessions):
            return f"the role {me} may not end sessions of others: GRANT pg_signal_backend TO {me}"
        if not rights["superuser"] and not rights["reads"] and not sessions:
            return f"the role {me} does not see what others do: GRANT pg_monitor TO {me}"
        return ""

    def end(self, identity: Identity, how: Ending) -> bool:
        """Cancel its query, or terminate it, when all three parts of its identity fit in this very statement."""
        named = {"pid": identity.pid, "started": identity.started, "work": identity.work}
        return any(next(iter(row.values())) is True for row in self._ask(_END[how] + _ONLY, named))

    def _ask(self, text: str, parameters: dict[str, object]) -> list[dict[str, object]]:
        with translated(self._spec), watched(self._connection, after_s=_STATEMENT_S + 1.5):
            return self._connection.execute(text.encode(), parameters).fetchall()


def _session(row: dict[str, object]) -> DatabaseSession:
    state = str(row["state"])
    doing = Doing.IDLE
    if state.startswith("idle in transaction"):
        doing = Doing.IDLE_IN_TRANSACTION
    elif state in ("active", "fastpath function call"):
        doing = Doing.ACTIVE
    return DatabaseSession(
        identity=Identity(pid=int(str(row["pid"])), started=str(row["started"]), work=str(row["work"] or "")),
        user=str(row["user"]),
        application=str(row["application"]),
        client=str(row["client"]),
        database=str(row["database"]),
        doing=doing,
        for_s=_seconds(row["for_s"]),
        open_s=_seconds(row["open_s"]),
        query=str(row["query"] or ""),
        protected=_protection(row),
    )


def _protection(row: dict[str, object]) -> str:
    application = str(row["application"]).lower()
    if application == OURS:
        return "it is one of ours"
    if row["superuser"]:
        return "it is a superuser's"
    if row["replicates"]:
        return "it replicates"
    if row["monitors"] or application.startswith(_WATCHERS):
        return "it watches or backs up the server"
    return ""


def _seconds(value: object) -> float:
    return max(0.0, float(value)) if isinstance(value, int | float) else 0.0


def _numbers(value: object) -> list[int]:
    # 0 stands for a prepared transaction, which no session has.
    return [one for one in value if isinstance(one, int) and one] if isinstance(value, list) else []
