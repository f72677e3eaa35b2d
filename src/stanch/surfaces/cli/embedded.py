"""The way to the operations in this process, for when no server runs: same operations, same answers."""

from collections.abc import Mapping
from typing import cast

import msgspec

from stanch.engine.loop import Engine
from stanch.kernel.actor import Via, person
from stanch.kernel.errors import NotFound
from stanch.kernel.event import JSON
from stanch.operations import registry
from stanch.operations.registry import Operation
from stanch.operations.world import Call, World


class EmbeddedWay:
    """Calls operations on a store of this process. `settle` does what is due, such as sending the collectors out."""

    def __init__(
        self, world: World, engine: Engine, *, operations: Mapping[str, Operation[object, object]], actor: str
    ) -> None:
        self._world = world
        self._engine = engine
        self._operations = operations
        self._actor = person(actor)

    @property
    def where(self) -> str:
        """Return where the store is."""
        return str(self._world.store.url)

    def read(self, operation: str, **query: object) -> JSON:
        """Ask a read operation."""
        return self._ask(operation, query)

    def write(self, operation: str, **body: object) -> JSON:
        """Ask any other operation."""
        return self._ask(operation, body)

    def settle(self) -> None:
        """Do what is due now, in this thread."""
        self._engine.run_until_quiet(rounds=20)

    def close(self) -> None:
        """Close the store."""
        self._world.store.close()

    def _ask(self, operation: str, given: Mapping[str, object]) -> JSON:
        entry = self._operations.get(operation)
        if entry is None:
            raise NotFound(f"there is no operation {operation!r}", hint="list them: stanch call")
        request = registry.decode(entry, {name: value for name, value in given.items() if value is not None})
        answer = registry.call(entry, Call(world=self._world, actor=self._actor, via=Via.CLI), request)
        # Through JSON and back: an answer has the same shape near and far, lists where the records hold tuples.
        return cast("JSON", msgspec.json.decode(msgspec.json.encode(answer)))
