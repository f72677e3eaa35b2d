"""Who stands behind a target now: schedules with their overrides and calendars, teams, people."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

import structlog

from stanch.catalog.model import Person
from stanch.kernel.errors import NotFound
from stanch.oncall.model import NOTHING, Facts
from stanch.oncall.targets import reach
from stanch.operations.oncall.facts import facts_at
from stanch.operations.world import World
from stanch.store import Transaction

log = structlog.get_logger("stanch.reaching")


class Reaching:
    """Answers for one instant and one transaction; what overrides and calendars say is read once, when it matters."""

    def __init__(self, tx: Transaction, world: World, *, at: datetime) -> None:
        self._tx = tx
        self._world = world
        self._at = at

    def people(self, targets: Iterable[str]) -> list[Person]:
        """Return whom `targets` mean, each once, in their order."""
        known = self._world.catalog.people
        found = dict.fromkeys(id for target in targets for id in self._reached(target))
        return [known[id] for id in found if id in known]

    def _reached(self, target: str) -> tuple[str, ...]:
        facts = self._facts if target.startswith("schedule:") else NOTHING
        try:
            return reach(self._world.catalog, target, at=self._at, facts=facts)
        except NotFound:
            # A policy that was frozen may name what the configuration does not know any more: nobody stands there.
            return ()

    @cached_property
    def _facts(self) -> Facts:
        try:
            return facts_at(self._world, self._tx.connection, at=self._at)
        except Exception:  # boundary "calendars": somebody's own text, fetched from elsewhere, in a library's hands
            # Whoever the rotation names is paged, which is better than nobody.
            log.exception("facts_failed")
            return NOTHING
