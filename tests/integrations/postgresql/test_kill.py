"""Ending sessions of a real PostgreSQL: whom, whom never, and that only those named in the plan are ended."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

import psycopg
import pytest
from psycopg import sql

from stanch.integrations.postgresql import PostgresSessions
from stanch.integrations.sessions import KillSessions
from stanch.kernel.event import JSON
from stanch.ports.actuator import Outlook, Step
from stanch.ports.query import SystemSpec
from stanch.ports.sessions import Ending
from tests.support.servers import until

SECRET = "hunter2hunter2"
ROLES = ("checkout", "batch", "watcher", "copier", "looker")


@dataclass(frozen=True)
class Shop:
    """A database with one table, and roles that are no superusers."""

    url: str

    def connect(self, user: str = "checkout", application: str = "") -> "psycopg.Connection[tuple[object, ...]]":
        """Return a connection as an application has it."""
        return psycopg.connect(self.url, user=user, application_name=application or user)

    def killer(self, *, user: str = "") -> KillSessions:
        """Return the actuator, that connects as a superuser or as `user`."""
        spec = SystemSpec(name="orders-db", kind="postgresql", url=self.url, user=user)
        return KillSessions("postgresql.kill", {"orders-db": PostgresSessions(spec)})

    def look(self, *, as_user: str = "", **settings: JSON) -> Outlook:
        """Look at what a step would end, in this database only: other tests share the server."""
        return self.killer(user=as_user).look(self.step(**settings))

    def step(self, **settings: JSON) -> Step:
        """Return a step as a catalog's action makes it."""
        name = psycopg.conninfo.conninfo_to_dict(self.url)["dbname"]
        given: dict[str, JSON] = {"on": "orders-db", "at_least_s": "1", "databases": str(name), "grace_s": "2"}
        return Step(actuator="postgresql.kill", data={**given, **settings})

    def run(self, step: Step) -> tuple[int, list[str]]:
        """Carry a step out and return its code and what it said."""
        said: list[str] = []
        return self.killer().run(step, emit=said.append).code, said


@pytest.fixture
def shop(postgres_server: str, bare_postgres_url: str) -> Iterator[Shop]:
    """Give a database with roles."""
    with psycopg.connect(f"{postgres_server}/postgres", autocommit=True) as admin:
        # Roles are the server's, which all workers share: two that make the same one at once fail by a unique index.
        admin.execute("SELECT pg_advisory_lock(1)")
        for role in ROLES:
            admin.execute(
                sql.SQL("DO $$ BEGIN CREATE ROLE {} LOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$").format(
                    sql.Identifier(role)
                )
            )
        admin.execute("GRANT pg_monitor TO watcher, looker")
        admin.execute("ALTER ROLE copier REPLICATION")
    with psycopg.connect(bare_postgres_url, autocommit=True) as owner:
        owner.execute("CREATE TABLE cards (id int PRIMARY KEY, state text)")
        owner.execute("INSERT INTO cards VALUES (1, 'new')")
        owner.execute("GRANT ALL ON cards TO PUBLIC")
    yield Shop(bare_postgres_url)


@contextmanager
def holding(
    shop: Shop, user: str = "batch", application: str = ""
) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
    """Hold a row in a transaction that does nothing."""
    holder = shop.connect(user, application)
    holder.execute("UPDATE cards SET state = 'held by token=s3cr3t-hunter2' WHERE id = 1")
    try:
        yield holder
    finally:
        holder.close()


@contextmanager
def waiting(shop: Shop, count: int = 2) -> Iterator[None]:
    """Let others want the row, for longer than a second."""

    def wants() -> None:
        with shop.connect() as connection:
            connection.execute("UPDATE cards SET state = 'mine' WHERE id = 1")
            connection.rollback()

    threads = [threading.Thread(target=wants) for _ in range(count)]
    for thread in threads:
        thread.start()
    wanted = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        " AND clock_timestamp() - query_start > interval '1.1 s'"
    )
    with psycopg.connect(shop.url, autocommit=True) as admin:
        until(lambda: admin.execute(wanted).fetchone() == (count,))
    try:
        yield
    finally:
        for thread in threads:
            thread.join()


