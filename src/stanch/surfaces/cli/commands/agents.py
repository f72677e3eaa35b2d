"""The command that an agent's program starts: the same verbs as tools of the Model Context Protocol."""

from typing import Final

import click

from stanch.surfaces.cli.session import Session


@click.command("mcp")
@click.option(
    "--agent",
    envvar="STANCH_AGENT",
    metavar="NAME",
    default="",
    help="Name of the agent in the log; by default what its program calls itself.",
)
@click.pass_context
def mcp(ctx: click.Context, agent: str) -> None:
    """Serve an agent on standard input and output, over the Model Context Protocol.

    It asks the server that runs here, or the one named with --server; without any, the embedded store. An agent reads,
    notes, raises hypotheses and proposes; it cannot approve. Over the network agents use /mcp of the server.
    """
    session: Session = ctx.obj
    session.doors.open("serve_agents")(url=session.url, folder=session.folder, name=agent)


COMMANDS: Final[dict[str, click.Command]] = {"mcp": mcp}
