"""Agents: the command that their program starts, and their tokens, which a person gives and takes back."""

from typing import Final

import click

from stanch.surfaces.cli.records import Record, child, count_in, line_of, moment, record_of, records_of, texts
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
@click.option("--calls", type=int, help="Calls in an hour; by default what holds for all agents.")
@click.option("--writes", type=int, help="Writes among them; 0 for one that only reads.")
@click.option("--executions", type=int, help="Looks and dry runs among them.")
@click.option("--seconds", type=int, help="How long its calls may take together, in an hour.")
@json_option
@click.pass_context
def create(
    ctx: click.Context,
    name: str,
    about: str,
    calls: int | None,
    writes: int | None,
    executions: int | None,
    seconds: int | None,
    as_json: bool,
) -> None:
    """Give an agent a token of its own, with limits of its own. It is printed once and stored nowhere."""
    given = {"calls": calls, "writes": writes, "executions": executions, "seconds": seconds}
    own = {limit: value for limit, value in given.items() if value is not None}
    with open_way(ctx) as way:
        answer = way.write("agent.create", name=name, about=about, **own)
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
    """List agents that have a token, and what they spent in the last hour; `*` is a limit of the token's own."""
    with open_way(ctx) as way:
        answer = way.read("agent.list", revoked=revoked)
    if as_json:
        print_json(answer)
        return
    rows: list[tuple[str, ...]] = [
        ("AGENT", "MADE BY", "MADE AT", "LAST SEEN", "CALLS", "WRITES", "RUNS", "SECONDS", "REVOKED", "ABOUT")
    ]
    for one in records_of(answer):
        made, seen, ended = moment(one, "made_at"), moment(one, "seen_at"), moment(one, "revoked_at")
        rows.append(
            (
                line_of(one, "name"),
                line_of(one, "made_by"),
                at(made) if made else "",
                at(seen) if seen else "never",
                *(_spent(one, limit) for limit in ("calls", "writes", "executions", "seconds")),
                at(ended) if ended else "",
                line_of(one, "about"),
            )
        )
    say(table(rows))


def _spent(one: Record, limit: str) -> str:
    spent, limits, own = child(one, "spent"), child(one, "limits"), texts(one, "own")
    return f"{count_in(spent, limit)}/{count_in(limits, limit)}{'*' if limit in own else ''}"


COMMANDS: Final[dict[str, click.Command]] = {"mcp": mcp, "agent": agent}
