"""Agents: the command that their program starts, and their tokens, which a person gives and takes back."""

from typing import Final

import click

from stanch.surfaces.cli.records import count_in, line_of, moment, record_of, records_of
from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import at, hint, say, table


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
    notes, raises hypotheses and proposes; it cannot approve. Over the network agents use /mcp of the server. With a
    token in STANCH_AGENT_TOKEN the agent is the one it was made for: stanch agent create NAME.
    """
    session: Session = ctx.obj
    session.doors.open("serve_agents")(url=session.url, folder=session.folder, name=agent)


@click.group("agent")
def agent() -> None:
    """Tokens of agents: who may act by itself, within which budget.

    \b
    stanch agent create triage --about "looks first"
    stanch agent revoke triage
    """


@agent.command("create")
@click.argument("name")
@click.option("--about", default="", help="What it is for.")
@json_option
@click.pass_context
def create(ctx: click.Context, name: str, about: str, as_json: bool) -> None:
    """Give an agent a token of its own. It is printed once and stored nowhere."""
    with open_way(ctx) as way:
        answer = way.write("agent.create", name=name, about=about)
    if as_json:
        print_json(answer)
        return
    say([line_of(record_of(answer), "token")])
    hint(f"Shown this once. {name}'s program takes it from STANCH_AGENT_TOKEN, or sends it as Authorization: Bearer.")


@agent.command("revoke")
@click.argument("name")
@json_option
@click.pass_context
def revoke(ctx: click.Context, name: str, as_json: bool) -> None:
    """Take an agent's token back; its next call is refused."""
    with open_way(ctx) as way:
        answer = way.write("agent.revoke", name=name)
    if as_json:
        print_json(answer)
        return
    say([f"The token of {name} is revoked"])


@agent.command("list")
@click.option("--revoked", is_flag=True, help="Those whose token was revoked as well.")
@json_option
@click.pass_context
def list_agents(ctx: click.Context, revoked: bool, as_json: bool) -> None:
    """List agents that have a token, and what they spent in the last hour."""
    with open_way(ctx) as way:
        answer = way.read("agent.list", revoked=revoked)
    if as_json:
        print_json(answer)
        return
    rows = [("AGENT", "MADE BY", "MADE AT", "LAST SEEN", "CALLS", "WRITES", "REVOKED", "ABOUT")]
    for one in records_of(answer):
        made, seen, ended = moment(one, "made_at"), moment(one, "seen_at"), moment(one, "revoked_at")
        spent, limits = record_of(one.get("spent")), record_of(one.get("limits"))
        rows.append(
            (
                line_of(one, "name"),
                line_of(one, "made_by"),
                at(made) if made else "",
                at(seen) if seen else "never",
                f"{count_in(spent, 'calls')}/{count_in(limits, 'calls')}",
                f"{count_in(spent, 'writes')}/{count_in(limits, 'writes')}",
                at(ended) if ended else "",
                line_of(one, "about"),
            )
        )
    say(table(rows))


COMMANDS: Final[dict[str, click.Command]] = {"mcp": mcp, "agent": agent}
