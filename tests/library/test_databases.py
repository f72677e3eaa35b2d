"""The shipped runbooks for databases against real ones: filled up, locked, slow; and mended."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pymysql
import pytest

from stanch.catalog.systems import SystemConfig
from stanch.integrations.mysql import MysqlSource
from stanch.integrations.postgresql import PostgresSource, PostgresStatements
from stanch.integrations.sqlite import SqliteSource
from stanch.integrations.statements import StatementActuator, StatementSystem
from stanch.ports.query import SystemSpec
from tests.integrations.sqlite.holders import holding
from tests.library.case import Case, case
from tests.operations.desk import Desk
from tests.support.maria import SECRET, Maria
from tests.support.servers import until

ANY = ("SELECT pg_*",)


def on_postgres(desk: Desk, folder: Path, url: str, runbook: str, **sooner: str) -> Case:
    """Return a case on a PostgreSQL that lets its sessions be ended."""
    spec = SystemSpec(name="orders-db", kind="postgresql", url=url)
    statements = StatementSystem(server=PostgresStatements(spec), allowed=ANY)
    return case(
        desk,
        folder,
        runbook,
        systems=(PostgresSource(spec),),
        configured=(SystemConfig(name="orders-db", kind="postgresql", url=url, statements=ANY),),
        actuators={"statement": StatementActuator({"orders-db": statements})},
        sooner=sooner,
    )


@contextlib.contextmanager
def clients(url: str, many: int, *, name: str) -> "Iterator[list[psycopg.Connection[tuple[object, ...]]]]":
    """Give connections of a client, that it holds."""
    with ExitStack() as stack:
        yield [stack.enter_context(psycopg.connect(url, application_name=name)) for _ in range(many)]


def test_postgresql_connections(desk: Desk, tmp_path: Path, small_postgres: str) -> None:
    """Transactions that somebody left open fill the server; the change ends them, and the checks hold again."""
    one = on_postgres(
        desk,
        tmp_path,
        small_postgres,
        "postgresql-connections",
        **{"interval '1 minute'": "interval '0 s'", "interval '5 minutes'": "interval '0 s'"},
    )
    calm = one.wrong()
    with contextlib.suppress(psycopg.OperationalError), clients(small_postgres, 14, name="leaky") as held:
        for connection in held:
            connection.execute("SELECT 1")
        broken = one.wrong()
        said = one.mend(4)
        until(lambda: one.wrong() == [])

        assert ([], [1, 3], True, []) == (calm, broken, "14 rows changed" in said, one.wrong("verification"))


def test_postgresql_locks(desk: Desk, tmp_path: Path, small_postgres: str) -> None:
    """Somebody holds a row and does nothing; the change ends that session, and who waited goes on."""
    one = on_postgres(desk, tmp_path, small_postgres, "postgresql-locks")
    with psycopg.connect(small_postgres, autocommit=True) as setup:
        setup.execute("DROP TABLE IF EXISTS cards")
        setup.execute("CREATE TABLE cards (id int PRIMARY KEY, state text)")
        setup.execute("INSERT INTO cards VALUES (1, 'new')")
    with contextlib.suppress(psycopg.OperationalError), clients(small_postgres, 2, name="batch") as (holder, waiter):
        holder.execute("UPDATE cards SET state = 'held' WHERE id = 1")
        waits = threading.Thread(target=_update, args=(waiter,))
        waits.start()
        until(lambda: one.wrong() != [])
        broken, failing = one.wrong(), one.wrong("verification")
        one.mend(3)
        waits.join(60)

        assert ([1], [4], False, [], []) == (
            broken,
            failing,
            waits.is_alive(),
            one.wrong(),
            one.wrong("verification"),
        )


def _update(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute("UPDATE cards SET state = 'taken' WHERE id = 1")
    connection.commit()


def test_postgresql_slow_queries(desk: Desk, tmp_path: Path, small_postgres: str) -> None:
    """A query of checkout runs on and on; the change cancels it and leaves the others alone."""
    one = on_postgres(
        desk,
        tmp_path,
        small_postgres,
        "postgresql-slow-queries",
        **{"interval '5 seconds'": "interval '200 milliseconds'", "interval '1 minute'": "interval '0 s'"},
    )
    ended: list[str] = []

    def query(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
        try:
            connection.execute("SELECT pg_sleep(60)")
        except psycopg.errors.QueryCanceled:
            ended.append("cancelled")

    calm = one.wrong()
    with clients(small_postgres, 1, name="checkout") as (slow,):
        runs = threading.Thread(target=query, args=(slow,))
        runs.start()
        until(lambda: one.wrong() != [])
        broken = one.wrong()
        one.mend(3)
        runs.join(60)

        assert ([], [1], ["cancelled"], [], []) == (calm, broken, ended, one.wrong(), one.wrong("verification"))


def on_maria(desk: Desk, folder: Path, maria: Maria, runbook: str) -> Case:
    """Return a case on a MariaDB that may be looked at."""
    spec = SystemSpec(name="shop-db", kind="mysql", url=f"mysql://looker@127.0.0.1:{maria.port}", secret=SECRET)
    return case(desk, folder, runbook, systems=(MysqlSource(spec),))


def test_mysql_connections(desk: Desk, tmp_path: Path, maria: Maria) -> None:
    """Nine of twelve clients are there; when they go, it is well again. The server lets go of a client after its end:
    two places are left for the looks, and for those that it still counts."""
    one = on_maria(desk, tmp_path, maria, "mysql-connections")
    calm = one.wrong()
    held = [maria.connect("checkout") for _ in range(9)]
    broken, failing = one.wrong(), one.wrong("verification")
    for connection in held:
        connection.close()
    until(lambda: one.wrong() == [])

    assert ([], [1], [4], []) == (calm, broken, failing, one.wrong("verification"))


def test_mysql_locks(desk: Desk, tmp_path: Path, maria: Maria) -> None:
    """One transaction waits for another that does not end; when it does, nobody waits."""
    one = on_maria(desk, tmp_path, maria, "mysql-locks")
    calm = one.wrong()
    with maria.connect("checkout") as holder, maria.connect("checkout") as waiter:
        with holder.cursor() as cursor:
            cursor.execute("UPDATE shop.cards SET state = 'held' WHERE id = 1")
        waits = threading.Thread(target=_update_card, args=(waiter,))
        waits.start()
        until(lambda: one.wrong() != [])
        broken, failing = one.wrong(), one.wrong("verification")
        holder.rollback()
        waits.join(60)
        until(lambda: one.wrong() == [])

        assert ([], [1], [4], []) == (calm, broken, failing, one.wrong("verification"))


@pytest.mark.parametrize("journal", ["wal", "delete"])
def test_sqlite_locks(desk: Desk, tmp_path: Path, journal: str) -> None:
    """A process keeps a transaction open; when it is gone, nobody holds the lock."""
    file = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE TABLE entries (id INTEGER)")
    spec = SystemSpec(name="ledger", kind="sqlite", settings={"path": str(file)})
    one = case(desk, tmp_path, "sqlite-locks", systems=(SqliteSource(spec),))
    calm = one.wrong()
    with holding(file):
        broken, failing = one.wrong(), one.wrong("verification")

    assert ([], [1], [4], [], []) == (calm, broken, failing, one.wrong(), one.wrong("verification"))


def _update_card(connection: "pymysql.connections.Connection[pymysql.cursors.Cursor]") -> None:
    with connection.cursor() as cursor:
        cursor.execute("UPDATE shop.cards SET state = 'taken' WHERE id = 1")
    connection.rollback()


@pytest.mark.parametrize(
    "runbook", ["postgresql-connections", "postgresql-locks", "postgresql-slow-queries", "postgresql-replication-lag"]
)
def test_every_check_can_be_asked(desk: Desk, tmp_path: Path, small_postgres: str, runbook: str) -> None:
    """No check of theirs fails on a server that is well."""
    one = on_postgres(desk, tmp_path, small_postgres, runbook)

    assert set() == {one.outcomes(part)[at] for part in ("checks", "verification") for at in one.outcomes(part)} - {
        "as_expected",
        "told",
    }
