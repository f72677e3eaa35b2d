"""The operations on queries and systems: list, run, try; what is meant and what is not."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Final

import pytest

from stanch.kernel.actor import Via
from stanch.kernel.errors import Invalid, NotFound, StanchError, Unavailable
from stanch.operations.query import AllQueries, AllSystems, RunQuery, list_queries, list_systems, run_query
from stanch.operations.world import Call
from stanch.packs.reading import shipped_packs
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import Ask, Reply
from tests.operations.desk import ALICE, Desk

FULL: Final = {"used": 97, "allowed": 100, "used_share": 0.97, "active": 9, "idle": 88, "idle_in_transaction": 0}
NEARLY_FULL: Final = Reply(command="psql -c '...'", rows=(FULL,))


@dataclass
class Told:
    """A system that answers what a test says, and keeps what it was asked."""

    name: str = "orders-db"
    system: str = "postgresql"
    services: tuple[str, ...] = ("payments",)
    reply: Reply = NEARLY_FULL
    trouble: StanchError | None = None
    where: str = "db:5432/orders"
    settings: dict[str, str] = field(default_factory=dict)
    timeout_s: float = 8.0
    side_by_side: int = 1
    asked: list[Ask] = field(default_factory=list)

    @contextmanager
    def open(self) -> "Iterator[Told]":
        """Give itself."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """Answer."""
        self.asked.append(ask)
        if self.trouble is not None:
            raise self.trouble
        return self.reply


def call(desk: Desk, *systems: Told) -> Call:
    """Return a call at a desk with these systems."""
    world = replace(desk.world, systems=tuple(systems), packs=shipped_packs())
    return Call(world=world, actor=ALICE, via=Via.CLI)


def test_queries_are_listed_with_the_systems_they_fit(desk: Desk) -> None:
    """Each query says on which configured systems it can be run."""
    cards = {card.name: card for card in list_queries(call(desk, Told()), AllQueries(pack="postgresql"))}

    assert (("orders-db",), ()) == (
        cards["postgresql.connections"].systems,
        cards["postgresql.exported_connections"].systems,
    )


def test_queries_of_a_service_are_those_of_what_it_uses(desk: Desk) -> None:
    """A service is named, and the queries of its database are listed."""
    found = list_queries(call(desk, Told()), AllQueries(on="payments"))

    assert {"postgresql"} == {card.pack for card in found}


def test_a_query_is_run_on_the_system_of_a_service(desk: Desk) -> None:
    """The answer has status, sentence, rows, the command, and whether it is past its threshold."""
    answer = run_query(call(desk, Told()), RunQuery(name="connections", on="payments"))

    assert (FindingStatus.OK, True, "orders-db", "psql -c '...'", [FULL]) == (
        answer.status,
        answer.raised,
        answer.system,
        answer.command,
        answer.data["rows"],
    )


def test_trouble_is_an_answer_too(desk: Desk) -> None:
    """A system that does not answer is `failed` with the reason, not an error."""
    gone = Told(trouble=Unavailable("the server does not answer", retry=True))
    answer = run_query(call(desk, gone), RunQuery(name="postgresql.connections", on="orders-db"))

    assert (FindingStatus.FAILED, True) == (answer.status, "does not answer" in answer.summary)


def test_a_secret_in_an_answer_is_redacted(desk: Desk) -> None:
    """A row that holds a password is not shown with it."""
    reply = Reply(command="x", rows=({**FULL, "query": "ALTER ROLE a PASSWORD 'x' password=hunter2hunter2"},))
    answer = run_query(call(desk, Told(reply=reply)), RunQuery(name="postgresql.connections", on="orders-db"))

    assert "hunter2" not in repr(answer)


@pytest.mark.parametrize(
    ("name", "on", "error"),
    [
        ("postgresql.nothing", "orders-db", NotFound),
        ("postgresql.connections", "nowhere", NotFound),
        ("redis.memory", "orders-db", Invalid),
    ],
)
def test_what_is_not_meant_is_said(desk: Desk, name: str, on: str, error: type[StanchError]) -> None:
    """A query, a system or a pair of them that is not there is refused with what there is."""
    with pytest.raises(error):
        run_query(call(desk, Told()), RunQuery(name=name, on=on))


def test_two_that_could_be_meant_are_asked_about(desk: Desk) -> None:
    """A service with two databases needs one of them named."""
    with pytest.raises(Invalid, match="several are meant"):
        run_query(call(desk, Told(), Told(name="audit-db")), RunQuery(name="postgresql.connections", on="payments"))


def test_systems_are_tried(desk: Desk) -> None:
    """Each system says whether it answers, and why not."""
    gone = Told(name="cache", system="redis", trouble=Unavailable("nobody there", retry=True))
    cards = list_systems(call(desk, Told(), gone), AllSystems())

    assert [("orders-db", FindingStatus.OK, "answers"), ("cache", FindingStatus.FAILED, True)] == [
        (card.name, card.status, card.detail if card.detail == "answers" else "nobody there" in card.detail)
        for card in cards
    ]
