"""Handoffs in a terminal: `stanch handoff draft checkout`, edit, send, accept."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import click

from stanch.kernel.errors import Invalid
from stanch.surfaces.cli.kept import kept_if_refused
from stanch.surfaces.cli.oncall_text import when
from stanch.surfaces.cli.records import count_in, line_of, moment, record_of, records_of, text_of
from stanch.surfaces.cli.shared import json_option, local_zone, open_way, print_json
from stanch.surfaces.cli.telling import hint, say, table


@click.group("handoff")
def handoff() -> None:
    """Write, send and accept the document that one shift leaves the next.

    \b
    stanch handoff draft checkout
    stanch handoff list checkout
    """


@handoff.command("draft")
@click.argument("schedule")
@json_option
@click.pass_context
def draft(ctx: click.Context, schedule: str, as_json: bool) -> None:
    """Draft the next handoff of a schedule from the log."""
    with open_way(ctx) as way:
        answer = way.write("handoff.draft", schedule=schedule)
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    click.echo(text_of(told, "text"), nl=False)
    hint(f"\n{line_of(told, 'id')}: edit it with stanch handoff edit {line_of(told, 'id')}")


@handoff.command("edit")
@click.argument("handoff_id", metavar="ID")
@click.option("-F", "--file", "file", type=click.Path(path_type=Path, allow_dash=True), help="The text; - is stdin.")
@json_option
@click.pass_context
def edit(ctx: click.Context, handoff_id: str, file: Path | None, as_json: bool) -> None:
    """Edit a handoff in $EDITOR, or take its text from a file."""
    with open_way(ctx) as way:
        old = record_of(way.read("handoff.show", id=handoff_id))
        text = _read(file) if file else click.edit(text_of(old, "text"), extension=".md")
        if text is None:
            raise Invalid("nothing was changed", field="text")
        again = f"stanch handoff edit {handoff_id} --file"
        with kept_if_refused(text, name="handoff", again=again) if not file else nullcontext():
            answer = way.write("handoff.edit", id=handoff_id, text=text, revision=count_in(old, "revision"))
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{handoff_id} revision {count_in(record_of(answer), 'revision')}")


@handoff.command("show")
@click.argument("handoff_id", metavar="ID")
@json_option
@click.pass_context
def show(ctx: click.Context, handoff_id: str, as_json: bool) -> None:
    """Print a handoff."""
    with open_way(ctx) as way:
        answer = way.read("handoff.show", id=handoff_id)
    if as_json:
        print_json(answer)
    else:
        click.echo(text_of(record_of(answer), "text"), nl=False)


@handoff.command("list")
@click.argument("schedule", default="")
@json_option
@click.pass_context
def list_all(ctx: click.Context, schedule: str, as_json: bool) -> None:
    """List handoffs, newest first."""
    with open_way(ctx) as way:
        answer = way.read("handoff.list", schedule=schedule)
    if as_json:
        print_json(answer)
        return
    rows = [
        (
            line_of(one, "id"),
            when(moment(one, "at"), local_zone()),
            line_of(one, "schedule"),
            f"{line_of(one, 'giver')} → {line_of(one, 'taker')}",
            line_of(one, "state"),
            "sent" if one.get("sent_at") else "",
        )
        for one in records_of(answer)
    ]
    say(table(rows))


@handoff.command("accept")
@click.argument("handoff_id", metavar="ID")
@json_option
@click.pass_context
def accept(ctx: click.Context, handoff_id: str, as_json: bool) -> None:
    """Accept a handoff that is yours."""
    with open_way(ctx) as way:
        answer = way.write("handoff.accept", id=handoff_id)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{handoff_id} accepted")


@handoff.command("send")
@click.argument("handoff_id", metavar="ID")
@json_option
@click.pass_context
def send(ctx: click.Context, handoff_id: str, as_json: bool) -> None:
    """Send a handoff to the channels that responders read."""
    with open_way(ctx) as way:
        answer = way.write("handoff.send", id=handoff_id)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"{handoff_id} is on its way")


def _read(file: Path) -> str:
    return sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")


COMMANDS: Final[dict[str, click.Command]] = {"handoff": handoff}
