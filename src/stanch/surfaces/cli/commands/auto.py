"""Commands on what runs by itself: how it stands, pause it all, let it go on."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import children, line_of, moment, record_of
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import at, faint, paint, say, strong


@click.group("auto")
def auto() -> None:
    """What runs by itself: show it, pause it, let it go on.

    \b
    stanch auto status
    stanch auto pause --reason "moving to the other data centre"
    stanch auto resume --reason "moved"
    """


@auto.command("status")
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Say what may run by itself and within which guard, whether it is paused, and what has run."""
    with open_way(ctx) as way:
        answer = way.read("automatic.status")
    _said(answer, as_json=as_json)


@auto.command("pause")
@click.option("--reason", required=True, help="Why.")
@json_option
@click.pass_context
def pause(ctx: click.Context, reason: str, as_json: bool) -> None:
    """Let nothing run by itself until somebody resumes it."""
    with open_way(ctx) as way:
        answer = way.write("automatic.pause", reason=reason)
    _said(answer, as_json=as_json)


@auto.command("resume")
@click.option("--reason", required=True, help="Why.")
@json_option
@click.pass_context
def resume(ctx: click.Context, reason: str, as_json: bool) -> None:
    """Let what is marked automatic run by itself again."""
    with open_way(ctx) as way:
        answer = way.write("automatic.resume", reason=reason)
    _said(answer, as_json=as_json)


def _said(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    view = record_of(answer)
    who = f"by {line_of(view, 'by')} at {at(moment(view, 'at'))}: {line_of(view, 'reason')}"
    if view.get("paused"):
        click.echo(paint(f"Paused {who}", "yellow", bold=True))
    else:
        click.echo(f"Not paused{f' (resumed {who})' if line_of(view, 'by') else ''}")
    marked = children(view, "actions")
    if not marked:
        click.echo("No action is marked automatic: nothing runs without a person's yes")
    for one in marked:
        say([f"  {strong(line_of(one, 'service'))}  {line_of(one, 'action')}: {line_of(one, 'title')}"])
        say([faint(f"      {line_of(one, 'guard')}")])
    for run in children(view, "runs"):
        outcome = line_of(run, "outcome").replace("_", " ") or "not known yet"
        began = at(moment(run, "began_at"))
        click.echo(f"  {began}  INC-{line_of(run, 'incident')}  {line_of(run, 'plan')}: {outcome}")


COMMANDS: Final[dict[str, click.Command]] = {"auto": auto}
