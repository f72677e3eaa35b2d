"""Commands on services and changes."""

from typing import Final

import click

from stanch.surfaces.cli.overview_text import service_rows
from stanch.surfaces.cli.records import line_of, moment, record_of, records_of
from stanch.surfaces.cli.shared import instant_of, json_option, open_way, print_json, zone_option
from stanch.surfaces.cli.telling import at, say, table


@click.group("change")
def change() -> None:
    """Record and list changes.

    \b
    stanch change record payments v3.2.1 --previous v3.2.0
    stanch change list --service payments --since 2h
    """


@change.command("record")
@click.argument("service")
@click.argument("version", default="")
@click.option("--kind", default="deploy", show_default=True, help="deploy, config, flag, migration, ...")
@click.option("--previous", default="", help="The version before.")
@click.option("--commit", default="", help="The commit.")
@click.option("--title", default="", help="What it is, in words.")
@click.option("--at", "when", default="", help="When it took effect: 25m, 14:30, an instant; by default now.")
@click.option("--id", "key", default="", help="Your own id: telling the same id twice is one change.")
@zone_option
@json_option
@click.pass_context
def record(
    ctx: click.Context,
    service: str,
    version: str,
    kind: str,
    previous: str,
    commit: str,
    title: str,
    when: str,
    key: str,
    zone: str,
    as_json: bool,
) -> None:
    """Record a change from any pipeline: stanch change record payments v3.2.1"""
    happened_at = instant_of(when, zone=zone, field="--at")
    with open_way(ctx) as way:
        answer = way.write(
            "change.record",
            service=service,
            version=version,
            kind=kind,
            previous=previous,
            commit=commit,
            title=title,
            at=happened_at,
            id=key,
        )
    if as_json:
        print_json(answer)
    else:
        told = record_of(answer)
        click.echo(f"recorded {line_of(told, 'title')} at {at(moment(told, 'at'))}")


@change.command("list")
@click.option("--service", default="", help="Only of this service.")
@click.option("--since", default="", help="Since when: 25m, 14:30, an instant; by default the last 24 hours.")
@zone_option
@json_option
@click.pass_context
def list_changes(ctx: click.Context, service: str, since: str, zone: str, as_json: bool) -> None:
    """List what changed, newest first."""
    start = instant_of(since, zone=zone, field="--since")
    with open_way(ctx) as way:
        answer = way.read("change.list", service=service, since=start)
    if as_json:
        print_json(answer)
        return
    rows = [
        (at(moment(one, "at")), line_of(one, "kind"), line_of(one, "service"), line_of(one, "title"))
        for one in records_of(answer)
    ]
    say(table(rows))


@click.group("service")
def service() -> None:
    """List services as their checks see them.

    \b
    stanch service list
    """


@service.command("list")
@json_option
@click.pass_context
def list_services(ctx: click.Context, as_json: bool) -> None:
    """List every service of the catalog."""
    with open_way(ctx) as way:
        answer = way.read("service.list")
    if as_json:
        print_json(answer)
    else:
        say(table(service_rows(records_of(answer))))


COMMANDS: Final[dict[str, click.Command]] = {"change": change, "service": service}
