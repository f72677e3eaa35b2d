"""Commands on game days: what can be played, play it, stop it, how it went; the fault proxy and the sample shop."""

from pathlib import Path
from typing import Final, cast

import click

from stanch.kernel.errors import Invalid, Refused
from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import Record, children, count_in, line_of, moment, record_of, text_of, texts
from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import can_ask, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import at, faint, hint, paint, say, table

_CONFIG: Final = "stanch.toml"
_PORTS: Final = click.IntRange(0, 65_535)

config_option = click.option(
    "--config", "-c", default=_CONFIG, type=click.Path(path_type=Path), help="stanch.toml, or its folder."
)
on_option = click.option("--on", multiple=True, metavar="NAME=TARGET", help="A declared target in place of NAME.")


@click.group("gameday")
def gameday() -> None:
    """Break something on purpose, for a while, and see how it is noticed and mended.

    \b
    stanch gameday check paused-process --on service=payments
    stanch gameday run paused-process --on service=payments
    stanch gameday report --keep
    """


@gameday.command("list")
@json_option
@click.pass_context
def list_gamedays(ctx: click.Context, as_json: bool) -> None:
    """List the scenarios that can be played, and the game days that were."""
    with open_way(ctx) as way:
        answer = way.read("gameday.list")
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    say(table([_scenario_row(one) for one in children(told, "scenarios")]))
    for one in children(told, "played"):
        score = f"{count_in(one, 'held')} of {count_in(one, 'asked')} held"
        incident = f"INC-{one.get('incident')}" if one.get("incident") else "no incident"
        began = at(moment(one, "began_at"))
        click.echo(f"Game day {one.get('gameday')}, {began}: {line_of(one, 'title')}, {incident}, {score}")
    for problem in texts(told, "problems"):
        hint(paint(problem, "red"))


@gameday.command("check")
@click.argument("scenario", required=False)
@config_option
@on_option
@click.pass_context
def check(ctx: click.Context, scenario: str | None, config: Path, on: tuple[str, ...]) -> None:
    """Check the folder gamedays; with a scenario, show what it would do. Nothing is touched."""
    session: Session = ctx.obj
    if scenario:
        described = session.doors.open("describe_gameday")(config, scenario, _places(on))
        say([str(line) for line in described] if isinstance(described, list) else [])
        return
    known = session.doors.open("check_gamedays")(config)
    if problems := getattr(known, "problems", ()):
        raise Invalid(problems=problems, hint="docs/gamedays.md lists every key")
    targets, scenarios = len(getattr(known, "targets", ())), len(getattr(known, "scenarios", ()))
    told = f"{targets} {'target' if targets == 1 else 'targets'}"
    click.echo(f"valid: {told}, {scenarios} {'scenario' if scenarios == 1 else 'scenarios'}")


@gameday.command("run")
@click.argument("scenario")
@config_option
@on_option
@click.option("--yes", "-y", is_flag=True, help="Say yes to it here, without being asked.")
@click.option("--until-settled", is_flag=True, help="End as soon as nothing is open in the score.")
@json_option
@click.pass_context
def run(
    ctx: click.Context,
    scenario: str,
    config: Path,
    on: tuple[str, ...],
    yes: bool,
    until_settled: bool,
    as_json: bool,
) -> None:
    """Play a scenario on declared targets, with a person's yes; needs a server that watches."""
    session: Session = ctx.obj
    places = _places(on)
    described = session.doors.open("describe_gameday")(config, scenario, places)
    for line in described if isinstance(described, list) else []:
        click.echo(line, err=True)
    if not yes:
        if not can_ask():
            raise Refused("nobody said yes to it", reason="needs_consent", hint="say so with --yes")
        click.confirm("Break it now?", abort=True, err=True)
    with open_way(ctx) as way:
        if not way.is_server:
            raise Refused("no server watches, so nobody would notice", reason="no_server", hint="stanch serve")
        told = cast(
            "JSON",
            session.doors.open("play_gameday")(
                ledger=way,
                folder=session.folder,
                config=config,
                name=scenario,
                on=places,
                narrate=hint,
                until_settled=until_settled,
            ),
        )
    if as_json:
        print_json(told)
        return
    click.echo(text_of(record_of(told), "markdown"), nl=False)
    hint("What is open settles in the log; keep the score and its action items with: stanch gameday report --keep")


@gameday.command("abort")
@click.pass_context
def abort(ctx: click.Context) -> None:
    """Stop what is played on this machine and take everything back; exit code 1 when something could not be."""
    session: Session = ctx.obj
    with open_way(ctx) as way:
        left = session.doors.open("abort_gamedays")(ledger=way, folder=session.folder, narrate=hint)
    if left:
        ctx.exit(1)


@gameday.command("report")
@click.argument("number", type=click.IntRange(min=1), required=False)
@click.option("--incident", "-i", default=None, help="Whose log to score; by default the first that it led to.")
@click.option("--keep", is_flag=True, help="Keep the score on record; what was missed becomes action items.")
@json_option
@click.pass_context
def report(ctx: click.Context, number: int | None, incident: str | None, keep: bool, as_json: bool) -> None:
    """Print how a game day went, from the incident's log; by default the newest."""
    with open_way(ctx) as way:
        whose = number_of(way, incident) if incident else None
        if keep:
            answer = way.write("gameday.score", gameday=number or 0, incident=whose)
        else:
            answer = way.read("gameday.show", gameday=number or 0, incident=whose)
    if as_json:
        print_json(answer)
    else:
        click.echo(text_of(record_of(answer), "markdown"), nl=False)


@gameday.command("proxy")
@click.option("--listen", "listen_at", required=True, metavar="HOST:PORT", help="Where clients connect.")
@click.option("--upstream", required=True, metavar="HOST:PORT", help="Where it leads.")
@click.option("--control", default=8475, type=_PORTS, show_default=True, help="Port on 127.0.0.1 it is told at.")
@click.option("--http", "speaks_http", is_flag=True, help="Let single HTTP requests fail, not connections.")
@click.pass_context
def proxy(ctx: click.Context, listen_at: str, upstream: str, control: int, speaks_http: bool) -> None:
    """Run the fault proxy before a dependency; it changes nothing until a game day tells it."""
    session: Session = ctx.obj
    session.doors.open("run_proxy")(
        listen_at=listen_at, upstream=upstream, control=control, speaks_http=speaks_http, narrate=hint
    )


@gameday.command("shop")
@click.option("--port", default=8484, type=_PORTS, show_default=True, help="Port the server listens on.")
@click.pass_context
def shop(ctx: click.Context, port: int) -> None:
    """Keep the sample shop up, watched and declared as a target, to play on."""
    session: Session = ctx.obj
    session.doors.open("run_shop")(folder=session.folder, port=port, narrate=hint)


def _places(on: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for word in on:
        name, sign, target = word.partition("=")
        if not (name and sign and target):
            raise Invalid(f"{word!r} is not NAME=TARGET", field="--on")
        found[name] = target
    return found


def _scenario_row(one: Record) -> tuple[str, ...]:
    problems = texts(one, "problems")
    state = faint("needs targets: " + ", ".join(texts(one, "targets"))) if problems else paint("ready", "green")
    return (line_of(one, "name"), line_of(one, "title"), state)


COMMANDS: Final[dict[str, click.Command]] = {"gameday": gameday}
