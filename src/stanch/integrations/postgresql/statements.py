"""The port to statements on PostgreSQL: one statement in one transaction, its parameters bound by the server.

Some functions act whatever becomes of the transaction. A statement that ends sessions is therefore tried by reading
which sessions those are; any other that calls such a function cannot be tried, and is not taken.
"""

import re
from dataclasses import replace
from typing import Final

import psycopg
from psycopg import sql

from stanch.integrations.postgresql.source import address, conninfo, row_of, translated, watched
from stanch.kernel.errors import Refused
from stanch.kernel.readonly import acting
from stanch.ports.query import SystemSpec
from stanch.ports.statements import Statement, Touched

_LOCK_MS: Final = 1_000
"""A try must not stand in the way of those who work: it waits for no lock longer than this."""
_MOST_SHOWN: Final = 50
_ENDS_SESSIONS: Final = re.compile(
    r"\A\s*SELECT\s+pg_(?:terminate|cancel)_backend\s*\(\s*([\w.]+)\s*\)(?:\s+AS\s+\w+)?\s+FROM\b", re.IGNORECASE
)


class PostgresStatements:
    """Statements on a server, as the account that `spec` names."""

    def __init__(self, spec: SystemSpec) -> None:
        self._spec = spec

    @property
    def where(self) -> str:
        """Return host, port and database."""
        return address(self._spec)

    def attempt(self, statement: Statement) -> Touched:
        """Carry the statement out and take it back; of one that ends sessions, read which."""
        if not (function := acting(statement.text)):
            return self._in_transaction(statement, keep=False)
        if _ENDS_SESSIONS.match(statement.text) and not acting(_ENDS_SESSIONS.sub("", statement.text)):
            reads = _ENDS_SESSIONS.sub(lambda found: f"SELECT {found.group(1)} FROM", statement.text)
            return self._in_transaction(replace(statement, text=reads), keep=False)
        raise Refused(
            f"{function} acts at once, so that this cannot be tried",
            reason="cannot_be_tried",
            hint="what ends sessions is tried when it is written SELECT pg_terminate_backend(pid) FROM ...",
        )

    def carry_out(self, statement: Statement) -> Touched:
        """Carry the statement out; taken back where it touches more rows than it may."""
        if acting(statement.text):
            # What acts at once cannot be taken back either: it is counted before.
            found = self.attempt(statement)
            if found.rows > statement.most_rows:
                return found
        return self._in_transaction(statement, keep=True)

    def _in_transaction(self, statement: Statement, *, keep: bool) -> Touched:
        with translated(self._spec):
            connection = psycopg.connect(conninfo(self._spec), autocommit=True)
        try:
            with (
                translated(self._spec),
                watched(connection, after_s=statement.timeout_s + 1.5),
                connection.transaction() as transaction,
                connection.cursor() as cursor,
            ):
                cursor.execute("SET TRANSACTION READ WRITE")
                for name, limit in (("statement_timeout", statement.timeout_s * 1000), ("lock_timeout", _LOCK_MS)):
                    cursor.execute(sql.SQL("SET LOCAL {} = {}").format(sql.SQL(name), sql.Literal(int(limit))))
                # The owner's text, which a rule allows; what is not the owner's is bound.
                cursor.execute(statement.text.encode(), dict(statement.parameters))
                names = [column.name for column in cursor.description or ()]
                shown = [row_of(names, one) for one in cursor.fetchmany(_MOST_SHOWN)] if names else []
                rows = max(0, cursor.rowcount)
                kept = keep and rows <= statement.most_rows
                if not kept:
                    raise psycopg.Rollback(transaction)
        finally:
            connection.close()
        return Touched(rows=rows, shown=tuple(shown), kept=kept)
