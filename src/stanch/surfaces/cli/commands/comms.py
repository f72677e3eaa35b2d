"""`stanch comms`: what would be told to whom, sending it, who was told what. And who takes a role over, catching up."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.comms_text import catchup_lines, preview_lines, told_lines
from stanch.surfaces.cli.records import children, count_in, line_of, record_of
from stanch.surfaces.cli.session import Way
from stanch.surfaces.cli.shared import (
    can_ask,
    incident_argument,
    incident_option,
    json_option,
    number_of,
    open_way,
    print_json,
)
from stanch.surfaces.cli.telling import hint, say

AUDIENCES: Final = ("responders", "stakeholders", "public")


@click.group("comms")
def comms() -> None:
    """What is told to whom.

    \b
    stanch comms preview
    stanch comms send "The rollback is under way."
    stanch comms told INC-1
    """


def _what(command: click.Command) -> click.Command:
    """Add what a preview and a message share."""
    for add in (
        click.option("--public", "public_text", default="", metavar="TEXT", help="What the public is told."),
        click.option("--to", "audiences", multiple=True, type=click.Choice(AUDIENCES), help="Only these; repeatable."),
        click.option("--purpose", default="update", show_default=True, help="update, initial, all_clear, ..."),
        incident_option,
    ):
        command = add(command)
    return command


@comms.command("preview")
@click.argument("text", default="")
@click.option("--text", "whole", is_flag=True, help="Show every message whole.")
@json_option
@click.pass_context
def preview(
    ctx: click.Context,
    text: str,
    whole: bool,
    incident: str,
    purpose: str,
    audiences: tuple[str, ...],
    public_text: str,
    as_json: bool,
) -> None:
    """Show a message as it would go out now, with exactly who would get it."""
    with open_way(ctx) as way:
        answer = _ask(way, incident=incident, purpose=purpose, audiences=audiences, text=text, public=public_text)
    if as_json:
        print_json(answer)
        return
    say(preview_lines(record_of(answer), whole=whole))


@comms.command("send")
@click.argument("text", default="")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def send(
    ctx: click.Context,
    text: str,
    yes: bool,
    incident: str,
    purpose: str,
    audiences: tuple[str, ...],
    public_text: str,
    as_json: bool,
) -> None:
    """Send an update; on a terminal it is shown first, with who gets it."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        shown = _ask(way, incident=str(number), purpose=purpose, audiences=audiences, text=text, public=public_text)
        if not yes and can_ask():
            say(preview_lines(record_of(shown), whole=True))
            if not click.confirm("Send it?"):
                raise click.exceptions.Exit(2)
        elif not yes:
            raise click.UsageError("nobody can be asked here whether to send it: say --yes", ctx=ctx)
        answer = way.write(
            "comms.send",
            incident=number,
            purpose=purpose,
            text=text,
            public_text=public_text,
            audiences=list(audiences),
        )
    if as_json:
        print_json(answer)
        return
    sent = record_of(answer)
    click.echo(f"{line_of(sent, 'key')} sent to {len(children(sent, 'messages'))} recipients")
    hint(f"who got it: stanch comms told {line_of(sent, 'key')}")


@comms.command("told")
@incident_argument
@json_option
@click.pass_context
def told(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Show who was told what and when, and what has not arrived."""
    with open_way(ctx) as way:
        answer = way.read("comms.told", incident=number_of(way, incident))
    if as_json:
        print_json(answer)
        return
    found = record_of(answer)
    say(told_lines(found))
    if late := count_in(found, "undelivered"):
        hint(f"{late} not delivered")


@click.command("catchup")
@incident_argument
@json_option
@click.pass_context
def catchup(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Show what somebody needs who joins now: the state, the last decisions, what is open, who does what."""
    with open_way(ctx) as way:
        answer = way.read("incident.catchup", incident=number_of(way, incident))
    _print_catchup(answer, as_json=as_json)


@click.command("handover")
@click.argument("role")
@click.argument("person")
@click.argument("summary", default="")
@incident_option
@json_option
@click.pass_context
def handover(ctx: click.Context, role: str, person: str, summary: str, incident: str, as_json: bool) -> None:
    """Leave a role to somebody else: stanch incident handover commander bob "the rollback is under way"."""
    with open_way(ctx) as way:
        answer = way.write(
            "incident.handover", incident=number_of(way, incident), role=role, person=person, summary=summary
        )
    _print_catchup(answer, as_json=as_json)


def _print_catchup(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        say(catchup_lines(record_of(answer)))


def _ask(way: Way, *, incident: str, purpose: str, audiences: tuple[str, ...], text: str, public: str) -> JSON:
    return way.read(
        "comms.preview",
        incident=number_of(way, incident),
        purpose=purpose,
        text=text,
        public_text=public,
        audiences=list(audiences),
    )


for _command in (preview, send):
    _what(_command)

COMMANDS: Final[dict[str, click.Command]] = {"comms": comms}
