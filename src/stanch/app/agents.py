"""The server for agents: wires `stanch mcp` to a server that runs, or to the embedded store where none does."""

import os
from functools import cache
from pathlib import Path

from stanch.app.world import DATABASE, DUTIES, open_world, read_catalog
from stanch.engine.loop import Engine
from stanch.kernel.actor import Via, check_name
from stanch.kernel.clock import SystemClock
from stanch.kernel.errors import Invalid
from stanch.operations.all import all_operations
from stanch.surfaces.cli.embedded import EmbeddedWay
from stanch.surfaces.cli.remote import remote_way
from stanch.surfaces.mcp.budget import Limits
from stanch.surfaces.mcp.stdio import Way, run_stdio

CALLS: str = "STANCH_AGENT_CALLS"
WRITES: str = "STANCH_AGENT_WRITES"


def limits() -> Limits:
    """Return what an agent may do in an hour, from the environment. Raises `Invalid`."""
    return Limits(calls=_number(CALLS, Limits().calls), writes=_number(WRITES, Limits().writes))


def serve_agents(*, url: str, folder: Path, name: str) -> None:
    """Serve an agent on standard input and output until it closes them.

    Asks the server at `url`, the embedded store in `folder` where that is empty. `name` is the agent's, empty for the
    name its program says.
    """
    operations = all_operations()
    given = check_name(name, field="agent") if name else ""
    if url:
        run_stdio(
            operations=operations,
            way=cache(lambda agent: remote_way(url, actor=f"agent:{agent}", via=Via.MCP.value)),
            clock=SystemClock(),
            name=given,
            limits=limits(),
        )
        return
    folder.mkdir(parents=True, exist_ok=True)
    world = open_world(catalog=read_catalog(None), database=folder / DATABASE)
    engine = Engine(world, DUTIES)

    @cache
    def near(agent: str) -> Way:
        return EmbeddedWay(world, engine, operations=operations, actor=f"agent:{agent}", via=Via.MCP)

    try:
        run_stdio(operations=operations, way=near, clock=world.clock, name=given, limits=limits())
    finally:
        world.store.close()


def _number(variable: str, usual: int) -> int:
    text = os.environ.get(variable, "").strip()
    if not text:
        return usual
    if not text.isdecimal() or not 1 <= int(text) <= 1_000_000:
        raise Invalid(f"{variable} is a whole number from 1 to 1,000,000", field=variable)
    return int(text)
