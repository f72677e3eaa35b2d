"""Blocks of a runbook that change something: statements and requests become plans with what they would do beside."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psycopg
import pytest

from stanch.catalog.systems import SystemConfig
from stanch.incidents import events as ev
from stanch.integrations.http import HttpActuator, HttpSource
from stanch.integrations.postgresql import PostgresStatements
from stanch.integrations.statements import StatementActuator, StatementSystem
from stanch.kernel.errors import NotFound, Refused
from stanch.operations.runbooks.views import CheckView
from stanch.ports.actuator import Step
from stanch.ports.query import SystemSpec
from tests.operations.desk import Desk
from tests.support.farend import Asked, Reply, Site, site

RUNBOOK = """# Jobs are stuck
## Checks
```http on=flags
GET /flags/{{service}}
```
Expect: /enabled is 0
```http
GET /health
```
Expect: status 2xx
## Mitigation
```psql on=orders-db rows=10 undo="UPDATE jobs SET state = 'stuck' WHERE queue = {{service}}"
UPDATE jobs SET state = 'queued' WHERE queue = {{service}}
```
```http on=flags risk=low undo='PUT /flags/{{service}} {"on": true}'
PUT /flags/{{service}}
Content-Type: application/json

{"on": false, "because": "{{reason}}"}
```
```psql
DELETE FROM jobs
```
```http
PUT http://elsewhere.example/flags
```
"""
HOSTILE = 'a"}, {"on": true, "x": "\' OR 1=1 --'


@pytest.fixture
def flags() -> Iterator[Site]:
    """Give a server of flags."""
    with site(_answer) as far:
        yield far


def _answer(asked: Asked) -> Reply:
    return Reply(body='{"enabled": 1}') if asked.method == "GET" else Reply(status=204)


@pytest.fixture
def desk(desk: Desk, flags: Site, bare_postgres_url: str, tmp_path: Path) -> Desk:
    """Give a desk with a runbook, a database that takes one statement, and a server of flags."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "jobs.md").write_text(RUNBOOK)
    with psycopg.connect(bare_postgres_url) as connection:
        connection.execute("CREATE TABLE jobs (queue text, state text)")
        connection.execute("INSERT INTO jobs VALUES ('checkout', 'stuck'), ('checkout', 'stuck'), ('mail', 'stuck')")
    rules = ("UPDATE jobs SET state = * WHERE queue = ?",)
    systems = {
        "orders-db": SystemConfig(name="orders-db", kind="postgresql", url=bare_postgres_url, statements=rules),
        "flags": SystemConfig(name="flags", kind="http", url=flags.url),
    }
    server = PostgresStatements(SystemSpec(name="orders-db", kind="postgresql", url=bare_postgres_url))
    statement = StatementActuator({"orders-db": StatementSystem(server=server, allowed=rules)})
    world = replace(
        desk.world,
        catalog=replace(desk.world.catalog, root=str(tmp_path), systems=systems),
        systems=(HttpSource(SystemSpec(name="flags", kind="http", url=flags.url)),),
        endpoints=(HttpSource(SystemSpec(name="checkout", kind="http", url=flags.url, services=("checkout",))),),
        actuators={**desk.world.actuators, "statement": statement, "http": HttpActuator()},
    )
    return replace(desk, world=world)


@pytest.fixture
def number(desk: Desk) -> int:
    """Give an open incident on checkout."""
    return desk.declare()


def states(url: str) -> list[str]:
    """Return how the jobs stand."""
    with psycopg.connect(url) as connection:
        return sorted(f"{queue} {state}" for queue, state in connection.execute("SELECT queue, state FROM jobs"))


def proposed(desk: Desk, number: int, block: int) -> Step:
    """Propose a block and return the step of its plan."""
    desk.ask("runbook.propose", incident=number, runbook="jobs", block=block)
    (step,) = desk.state(number).actions[f"runbook-jobs-{block}"].plan.steps
    return step


def run(desk: Desk, number: int, block: int) -> None:
    """Propose, approve and run a block."""
    proposed(desk, number, block)
    plan = desk.state(number).actions[f"runbook-jobs-{block}"].plan
    desk.ask("mitigation.approve", incident=number, plan=plan.id, digest=plan.digest)
    desk.work()


def test_a_statement_is_shown_with_what_it_would_touch(desk: Desk, number: int, bare_postgres_url: str) -> None:
    """It was tried and taken back before anybody says yes."""
    step = proposed(desk, number, 3)
    preview = desk.state(number).actions["runbook-jobs-3"].plan.preview

    assert ("UPDATE jobs SET state = 'queued' WHERE queue = %(service)s", {"service": "checkout"}, True, 3) == (
        step.data["text"],
        step.data["parameters"],
        "2 rows would change; nothing has" in preview,
        sum("stuck" in one for one in states(bare_postgres_url)),
    )


def test_an_approved_statement_changes_its_rows_and_no_others(desk: Desk, number: int, bare_postgres_url: str) -> None:
    """Mail is not checkout's."""
    run(desk, number, 3)

    assert ["checkout queued", "checkout queued", "mail stuck"] == states(bare_postgres_url)


def test_its_undo_is_a_statement_too(desk: Desk, number: int) -> None:
    """In the same language, with its variables bound."""
    proposed(desk, number, 3)
    (undo,) = desk.state(number).actions["runbook-jobs-3"].plan.undo

    assert ("statement", "UPDATE jobs SET state = 'stuck' WHERE queue = %(service)s") == (
        undo.actuator,
        undo.data["text"],
    )


def test_a_request_goes_to_the_declared_address(desk: Desk, number: int, flags: Site) -> None:
    """Its values stay values of the JSON."""
    alerted = desk.alert("checkout")
    desk.tell(number, *_labelled(desk, number, alerted.id))
    run(desk, number, 4)

    assert [
        ("PUT", "/flags/checkout", b'{"on": false, "because": "a\\"}, {\\"on\\": true, \\"x\\": \\"\' OR 1=1 --"}')
    ] == [(one.method, one.path, one.body) for one in flags.asked if one.method == "PUT"]


@pytest.mark.parametrize(("block", "error"), [(5, Refused), (6, NotFound)], ids=["no rule", "no such address"])
def test_what_nobody_allowed_is_no_plan_that_runs(
    desk: Desk, number: int, block: int, error: type[Exception], bare_postgres_url: str
) -> None:
    """A statement without a rule cannot be approved; a request to elsewhere is not even proposed."""
    with pytest.raises(error):
        run(desk, number, block)

    assert 3 == len(states(bare_postgres_url))


def test_a_check_over_http_is_judged_by_a_field(desk: Desk, number: int) -> None:
    """The flag is on, where off was expected; the health of the service needs no system, for a check looks there."""
    found = desk.ask("runbook.check", incident=number, runbook="jobs")
    assert isinstance(found, tuple)

    assert [("not_as_expected", "flags"), ("as_expected", "checkout")] == [
        (one.outcome, one.on) for one in found if isinstance(one, CheckView)
    ]


def _labelled(desk: Desk, number: int, alert: str) -> list[ev.AlertAttached]:
    attached = desk.state(number).alerts[alert].alert
    return [replace(attached, labels={**attached.labels, "reason": HOSTILE})]
