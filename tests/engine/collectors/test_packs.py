"""What a system that does not answer costs the reader: one line."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.evidence import FindingStatus
from stanch.ports.query import Ask, Reply
from tests.integrations.systems.asked import collect


@dataclass(frozen=True, kw_only=True)
class Database:
    """A PostgreSQL that opens, and answers its first `answers` questions; the others end in `trouble`."""

    trouble: Exception
    answers: int = 0
    name: str = "orders-db"
    system: str = "postgresql"
    where: str = "db:5432/orders"
    services: tuple[str, ...] = ("payments",)
    settings: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 5.0
    side_by_side: int = 1
    asked: list[str] = field(default_factory=list)

    @contextmanager
    def open(self) -> Iterator["Database"]:
        """Give the database itself."""
        yield self

    def ask(self, ask: Ask) -> Reply:
        """Answer with no rows as long as it answers."""
        self.asked.append(ask.text)
        if len(self.asked) > self.answers:
            raise self.trouble
        return Reply(command=ask.text)


def test_a_system_that_is_dead_is_one_finding() -> None:
    """Every query fails for the same reason, which is told once with how many were not made."""
    dead = Database(trouble=Unavailable("no answer within 3 s", retry=True))
    (found,) = collect(dead).values()

    assert (
        FindingStatus.FAILED,
        f"orders-db did not answer, {len(dead.asked)} queries not made: no answer within 3 s",
    ) == (
        found.status,
        found.summary,
    )


def test_what_was_not_made_can_be_read() -> None:
    """The finding lists each query with its command."""
    dead = Database(trouble=Unavailable("no answer within 3 s", retry=True))
    (found,) = collect(dead).values()
    rows = found.data["rows"]

    assert isinstance(rows, list)
    assert len(dead.asked) == len(rows)


def test_what_answered_keeps_its_findings() -> None:
    """A system that dies half-way has a finding for each answer and one for the rest."""
    dying = Database(answers=2, trouble=Unavailable("the connection is gone", retry=True))
    found = list(collect(dying).values())
    told = f"orders-db did not answer {len(dying.asked) - 2} of its {len(dying.asked)} queries: the connection is gone"

    assert (3, told) == (len(found), found[-1].summary)


def test_what_was_denied_is_told_once() -> None:
    """A role without rights is refused with its reason, in one line."""
    closed = Database(trouble=Refused("permission denied", reason="denied"))
    (found,) = collect(closed).values()

    assert (FindingStatus.REFUSED, True) == (found.status, found.summary.startswith("orders-db refused, "))
