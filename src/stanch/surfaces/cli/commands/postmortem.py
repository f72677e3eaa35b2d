"""Commands on post-mortems."""

import sys
from pathlib import Path
from typing import Final

import click

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import line_of, record_of, text_of
from stanch.surfaces.cli.shared import can_ask, incident_argument, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import hint


@click.group("postmortem")
def postmortem() -> None:
    """Read, draft, edit and publish post-mortems."""


@postmortem.command("show")
@incident_argument()
@json_option
@click.pass_context
def show(ctx: click.Context, incident: str, as_json: bool) -> None:
    """Print the post-mortem of an incident as Markdown."""
    with open_way(ctx) as way:
        answer = way.read("postmortem.show", incident=number_of(way, incident))
    if as_json:
        print_json(answer)
    else:
        click.echo(text_of(record_of(answer), "markdown"), nl=False)


@postmortem.command("draft")
@incident_argument()
@json_option
@click.pass_context
def draft(ctx: click.Context, incident: str, as_json: bool) -> None:
    """Draft it from the log again, as a new revision."""
    with open_way(ctx) as way:
        answer = way.write("postmortem.draft", incident=number_of(way, incident))
    _said(answer, "drafted", as_json=as_json)


@postmortem.command("edit")
@incident_argument()
@click.option("--file", "-F", "file", type=click.Path(allow_dash=True), help="Take the text from a file; - for stdin.")
@json_option
@click.pass_context
def edit(ctx: click.Context, incident: str, file: str | None, as_json: bool) -> None:
    """Edit it in $VISUAL or $EDITOR, or take the text from a file."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        now = record_of(way.read("postmortem.show", incident=number))
        written = _text(file, text_of(now, "markdown"))
        if written is None:
            hint("nothing was changed")
            return
        revision = now.get("revision")
        answer = way.write("postmortem.edit", incident=number, revision=revision, markdown=written)
    _said(answer, "written", as_json=as_json)


@postmortem.command("publish")
@incident_argument()
@json_option
@click.pass_context
def publish(ctx: click.Context, incident: str, as_json: bool) -> None:
    """Publish the newest revision."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        revision = record_of(way.read("postmortem.show", incident=number)).get("revision")
        answer = way.write("postmortem.publish", incident=number, revision=revision)
    _said(answer, "published", as_json=as_json)


def _text(file: str | None, now: str) -> str | None:
    if file == "-":
        return sys.stdin.read()
    if file:
        try:
            return Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"cannot read {file}: {error}", field="file") from error
    if not can_ask():
        raise Invalid("editing needs a person at a terminal, or --file", field="--file")
    edited: str | None = click.edit(now, extension=".md")
    return edited


def _said(answer: JSON, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    record = record_of(answer)
    click.echo(f"{line_of(record, 'key')} revision {record.get('revision')} {what}")


COMMANDS: Final[dict[str, click.Command]] = {"postmortem": postmortem}
