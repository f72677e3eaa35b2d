"""`stanch incident`: what is wrong now, a report in plain words, and what is done to an incident now and then."""

import difflib
import time
from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.commands.comms import catchup, handover
from stanch.surfaces.cli.commands.prevention import prevent
from stanch.surfaces.cli.commands.timeline import timeline
from stanch.surfaces.cli.figures_text import similar_lines
from stanch.surfaces.cli.incident_text import incident_lines
from stanch.surfaces.cli.overview_text import overview_lines
from stanch.surfaces.cli.records import child, count_in, line_of, moment, record_of, records_of, texts
from stanch.surfaces.cli.session import Way
from stanch.surfaces.cli.shared import (
    incident_argument,
    incident_option,
    json_option,
    local_zone,
    names_incident,
    number_of,
    open_way,
    print_json,
    zone_option,
)
from stanch.surfaces.cli.telling import ago, hint, say, severity, table

_LOOK_EVERY_S: Final = 0.1
_FIRST_LOOK_S: Final = 2.0
_TYPO: Final = 0.75

TYPES: Final = ("error-spike", "performance-degradation", "outage")


class _IncidentGroup(click.Group):
    """`stanch incident show 1` is a command; `stanch incident 500 errors on ...` is a report in plain words.

    `stanch incident INC-1` shows it: an incident's name alone says nothing that could be reported.
    """

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] in self.commands or ctx.resilient_parsing:
            return super().resolve_command(ctx, args)
        if names_incident(args[0]) and not [word for word in args[1:] if not word.startswith("-")]:
            return "show", self.commands["show"], args
        # One or two words, the first of them nearly a command, are a slip and no report: nothing must be opened by it.
        close = difflib.get_close_matches(args[0], self.commands, n=1, cutoff=_TYPO)
        if close and len([word for word in args if not word.startswith("-")]) <= 2:
            raise click.UsageError(
                f"there is no command `stanch incident {args[0]}`; did you mean `stanch incident {close[0]}`? "
                "To open an incident with these words: stanch incident report ...",
                ctx=ctx,
            )
        return "report", self.commands["report"], args


@click.group(cls=_IncidentGroup, invoke_without_command=True)
@click.option("--type", "kind", type=click.Choice(TYPES), help="Only what is wrong in this way.")
@json_option
@click.pass_context
def incident(ctx: click.Context, kind: str | None, as_json: bool) -> None:
    """What is wrong now; or, with a text, open an incident from it.

    \b
    stanch incident
    stanch incident --type error-spike
    stanch incident "500 errors on /api/checkout since 14:30 UTC"
    stanch incident show INC-1
    """
    ctx.meta["stanch.json"] = as_json
    if ctx.invoked_subcommand is None:
        show_overview(ctx, kind=kind, as_json=as_json)
    elif kind:
        raise click.UsageError("--type goes with `stanch incident` alone", ctx=ctx)


@incident.command("report")
@click.argument("words", nargs=-1, required=True)
@zone_option
@json_option
@click.pass_context
def report(ctx: click.Context, words: tuple[str, ...], zone: str, as_json: bool) -> None:
    """Open an incident from a text in plain words."""
    with open_way(ctx) as way:
        opened = way.write("incident.report", text=" ".join(words), zone=zone or local_zone())
        number = count_in(child(record_of(opened), "card"), "number")
        way.settle()
        print_view(_first_look(way, number), as_json=as_json or bool(ctx.meta.get("stanch.json")))
        if not way.is_server:
            hint(f"Kept in {way.where}. To watch services and see it in the browser: stanch serve")


@incident.command("list")
@click.option("--open", "open_only", is_flag=True, help="Only those that are open.")
@click.option("--limit", default=50, show_default=True, help="How many at the most.")
@json_option
@click.pass_context
def list_incidents(ctx: click.Context, open_only: bool, limit: int, as_json: bool) -> None:
    """List incidents: open ones first by severity, then the newest."""
    with open_way(ctx) as way:
        answer = way.read("incident.list", open_only=open_only, limit=limit)
    if as_json:
        print_json(answer)
        return
    rows = [
        (
            line_of(card, "key"),
            severity(line_of(card, "severity")),
            line_of(card, "status"),
            ago(moment(card, "started_at")),
            ", ".join(texts(card, "services")),
            line_of(card, "title"),
        )
        for card in records_of(answer)
    ]
    say(table(rows))


@incident.command("show")
@incident_argument
@click.option("--web", "-w", is_flag=True, help="Open its page in the browser.")
@json_option
@click.pass_context
def show(ctx: click.Context, incident: str | None, web: bool, as_json: bool) -> None:
    """Show one incident with everything that is known about it."""
    with open_way(ctx) as way:
        answer = way.read("incident.show", incident=number_of(way, incident))
    if web:
        click.launch(line_of(child(record_of(answer), "card"), "url"))
        return
    print_view(answer, as_json=as_json)


