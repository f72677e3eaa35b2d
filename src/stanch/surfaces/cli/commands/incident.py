"""Commands on incidents."""

import os
import sys
import time
from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.incident_text import incident_lines
from stanch.surfaces.cli.shared import incident_argument, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import (
    Record,
    ago,
    at,
    moment,
    overview_lines,
    paint,
    severity,
    table,
    text_of,
    texts,
)

_FIRST_LOOK_S: Final = 1.0


class _IncidentGroup(click.Group):
    """`stanch incident show 1` is a command; `stanch incident 500 errors on ...` is a report in plain words."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.commands:
            return "report", self.commands["report"], args
        return super().resolve_command(ctx, args)


@click.group(cls=_IncidentGroup, invoke_without_command=True)
@json_option
@click.pass_context
def incident(ctx: click.Context, as_json: bool) -> None:
    """What is wrong now; or, with a text, open an incident from it.

    \b
    stanch incident
    stanch incident "500 errors on /api/checkout since 14:30 UTC"
    stanch incident show INC-1
    """
    ctx.meta["stanch.json"] = as_json
    if ctx.invoked_subcommand is None:
        _show_overview(ctx, as_json=as_json)


@incident.command("report", context_settings={"ignore_unknown_options": False})
@click.argument("words", nargs=-1, required=True)
@click.option("--tz", "zone", default="", help="Time zone of the clock times in the text; by default this machine's.")
@json_option
@click.pass_context
def report(ctx: click.Context, words: tuple[str, ...], zone: str, as_json: bool) -> None:
    """Open an incident from a text in plain words."""
    with open_way(ctx) as way:
        opened = _record(way.write("incident.report", text=" ".join(words), zone=zone or local_zone()))
        number = _card(opened)["number"]
        way.settle()
        if not isinstance(number, int):
            return
        if way.where.startswith("http"):
            # The server's collectors have just been sent out; the first of them are back within moments.
            time.sleep(_FIRST_LOOK_S)
        _print(way.read("incident.show", incident=number), as_json=as_json or bool(ctx.meta.get("stanch.json")))


@incident.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those that are open.")
@click.option("--limit", default=50, show_default=True, help="How many at the most.")
@json_option
@click.pass_context
def list_incidents(ctx: click.Context, open_only: bool, limit: int, as_json: bool) -> None:
    """List incidents: open ones first by severity, then the newest."""
    with open_way(ctx) as way:
        answer = way.read("incident.list", open_only=str(open_only).lower(), limit=limit)
    if as_json:
        print_json(answer)
        return
    cards = [card for card in answer if isinstance(card, dict)] if isinstance(answer, list) else []
    rows = [
        (
            text_of(card, "key"),
            severity(text_of(card, "severity")),
            text_of(card, "status"),
            ago(moment(card, "started_at")),
            ", ".join(texts(card, "services")),
            text_of(card, "title"),
        )
        for card in cards
    ]
    _echo(table(rows) if rows else ())


@incident.command("show")
@incident_argument(required=False)
@json_option
@click.pass_context
def show(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Show one incident with everything that is known about it."""
    with open_way(ctx) as way:
        _print(way.read("incident.show", incident=number_of(way, incident)), as_json=as_json)


