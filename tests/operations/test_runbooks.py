"""Operations on runbooks: the one that fits, checks that only read, changes that ask."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from stanch.kernel.errors import Forbidden, NotFound, Refused, Unavailable
from stanch.operations.runbooks.views import CheckView, MatchView, RunbookView
from stanch.ports.query import Ask, Reply, Row
from tests.operations.desk import AGENT, Desk

RUNBOOK = """---
alerts: [CheckoutSlow]
words: [checkout]
---
# Checkout is slow
## Symptoms
- Checkout fails
## Checks
```sql expect="below 80"
SELECT used FROM pools WHERE service = {{service}}
```
```sql
SELECT pg_terminate_backend(1)
```
## Mitigation
```sh risk=low undo="shopctl start {{service}}"
shopctl restart {{service}}
```
```sh
shopctl restart {{service}} | tee log
```
```sql
DELETE FROM pools
```
## Verification
```promql
up
```
"""


@dataclass
class Database:
    """A system that answers with one row, and keeps what it was asked."""

    answer: Row | Unavailable
    asked: list[str] = field(default_factory=list)
    name = "orders-db"
    system = "postgresql"
    where = "orders-db"
    services = ("checkout",)
    settings: Mapping[str, str] = field(default_factory=lambda: {"namespace": "shop"})
    timeout_s = 8.0
    side_by_side = 1

    @contextmanager
    def open(self) -> "Iterator[Database]":
        """Give itself."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """Answer with the row."""
        self.asked.append(ask.text)
        if isinstance(self.answer, Unavailable):
            raise self.answer
        return Reply(command=ask.text, rows=(self.answer,))


@pytest.fixture
def database() -> Database:
    """Give a database whose pool is full."""
    return Database({"used": 97})


@pytest.fixture
def desk(desk: Desk, database: Database, tmp_path: Path) -> Desk:
    """Give a desk with a runbook of its own and a database to ask."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "checkout-slow.md").write_text(RUNBOOK)
    world = replace(desk.world, catalog=replace(desk.world.catalog, root=str(tmp_path)), systems=(database,))
    return replace(desk, world=world)


@pytest.fixture
def number(desk: Desk) -> int:
    """Give an open incident on checkout."""
    return desk.declare()


def run(desk: Desk, number: int, **more: object) -> tuple[CheckView, ...]:
    """Run the checks of the runbook."""
    found = desk.ask("runbook.check", incident=number, runbook="checkout-slow", **more)
    assert isinstance(found, tuple)
    return found


def test_the_runbook_that_fits_comes_first(desk: Desk, number: int) -> None:
    """By the words it shares with what is seen."""
    found = desk.ask("runbook.match", incident=number)
    assert isinstance(found, tuple) and isinstance(found[0], MatchView)

    assert ("checkout-slow", ("speaks of checkout",)) == (found[0].runbook, found[0].reasons)


def test_a_check_is_asked_and_judged(desk: Desk, number: int) -> None:
    """What came back is compared with what was expected."""
    (view,) = run(desk, number)

    assert ("not_as_expected", "orders-db", "below 80") == (view.outcome, view.on, view.expects)


def test_a_check_is_filled_in_for_the_incident(desk: Desk, number: int, database: Database) -> None:
    """The service is a literal."""
    run(desk, number)

    assert ["SELECT used FROM pools WHERE service = 'checkout'"] == database.asked


@pytest.mark.parametrize(
    ("score", "kind", "service"),
    [
        (0.9, "slow_query", "payments"),
        (0.45, "bad_deploy", "payments"),
        (0.09, "bad_deploy", "checkout"),
        (0.45, "slow_query", "checkout"),
    ],
    ids=["known", "likely and what it is for", "a guess", "likely, and not what it is for"],
)
def test_a_guess_does_not_say_whom_it_is_about(
    desk: Desk, number: int, database: Database, score: float, kind: str, service: str
) -> None:
    """The cause fills it in; while it is not known, only what the runbook is for and is likely does."""
    file = Path(desk.world.catalog.root) / "runbooks" / "checkout-slow.md"
    file.write_text(RUNBOOK.replace("words:", f"kinds: [{kind}]\nwords:"))
    desk.diagnose(number, score=score)

    run(desk, number)

    assert [f" service = '{service}'"] == [one[one.index(" service") :] for one in database.asked]


