"""A drill in which the mitigation helps only half: two faults at once, one plan. It is not over until both are gone."""

import time
from collections.abc import Callable, Iterator
from datetime import timedelta

import pytest

from stanch.alerts.samples.tables import read_samples
from stanch.app.wiring import build_engine
from stanch.app.world import open_world
from stanch.catalog.load import load_catalog
from stanch.gameday.config import write_config
from stanch.gameday.shop.faults import inject, undo
from stanch.gameday.shop.shop import Shop
from stanch.incidents.state import ActionState, IncidentState
from stanch.kernel.actor import Via, person
from stanch.kernel.errors import Refused
from stanch.operations import cases, registry
from stanch.operations.all import all_operations
from stanch.operations.views import IncidentView, Overview
from stanch.operations.world import Call, World

pytestmark = [pytest.mark.drill, pytest.mark.slow, pytest.mark.timeout(600)]

OPERATIONS = all_operations()
FAULTS = ("bad-deploy", "slow-dependency")
UNDER_WAY = frozenset({ActionState.APPROVED, ActionState.RUNNING})


@pytest.fixture
def world(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Give a Stanch that knows what is normal for the shop and goes on watching."""
    folder = tmp_path_factory.mktemp("half")
    found = open_world(catalog=load_catalog(str(write_config(shop, folder))), database=folder / "stanch.db")
    engine = build_engine(found)
    engine.start()
    try:
        # By looks and not by time: a machine that stands still makes none, and eight must lie before the start, which
        # is estimated, and earlier than it was where one of them was late.
        until(lambda: looks_at_payments(found) >= 16, "what is normal", within_s=240.0)
        yield found
    finally:
        engine.stop()
        found.store.close()


@pytest.fixture
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """Give a healthy shop."""
    with Shop.start(tmp_path_factory.mktemp("shop"), rate=30) as started:
        yield started


def looks_at_payments(world: World) -> int:
    """Return how often the latency of payments was measured."""
    now = world.clock.now()
    with world.store.reading() as view:
        times, _ = read_samples(
            view.connection, service="payments", metric="latency_p95_ms", start=now - timedelta(hours=1), end=now
        )
    return len(times)


def ask(world: World, name: str, **body: object) -> object:
    """Ask an operation as the drill's approver does."""
    entry = OPERATIONS[name]
    call = Call(world=world, actor=person("drill-approver"), via=Via.CLI)
    return registry.call(entry, call, registry.decode(entry, body))


def state_of(world: World) -> IncidentState:
    """Return the incident."""
    with world.store.reading() as view:
        return cases.load(view, 1)


def until(look: Callable[[], bool], what: str, *, within_s: float = 120.0) -> None:
    """Wait for something; fails saying what did not come."""
    began = time.monotonic()
    while not look():
        assert time.monotonic() - began < within_s, f"{what} did not come within {within_s:.0f} s"
        time.sleep(0.5)


def overview(world: World) -> Overview:
    """Return what is wrong now."""
    found = ask(world, "incident.overview")
    assert isinstance(found, Overview)
    return found


def shown(world: World) -> IncidentView:
    """Return the incident as its page shows it."""
    found = ask(world, "incident.show", incident=1)
    assert isinstance(found, IncidentView)
    return found


def approve_first(world: World) -> None:
    """Approve what is proposed, and wait until it has run."""
    until(lambda: (proposal := state_of(world).proposal) is not None and proposal.plan is not None, "a plan")
    state = state_of(world)
    assert state.proposal and state.proposal.plan
    plan = state.actions[state.proposal.plan.id].plan
    ask(world, "mitigation.approve", incident=1, plan=plan.id, digest=plan.digest)
    until(lambda: state_of(world).actions[plan.id].state not in UNDER_WAY, "the end of the run")
    ran = state_of(world).actions[plan.id]
    assert ran.state is ActionState.SUCCEEDED, ran


def is_resolved(world: World) -> bool:
    """Resolve it, and tell whether it was verified; what was may break again before anybody resolves it."""
    try:
        ask(world, "incident.resolve", incident=1)
    except Refused as refused:
        if refused.reason != "not_verified":
            raise
        return False
    return True


def test_half_of_it_is_not_over(world: World, shop: Shop) -> None:
    """After the plan something still does not hold: nothing is verified, resolving is refused; then it is."""
    for fault in FAULTS:
        inject(fault, shop)
    try:
        until(lambda: bool(overview(world).incidents), "an incident")
        approve_first(world)
        until(lambda: shown(world).progress is not None, "watching")
        seen: list[tuple[str, ...]] = []
        # Twice the window of fifteen seconds.
        for _ in range(30):
            time.sleep(1)
            progress = shown(world).progress
            assert progress is not None
            seen.append(progress.failing)
        passed = state_of(world).verification
        with pytest.raises(Refused) as refusal:
            ask(world, "incident.resolve", incident=1)
    finally:
        for fault in FAULTS:
            undo(fault, shop)

    assert (True, True, "not_verified") == (
        all(seen[10:]),
        passed is None or passed.passed_at is None,
        refusal.value.reason,
    )
    until(lambda: is_resolved(world), "the verification")

    assert "resolved" == state_of(world).status.value
