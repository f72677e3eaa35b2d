"""A real PostgreSQL in trouble: locks, idle transactions, long queries, no connections left; and one that denies.

What is looked at is the whole server, so it is one that no other test uses.
"""

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from stanch.integrations.postgresql import PostgresSource
from stanch.kernel.errors import NotFound, Refused, Unavailable
from stanch.packs.reading import read_packs, shipped_packs
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import Exhausted, SystemSpec
from tests.integrations.systems.asked import ask, collect
from tests.support.needs import lacking
from tests.support.postgres import NoServer, ensure_server
from tests.support.servers import until

# One worker, so that one server is started, and no other test of this file holds a lock on it meanwhile.
pytestmark = pytest.mark.xdist_group("a PostgreSQL of its own")

SECRET = "hunter2hunter2"


@pytest.fixture(scope="module")
def postgres_server(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Give the URL of a server that is this file's alone."""
    try:
        return ensure_server(tmp_path_factory.mktemp("alone"), owner_pid=os.getpid())
    except NoServer as reason:
        lacking(str(reason))


def database(url: str, *, user: str = "", secret: str = "", timeout_s: float = 8.0) -> PostgresSource:
    """Return the server at a URL as a configured system."""
    spec = SystemSpec(
        name="orders-db",
        kind="postgresql",
        url=url,
        user=user,
        secret=secret,
        services=("payments",),
        timeout_s=timeout_s,
    )
    return PostgresSource(spec)


@pytest.fixture
def blocked(bare_postgres_url: str) -> Iterator[int]:
    """Give the process that holds a row while two others want it, one after the other."""
    with ExitStack() as stack:
        holder = stack.enter_context(psycopg.connect(bare_postgres_url, application_name="batch"))
        holder.execute("CREATE TABLE cards (id int PRIMARY KEY, state text)")
        holder.execute("INSERT INTO cards VALUES (1, 'new')")
        holder.commit()
        holder.execute("UPDATE cards SET state = 'held' WHERE id = 1")
        waiters = [stack.enter_context(psycopg.connect(bare_postgres_url)) for _ in range(2)]
        threads = [threading.Thread(target=_wants, args=(waiter,)) for waiter in waiters]
        for thread in threads:
            thread.start()
        with psycopg.connect(bare_postgres_url, autocommit=True) as look:
            wanted = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            until(lambda: look.execute(wanted).fetchone() == (2,))
        yield holder.info.backend_pid
        holder.rollback()
        for thread in threads:
            thread.join()


def _wants(connection: "psycopg.Connection[tuple[object, ...]]") -> None:
    connection.execute("UPDATE cards SET state = 'mine' WHERE id = 1")
    connection.rollback()


def test_every_query_of_the_pack_runs(bare_postgres_url: str) -> None:
    """No query fails on a healthy server; what it does not have is no data."""
    found = collect(database(bare_postgres_url))

    assert {} == {
        name: one.summary for name, one in found.items() if one.status not in (FindingStatus.OK, FindingStatus.NO_DATA)
    }


def test_a_healthy_server_raises_nothing(bare_postgres_url: str) -> None:
    """With one connection of two hundred nothing is out of the ordinary."""
    found = collect(database(bare_postgres_url))

    assert [] == [one.name for each in found.values() for one in each.signals if one.data["raised"]]


def test_the_blocker_is_named(bare_postgres_url: str, blocked: int) -> None:
    """The finding names the process that holds the lock, what it does, and how many wait."""
    found = collect(database(bare_postgres_url))["lock_blockers"]

    assert (2.0, True, True, True) == (
        found.signals[0].value,
        found.signals[0].data["raised"],
        f"process {blocked} of batch holds it, idle in transaction" in found.summary,
        "UPDATE cards SET state = 'held'" in found.summary,
    )


def test_the_lock_tree_says_who_waits_for_whom(bare_postgres_url: str, blocked: int) -> None:
    """Each that waits has a row with who blocks it."""
    rows = collect(database(bare_postgres_url))["lock_tree"].data["rows"]

    assert isinstance(rows, list) and 2 == len(rows)
    assert any(isinstance(row, dict) and row["blocked_by"] == f"{{{blocked}}}" for row in rows)


def test_a_full_server_is_evidence(postgres_server: str, bare_postgres_url: str) -> None:
    """Where a role has no connection left, that it has none is the finding."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute("CREATE ROLE narrow LOGIN CONNECTION LIMIT 1")
        try:
            with psycopg.connect(bare_postgres_url, user="narrow"):
                (found,) = collect(database(bare_postgres_url, user="narrow")).values()
        finally:
            admin.execute("DROP ROLE narrow")
    signal = found.signals[0]

    assert (FindingStatus.OK, "saturation", 1.0, "connections of orders-db", "payments") == (
        found.status,
        signal.name,
        signal.value,
        signal.data["resource"],
        signal.service,
    )


def test_most_connections_taken_is_raised(bare_postgres_url: str, tmp_path: Path) -> None:
    """From its threshold on the share of connections is raised, and who holds them is told."""
    # Other tests share the server's 200 connections, so a tenth of them must do here: 20 of 197 are 10.2 %.
    (tmp_path / "own.toml").write_text('pack = "postgresql"\n[[query]]\nname = "connections"\nthreshold = 0.1\n')
    with ExitStack() as stack:
        for _ in range(20):
            stack.enter_context(psycopg.connect(bare_postgres_url, application_name="leaky"))
        found = collect(database(bare_postgres_url), packs=read_packs(tmp_path))

    assert (True, True) == (
        found["connections"].signals[0].data["raised"],
        "most connections are held by leaky" in found["connection_holders"].summary,
    )


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM cards",
        "SELECT 1; DROP TABLE cards",
        "SELECT pg_terminate_backend(1)",
        "WITH gone AS (DELETE FROM cards RETURNING *) SELECT * FROM gone",
        "SELECT * FROM cards FOR UPDATE",
        "COPY cards TO '/tmp/x'",
        "SELECT pg_sleep(100)",
        "SELECT * INTO copies FROM cards",
        "EXPLAIN ANALYZE DELETE FROM cards",
        "SELECT set_config('x.y', '1', false)",
    ],
)
def test_what_does_not_only_read_is_refused(bare_postgres_url: str, text: str) -> None:
    """A statement that writes or acts is not sent at all."""
    with pytest.raises(Refused) as refused:
        ask(database(bare_postgres_url), text)

    assert "not_read_only" == refused.value.reason


def test_the_session_cannot_write_either(bare_postgres_url: str) -> None:
    """A function that writes, which the text does not show, is denied by the server."""
    with psycopg.connect(bare_postgres_url, autocommit=True) as admin:
        admin.execute("CREATE TABLE cards (id int)")
        body = "INSERT INTO cards VALUES (1) RETURNING 1"
        admin.execute(f"CREATE FUNCTION looks_harmless() RETURNS int LANGUAGE sql AS $$ {body} $$")

    with pytest.raises(Refused) as refused:
        ask(database(bare_postgres_url), "SELECT looks_harmless()")
    assert "denied" == refused.value.reason


def test_a_query_is_stopped_at_its_time_out(bare_postgres_url: str) -> None:
    """The server itself ends what runs too long."""
    with pytest.raises(Unavailable, match="time-out"):
        ask(database(bare_postgres_url), "SELECT count(*) FROM generate_series(1, 1000000000)", timeout_s=0.2)


def test_more_rows_than_asked_for_are_cut(bare_postgres_url: str) -> None:
    """A thousand rows become ten, and that there are more is said."""
    reply = ask(database(bare_postgres_url), "SELECT * FROM generate_series(1, 1000) AS n", most_rows=10)

    assert (10, True) == (len(reply.rows), reply.cut)


def test_what_is_not_installed_is_no_data(bare_postgres_url: str) -> None:
    """Without pg_stat_statements its query says so and fails nothing."""
    with pytest.raises(NotFound):
        ask(database(bare_postgres_url), shipped_packs().queries["postgresql.statements"].text)


def test_statements_are_read_where_the_extension_is(postgres_server: str, bare_postgres_url: str) -> None:
    """A view of the extension's name and columns is read as the extension's."""
    with psycopg.connect(bare_postgres_url, autocommit=True) as admin:
        admin.execute(
            "CREATE VIEW pg_stat_statements AS SELECT 'SELECT * FROM cards' AS query, 40 AS calls,"
            " 12.5::float8 AS mean_exec_time, 500.0::float8 AS total_exec_time"
        )
    found = collect(database(bare_postgres_url))["statements"]

    assert "orders-db: 100 % of all time went to SELECT * FROM cards: 40 calls of 12 ms" == found.summary


def test_a_wrong_password_is_refused(postgres_server: str, bare_postgres_url: str) -> None:
    """A role that does not exist is a refusal in words, without the password."""
    (found,) = collect(database(bare_postgres_url, user="nobody_here", secret=SECRET)).values()

    assert (FindingStatus.REFUSED, False) == (found.status, SECRET in repr(found))


def test_a_role_without_connections_is_exhausted(postgres_server: str, bare_postgres_url: str) -> None:
    """The error of the port says of what there is no more."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        admin.execute(sql.SQL("CREATE ROLE none_left LOGIN CONNECTION LIMIT 0"))
        try:
            with pytest.raises(Exhausted) as full:
                ask(database(bare_postgres_url, user="none_left"), "SELECT 1")
        finally:
            admin.execute("DROP ROLE none_left")

    assert "connections" == full.value.resource
