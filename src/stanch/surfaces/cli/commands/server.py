"""Commands that start something: the server, and the drill."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import click

from stanch.surfaces.cli.asking import ask_unless
from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import can_ask
from stanch.surfaces.cli.telling import say, table

_PORT: Final = 8484
_PORTS: Final = click.IntRange(0, 65_535)
_SECONDS: Final = click.FloatRange(min=0.0, max=3_600.0)


@click.command("serve")
@click.option("--config", "-c", type=click.Path(), help="stanch.toml, or its folder; or an alertmanager.yml alone.")
@click.option("--alertmanager", type=click.Path(), help="alertmanager.yml that routes alerts, beside --config.")
@click.option("--data", metavar="DIR", help="Where everything is kept; the same as before the command.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=_PORT, type=_PORTS, show_default=True, help="Port to listen on.")
@click.option("--database", default="", help="postgresql:// URL; by default a file in the data folder.")
@click.pass_context
def serve(
    ctx: click.Context,
    config: str | None,
    alertmanager: str | None,
    data: str | None,
    host: str,
    port: int,
    database: str,
) -> None:
    """Start the server."""
    session: Session = ctx.obj
    start = session.doors.open("serve")
    folder = Path(data) if data else session.folder
    start(folder=folder, config=config, host=host, port=port, database=database, routing=alertmanager)


@click.command("run")
@click.option("--no-drill", is_flag=True, help="Start the server alone.")
@click.option("--auto", is_flag=True, help="Go through to the end without asking.")
@click.option("--exit", "and_exit", is_flag=True, help="Stop everything when the drill is over.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object at the end.")
@click.option("--fault", default="bad-deploy", show_default=True, help="What breaks; `list` shows all.")
@click.option("--decoy", is_flag=True, help="Deploy something harmless just before.")
@click.option("--automatic", is_flag=True, help="Let what is of low risk run by itself, without a yes.")
@click.option("--baseline", default=20.0, type=_SECONDS, show_default=True, help="Seconds of normal life first.")
@click.option("--port", default=_PORT, type=_PORTS, show_default=True, help="Port to listen on.")
@click.pass_context
def run(
    ctx: click.Context,
    no_drill: bool,
    auto: bool,
    and_exit: bool,
    as_json: bool,
    fault: str,
    decoy: bool,
    automatic: bool,
    baseline: float,
    port: int,
) -> None:
    """Start the server together with the drill: a real service breaks, and you watch it being mended."""
    session: Session = ctx.obj
    if no_drill:
        session.doors.open("serve")(folder=session.folder, config=None, host="127.0.0.1", port=port, database="")
        return
    if fault == "list":
        say(table(_pairs(session.doors.open("fault_list")())))
        return
    quiet = as_json

    def narrate(line: str) -> None:
        click.echo(line, err=quiet)

    def decide(title: str, is_settled: Callable[[], bool]) -> bool:
        if auto:
            return True
        if can_ask():
            question = f"Approve: {title}? (you can approve in the browser instead)"
            return bool(ask_unless(question, is_settled=is_settled, answers=sys.stdin))
        return False

    outcome = session.doors.open("run_drill")(
        folder=session.folder,
        fault=fault,
        decoy=decoy,
        automatic=automatic,
        baseline_s=baseline,
        port=port,
        stay=not and_exit,
        narrate=narrate,
        decide=decide,
    )
    if as_json:
        click.echo(json.dumps(outcome))


def _pairs(found: object) -> list[tuple[str, str]]:
    return [(str(name), str(title)) for name, title in found] if isinstance(found, list) else []


COMMANDS: Final[dict[str, click.Command]] = {"serve": serve, "run": run}