@contextmanager
def slow(shop: Shop, user: str = "checkout") -> Iterator[list[str]]:
    """Run a query that takes long; yields how it ended, once it did."""
    ended: list[str] = []

    def runs() -> None:
        try:
            with shop.connect(user) as connection:
                connection.execute("SELECT pg_sleep(30) AS slow_report")
        except psycopg.Error as error:
            ended.append(type(error).__name__)

    thread = threading.Thread(target=runs)
    thread.start()
    wanted = (
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND query LIKE '%%slow_report'"
        " AND usename = %s AND clock_timestamp() - query_start > interval '1.1 s'"
    )
    with psycopg.connect(shop.url, autocommit=True) as admin:
        until(lambda: admin.execute(wanted, (user,)).fetchone() is not None)
        try:
            yield ended
        finally:
            for (pid,) in admin.execute(wanted, (user,)).fetchall():
                admin.execute("SELECT pg_terminate_backend(%s)", (pid,))
            thread.join()


def sessions_of(outlook: Outlook) -> list[dict[str, JSON]]:
    """Return the sessions that an exact step names."""
    named = outlook.step.data.get("sessions", [])
    assert isinstance(named, list)
    return [one for one in named if isinstance(one, dict)]


def test_the_blocker_is_ended_and_those_behind_it_go_on(shop: Shop) -> None:
    """A transaction that holds a lock and does nothing is terminated; the two that waited get the row."""
    with holding(shop) as holder, waiting(shop):
        pid = holder.info.backend_pid
        outlook = shop.look(which="blocking")
        code, said = shop.run(outlook.step)

    assert (0, [pid], "1 of 1 are settled") == (code, [one["pid"] for one in sessions_of(outlook)], said[-1])


def test_the_outlook_says_whose_it_is_and_who_waits(shop: Shop) -> None:
    """User, application, from where, what it did, how many wait; its query without the secret in it."""
    with holding(shop, application="nightly") as holder, waiting(shop):
        (line, *_) = shop.look(which="blocking").preview
        holder.rollback()

    assert (True, True, True, False) == (
        "of batch (nightly) from 127.0.0.1" in line,
        "2 wait for it" in line,
        "UPDATE cards SET state = 'held by" in line,
        "hunter2" in line,
    )


def test_a_long_query_is_cancelled_and_its_session_lives(shop: Shop) -> None:
    """What a cancel settles is not terminated."""
    with slow(shop) as ended:
        outlook = shop.look(which="long")
        code, said = shop.run(outlook.step)
        until(lambda: bool(ended))

    assert (0, True, ["QueryCanceled"]) == (code, said[0].endswith("its query was cancelled"), ended)


def test_an_idle_transaction_is_terminated(shop: Shop) -> None:
    """A cancel would do nothing to it."""
    with holding(shop):
        until(
            lambda: bool(
                shop.look(which="idle_in_transaction").preview and not shop.look(which="idle_in_transaction").refusal
            )
        )
        code, said = shop.run(shop.look(which="idle_in_transaction").step)

    assert (0, True) == (code, said[0].endswith(": terminated"))


@pytest.mark.parametrize(
    ("user", "application", "why"),
    [
        ("stanch", "psql", "a superuser's"),
        ("watcher", "grafana", "watches"),
        ("copier", "", "replicates"),
        ("batch", "pg_dump", "backs up"),
        ("batch", "stanch", "one of ours"),
    ],
)
def test_some_are_never_ended(shop: Shop, user: str, application: str, why: str) -> None:
    """A superuser's session, one that watches, replicates, backs up, or is ours is left alone, and it says why."""
    with holding(shop, user, application), waiting(shop, 1):
        outlook = shop.look(which="blocking")
        # So that those that wait go on.
        with psycopg.connect(shop.url, autocommit=True) as admin:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND state = 'idle in transaction'"
            )

    assert ([], True, True) == (
        sessions_of(outlook),
        bool(outlook.refusal),
        any(why in line for line in outlook.preview),
    )


def test_only_users_that_are_allowed(shop: Shop) -> None:
    """With a list of users, nobody else is ended."""
    with holding(shop), waiting(shop, 1):
        found = [
            len(sessions_of(shop.look(which="blocking", users=users))) for users in ("checkout", "checkout, batch")
        ]
        shop.run(shop.look(which="blocking").step)

    assert [0, 1] == found


def test_no_more_than_the_bound(shop: Shop) -> None:
    """Of two long queries one is chosen when one is what is allowed."""
    with slow(shop), slow(shop, "batch"):
        found = [len(sessions_of(shop.look(which="long", at_most=most))) for most in ("1", "2")]

    assert [1, 2] == found


