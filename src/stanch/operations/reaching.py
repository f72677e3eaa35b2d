"""Who stands behind a target now: schedules with their overrides, teams, people."""

from collections.abc import Iterable
from datetime import datetime

from stanch.catalog.model import Catalog, Person
from stanch.kernel.errors import NotFound
from stanch.oncall.model import NOTHING, Facts
from stanch.oncall.targets import reach
from stanch.operations.world import World
from stanch.store import Transaction


def facts_of(tx: Transaction, world: World, *, at: datetime) -> Facts:
    """Return what the store and the calendars know about who is on call around `at`."""
    return NOTHING


def people_of(tx: Transaction, world: World, targets: Iterable[str], *, at: datetime) -> list[Person]:
    """Return whom `targets` mean at `at`, each once, in their order."""
    wanted = tuple(targets)
    facts = facts_of(tx, world, at=at) if any(one.startswith("schedule:") for one in wanted) else NOTHING
    found = dict.fromkeys(id for target in wanted for id in _reached(world.catalog, target, at=at, facts=facts))
    return [world.catalog.people[id] for id in found if id in world.catalog.people]


def _reached(catalog: Catalog, target: str, *, at: datetime, facts: Facts) -> tuple[str, ...]:
    try:
        return reach(catalog, target, at=at, facts=facts)
    except NotFound:
        # A policy that was frozen may name what the configuration does not know any more: nobody stands there.
        return ()
