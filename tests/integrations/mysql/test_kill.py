"""Ending connections of a real MariaDB: whom, whom never, and that only those named in the plan are ended."""

import contextlib
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pymysql
import pytest

from stanch.integrations.mysql import MysqlSessions
from stanch.integrations.sessions import KillSessions
from stanch.kernel.event import JSON
from stanch.ports.actuator import Outlook, Step
from stanch.ports.query import SystemSpec
from tests.support.maria import SECRET, Maria
from tests.support.servers import until


def until_seen(look: Callable[[], bool]) -> None:
    """Wait for what InnoDB tells: the same again and again to whoever asks more often than every 0.1 s."""
    until(look, every_s=0.3)


def killer(maria: Maria, *, user: str = "ender") -> KillSessions:
    """Return the actuator as a configured system of this server."""
    url = f"mysql://{user}@127.0.0.1:{maria.port}"
    return KillSessions(
        "mysql.kill", {"shop-db": MysqlSessions(SystemSpec(name="shop-db", kind="mysql", url=url, secret=SECRET))}
    )


def look(maria: Maria, *, as_user: str = "ender", **settings: JSON) -> Outlook:
    """Look at what a step would end."""
    data: dict[str, JSON] = {"on": "shop-db", "at_least_s": "1", "grace_s": "1", **settings}
    return killer(maria, user=as_user).look(Step(actuator="mysql.kill", data=data))


def run(maria: Maria, step: Step, *, as_user: str = "ender") -> tuple[int, list[str]]:
    """Carry a step out and return its code and what it said."""
    said: list[str] = []
    return killer(maria, user=as_user).run(step, emit=said.append).code, said


def sessions_of(outlook: Outlook) -> list[dict[str, JSON]]:
    """Return the sessions that an exact step names."""
    named = outlook.step.data.get("sessions", [])
    assert isinstance(named, list)
    return [one for one in named if isinstance(one, dict)]


@contextmanager
def holding(maria: Maria, user: str = "checkout") -> "Iterator[pymysql.connections.Connection[pymysql.cursors.Cursor]]":
    """Hold a row in a transaction that does nothing."""
    holder = maria.connect(user)
    holder.cursor().execute("UPDATE shop.cards SET state = 'held' WHERE id = 1")
    try:
        yield holder
    finally:
        with contextlib.suppress(pymysql.MySQLError):
            holder.close()


@contextmanager
def idle(maria: Maria, user: str = "checkout") -> "Iterator[pymysql.connections.Connection[pymysql.cursors.Cursor]]":
    """Hold a row until its transaction has been idle for longer than a second."""
    with holding(maria, user) as holder:
        until_seen(lambda: not look(maria, which="idle_in_transaction").refusal)
        yield holder


def test_the_blocker_is_ended_and_the_one_behind_it_goes_on(maria: Maria) -> None:
    """A cancel leaves the transaction's locks, so the connection is ended; who waited gets the row."""
    got: list[int] = []

    def wants() -> None:
        with maria.connect("checkout") as waiter:
            got.append(waiter.cursor().execute("UPDATE shop.cards SET state = 'mine' WHERE id = 1"))
            waiter.rollback()

    with holding(maria) as holder:
        thread = threading.Thread(target=wants)
        thread.start()
        until_seen(lambda: not look(maria, which="blocking").refusal)
        outlook = look(maria, which="blocking")
        code, said = run(maria, outlook.step)
        thread.join()
        pid = holder.thread_id()

    assert (0, [pid], "1 of 1 are settled", 1) == (
        code,
        [one["pid"] for one in sessions_of(outlook)],
        said[-1],
        len(got),
    )


def test_a_long_query_is_cancelled_and_its_connection_lives(maria: Maria) -> None:
    """What a cancel settles is not ended."""
    ended: list[object] = []

    def runs() -> None:
        with maria.connect("checkout") as client, client.cursor() as cursor:
            try:
                cursor.execute("SELECT SLEEP(30)")
            except pymysql.MySQLError as error:
                ended.append(error.args[0])
            cursor.execute("SELECT 7")
            ended.append(cursor.fetchone())

    thread = threading.Thread(target=runs)
    thread.start()
    until_seen(lambda: not look(maria, which="long").refusal)
    code, said = run(maria, look(maria, which="long").step)
    thread.join()

    assert (0, True, (7,)) == (code, said[0].endswith("its query was cancelled"), ended[-1])


def test_an_idle_transaction_is_ended(maria: Maria) -> None:
    """Its client finds the connection gone."""
    with idle(maria) as holder:
        code, said = run(maria, look(maria, which="idle_in_transaction").step)
        with pytest.raises(pymysql.MySQLError):
            holder.cursor().execute("SELECT 1")

    assert (0, True) == (code, said[0].endswith(": terminated"))


def test_another_client_with_that_number_is_left_alone(maria: Maria) -> None:
    """A number from another address, or at another transaction, ends nobody."""
    with idle(maria) as holder:
        step = look(maria, which="idle_in_transaction").step
        (named,) = sessions_of(Outlook(step=step))
        others = [{**named, "started": "checkout@10.9.8.7:1"}, {**named, "work": "1"}]
        codes = [run(maria, replace(step, data={**step.data, "sessions": [other]}))[0] for other in others]

        assert ([0, 0], 1) == (codes, holder.cursor().execute("SELECT 1"))


def test_administrators_are_never_ended(maria: Maria) -> None:
    """A transaction of root is shown and left alone."""
    idle_root = re.compile(r"of root.* idle in transaction for [1-9]")
    with holding(maria, "root"):
        until_seen(lambda: any(map(idle_root.search, look(maria).preview)))
        outlook = look(maria, which="idle_in_transaction")

    assert ([], True) == (sessions_of(outlook), any("an administrator's" in line for line in outlook.preview))


def test_a_user_that_may_not_is_told_what_it_needs(maria: Maria) -> None:
    """The server says no, and the line names the right."""
    with idle(maria) as holder:
        code, said = run(maria, look(maria, which="idle_in_transaction").step, as_user="looker")

        assert (1, True, 1) == (code, "CONNECTION ADMIN" in said[-1], holder.cursor().execute("SELECT 1"))