def test_a_number_given_to_somebody_else_ends_nobody(shop: Shop) -> None:
    """The same process number with another start of its connection, or at another transaction, is left alone."""
    with holding(shop) as holder:
        until(lambda: not shop.look(which="idle_in_transaction").refusal)
        step = shop.look(which="idle_in_transaction").step
        (named,) = sessions_of(Outlook(step=step))
        others = [{**named, key: "2020-01-01 00:00:00+00"} for key in ("started", "work")]
        codes = [shop.run(replace(step, data={**step.data, "sessions": [other]}))[0] for other in others]
        alive = holder.execute("SELECT 1").fetchone()

    assert ([0, 0], (1,)) == (codes, alive)


def test_the_statement_itself_compares(shop: Shop) -> None:
    """Even when the list was read before, the server ends only the session with that connection and transaction."""
    server = PostgresSessions(SystemSpec(name="orders-db", kind="postgresql", url=shop.url))
    with holding(shop) as holder, server.open() as console:
        (session,) = [one for one in console.sessions() if one.identity.pid == holder.info.backend_pid]
        ended = console.end(replace(session.identity, started="2020-01-01 00:00:00+00"), Ending.TERMINATE)

        assert (False, (1,)) == (ended, holder.execute("SELECT 1").fetchone())


def test_a_transaction_that_came_to_life_is_spared(shop: Shop) -> None:
    """Between the plan and its run the client went on: nothing is ended, and that is said."""
    with holding(shop) as holder:
        until(lambda: not shop.look(which="idle_in_transaction").refusal)
        step = shop.look(which="idle_in_transaction").step
        holder.commit()
        holder.execute("SELECT 1")
        code, said = shop.run(step)
        alive = holder.execute("SELECT 2").fetchone()

    assert (0, True, (2,)) == (code, "gone by itself" in said[0], alive)


def test_a_plan_that_names_nobody_ends_nobody(shop: Shop) -> None:
    """What was not looked at is not run."""
    assert 1 == shop.run(shop.step(which="long"))[0]


def test_the_fingerprint_is_the_servers_life(shop: Shop) -> None:
    """Sessions come and go, so it does not follow them; looked at again when nobody is left, the step is refused."""
    with holding(shop) as holder:
        until(lambda: not shop.look(which="idle_in_transaction").refusal)
        first = shop.look(which="idle_in_transaction")
        holder.rollback()
        last = shop.killer().look(first.step)

    assert (True, first.fingerprint, True) == (bool(first.fingerprint), last.fingerprint, bool(last.refusal))


def test_it_cannot_be_undone_and_says_so(shop: Shop) -> None:
    """There is no step that takes it back."""
    with holding(shop):
        until(lambda: not shop.look(which="idle_in_transaction").refusal)
        outlook = shop.look(which="idle_in_transaction")

    assert (None, True) == (outlook.undo, any("nothing brings it back" in line for line in outlook.warnings))


def test_a_role_that_may_not_is_told_what_it_needs(shop: Shop) -> None:
    """Without `pg_signal_backend` the outlook is a refusal with the grant that is missing."""
    with holding(shop):
        until(lambda: not shop.look(which="idle_in_transaction").refusal)
        outlook = shop.look(as_user="looker", which="idle_in_transaction")

    assert "the role looker may not end sessions of others: GRANT pg_signal_backend TO looker" == outlook.refusal


def test_a_dry_run_ends_nobody(shop: Shop) -> None:
    """It shows whom, and they live."""
    with holding(shop) as holder:
        until(lambda: not shop.look(which="idle_in_transaction").refusal)
        code, said = shop.run(shop.step(which="idle_in_transaction", dry_run=True))
        alive = holder.execute("SELECT 1").fetchone()

    assert (0, True, (1,)) == (code, said[0].startswith("end for idle in transaction: "), alive)


@pytest.mark.parametrize(
    ("settings", "why"),
    [
        ({"on": "other-db"}, "no system of this kind"),
        ({"which": "all"}, "nothing to end a session for"),
        ({"at_most": "1000"}, "at_most must be a number from 1 to 20"),
        ({"at_least_s": "0"}, "at_least_s must be"),
        ({"sessions": "1"}, "cannot be read"),
        ({"pid": "1"}, "no setting"),
        ({"users": 1}, "must be a text"),
    ],
)
def test_what_cannot_be_done_says_why(settings: dict[str, JSON], why: str) -> None:
    """Before anything is asked."""
    killer = KillSessions("postgresql.kill", {"orders-db": PostgresSessions(SystemSpec(name="x", kind="postgresql"))})
    step = Step(actuator="postgresql.kill", data={"on": "orders-db", **settings})

    assert why in "; ".join(killer.problems(step))
