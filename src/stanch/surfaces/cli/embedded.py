"""The way to the operations in this process, for when no server runs: same operations, same answers."""

from collections.abc import Mapping
from typing import Final, cast

import msgspec

from stanch.engine.loop import Engine
from stanch.kernel.actor import Via, agent, agent_name, check_name, person
from stanch.kernel.errors import NotFound
from stanch.kernel.event import JSON
from stanch.operations import registry
from stanch.operations.registry import Operation
from stanch.operations.world import Call, World

# What one step makes due makes the next due; an incident's whole chain is about ten.
_MOST_ROUNDS: Final = 20


class EmbeddedWay:
    """Calls operations on a store of this process. `settle` does what is due, such as sending the collectors out."""

    def __init__(
        self,
        world: World,
        engine: Engine,
        *,
        operations: Mapping[str, Operation[object, object]],
        actor: str,
        via: Via = Via.CLI,
        key: str = "",
    ) -> None:
        self._world = world
        self._engine = engine
        self._operations = operations
        known = world.catalog.people.get(actor)
        program = agent_name(actor)
        name = check_name(program or actor, field="actor")
        self._actor = agent(name) if program else person(name, name=known.name if known else "")
        self._has_written = False
        self._via = via
        self._key = key

    @property
    def where(self) -> str:
        """Return where the store is."""
        url = self._world.store.url
        return url.database or str(url)

    @property
    def is_server(self) -> bool:
        """Return False: when the command is over, nothing goes on."""
        return False

    def read(self, operation: str, **query: object) -> JSON:
        """Ask a read operation."""
        return self._ask(operation, query)

    def write(self, operation: str, **body: object) -> JSON:
        """Ask any other operation."""
        self._has_written = True
        return self._ask(operation, body)

    def settle(self) -> None:
        """Do what is due now, in this thread, if something was written: a look alone changes nothing."""
        if self._has_written:
            self._engine.run_until_quiet(rounds=_MOST_ROUNDS)

    def close(self) -> None:
        """Close the store."""
        self._world.store.close()

    def _ask(self, operation: str, given: Mapping[str, object]) -> JSON:
        entry = self._operations.get(operation)
        if entry is None:
            raise NotFound(f"there is no operation {operation!r}", hint="list them: stanch call")
        request = registry.decode(entry, {name: value for name, value in given.items() if value is not None})
        answer = registry.call(entry, Call(world=self._world, actor=self._actor, via=self._via, key=self._key), request)
        # Through JSON and back: an answer has the same shape near and far, lists where the records hold tuples.
        return cast("JSON", msgspec.json.decode(msgspec.json.encode(answer)))
