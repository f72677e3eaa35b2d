"""Statements on a real MariaDB: the same, and what its tables cannot take back."""

import pytest

from stanch.integrations.mysql import MysqlStatements
from stanch.integrations.statements import StatementActuator, StatementSystem
from stanch.kernel.event import JSON
from stanch.ports.actuator import Step
from stanch.ports.query import SystemSpec
from tests.support.maria import Maria

REQUEUE = "UPDATE jobs SET state = 'queued' WHERE queue = %(queue)s"


@pytest.fixture
def jobs(maria: Maria) -> StatementActuator:
    """Give the actuator on a database with two jobs, and a table that knows no transactions."""
    with maria.connect() as connection, connection.cursor() as cursor:
        cursor.execute("CREATE DATABASE IF NOT EXISTS statements")
        cursor.execute("DROP TABLE IF EXISTS statements.jobs, statements.noted")
        cursor.execute("CREATE TABLE statements.jobs (id int PRIMARY KEY, queue text, state text) ENGINE=InnoDB")
        cursor.execute("INSERT INTO statements.jobs VALUES (1, 'mail', 'stuck'), (2, 'print', 'stuck')")
        cursor.execute("CREATE TABLE statements.noted (id int) ENGINE=MyISAM")
        connection.commit()
    spec = SystemSpec(name="shop-db", kind="mysql", url=f"mysql://root@127.0.0.1:{maria.port}/statements")
    return StatementActuator({"shop-db": StatementSystem(server=MysqlStatements(spec), allowed=("*",))})


def step(text: str, **parameters: JSON) -> Step:
    """Return a step as a runbook makes it."""
    return Step(actuator="statement", data={"on": "shop-db", "text": text, "parameters": parameters, "most_rows": 10})


def states(maria: Maria) -> list[str]:
    """Return the states of the jobs."""
    with maria.connect() as connection, connection.cursor() as cursor:
        cursor.execute("SELECT state FROM statements.jobs ORDER BY id")
        return [str(state) for (state,) in cursor.fetchall()]


def test_a_try_counts_and_changes_nothing(maria: Maria, jobs: StatementActuator) -> None:
    """The number of rows is shown first."""
    outlook = jobs.look(step(REQUEUE, queue="mail"))

    assert ("1 row would change; nothing has", "", ["stuck", "stuck"]) == (
        outlook.preview[-1],
        outlook.refusal,
        states(maria),
    )


def test_it_is_carried_out_once_it_is_run(maria: Maria, jobs: StatementActuator) -> None:
    """One row, and no other."""
    result = jobs.run(step(REQUEUE, queue="mail"), emit=lambda line: None)

    assert (0, ["queued", "stuck"]) == (result.code, states(maria))


@pytest.mark.parametrize("queue", ["x' OR 1=1 -- ", "\\' OR 1=1 #", "x\\", '" OR ""="'])
def test_what_is_bound_stays_a_value(maria: Maria, jobs: StatementActuator, queue: str) -> None:
    """Whatever an alert says is compared with, and never read."""
    jobs.run(step(REQUEUE, queue=queue), emit=lambda line: None)

    assert ["stuck", "stuck"] == states(maria)


def test_a_table_that_takes_nothing_back_is_refused(jobs: StatementActuator) -> None:
    """MyISAM knows no transactions: a try would be the deed."""
    assert "takes nothing back" in jobs.look(step("INSERT INTO noted VALUES (1)")).refusal


def test_what_ends_the_transaction_by_itself_is_refused(jobs: StatementActuator) -> None:
    """So does every statement on tables themselves, there."""
    assert "must begin with" in jobs.look(step("TRUNCATE TABLE jobs")).refusal
