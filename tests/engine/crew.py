"""An incident to investigate, and collectors that are well, slow, broken, hanging or flooding."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from stanch.catalog.model import Catalog, Service, Timing
from stanch.incidents import events as ev
from stanch.incidents.model import Severity, SeverityRuling
from stanch.incidents.state import IncidentState
from stanch.operations import cases
from stanch.operations.world import World
from stanch.ports.evidence import Collector, Finding, FindingStatus, Question, Signal
from stanch.store.model import Timer

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
ONSET = START - timedelta(minutes=2)
SHOP = {
    "gateway": Service(name="gateway", depends_on=("checkout",)),
    "checkout": Service(name="checkout", depends_on=("payments",)),
    "payments": Service(name="payments", depends_on=("acquirer",)),
    "acquirer": Service(name="acquirer", external=True),
}


def shop(*, root: str = ".", budget_s: float = 60.0, **changed: Service) -> Catalog:
    """Return the catalog of the shop; services may be replaced by name."""
    timing = Timing(investigation_s=budget_s, baseline_s=600.0)
    return Catalog(root=root, services={**SHOP, **changed}, timing=timing)


def declare(world: World, *, services: Sequence[str] = ("checkout",), onset: datetime = ONSET) -> int:
    """Put an incident on record and return its number."""
    with world.store.writing() as tx:
        number = tx.next_number("incident")
        record = ev.Declared(
            number=number,
            title="checkout error rate 45 %",
            summary="",
            source="test",
            services=tuple(services),
            started_at=onset,
            ruling=SeverityRuling(severity=Severity.SEV2, rule="test", reason=""),
            channel="#test",
        )
        cases.record(tx, number, record)
        tx.schedule(collect_timer(number))
    return number


def collect_timer(number: int) -> Timer:
    """Return the timer that begins an investigation, due at once."""
    return Timer(id=f"inc{number}/collect", kind="collect", due_at=START, incident=number)


def state_of(world: World, number: int) -> IncidentState:
    """Return the incident as its log says it is."""
    with world.store.reading() as view:
        return cases.load(view, number)


def finding(question: Question, *signals: Signal, **fields: object) -> Finding:
    """Return a finding on the present window."""
    made = Finding(
        id="mine",
        collector="test",
        source="test",
        command="true",
        status=FindingStatus.OK,
        summary="all is known",
        start=question.start,
        end=question.end,
        signals=signals,
    )
    return replace(made, **fields)  # type: ignore[arg-type]  # a test names fields that exist


@dataclass
class Scripted:
    """A collector that does what a test says, and counts how often it was asked."""

    does: Callable[[Question], list[Finding]]
    name: str = "scripted"
    timeout_s: float = 60.0
    asked: int = 0

    def collect(self, question: Question) -> list[Finding]:
        """Do what the test said."""
        self.asked += 1
        return self.does(question)


@dataclass
class Stuck:
    """A collector that never comes back before it is released."""

    name: str = "stuck"
    timeout_s: float = 0.2
    asked: int = 0
    released: threading.Event = field(default_factory=threading.Event)

    def collect(self, question: Question) -> list[Finding]:
        """Hang."""
        self.asked += 1
        self.released.wait(30)
        return [finding(question, summary="too late")]


def with_crew(world: World, *collectors: Collector, catalog: Catalog | None = None) -> World:
    """Return the world with these collectors."""
    return replace(world, collectors=tuple(collectors), catalog=catalog or shop())
