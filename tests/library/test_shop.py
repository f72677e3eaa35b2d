"""The shipped runbooks that read Stanch's own figures, in the sample shop: each fault is real, and so is its end."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

import pytest

from stanch.app.wiring import build_engine
from stanch.app.world import open_world
from stanch.catalog.load import load_catalog
from stanch.gameday.config import write_config
from stanch.gameday.shop.faults import inject, undo
from stanch.gameday.shop.shop import Shop
from stanch.incidents import events as ev
from stanch.kernel.actor import Via, person
from stanch.operations import cases, registry
from stanch.operations.all import all_operations
from stanch.operations.runbooks.views import CheckView
from stanch.operations.views import IncidentView
from stanch.operations.world import Call, World

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.timeout(600)]

OPERATIONS = all_operations()
ALICE = person("alice")
_BASELINE_S: Final = 30.0
_WITHIN_S: Final = 180.0
# Fault of the shop, runbook, service whose figures it reads.
# What grows slowly comes first: what is normal is narrow then, and no crowd of before still waits at the gateway.
CASES: Final = (
    ("memory-leak", "memory-leak", "checkout"),
    ("bad-deploy", "bad-deploy", "payments"),
    ("dependency-down", "dependency-down", "payments"),
    ("traffic-spike", "traffic-spike", "gateway"),
    ("crash-loop", "crash-loop", "payments"),
)


@dataclass(frozen=True)
class Watched:
    """A shop and the Stanch that watches it."""

    shop: Shop
    world: World

    def ask(self, name: str, **body: object) -> object:
        """Ask an operation as a person does."""
        entry = OPERATIONS[name]
        call = Call(world=self.world, actor=ALICE, via=Via.CLI)
        return registry.call(entry, call, registry.decode(entry, body))

    def declare(self, service: str) -> int:
        """Declare an incident that begins now, so that what was before is normal."""
        view = self.ask("incident.declare", title="An exercise", services=[service], started_at=datetime.now(UTC))
        assert isinstance(view, IncidentView)
        return view.card.number

    def name_target(self, number: int, target: str) -> None:
        """Let an alert of the incident say what is called, as one about a dependency does."""
        told = ev.AlertAttached(
            alert="told", summary="told", reading=None, starts_at=datetime.now(UTC), labels={"target": target}
        )
        with self.world.store.writing() as tx:
            cases.record(tx, number, told)

    def outcome(self, number: int, runbook: str, *, part: str = "checks") -> str:
        """Return how the first check of a part of a runbook ended: the one that reads our own figure."""
        found = self.ask("runbook.check", incident=number, runbook=runbook, part=part)
        assert isinstance(found, tuple) and isinstance(found[0], CheckView)
        return found[0].outcome

    def until(self, number: int, runbook: str, outcome: str, *, part: str = "checks") -> float:
        """Wait until a check ends so, and return after how many seconds; fails when it does not."""
        began = time.monotonic()
        while (last := self.outcome(number, runbook, part=part)) != outcome:
            assert time.monotonic() - began < _WITHIN_S, f"{runbook} says {last} and not {outcome}"
            time.sleep(0.5)
        return time.monotonic() - began


@pytest.fixture(scope="module")
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """Give a healthy shop that has been watched for a while."""
    folder = tmp_path_factory.mktemp("library")
    with Shop.start(folder / "shop", rate=30) as shop:
        catalog = load_catalog(str(write_config(shop, folder / "config")))
        world = open_world(catalog=catalog, database=folder / "stanch.db")
        engine = build_engine(world)
        engine.start()
        try:
            time.sleep(_BASELINE_S)
            yield Watched(shop, world)
        finally:
            engine.stop()
            world.store.close()


@pytest.mark.parametrize(("fault", "runbook", "service"), CASES, ids=[one[0] for one in CASES])
def test_its_check_finds_the_fault_and_its_end(watched: Watched, fault: str, runbook: str, service: str) -> None:
    """As expected before, not while the shop is broken; when it is mended, its verification is as expected."""
    number = watched.declare(service)
    watched.name_target(number, "acquirer")
    watched.until(number, runbook, "as_expected")
    inject(fault, watched.shop)
    try:
        watched.until(number, runbook, "not_as_expected")
    finally:
        undo(fault, watched.shop)
    watched.until(number, runbook, "as_expected", part="verification")
    watched.ask("incident.dismiss", incident=number, reason="the exercise is over")