@incident.command("timeline")
@incident_argument(required=False)
@json_option
@click.pass_context
def timeline(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Show the time line of an incident."""
    with open_way(ctx) as way:
        answer = way.read("incident.timeline", incident=number_of(way, incident))
    if as_json:
        print_json(answer)
        return
    for entry in answer if isinstance(answer, list) else []:
        if isinstance(entry, dict):
            late = " (recorded later)" if entry.get("late") else ""
            click.echo(f"{at(moment(entry, 'at'))}  #{entry['seq']}  {text_of(entry, 'title')}{late}")
            for line in text_of(entry, "text").splitlines()[:6]:
                click.echo(paint(f"                {line}", "white"))


@incident.command("assign")
@click.argument("role")
@click.argument("person")
@click.option("--incident", default="current", help="Which incident.")
@json_option
@click.pass_context
def assign(ctx: click.Context, role: str, person: str, incident: str, as_json: bool) -> None:
    """Give a role to a person: commander, technical_lead, communications_lead, scribe, responder."""
    with open_way(ctx) as way:
        answer = way.write("incident.assign", incident=number_of(way, incident), role=role, person=person)
    _done(answer, f"{person} is {role.replace('_', ' ')}", as_json=as_json)


@incident.command("severity")
@click.argument("level")
@click.option("--reason", required=True, help="Why the rule's severity does not fit.")
@click.option("--incident", default="current", help="Which incident.")
@json_option
@click.pass_context
def set_severity(ctx: click.Context, level: str, reason: str, incident: str, as_json: bool) -> None:
    """Set another severity than the rules did."""
    with open_way(ctx) as way:
        answer = way.write("incident.severity", incident=number_of(way, incident), severity=level, reason=reason)
    _done(answer, f"severity {level}", as_json=as_json)


@incident.command("status")
@click.argument("status")
@click.option("--reason", default="", help="Why.")
@click.option("--incident", default="current", help="Which incident.")
@json_option
@click.pass_context
def set_status(ctx: click.Context, status: str, reason: str, incident: str, as_json: bool) -> None:
    """Move an incident on by hand."""
    with open_way(ctx) as way:
        answer = way.write("incident.status", incident=number_of(way, incident), status=status, reason=reason)
    _done(answer, f"status {status}", as_json=as_json)


@incident.command("reopen")
@incident_argument()
@click.option("--reason", required=True, help="Why it is taken up again.")
@json_option
@click.pass_context
def reopen(ctx: click.Context, incident: str, reason: str, as_json: bool) -> None:
    """Take an ended incident up again."""
    with open_way(ctx) as way:
        answer = way.write("incident.reopen", incident=number_of(way, incident), reason=reason)
    _done(answer, "reopened", as_json=as_json)


@incident.command("dismiss")
@incident_argument()
@click.option("--reason", required=True, help="Why it is no incident.")
@click.option("--merge-into", type=int, help="The incident it is part of.")
@json_option
@click.pass_context
def dismiss(ctx: click.Context, incident: str, reason: str, merge_into: int | None, as_json: bool) -> None:
    """Say that it was no incident, or that it is part of another."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        answer = way.write("incident.dismiss", incident=number, reason=reason, merged_into=merge_into)
    _done(answer, "dismissed", as_json=as_json)


@click.command("status")
@json_option
@click.pass_context
def status(ctx: click.Context, as_json: bool) -> None:
    """Show what is wrong now, and how every service does."""
    _show_overview(ctx, as_json=as_json)


@click.command("declare")
@click.argument("title")
@click.option("--service", "services", multiple=True, help="An affected service; may be given again.")
@click.option("--severity", "level", default="", help="Against the rules; say why with --reason.")
@click.option("--reason", default="", help="Why this severity.")
@click.option("--summary", default="", help="What is known so far.")
@click.option("--data-loss", is_flag=True, help="Data is lost or corrupted.")
@click.option("--security", is_flag=True, help="It is a security breach.")
@click.option("--workaround", is_flag=True, help="There is a workaround.")
@json_option
@click.pass_context
def declare(
    ctx: click.Context,
    title: str,
    services: tuple[str, ...],
    level: str,
    reason: str,
    summary: str,
    data_loss: bool,
    security: bool,
    workaround: bool,
    as_json: bool,
) -> None:
    """Declare an incident by hand."""
    with open_way(ctx) as way:
        answer = way.write(
            "incident.declare",
            title=title,
            services=list(services),
            severity=level,
            reason=reason,
            summary=summary,
            data_loss=data_loss,
            security=security,
            workaround=workaround,
        )
        _print(answer, as_json=as_json)


@click.command("ack")
@incident_argument(required=False)
@json_option
@click.pass_context
def acknowledge(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Take an incident on."""
    with open_way(ctx) as way:
        answer = way.write("incident.acknowledge", incident=number_of(way, incident))
    _done(answer, "acknowledged", as_json=as_json)


@click.command("note")
@click.argument("text")
@click.option("--incident", default="current", help="Which incident.")
@click.option("--pin", "pinned", is_flag=True, help="Pin it.")
@json_option
@click.pass_context
def note(ctx: click.Context, text: str, incident: str, pinned: bool, as_json: bool) -> None:
    """Write something into an incident's log; `-` reads it from standard input."""
    words = sys.stdin.read() if text == "-" else text
    with open_way(ctx) as way:
        answer = way.write("incident.note", incident=number_of(way, incident), text=words, pinned=pinned)
    _done(answer, "noted", as_json=as_json)


@click.command("investigate")
@incident_argument(required=False)
@json_option
@click.pass_context
def investigate(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Send the collectors out again."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        way.write("investigate.run", incident=number)
        way.settle()
        _print(way.read("incident.show", incident=number), as_json=as_json)


@click.command("resolve")
@incident_argument(required=False)
@click.option("--cause", default="", help="The cause, in words; by default the leading hypothesis.")
@click.option("--mitigation", default="", help="What helped; by default from the log.")
@click.option("--force-reason", default="", help="Resolve although it is not verified, for this reason.")
@json_option
@click.pass_context
def resolve(
    ctx: click.Context, incident: str | None, cause: str, mitigation: str, force_reason: str, as_json: bool
) -> None:
    """End an incident whose recovery is verified."""
    with open_way(ctx) as way:
        answer = way.write(
            "incident.resolve",
            incident=number_of(way, incident),
            cause=cause,
            mitigation=mitigation,
            force_reason=force_reason,
        )
    _done(answer, "resolved", as_json=as_json)


def local_zone() -> str:
    """Return this machine's time zone: $TZ, what /etc/localtime points to, else UTC."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named:
        return named
    try:
        target = os.path.realpath("/etc/localtime")
    except OSError:
        return "UTC"
    return target.partition("/zoneinfo/")[2] or "UTC"


def _show_overview(ctx: click.Context, *, as_json: bool) -> None:
    with open_way(ctx) as way:
        answer = way.read("incident.overview")
    if as_json:
        print_json(answer)
        return
    _echo(overview_lines(_record(answer)))


def _print(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        _echo(incident_lines(_record(answer)))


def _done(answer: JSON, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    card = _card(_record(answer))
    click.echo(f"{text_of(card, 'key')} {what}: {text_of(card, 'title')}")
    click.echo(text_of(card, "url"))


def _echo(lines: object) -> None:
    for line in lines if hasattr(lines, "__iter__") else ():
        click.echo(line)


def _record(answer: JSON) -> Record:
    return answer if isinstance(answer, dict) else {}


def _card(view: Record) -> Record:
    card = view.get("card")
    return card if isinstance(card, dict) else {}


COMMANDS: Final[dict[str, click.Command]] = {
    "incident": incident,
    "status": status,
    "declare": declare,
    "ack": acknowledge,
    "note": note,
    "investigate": investigate,
    "resolve": resolve,
}
