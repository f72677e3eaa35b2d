"""Statements on a real PostgreSQL: tried and taken back, carried out once, refused where no rule allows them."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import psycopg
import pytest

from stanch.integrations.postgresql import PostgresStatements
from stanch.integrations.statements import StatementActuator, StatementSystem
from stanch.kernel.event import JSON
from stanch.ports.actuator import Step
from stanch.ports.query import SystemSpec

REQUEUE = "UPDATE jobs SET state = 'queued' WHERE queue = %(queue)s"
ENDS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
    "WHERE application_name = %(app)s AND datname = current_database()"
)
RULES = (
    "update JOBS set state = 'queued'  where queue = ?",
    "SELECT pg_terminate_backend(pid) FROM *",
    "DELETE FROM *",
)


@dataclass(frozen=True)
class Shop:
    """A database with three stuck jobs."""

    url: str

    @property
    def actuator(self) -> StatementActuator:
        """Return the actuator with this database as `orders-db`."""
        server = PostgresStatements(SystemSpec(name="orders-db", kind="postgresql", url=self.url))
        return StatementActuator({"orders-db": StatementSystem(server=server, allowed=RULES)})

    def states(self) -> list[str]:
        """Return the states of the jobs."""
        with psycopg.connect(self.url) as connection:
            return [str(state) for (state,) in connection.execute("SELECT state FROM jobs ORDER BY id")]

    @contextmanager
    def client(self, name: str) -> "Iterator[psycopg.Connection[tuple[object, ...]]]":
        """Give the connection of a client."""
        connection = psycopg.connect(self.url, application_name=name, autocommit=True)
        try:
            yield connection
        finally:
            connection.close()


@pytest.fixture
def shop(bare_postgres_url: str) -> Shop:
    """Give a database with three jobs that are stuck, two of them in the queue `mail`."""
    with psycopg.connect(bare_postgres_url) as connection:
        connection.execute("CREATE TABLE jobs (id int PRIMARY KEY, queue text, state text)")
        connection.execute("INSERT INTO jobs VALUES (1, 'mail', 'stuck'), (2, 'mail', 'stuck'), (3, '50%', 'stuck')")
    return Shop(bare_postgres_url)


def step(text: str, *, on: str = "orders-db", most_rows: int = 100, **parameters: JSON) -> Step:
    """Return a step as a runbook makes it."""
    return Step(actuator="statement", data={"on": on, "text": text, "parameters": parameters, "most_rows": most_rows})


def test_a_try_counts_and_changes_nothing(shop: Shop) -> None:
    """The number of rows is shown first; all of it was taken back."""
    outlook = shop.actuator.look(step(REQUEUE, queue="mail"))

    assert ("2 rows would change; nothing has", "", ["stuck", "stuck", "stuck"]) == (
        outlook.preview[-1],
        outlook.refusal,
        shop.states(),
    )


def test_it_is_carried_out_once_it_is_run(shop: Shop) -> None:
    """Two rows, and no others."""
    said: list[str] = []
    result = shop.actuator.run(step(REQUEUE, queue="mail"), emit=said.append)

    assert (0, "2 rows changed", ["queued", "queued", "stuck"]) == (result.code, said[-1], shop.states())


@pytest.mark.parametrize("queue", ["x'; DROP TABLE jobs; --", "' OR 'a'='a", "%(queue)s", "50%", "\\", "$1"])
def test_what_is_bound_stays_a_value(shop: Shop, queue: str) -> None:
    """Whatever an alert says is compared with, and never read."""
    shop.actuator.run(step(REQUEUE, queue=queue), emit=lambda line: None)

    assert ["stuck", "stuck", "queued" if queue == "50%" else "stuck"] == shop.states()


def test_more_rows_than_it_may_are_taken_back(shop: Shop) -> None:
    """A condition that is too wide harms nobody."""
    wide = step("DELETE FROM jobs", most_rows=2)
    outlook, result = shop.actuator.look(wide), shop.actuator.run(wide, emit=lambda line: None)

    assert ("it would touch 3 rows, and may touch 2", 1, 3) == (outlook.refusal, result.code, len(shop.states()))


def test_ending_sessions_is_tried_by_reading_which(shop: Shop) -> None:
    """A transaction that is taken back does not bring a session back: so a try must not end any."""
    with shop.client("leaky") as client:
        outlook = shop.actuator.look(step(ENDS, app="leaky"))
        alive = client.execute("SELECT 1").fetchone()

    assert ("1 row would change; nothing has", (1,)) == (
        next(line for line in outlook.preview if "would change" in line),
        alive,
    )


def test_ending_sessions_ends_them_when_it_is_run(shop: Shop) -> None:
    """And only those that are named."""
    with shop.client("leaky") as leaky, shop.client("other") as other:
        shop.actuator.run(step(ENDS, app="leaky"), emit=lambda line: None)
        with pytest.raises(psycopg.OperationalError):
            leaky.execute("SELECT 1")

        assert (1,) == other.execute("SELECT 1").fetchone()


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("DELETE FROM jobs; DROP TABLE jobs", "more than one statement"),
        ("DROP TABLE jobs", "must begin with"),
        ("UPDATE jobs SET state = 'done'", "no rule of orders-db allows it"),
        ("DELETE FROM jobs WHERE id = 1 /*! OR 1=1 */", "read in more than one way"),
        ("COPY jobs TO PROGRAM 'id'", "must begin with"),
    ],
)
def test_what_no_rule_allows_is_refused(shop: Shop, text: str, says: str) -> None:
    """Before anything is asked of the database."""
    outlook = shop.actuator.look(step(text))

    assert (True, 3) == (says in outlook.refusal, len(shop.states()))


def test_what_acts_at_once_in_another_way_cannot_be_tried(shop: Shop) -> None:
    """A rule that is too wide does not make a try act."""
    outlook = shop.actuator.look(step("DELETE FROM jobs WHERE pg_terminate_backend(pg_backend_pid())"))

    assert "pg_terminate_backend acts at once, so that this cannot be tried" == outlook.refusal


def test_a_row_that_somebody_holds_is_not_waited_for(shop: Shop) -> None:
    """A try does not join the queue of those who wait; it says so and goes."""
    with shop.client("holder") as holder:
        holder.execute("BEGIN")
        holder.execute("UPDATE jobs SET state = 'held' WHERE id = 1")
        result = shop.actuator.run(step(REQUEUE, queue="mail"), emit=lambda line: None)
        holder.execute("ROLLBACK")

    assert (1, True) == (result.code, "lock" in result.output)


def test_without_parameters_of_its_own_it_comes_from_no_runbook(shop: Shop) -> None:
    """An action of the catalog, whose words are filled into the text, is refused."""
    told = Step(actuator="statement", data={"on": "orders-db", "text": "DELETE FROM jobs WHERE queue = 'mail'"})

    assert any("no parameters" in one for one in shop.actuator.problems(told))
