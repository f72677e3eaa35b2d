"""The short verbs of whoever is on call: declare, ack, note, resolve, open."""

import sys
from typing import Final

import click

from stanch.surfaces.cli.commands.incident import print_done, print_view
from stanch.surfaces.cli.records import child, line_of, record_of
from stanch.surfaces.cli.shared import (
    incident_argument,
    incident_option,
    instant_of,
    json_option,
    number_of,
    open_way,
    print_json,
    zone_option,
)
from stanch.surfaces.cli.telling import hint, is_tty


@click.command("declare")
@click.argument("title")
@click.option("--service", "-s", "services", multiple=True, help="An affected service; may be given again.")
@click.option("--since", default="", help="When it started: 25m, 14:30, an instant; by default now.")
@click.option("--severity", "level", default="", help="Against the rules; say why with --reason.")
@click.option("--reason", default="", help="Why this severity.")
@click.option("--summary", default="", help="What is known so far.")
@click.option("--data-loss", is_flag=True, help="Data is lost or corrupted.")
@click.option("--security", is_flag=True, help="It is a security breach.")
@click.option("--workaround", is_flag=True, help="There is a workaround.")
@zone_option
@json_option
@click.pass_context
def declare(
    ctx: click.Context,
    title: str,
    services: tuple[str, ...],
    since: str,
    level: str,
    reason: str,
    summary: str,
    data_loss: bool,
    security: bool,
    workaround: bool,
    zone: str,
    as_json: bool,
) -> None:
    """Declare an incident by hand."""
    started_at = instant_of(since, zone=zone, field="--since")
    with open_way(ctx) as way:
        answer = way.write(
            "incident.declare",
            title=title,
            services=list(services),
            started_at=started_at,
            severity=level,
            reason=reason,
            summary=summary,
            data_loss=data_loss,
            security=security,
            workaround=workaround,
        )
    print_view(answer, as_json=as_json)


@click.command("ack")
@incident_argument
@json_option
@click.pass_context
def acknowledge(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Take an incident on."""
    with open_way(ctx) as way:
        answer = way.write("incident.acknowledge", incident=number_of(way, incident))
    by = line_of(record_of(answer), "acknowledged_by")
    print_done(answer, f"acknowledged by {by}", as_json=as_json)


@click.command("note")
@click.argument("text")
@incident_option
@click.option("--at", "when", default="", help="When it happened, if earlier: 25m, 14:30, an instant.")
@click.option("--pin", "pinned", is_flag=True, help="Pin it.")
@zone_option
@json_option
@click.pass_context
def note(ctx: click.Context, text: str, incident: str, when: str, pinned: bool, zone: str, as_json: bool) -> None:
    """Write something into an incident's log; `-` reads it from standard input."""
    words = sys.stdin.read() if text == "-" else text
    happened_at = instant_of(when, zone=zone, field="--at")
    with open_way(ctx) as way:
        number = number_of(way, incident)
        answer = way.write("incident.note", incident=number, text=words, pinned=pinned, at=happened_at)
    print_done(answer, "noted", as_json=as_json)


@click.command("resolve")
@incident_argument
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
    print_done(answer, "resolved", as_json=as_json)
    if not as_json:
        key = line_of(child(record_of(answer), "card"), "key")
        click.echo(f"The post-mortem is drafted: stanch postmortem show {key}")


@click.command("open")
@incident_argument
@click.option("--web", "-w", is_flag=True, help="Open the browser even when this is no terminal.")
@json_option
@click.pass_context
def open_page(ctx: click.Context, incident: str | None, web: bool, as_json: bool) -> None:
    """Print where an incident's page is, and open it in the browser."""
    with open_way(ctx) as way:
        answer = way.read("incident.show", incident=number_of(way, incident))
        is_served = way.is_server
    url = line_of(child(record_of(answer), "card"), "url")
    if as_json:
        print_json({"url": url, "served": is_served})
    else:
        click.echo(url)
    if not is_served:
        hint("No server runs, so nobody answers there yet. Start one: stanch serve")
    elif web or is_tty():
        click.launch(url)


COMMANDS: Final[dict[str, click.Command]] = {
    "declare": declare,
    "ack": acknowledge,
    "note": note,
    "resolve": resolve,
    "open": open_page,
}
