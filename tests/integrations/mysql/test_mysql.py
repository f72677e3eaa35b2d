"""A real MariaDB in trouble: row locks, no connections left, idle transactions; and one that denies."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import pytest

from stanch.integrations.mysql import MysqlSource
from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import SystemSpec
from tests.integrations.systems.asked import ask, collect
from tests.support.maria import SECRET, Maria
from tests.support.servers import until


def database(maria: Maria, *, user: str = "looker", secret: str = SECRET) -> MysqlSource:
    """Return the server as a configured system."""
    url = f"mysql://{user}@127.0.0.1:{maria.port}"
    return MysqlSource(SystemSpec(name="shop-db", kind="mysql", url=url, secret=secret, services=("payments",)))


@contextmanager
def blocked(maria: Maria) -> Iterator[None]:
    """Hold a row while another connection wants it."""
    with maria.connect() as holder, maria.connect() as waiter, maria.connect() as look:
        with holder.cursor() as cursor:
            cursor.execute("UPDATE shop.cards SET state = 'held' WHERE id = 1")

        def wants() -> None:
            with waiter.cursor() as cursor:
                cursor.execute("UPDATE shop.cards SET state = 'mine' WHERE id = 1")
            waiter.rollback()

        thread = threading.Thread(target=wants)
        thread.start()

        def waits() -> bool:
            with look.cursor() as cursor:
                cursor.execute("SELECT COUNT(*) FROM information_schema.innodb_lock_waits")
                return cursor.fetchone() == (1,)

        # InnoDB shows what it knew, again and again, to whoever asks more often than every 0.1 s.
        until(waits, every_s=0.3)
        try:
            yield
        finally:
            holder.rollback()
            thread.join()


def test_every_query_of_the_pack_runs(maria: Maria) -> None:
    """No query fails on a healthy server that lets the role see it, and none raises anything."""
    found = collect(database(maria, user="root", secret=""))

    assert ([], []) == (
        [one.summary for one in found.values() if one.status not in (FindingStatus.OK, FindingStatus.NO_DATA)],
        [one.name for each in found.values() for one in each.signals if one.data["raised"]],
    )


def test_the_blocker_is_named(maria: Maria) -> None:
    """The finding says how many wait for a row, and for which connection."""
    with blocked(maria):
        found = collect(database(maria))["lock_blockers"]

    assert (1.0, True, True) == (
        found.signals[0].value,
        found.signals[0].data["raised"],
        "blocked: UPDATE shop.cards SET state = 'mine'" in found.summary,
    )


def test_no_connections_left_is_evidence(maria: Maria) -> None:
    """A server that takes no more clients has answered by that."""
    with ExitStack() as stack:
        stack.enter_context(maria.alone())
        for _ in range(11):
            stack.enter_context(maria.connect())
        found = list(collect(database(maria)).values())

    assert [(FindingStatus.OK, 1.0, "connections of shop-db")] == [
        (one.status, one.signals[0].value, one.signals[0].data["resource"]) for one in found
    ]


def test_the_share_of_connections_is_raised(maria: Maria) -> None:
    """Eleven of twelve are more than 85 %."""
    with ExitStack() as stack:
        stack.enter_context(maria.alone())
        for _ in range(9):
            stack.enter_context(maria.connect())
        found = collect(database(maria))["connections"]

    assert (True, True) == (found.signals[0].data["raised"], "11 of 12 connections are in use" in found.summary)


@pytest.mark.parametrize(
    "text",
    [
        "DELETE FROM shop.cards",
        "SELECT SLEEP(100)",
        "KILL 1",
        "SELECT * FROM shop.cards FOR UPDATE",
        "SELECT LOAD_FILE('/etc/passwd')",
        "SELECT 1 INTO OUTFILE '/tmp/x'",
        "SET GLOBAL max_connections = 1",
    ],
)
def test_what_does_not_only_read_is_refused(maria: Maria, text: str) -> None:
    """A statement that writes or acts is not sent at all."""
    with pytest.raises(Refused):
        ask(database(maria), text)


def test_the_session_cannot_write_either(maria: Maria) -> None:
    """A function that writes, which the text does not show, is denied by the server."""
    maria.run(
        "CREATE FUNCTION shop.looks_harmless() RETURNS int MODIFIES SQL DATA"
        " BEGIN INSERT INTO shop.cards VALUES (9, 'x'); RETURN 1; END"
    )

    with pytest.raises((Refused, Unavailable)):
        ask(database(maria, user="root", secret=""), "SELECT shop.looks_harmless()")


def test_a_query_is_stopped_at_its_time_out(maria: Maria) -> None:
    """The server itself ends what runs too long."""
    text = "SELECT COUNT(*) FROM information_schema.collations a, information_schema.collations b, mysql.help_topic c"

    with pytest.raises(Unavailable, match="time-out"):
        ask(database(maria, user="root", secret=""), text, timeout_s=0.3)


def test_a_wrong_password_is_refused(maria: Maria) -> None:
    """A role that may not come in is a refusal in words, without the password."""
    (found,) = collect(database(maria, secret="wrong-wrong")).values()

    assert (FindingStatus.REFUSED, False) == (found.status, "wrong-wrong" in repr(found))
