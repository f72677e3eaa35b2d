"""The query port on a SQLite file: what can be told of it from outside, as tables that queries read.

The tables are made anew for each look, in memory: the database itself is never opened, so that a look takes no lock and
costs its users nothing.

    holder     at most one row: pid, program, owner, held_s, quiet_s, others
    processes  who has it open: pid, program, owner
    files      the database and its log: name, size_bytes
"""

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from stanch.integrations.sqlite.holding import watched
from stanch.kernel.errors import Refused
from stanch.kernel.readonly import check_sql
from stanch.kernel.redaction import redact
from stanch.ports.query import Ask, ConfiguredSource, Reply, Row

_TABLES: Final = """
CREATE TABLE holder (pid INTEGER, program TEXT, owner TEXT, held_s REAL, quiet_s REAL, others INTEGER);
CREATE TABLE processes (pid INTEGER, program TEXT, owner TEXT);
CREATE TABLE files (name TEXT, size_bytes INTEGER);
"""
# What `progress` counts in steps of the virtual machine: far more than a few rows need.
_MOST_STEPS: Final = 1_000_000
# Of one value; one step may make one as large as SQLite allows, a gigabyte.
_MOST_BYTES: Final = 1_000_000


class SqliteSource(ConfiguredSource):
    """A SQLite database, by the `path` of its file on this machine."""

    @property
    def system(self) -> str:
        """Return `sqlite`."""
        return "sqlite"

    @property
    def where(self) -> str:
        """Return the file."""
        return self.settings.get("path", "")

    @property
    def side_by_side(self) -> int:
        """Return 1: one look answers everything."""
        return 1

    @contextmanager
    def open(self) -> "Iterator[_Session]":
        """Look at the file and at who has it open. Raises `Unavailable` where that cannot be seen."""
        file = watched(self.where)
        found = file.look()
        with sqlite3.connect(":memory:") as tables:
            tables.executescript(_TABLES)
            if found is not None:
                row = (found.holder.pid, redact(found.holder.program), found.holder.user)
                figures = (round(found.held_s, 1), round(found.quiet_s, 1), len(found.others))
                tables.execute("INSERT INTO holder VALUES (?, ?, ?, ?, ?, ?)", (*row, *figures))
            rows = [(one.pid, redact(one.program), one.user) for one in file.opened()]
            tables.executemany("INSERT INTO processes VALUES (?, ?, ?)", rows)
            files = [file.path.with_name(f"{file.path.name}{end}") for end in ("", "-wal")]
            sizes = [(one.name, one.stat().st_size) for one in files if one.exists()]
            tables.executemany("INSERT INTO files VALUES (?, ?)", sizes)
        try:
            yield _Session(tables, self.name)
        finally:
            tables.close()


class _Session:
    def __init__(self, tables: sqlite3.Connection, name: str) -> None:
        self._tables = tables
        self._name = name
        tables.execute("PRAGMA query_only = ON")
        tables.set_progress_handler(lambda: 1, _MOST_STEPS)
        tables.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, _MOST_BYTES)

    def ask(self, ask: Ask) -> Reply:
        """Put one question to the tables."""
        check_sql(ask.text)
        try:
            cursor = self._tables.execute(ask.text)
            names = [column[0] for column in cursor.description or ()]
            found = cursor.fetchmany(ask.most_rows + 1)
        except sqlite3.Error as error:
            raise Refused(f"{self._name} cannot answer that: {error}", reason="denied") from error
        rows: tuple[Row, ...] = tuple(dict(zip(names, row, strict=True)) for row in found[: ask.most_rows])
        # The tables are nowhere but here, so no other program can be told to ask them.
        command = f"stanch query run {ask.query} --on {shlex.quote(self._name)}" if ask.query else ask.text
        return Reply(command=command, rows=rows, cut=len(found) > ask.most_rows)
