"""Commands about the command line itself: where things are kept, completion, help topics, versions."""

import os
import platform
import sys
from pathlib import Path
from typing import Final, cast

import click
from click.shell_completion import get_completion_class

from stanch import __version__
from stanch.kernel.errors import Unavailable
from stanch.surfaces.cli.commands.call import known_operations, print_operations
from stanch.surfaces.cli.session import Session, config_folder, server_file
from stanch.surfaces.cli.shared import json_option, print_json
from stanch.surfaces.cli.telling import say, table

TOPICS: Final = {
    "environment": """\
STANCH_SERVER    the server to talk to; `none` for the embedded store
STANCH_TOKEN     the token of a server that others can reach; sent, never printed
STANCH_ACTOR     who you are; by default your login name
STANCH_DATA      where the embedded store is kept
STANCH_INCIDENT  the incident that is meant where none is named
STANCH_NO_INPUT  never ask
STANCH_DEBUG     tell every call, and where an error comes from
STANCH_AGENT     what the log calls the agent that `stanch mcp` serves
STANCH_AGENT_TOKEN  the token of that agent, which a server then knows it by
STANCH_LOG       what the server logs: debug, info, warning, error
XDG_STATE_HOME   the store is in its folder stanch; by default ~/.local/state
NO_COLOR, FORCE_COLOR, CLICOLOR_FORCE, TERM=dumb   whether to colour; --color goes before
TZ               the zone of clock times, unless --tz says another
VISUAL, EDITOR   what opens to edit a post-mortem
""",
    "exit-codes": """\
0    done
1    failure
2    wrong usage or invalid input; nothing was changed
4    not allowed
5    not found
6    a rule refuses, or somebody else was faster
8    something outside did not answer
130  interrupted
""",
    "formatting": """\
Data is on standard output; progress, hints and errors are on standard error.
On a terminal: columns, colour, and how long ago. Elsewhere: tabs between columns, nothing cut, no colour, and instants
in RFC 3339, UTC.
--json prints the whole answer as the HTTP API gives it; its keys do not change. An empty list is [].
On an error with --json standard output stays empty and standard error holds {"error": {"code", "message", "hint",
"reason", "problems"}}.
stanch timeline --follow --json prints an object a line.
""",
    "time": """\
Where a command takes a time: 25m or 25m ago, 14:30, "14:30 UTC", "yesterday 9pm", 2026-11-21T14:30Z.
A clock time is in --tz, else in $TZ, else in this machine's zone; how it was read is echoed on standard error.
What is printed is UTC and says so.
""",
}


@click.group("config")
def config() -> None:
    """Where settings and data are kept.

    \b
    stanch config path
    stanch config list
    """


@config.command("path")
@json_option
@click.pass_context
def path(ctx: click.Context, as_json: bool) -> None:
    """Print where settings and data are kept, and which of the files are there."""
    session: Session = ctx.obj
    places = {
        "settings": config_folder() / "config.toml",
        "catalog": Path("stanch.toml").absolute(),
        "store": session.folder / "stanch.db",
        "server": server_file(session.folder),
    }
    if as_json:
        print_json({name: {"path": str(place), "exists": place.exists()} for name, place in places.items()})
        return
    say(table([(name, str(place), "there" if place.exists() else "not there") for name, place in places.items()]))


@config.command("list")
@json_option
@click.pass_context
def settings(ctx: click.Context, as_json: bool) -> None:
    """Print the settings as they hold now."""
    session: Session = ctx.obj
    held = {
        "server": session.url or "none",
        "actor": session.person,
        "data": str(session.folder),
        "token": "set" if os.environ.get("STANCH_TOKEN") else "not set",
    }
    if as_json:
        print_json(dict(held))
        return
    say(table(list(held.items())))


@click.command("completion")
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the completion script of a shell.

    \b
    bash: eval "$(stanch completion bash)" in ~/.bashrc
    zsh:  eval "$(stanch completion zsh)" in ~/.zshrc
    fish: stanch completion fish > ~/.config/fish/completions/stanch.fish
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise Unavailable(f"there is no completion for {shell}", retry=False)
    click.echo(kind(ctx.find_root().command, {}, "stanch", "_STANCH_COMPLETE").source())


@click.command("help")
@click.argument("topic", required=False, type=click.Choice([*TOPICS, "operations"]))
@click.pass_context
def show_topic(ctx: click.Context, topic: str | None) -> None:
    """Print a help topic: environment, exit-codes, formatting, time, operations."""
    if topic is None:
        click.echo(ctx.find_root().get_help())
    elif topic == "operations":
        print_operations(known_operations(ctx.obj))
    else:
        click.echo(TOPICS[topic], nl=False)


@click.command("version")
@json_option
@click.pass_context
def version(ctx: click.Context, as_json: bool) -> None:
    """Print the versions of the client and, where one runs, of the server."""
    session: Session = ctx.obj
    url = session.url
    served = cast("str", session.doors.open("server_version")(url)) if url else ""
    if as_json:
        own = {"stanch": __version__, "python": platform.python_version()}
        print_json({**own, "server": served or None, "url": url or None})
        return
    click.echo(f"stanch {__version__} (Python {platform.python_version()}, {sys.platform})")
    if url:
        fits = "" if served == __version__ else "; it is another version than this client"
        click.echo(f"server {served} at {url}{fits}")


COMMANDS: Final[dict[str, click.Command]] = {
    "config": config,
    "completion": completion,
    "help": show_topic,
    "version": version,
}
