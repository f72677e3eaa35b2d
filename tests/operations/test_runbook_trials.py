"""Trying runbooks while nothing is wrong: what only reads is asked, the rest looked over, and rot is told."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from stanch.catalog.runbooks import Runbooks
from stanch.engine.runbooks import schedule_trials
from stanch.integrations.command import CommandActuator
from stanch.kernel.errors import NotFound, Unavailable
from stanch.operations.runbooks.views import RunbookCard, RunbookView, TrialView
from stanch.operations.views import Overview
from stanch.ports.fetch import Got
from stanch.ports.query import Ask, Reply
from stanch.store import timers
from tests.operations.desk import Desk

RUNBOOK = """---
services: [checkout]
---
# Checkout is slow
See [the wiki](https://wiki.example/gone) and https://wiki.example/here.
## Symptoms
- slow
## Checks
```psql on=orders-db expect="below 80"
SELECT used FROM pools WHERE service = {{service}}
```
```psql on=payments-db
SELECT 1
```
```psql on=orders-db
SELECT 1 FROM pods WHERE name = {{shard_name}}
```
```psql on=orders-db
SELECT 1 FROM pods WHERE name = {{pod}}
```
## Mitigation
```sh
no-such-program-here restart {{service}}
```
```sh
true {{pod}}
```
```sh
cat log | tail
```
## Verification
"""


@dataclass
class Database:
    """A system that answers with a figure and keeps what it was asked."""

    used: float = 97.0
    asked: list[str] = field(default_factory=list)
    name = "orders-db"
    system = "postgresql"
    where = "orders-db"
    services = ("checkout",)
    settings: Mapping[str, str] = field(default_factory=dict)
    timeout_s = 8.0
    side_by_side = 1

    @contextmanager
    def open(self) -> "Iterator[Database]":
        """Give itself."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """Answer with the figure."""
        self.asked.append(ask.text)
        return Reply(command=ask.text, rows=({"used": self.used},))


NONE: Mapping[str, str] = {}


def fetch(url: str, *, headers: Mapping[str, str] = NONE, timeout_s: float = 5.0, most_bytes: int = 0) -> Got:
    """Answer for one address, and be nobody at the other."""
    if url.endswith("gone"):
        raise Unavailable("nobody is there", retry=True)
    return Got(status=200, body=b"", took_s=0.1)


@pytest.fixture
def database() -> Database:
    """Give a database whose pool is full."""
    return Database()


@pytest.fixture
def desk(desk: Desk, database: Database, tmp_path: Path) -> Desk:
    """Give a desk with one runbook of its own."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "checkout-slow.md").write_text(RUNBOOK)
    world = replace(
        desk.world,
        catalog=replace(desk.world.catalog, root=str(tmp_path)),
        systems=(database,),
        fetch=fetch,
        actuators={**desk.world.actuators, "command": CommandActuator()},
    )
    return replace(desk, world=world)


def tried(desk: Desk, runbook: str = "checkout-slow") -> dict[str, TrialView]:
    """Try a runbook and return what each part of it said."""
    found = desk.ask("runbook.test", runbook=runbook)
    assert isinstance(found, tuple)
    return {one.part: one for one in found if isinstance(one, TrialView)}


@pytest.mark.parametrize(
    ("part", "verdict", "rot", "says"),
    [
        ("1", "not_held", "", '{"used": 97.0}'),
        ("2", "rotten", "system_gone", "no system 'payments-db' of the kind postgresql is configured"),
        ("3", "rotten", "nobody_sets", "nothing sets shard_name: no incident so far has had it"),
        ("4", "unknown", "", "only an incident knows pod"),
        ("5", "rotten", "program_missing", "there is no program 'no-such-program-here'"),
        ("6", "ready", "", "it could be planned; nothing was run"),
        ("7", "rotten", "cannot_run", "'|' needs a shell, and none ever runs: give the commands one by one"),
        (
            "https://wiki.example/gone",
            "rotten",
            "link_dead",
            "https://wiki.example/gone does not answer: nobody is there",
        ),
        ("https://wiki.example/here", "ready", "", "answers 200"),
    ],
)
def test_each_part_is_tried(desk: Desk, part: str, verdict: str, rot: str, says: str) -> None:
    """A check is asked, a change looked over, a link followed."""
    one = tried(desk)[part]

    assert (verdict, rot, says) == (one.verdict, one.rot, one.detail)


def test_what_an_alert_has_brought_once_is_known(desk: Desk, database: Database) -> None:
    """A label of an incident stands in for the next one's."""
    desk.alert("checkout")
    attached = next(iter(desk.state(1).alerts.values())).alert
    desk.tell(1, replace(attached, labels={**attached.labels, "shard_name": "s-7"}))
    tried(desk)

    assert "SELECT 1 FROM pods WHERE name = 's-7'" in database.asked


def test_an_expectation_that_never_holds_has_rotted(desk: Desk) -> None:
    """Once may be a bad day; three days in a row it is the runbook."""
    verdicts = [tried(desk)["1"].rot for _ in range(3)]

    assert ["", "", "never_held"] == verdicts


def test_one_that_has_held_before_has_not(desk: Desk, database: Database) -> None:
    """What was well a week ago may be wrong today."""
    database.used = 12.0
    tried(desk)
    database.used = 97.0
    verdicts = [tried(desk)["1"].rot for _ in range(4)]

    assert ["", "", "", ""] == verdicts


def test_one_that_was_edited_begins_anew(desk: Desk, tmp_path: Path) -> None:
    """Three trials of the text before it say nothing of the new one."""
    for _ in range(3):
        tried(desk)
    path = tmp_path / "runbooks" / "checkout-slow.md"
    path.write_text(RUNBOOK.replace("below 80", "below 90"))

    assert ("", 1) == (tried(desk)["1"].rot, tried(desk)["1"].tries - 1)


def test_nothing_runs(desk: Desk, tmp_path: Path) -> None:
    """Of what changes something it is only asked whether it could."""
    (tmp_path / "runbooks" / "touch.md").write_text(f"# T\n## Fix\n```sh\ntouch {tmp_path / 'made'}\n```\n")
    verdict = tried(desk, "touch")["1"].verdict

    assert ("ready", False) == (verdict, (tmp_path / "made").exists())


def test_what_a_shipped_runbook_needs_and_nobody_has_is_skipped(desk: Desk) -> None:
    """An installation without Kubernetes has no rotten runbooks for it."""
    found = desk.ask("runbook.test")
    assert isinstance(found, tuple)

    assert set() == {one.runbook for one in found if one.rot} - {"checkout-slow"}


def test_rot_stands_on_the_overview(desk: Desk) -> None:
    """Before anybody needs the runbook."""
    tried(desk)
    shown = desk.ask("incident.overview")
    assert isinstance(shown, Overview)

    assert [True] == [
        "Runbook checkout-slow will not work as it is written" in notice and "more" in notice
        for notice in shown.notices
    ]


def test_the_list_says_when_each_was_tried(desk: Desk) -> None:
    """And what has rotted in it."""
    tried(desk)
    found = desk.ask("runbook.list", text="checkout-slow")
    assert isinstance(found, tuple) and isinstance(found[0], RunbookCard)

    assert (desk.clock.now(), 5) == (found[0].tested_at, len(found[0].rotten))


def test_the_page_of_a_runbook_shows_its_trials(desk: Desk) -> None:
    """Beside each block."""
    tried(desk)
    view = desk.ask("runbook.show", runbook="checkout-slow")
    assert isinstance(view, RunbookView)

    assert 9 == len(view.trials)


def test_trials_of_a_runbook_that_is_gone_are_forgotten(desk: Desk, tmp_path: Path) -> None:
    """Nobody is told of a file that is no more."""
    tried(desk)
    (tmp_path / "runbooks" / "checkout-slow.md").unlink()
    desk.ask("runbook.test", runbook="disk-full")
    shown = desk.ask("incident.overview")

    assert isinstance(shown, Overview) and () == shown.notices


def test_all_are_tried_by_themselves(desk: Desk) -> None:
    """A while after the start, and then each day."""
    with desk.world.store.writing() as tx:
        schedule_trials(tx, desk.world)
    desk.pass_time(minutes=2)
    desk.work()
    with desk.world.store.reading() as view:
        (timer,) = timers.find(view.connection, kind="runbooks")

    assert 86_400 == (timer.due_at - desk.clock.now()).total_seconds()


def test_with_0_none_is(desk: Desk) -> None:
    """Who does not want it asks for it by hand."""
    catalog = replace(desk.world.catalog, runbooks=Runbooks(test_every_s=0))
    with desk.world.store.writing() as tx:
        schedule_trials(tx, replace(desk.world, catalog=catalog))

        assert [] == timers.find(tx.connection, kind="runbooks")


def test_one_that_is_not_there(desk: Desk) -> None:
    """The error says how to list them."""
    with pytest.raises(NotFound):
        tried(desk, "nothing")
