"""The agents' server on standard input and output: `stanch mcp`, started by the agent's own program."""

import asyncio
import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from mcp.server.stdio import stdio_server

from stanch.kernel.event import JSON
from stanch.operations.registry import Effect, Operation
from stanch.surfaces.mcp.desk import Desk
from stanch.surfaces.mcp.server import build_server
from stanch.surfaces.mcp.tool import Asking


class Way(Protocol):
    """The way to the operations as a terminal has it: of a server, or of the embedded store."""

    def read(self, operation: str, **query: object) -> JSON:
        """Ask a read operation."""
        ...

    def write(self, operation: str, **body: object) -> JSON:
        """Ask any other operation."""
        ...

    def settle(self) -> None:
        """Let what a write made due be done."""
        ...


class WayAsking:
    """Asks operations on a way, one call at a time: the embedded store's engine runs in the thread that writes."""

    def __init__(self, way: Way, operations: Mapping[str, Operation[object, object]], lock: threading.Lock) -> None:
        self._way = way
        self._operations = operations
        self._lock = lock

    def ask(self, operation: str, /, **body: object) -> JSON:
        """Ask an operation."""
        with self._lock:
            if self._operations[operation].effect is Effect.READ:
                return self._way.read(operation, **body)
            answer = self._way.write(operation, **body)
            self._way.settle()
            return answer


def run_stdio(
    *,
    operations: Mapping[str, Operation[object, object]],
    way: Callable[[str, str], Way],
    name: str,
) -> None:
    """Serve one client until it closes its end.

    `way` gives the way of the agent with a name, for one key or none; `name` may be empty.
    """
    lock = threading.Lock()

    def asking(agent: str, key: str) -> Asking:
        return WayAsking(way(agent, key), operations, lock)

    server = build_server(Desk(operations=operations, asking=asking), name_of=lambda ctx: name)

    async def serve() -> None:
        async with stdio_server() as (reading, writing):
            await server.run(reading, writing, server.create_initialization_options())

    asyncio.run(serve())
