"""The command line itself: which commands there are, loaded only when used, and how errors become exit codes.

Exit codes: 0 done, 1 failure, 2 usage, 4 not allowed, 5 not found, 6 refused or in conflict, 8 unavailable,
130 interrupted.
"""

import importlib
import json
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

import click

from stanch.kernel.errors import Forbidden, Invalid, NotFound, Refused, StanchError, Unavailable
from stanch.surfaces.cli.session import Doors, Session

_PACKAGE: Final = "stanch.surfaces.cli.commands"

# Name -> (module below `commands`, what it does). The words stand here so that help imports none of the modules.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "incident": ("incident", "What is wrong now; or open an incident: stanch incident TEXT"),
    "status": ("incident", "What is wrong now, and how every service does"),
    "declare": ("incident", "Declare an incident by hand"),
    "ack": ("incident", "Take an incident on"),
    "note": ("incident", "Write something into an incident's log"),
    "investigate": ("incident", "Send the collectors out again"),
    "dry-run": ("plan", "Try a proposed plan without effect"),
    "approve": ("plan", "Approve a proposed plan; it runs then"),
    "reject": ("plan", "Say no to a proposed plan"),
    "resolve": ("incident", "End an incident whose recovery is verified"),
    "postmortem": ("postmortem", "Read, draft, edit and publish post-mortems"),
    "change": ("catalog", "Record and list changes"),
    "service": ("catalog", "List services as their checks see them"),
    "call": ("call", "Call any operation by name"),
    "serve": ("server", "Start the server"),
    "run": ("server", "Start the server together with the drill"),
    "version": ("server", "Print versions"),
}

_EPILOG: Final = """\b
Examples:
  stanch incident "500 errors on /api/checkout since 14:30 UTC"
  stanch status
  stanch ack INC-1
"""


class _Lazy(click.Group):
    """A group whose commands are imported when they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f"{_PACKAGE}.{COMMANDS[cmd_name][0]}")
        command: click.Command = module.COMMANDS[cmd_name]
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            close = get_close_matches(args[0], COMMANDS, n=1)
            hint = f"; did you mean `stanch {close[0]}`?" if close else "; see stanch --help"
            raise click.UsageError(f"there is no command {args[0]!r}{hint}", ctx=ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=_Lazy,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=_EPILOG,
)
@click.option("--server", envvar="STANCH_SERVER", metavar="URL", help="Talk to this server; `none` for no server.")
@click.option("--actor", envvar="STANCH_ACTOR", metavar="NAME", help="Who you are; by default your login name.")
@click.option("--data", envvar="STANCH_DATA", metavar="DIR", help="Where the embedded store is kept.")
@click.pass_context
def stanch(ctx: click.Context, server: str | None, actor: str | None, data: str | None) -> None:
    """Stanch: from the first alert to the published post-mortem, one log per incident."""
    ctx.obj = Session(doors=ctx.obj, server=server or "", actor=actor or "", data=data or "")
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def command_line(arguments: Sequence[str], *, doors: Doors) -> int:
    """Run one command line and return its exit code."""
    try:
        stanch.main(list(arguments), prog_name="stanch", obj=doors, standalone_mode=False)
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.Abort:
        click.echo("interrupted", err=True)
        return 130
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except StanchError as error:
        _say(error, as_json="--json" in arguments)
        return exit_code(error)
    except BrokenPipeError:
        # Whoever read us has seen enough; the interpreter must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


def exit_code(error: StanchError) -> int:
    """Return the exit code for an error, as listed in this module's documentation."""
    match error:
        case Invalid():
            return 2
        case Forbidden():
            return 4
        case NotFound():
            return 5
        case Refused():
            return 6
        case Unavailable():
            return 8
        case _:
            return 1


def _say(error: StanchError, *, as_json: bool) -> None:
    if as_json:
        problems = [{"field": one.field, "message": one.message} for one in getattr(error, "problems", ())]
        told = {"code": error.code, "message": error.message, "hint": error.hint, "problems": problems}
        click.echo(json.dumps({"error": told}), err=True)
        return
    click.echo(f"stanch: {error.message}", err=True)
    if error.hint:
        click.echo(f"  {error.hint}", err=True)
