"""A telephone exchange for tests: people on call, providers that only remember, and a clock that is moved by hand."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from stanch.app.world import DUTIES, PROJECTORS
from stanch.catalog.model import Catalog, Person, Service
from stanch.catalog.oncall import Method, NotifyRule, OnCall, Policy, Step
from stanch.engine.loop import Engine
from stanch.kernel.actor import Via, person
from stanch.kernel.clock import ManualClock
from stanch.oncall.escalation.model import NoticeState
from stanch.oncall.escalation.state import PageState
from stanch.oncall.pages.tables import find_pages, read_page
from stanch.operations import registry
from stanch.operations.all import all_operations
from stanch.operations.world import Call, World
from stanch.ports.pager import Failure, NotTaken, Page, Receipt
from stanch.store import Store

START = datetime(2026, 11, 21, 3, 0, tzinfo=UTC)
SERVICE = "checkout"


@dataclass
class Provider:
    """A provider that remembers what it was handed, and answers what it was told to."""

    name: str = "provider"
    kinds: frozenset[str] = frozenset({"push"})
    idempotent: bool = True
    answers: list[Failure | None] = field(default_factory=list)
    always: Failure | None = None
    retry_after_s: float | None = None
    took: list[Page] = field(default_factory=list)
    tried: int = 0

    def page(self, page: Page) -> Receipt:
        """Take `page`, or not. `UNKNOWN` takes it and does not say so."""
        self.tried += 1
        failure = self.answers.pop(0) if self.answers else self.always
        if failure in (None, Failure.UNKNOWN):
            self.took.append(page)
        if failure is not None:
            raise NotTaken(f"{self.name} says {failure.value}", failure=failure, retry_after_s=self.retry_after_s)
        return Receipt(reference=f"{self.name}-{len(self.took)}")

    def close(self) -> None:
        """Hold nothing."""

    @property
    def people(self) -> list[str]:
        """Return who was reached, in order: an address is the person's name here."""
        return [page.address for page in self.took]


def somebody(id: str, *kinds: str, rules: Sequence[NotifyRule] = (), teams: Sequence[str] = ()) -> Person:
    """Return a person who is reached by methods of these kinds, whose address is their name."""
    methods = tuple(Method(id=kind, kind=kind, address=id) for kind in kinds or ("push",))
    return Person(id=id, name=id.capitalize(), methods=methods, rules=tuple(rules), teams=tuple(teams))


POLICY = Policy(
    name="default",
    steps=(Step(targets=("person:alice",), wait_s=300.0), Step(targets=("person:bob",), wait_s=300.0)),
    repeat=1,
    fallback=("person:carol",),
    stale_after_s=1800.0,
)


def catalog_of(
    *people: Person, policy: Policy = POLICY, specialists: Sequence[str] = (), oncall: OnCall | None = None
) -> Catalog:
    """Return a catalog with one service that is paged about by `policy`."""
    crew = people or (somebody("alice"), somebody("bob"), somebody("carol"))
    service = Service(name=SERVICE, policy=policy.name, specialists=tuple(specialists))
    configured = oncall or OnCall()
    return Catalog(
        services={SERVICE: service},
        people={one.id: one for one in crew},
        oncall=replace(configured, policies={policy.name: policy}),
    )


class Exchange:
    """A world, its engine, and what one does to them."""

    def __init__(
        self, database_url: str, *providers: Provider, catalog: Catalog | None = None, node: str = "node-1"
    ) -> None:
        self.clock = ManualClock(START)
        self.providers = providers or (Provider(),)
        self.world = World(
            store=Store(database_url, clock=self.clock, projectors=PROJECTORS),
            clock=self.clock,
            catalog=catalog or catalog_of(),
            node=node,
            pagers={one.name: one for one in self.providers},
        )
        self.engine = Engine(self.world, DUTIES)
        all_operations()

    @property
    def took(self) -> list[Page]:
        """Return what the first provider took."""
        return self.providers[0].took

    @property
    def people(self) -> list[str]:
        """Return whom the first provider reached, in order."""
        return self.providers[0].people

    def call(self, name: str, *, by: str = "alice", via: Via = Via.HTTP, **body: object) -> object:
        """Call an operation as a person."""
        entry = registry.find(name)
        call = Call(world=self.world, actor=person(by), via=via)
        return registry.call(entry, call, registry.decode(entry, body))

    def declare(self, severity: str = "SEV3") -> int:
        """Declare an incident of `severity`, let everything that is due happen, and return its number."""
        self.call(
            "incident.declare", by="dora", title="it fails", services=[SERVICE], severity=severity, reason="a test"
        )
        self.settle()
        return 1

    def settle(self) -> None:
        """Do everything that is due."""
        for _ in range(200):
            if not self.engine.paging.run_due():
                return

    def after(self, seconds: float, *, step_s: float = 5.0) -> None:
        """Move the clock forward in small steps, doing what is due at each."""
        left = seconds
        while left > 0:
            self.clock.advance(timedelta(seconds=min(step_s, left)))
            left -= step_s
            self.settle()

    def page(self, number: int = 1) -> PageState:
        """Return a page."""
        with self.world.store.reading() as view:
            found = read_page(view.connection, number)
        assert found is not None
        return found

    def pages(self) -> list[PageState]:
        """Return every page, newest first."""
        with self.world.store.reading() as view:
            return find_pages(view.connection)

    def states(self, number: int = 1) -> list[NoticeState]:
        """Return how far each notice of a page has come."""
        return [notice.state for notice in self.page(number).notices]

    def kinds(self, incident: int = 1) -> list[str]:
        """Return the kinds of the page's events on the incident's log, in order."""
        with self.world.store.reading() as view:
            return [event.kind for event in view.events(incident=incident) if event.kind.startswith("page.")]

    def close(self) -> None:
        """Close the store."""
        self.world.store.close()