def test_a_check_is_on_record(desk: Desk, number: int) -> None:
    """With what was asked, what came back, and who ran it."""
    run(desk, number)

    event = desk.log(number)[-1]
    assert ("runbook.checked", "alice", "not_as_expected") == (event.kind, event.actor.id, event.data["outcome"])


def test_what_a_check_said_is_shown_beside_it(desk: Desk, number: int) -> None:
    """The runbook of the incident has the last answer."""
    run(desk, number)
    view = desk.ask("runbook.show", incident=number, runbook="checkout-slow")
    assert isinstance(view, RunbookView) and view.blocks[0].last is not None

    assert "not_as_expected" == view.blocks[0].last.outcome


def test_a_block_that_changes_something_does_not_run_by_itself(desk: Desk, number: int, database: Database) -> None:
    """Although it stands under the checks."""
    run(desk, number)

    assert not any("terminate" in text for text in database.asked)


def test_a_block_that_changes_something_is_no_check(desk: Desk, number: int) -> None:
    """Asked for by its number it is refused too."""
    with pytest.raises(Refused, match="changes something"):
        run(desk, number, block=2)


def test_a_system_that_does_not_answer_is_told(desk: Desk, number: int, database: Database) -> None:
    """The check has failed; nothing is said of what it looks at."""
    database.answer = Unavailable("connection refused", retry=True)
    (view,) = run(desk, number)

    assert ("failed", "connection refused") == (view.outcome, view.answer)


def test_a_system_that_is_not_there_is_told(desk: Desk, number: int) -> None:
    """No Prometheus is configured."""
    (view,) = run(desk, number, part="verification")

    assert ("failed", True) == (view.outcome, "prometheus" in view.answer)


def test_a_secret_in_an_answer_is_redacted(desk: Desk, number: int, database: Database) -> None:
    """The log is kept for ever."""
    database.answer = {"query": "postgresql://app:hunter2secret@db/shop"}
    (view,) = run(desk, number)

    assert "hunter2secret" not in view.answer


def test_a_change_is_proposed_as_a_plan(desk: Desk, number: int) -> None:
    """With its exact command, its undo and its risk; nothing has run."""
    desk.ask("runbook.propose", incident=number, runbook="checkout-slow", block=3)
    plan = desk.state(number).actions["runbook-checkout-slow-3"].plan

    assert (("shopctl", "restart", "checkout"), True, "low", []) == (
        plan.steps[0].argv,
        plan.reversible,
        plan.risk,
        desk.runner.ran,
    )


def test_an_approved_change_runs(desk: Desk, number: int) -> None:
    """The person's yes is bound to the plan as for any other."""
    desk.ask("runbook.propose", incident=number, runbook="checkout-slow", block=3)
    plan = desk.state(number).actions["runbook-checkout-slow-3"].plan
    desk.ask("mitigation.approve", incident=number, plan=plan.id, digest=plan.digest)
    desk.work()

    assert [("shopctl", "restart", "checkout")] == desk.runner.ran


def test_an_agent_proposes_and_does_not_approve(desk: Desk, number: int) -> None:
    """It may take a change out of a runbook; the yes is a person's."""
    desk.ask("runbook.propose", by=AGENT, incident=number, runbook="checkout-slow", block=3)
    plan = desk.state(number).actions["runbook-checkout-slow-3"].plan
    with pytest.raises(Forbidden):
        desk.ask("mitigation.approve", by=AGENT, incident=number, plan=plan.id, digest=plan.digest)


@pytest.mark.parametrize(("block", "reason"), [(1, "only_reads"), (4, "cannot_run"), (5, "not_found")])
def test_what_cannot_be_proposed_says_why(desk: Desk, number: int, block: int, reason: str) -> None:
    """A check, a line for a shell, a statement for a database that takes none."""
    with pytest.raises(Refused) as refusal:
        desk.ask("runbook.propose", incident=number, runbook="checkout-slow", block=block)

    assert reason == refusal.value.reason


def test_proposing_twice_is_one_plan(desk: Desk, number: int) -> None:
    """The same change is proposed once."""
    for _ in range(2):
        desk.ask("runbook.propose", incident=number, runbook="checkout-slow", block=3)

    assert 1 == desk.kinds(number).count("mitigation.plan_added")


def test_a_block_that_is_not_there(desk: Desk, number: int) -> None:
    """The error says how many there are."""
    with pytest.raises(NotFound, match="6 blocks"):
        run(desk, number, block=9)
