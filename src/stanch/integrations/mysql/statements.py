"""The port to statements on MySQL and MariaDB: one statement in one transaction that is taken back when it is a try.

A statement on a table that takes nothing back (MyISAM, MEMORY, Aria) is refused, as is anything that would end the
transaction by itself. The driver writes each bound value as a literal of this connection's character set.
"""

import re
from typing import Final

from stanch.integrations.mysql.source import address, connect, json_of, translated
from stanch.kernel.errors import Refused
from stanch.kernel.readonly import acting
from stanch.ports.query import SystemSpec
from stanch.ports.statements import Statement, Touched

_LOCK_S: Final = 1
_MOST_SHOWN: Final = 50
_WORD: Final = re.compile(r"[A-Za-z_$][\w$]*")
_NOT_TAKEN_BACK: Final = """
SELECT table_name FROM information_schema.tables
WHERE engine IS NOT NULL AND engine NOT IN ('InnoDB', 'ROCKSDB')
  AND table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')
"""


class MysqlStatements:
    """Statements on a server, as the account that `spec` names."""

    def __init__(self, spec: SystemSpec) -> None:
        self._spec = spec

    @property
    def where(self) -> str:
        """Return host, port and database."""
        return address(self._spec)

    def attempt(self, statement: Statement) -> Touched:
        """Carry the statement out and take it back."""
        return self._in_transaction(statement, keep=False)

    def carry_out(self, statement: Statement) -> Touched:
        """Carry the statement out; taken back where it touches more rows than it may."""
        return self._in_transaction(statement, keep=True)

    def _in_transaction(self, statement: Statement, *, keep: bool) -> Touched:
        if function := acting(statement.text):
            raise Refused(f"{function} acts at once, so that this cannot be tried", reason="cannot_be_tried")
        with translated(self._spec):
            connection = connect(self._spec)
        try:
            with translated(self._spec), connection.cursor() as cursor:
                cursor.execute(f"SET SESSION innodb_lock_wait_timeout = {_LOCK_S}")
                words = {one.casefold() for one in _WORD.findall(statement.text)}
                cursor.execute(_NOT_TAKEN_BACK)
                fixed = sorted(str(name) for (name,) in cursor.fetchall() if str(name).casefold() in words)
                if fixed:
                    raise Refused(f"{fixed[0]} takes nothing back: its engine knows no transactions", reason="denied")
                connection.begin()
                cursor.execute(statement.text, dict(statement.parameters))
                names = [column[0] for column in cursor.description or ()]
                found = cursor.fetchall() if names else []
                shown = [dict(zip(names, map(json_of, one), strict=True)) for one in found[:_MOST_SHOWN]]
                rows = len(found) if names else max(0, cursor.rowcount)
                kept = keep and rows <= statement.most_rows
                (connection.commit if kept else connection.rollback)()
        finally:
            connection.close()
        return Touched(rows=rows, shown=tuple(shown), kept=kept)