@incident.command("similar")
@incident_argument
@click.option("--limit", default=5, show_default=True, help="How many at the most.")
@json_option
@click.pass_context
def similar(ctx: click.Context, incident: str | None, limit: int, as_json: bool) -> None:
    """List past incidents that were like this one, with why and with what ended them."""
    with open_way(ctx) as way:
        answer = way.read("incident.similar", incident=number_of(way, incident), limit=limit)
    if as_json:
        print_json(answer)
        return
    found = records_of(answer)
    if not found:
        hint("No past incident is like this one.")
    say(line for one in found for line in similar_lines(one))


@incident.command("assign")
@click.argument("role")
@click.argument("person")
@incident_option
@json_option
@click.pass_context
def assign(ctx: click.Context, role: str, person: str, incident: str, as_json: bool) -> None:
    """Give a role to a person: commander, technical_lead, communications_lead, scribe, responder; "" takes it back."""
    with open_way(ctx) as way:
        answer = way.write("incident.assign", incident=number_of(way, incident), role=role, person=person)
    held = f"{person} is {role.replace('_', ' ')}" if person else f"nobody is {role.replace('_', ' ')}"
    print_done(answer, held, as_json=as_json)


@incident.command("severity")
@click.argument("level")
@click.option("--reason", required=True, help="Why the rule's severity does not fit.")
@incident_option
@json_option
@click.pass_context
def set_severity(ctx: click.Context, level: str, reason: str, incident: str, as_json: bool) -> None:
    """Set another severity than the rules did."""
    with open_way(ctx) as way:
        answer = way.write("incident.severity", incident=number_of(way, incident), severity=level, reason=reason)
    print_done(answer, f"is {line_of(child(record_of(answer), 'severity'), 'label')}", as_json=as_json)


@incident.command("status")
@click.argument("status")
@click.option("--reason", default="", help="Why.")
@incident_option
@json_option
@click.pass_context
def set_status(ctx: click.Context, status: str, reason: str, incident: str, as_json: bool) -> None:
    """Move an incident on by hand."""
    with open_way(ctx) as way:
        answer = way.write("incident.status", incident=number_of(way, incident), status=status, reason=reason)
    print_done(answer, f"is {line_of(child(record_of(answer), 'card'), 'status')}", as_json=as_json)


@incident.command("reopen")
@incident_argument
@click.option("--reason", required=True, help="Why it is taken up again.")
@json_option
@click.pass_context
def reopen(ctx: click.Context, incident: str, reason: str, as_json: bool) -> None:
    """Take an ended incident up again."""
    with open_way(ctx) as way:
        answer = way.write("incident.reopen", incident=number_of(way, incident), reason=reason)
    print_done(answer, "reopened", as_json=as_json)


@incident.command("dismiss")
@incident_argument
@click.option("--reason", required=True, help="Why it is no incident.")
@click.option("--merge-into", metavar="INCIDENT", help="The incident it is part of.")
@json_option
@click.pass_context
def dismiss(ctx: click.Context, incident: str, reason: str, merge_into: str | None, as_json: bool) -> None:
    """Say that it was no incident, or that it is part of another."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        into = number_of(way, merge_into) if merge_into else None
        answer = way.write("incident.dismiss", incident=number, reason=reason, merged_into=into)
    print_done(answer, "dismissed" if into is None else f"merged into INC-{into}", as_json=as_json)


@click.command("status")
@click.option("--type", "kind", type=click.Choice(TYPES), help="Only what is wrong in this way.")
@json_option
@click.pass_context
def status(ctx: click.Context, kind: str | None, as_json: bool) -> None:
    """Show what is wrong now, and how every service does."""
    show_overview(ctx, kind=kind, as_json=as_json)


def show_overview(ctx: click.Context, *, kind: str | None, as_json: bool) -> None:
    """Print what is wrong now."""
    with open_way(ctx) as way:
        answer = way.read("incident.overview", type=kind or "", outside=True)
    if as_json:
        print_json(answer)
    else:
        say(overview_lines(record_of(answer)))


def print_view(answer: JSON, *, as_json: bool) -> None:
    """Print everything about one incident."""
    if as_json:
        print_json(answer)
    else:
        say(incident_lines(record_of(answer)))


def print_done(answer: JSON, what: str, *, as_json: bool) -> None:
    """Print that something was done to an incident, with its name and where it is found."""
    if as_json:
        print_json(answer)
        return
    card = child(record_of(answer), "card")
    click.echo(f"{line_of(card, 'key')} {what}: {line_of(card, 'title')}")
    click.echo(line_of(card, "url"))


def _first_look(way: Way, number: int) -> JSON:
    """Return the incident once its collectors are back; a server's have only just been sent out."""
    deadline = time.monotonic() + (_FIRST_LOOK_S if way.is_server else 0.0)
    while True:
        view = way.read("incident.show", incident=number)
        if line_of(record_of(view), "diagnosis") or time.monotonic() >= deadline:
            return view
        time.sleep(_LOOK_EVERY_S)


# Also here, where it is looked for first.
incident.add_command(timeline)
incident.add_command(catchup)
incident.add_command(prevent)
incident.add_command(handover)

COMMANDS: Final[dict[str, click.Command]] = {"incident": incident, "status": status}
