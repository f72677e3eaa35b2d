"""The server for agents: wires `stanch mcp` to a server that runs, or to the embedded store where none does."""

import os
from pathlib import Path
from typing import Final

from stanch.app.logging import configure_logging
from stanch.app.world import DATABASE, DUTIES, open_world, read_catalog
from stanch.engine.loop import Engine
from stanch.kernel.actor import Via, check_name
from stanch.operations.all import all_operations
from stanch.surfaces.cli.embedded import EmbeddedWay
from stanch.surfaces.cli.remote import remote_way
from stanch.surfaces.mcp.stdio import Way, run_stdio

TOKEN: Final = "STANCH_AGENT_TOKEN"  # noqa: S105  # the name of a variable, no secret


def serve_agents(*, url: str, folder: Path, name: str) -> None:
    """Serve an agent on standard input and output until it closes them.

    Asks the server at `url`, the embedded store in `folder` where that is empty. `name` is the agent's, empty for the
    name its program says; at a server the token in the environment decides, where there is one.
    """
    operations = all_operations()
    token = os.environ.get(TOKEN, "").strip()
    given = check_name(name, field="agent") if name else ""
    if url:
        run_stdio(
            operations=operations,
            way=lambda agent, key: remote_way(url, actor=f"agent:{agent}", via=Via.MCP.value, token=token, key=key),
            name=given,
        )
        return
    # Standard output is the protocol's alone.
    configure_logging()
    folder.mkdir(parents=True, exist_ok=True)
    world = open_world(catalog=read_catalog(None), database=folder / DATABASE)
    engine = Engine(world, DUTIES)

    def near(agent: str, key: str) -> Way:
        return EmbeddedWay(world, engine, operations=operations, actor=f"agent:{agent}", via=Via.MCP, key=key)

    try:
        run_stdio(operations=operations, way=near, name=given)
    finally:
        world.store.close()
