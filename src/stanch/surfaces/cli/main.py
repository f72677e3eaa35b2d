"""The command line itself: which commands there are, loaded only when used, and how errors become exit codes.

Exit codes: 0 done, 1 failure, 2 usage, 4 not allowed, 5 not found, 6 refused or in conflict, 8 unavailable,
130 interrupted. `stanch help exit-codes` prints them.
"""

import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from typing import Final, cast

import click

from stanch import __version__
from stanch.surfaces.cli.colour import wants_colour
from stanch.surfaces.cli.session import Doors, Session, config_folder

_PACKAGE: Final = "stanch.surfaces.cli.commands"
_COMPLETE: Final = "_STANCH_COMPLETE"

# Name -> (module below `commands`, what it does). The words stand here so that help imports none of the modules.
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "incident": ("incident", "What is wrong now; or open an incident: stanch incident TEXT"),
    "status": ("incident", "What is wrong now, and how every service does"),
    "declare": ("respond", "Declare an incident by hand"),
    "ack": ("respond", "Take an incident on"),
    "note": ("respond", "Write something into an incident's log"),
    "timeline": ("timeline", "What happened, in order; --follow to watch"),
    "comms": ("comms", "What is told to whom: preview, send, who was told"),
    "status-page": ("statuspage", "What customers see: show it, publish updates, who subscribed"),
    "investigate": ("investigate", "Send the collectors out again; look at errors, releases, performance"),
    "hypothesis": ("hypothesis", "Test, add, confirm and refute possible causes"),
    "thinker": ("thinker", "Ask a language model, if one is configured: summary, draft, causes"),
    "dry-run": ("plan", "Try a proposed plan without effect"),
    "approve": ("plan", "Approve a proposed plan; it runs then"),
    "reject": ("plan", "Say no to a proposed plan"),
    "plan": ("planning", "Show plans, propose one, look at one again, take one back"),
    "auto": ("auto", "What runs by itself: show it, pause it, let it go on"),
    "runbook": ("runbook", "Find, read and run runbooks"),
    "resolve": ("respond", "End an incident whose recovery is verified"),
    "postmortem": ("postmortem", "Read, draft, edit and publish post-mortems"),
    "item": ("item", "What is to be done after incidents, by whom, until when"),
    "figures": ("figures", "How long incidents took, what came back, what paging cost"),
    "open": ("respond", "Open an incident's page in the browser"),
    "alert": ("alert", "List alerts, show one, send one from a script, see who sends"),
    "report": ("report", "Record and list what customers report"),
    "silence": ("silence", "Keep alerts quiet for a while"),
    "route": ("route", "What other routes would have done: stanch route preview alertmanager.yml"),
    "heartbeat": ("heartbeat", "What must be heard regularly; say that something is alive"),
    "maintenance": ("maintenance", "Windows in which something is expected to fail"),
    "probe": ("maintenance", "Look once with own checks, and show what they see"),
    "group": ("silence", "The groups in which alerts are notified about"),
    "oncall": ("oncall", "Who is on call: stanch oncall [SERVICE]; overrides, swaps, tests"),
    "page": ("page", "Who was paged and what became of it; page somebody by hand"),
    "contact": ("page", "How people are reached, and whether that was proved to work"),
    "handoff": ("handoff", "Write, send and accept what one shift leaves the next"),
    "change": ("catalog", "Record and list changes"),
    "service": ("catalog", "List services as their checks see them"),
    "query": ("query", "List read-only queries, and put one to a system"),
    "logs": ("analyse", "Templates, changes and errors of log files; needs no server"),
    "rca": ("analyse", "Rank causes on a table of metrics; needs no server"),
    "anomalies": ("analyse", "Find what is surprising in one series; needs no server"),
    "call": ("call", "Call any operation by name"),
    "serve": ("server", "Start the server"),
    "agent": ("agents", "Tokens of agents: give one, revoke it, list them"),
    "mcp": ("agents", "Serve an agent: the same verbs over the Model Context Protocol"),
    "run": ("server", "Start the server together with the drill"),
    "gameday": ("gameday", "Break something on purpose, for a while: list, check, run, abort, report"),
    "init": ("setup", "Write a first stanch.toml from what is found here"),
    "check": ("setup", "Check stanch.toml and show everything that is wrong"),
    "import": ("moving", "Move from PagerDuty, Opsgenie or Grafana OnCall"),
    "sentry": ("sentry", "Connect Sentry by OAuth, and see what the connection may"),
    "doctor": ("setup", "Check what Stanch needs and what it can reach"),
    "config": ("settings", "Where settings and data are kept"),
    "completion": ("settings", "Print the completion script of a shell"),
    "help": ("settings", "Environment, exit codes, formatting, time"),
    "version": ("settings", "Print versions"),
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
        if args[0] not in COMMANDS and not args[0].startswith("-") and not ctx.resilient_parsing:
            raise click.exceptions.NoSuchCommand(args[0], possibilities=COMMANDS, ctx=ctx)
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
@click.option("--color", type=click.Choice(["auto", "always", "never"]), help="Whether to colour.")
@click.option("--no-input", is_flag=True, envvar="STANCH_NO_INPUT", help="Never ask; fail where an answer is needed.")
@click.option("--debug", is_flag=True, envvar="STANCH_DEBUG", help="Tell every call, and where an error comes from.")
@click.version_option(__version__, message="stanch %(version)s")
@click.pass_context
def stanch(
    ctx: click.Context,
    server: str | None,
    actor: str | None,
    data: str | None,
    color: str | None,
    no_input: bool,
    debug: bool,
) -> None:
    """Stanch: from the first alert to the published post-mortem, one log per incident."""
    doors: Doors = ctx.obj
    stored = _stored(doors)
    ctx.color = wants_colour(color or stored.get("color", "auto"))
    ctx.obj = Session(
        doors=doors,
        server=server or stored.get("server", ""),
        actor=actor or stored.get("actor", ""),
        data=data or stored.get("data", ""),
        debug=debug,
        no_input=no_input,
    )
    if ctx.invoked_subcommand is None:
        click.echo(ctx.get_help())


def _stored(doors: Doors) -> Mapping[str, str]:
    file = config_folder() / "config.toml"
    return cast("Mapping[str, str]", doors.open("stored_settings")(file)) if file.is_file() else {}


def command_line(arguments: Sequence[str], *, doors: Doors) -> int:
    """Run one command line and return its exit code."""
    if _COMPLETE in os.environ:
        stanch.main(list(arguments), prog_name="stanch", complete_var=_COMPLETE)
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a sign gets a question mark, never a stack trace.
        getattr(stream, "reconfigure", lambda **_: None)(errors="replace")
    try:
        return _run(list(arguments), doors)
    except BrokenPipeError:
        # Whoever read this has seen enough; the interpreter must not complain when it closes stdout.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001  (boundary "terminal": every failure is said in words)
        return cast("int", doors.open("report_error")(error, arguments=arguments))


def _run(arguments: list[str], doors: Doors) -> int:
    code = 0
    try:
        with stanch.make_context("stanch", arguments, obj=doors) as ctx:
            stanch.invoke(ctx)
    except click.exceptions.Exit as done:
        code = done.exit_code
    # Here and not at the end of the process, where a closed pipe could not be caught.
    sys.stdout.flush()
    return code
