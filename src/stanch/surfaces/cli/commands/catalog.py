"""Commands on services and changes."""

from typing import Final

import click

from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import at, moment, overview_lines, table, text_of


@click.group("change")
def change() -> None:
    """Record and list changes."""


@change.command("record")
@click.argument("service")
@click.argument("version", default="")
@click.option("--kind", default="deploy", show_default=True, help="deploy, config, flag, migration, ...")
@click.option("--previous", default="", help="The version before.")
@click.option("--commit", default="", help="The commit.")
@click.option("--title", default="", help="What it is, in words.")
@click.option("--id", "key", default="", help="Your own id: telling the same id twice is one change.")
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
    key: str,
    as_json: bool,
) -> None:
    """Record a change from any pipeline: stanch change record payments v3.2.1"""
    with open_way(ctx) as way:
        answer = way.write(
            "change.record",
            service=service,
            version=version,
            kind=kind,
            previous=previous,
            commit=commit,
            title=title,
            id=key,
        )
    if as_json:
        print_json(answer)
    elif isinstance(answer, dict):
        click.echo(f"recorded {text_of(answer, 'title')} at {at(moment(answer, 'at'))}")


@change.command("list")
@click.option("--service", default="", help="Only of this service.")
@json_option
@click.pass_context
def list_changes(ctx: click.Context, service: str, as_json: bool) -> None:
    """List what changed in the last 24 hours, newest first."""
    with open_way(ctx) as way:
        answer = way.read("change.list", service=service)
    if as_json:
        print_json(answer)
        return
    found = [one for one in answer if isinstance(one, dict)] if isinstance(answer, list) else []
    rows = [
        (at(moment(one, "at")), text_of(one, "kind"), text_of(one, "service"), text_of(one, "title")) for one in found
    ]
    for line in table(rows) if rows else ():
        click.echo(line)


@click.group("service")
def service() -> None:
    """List services as their checks see them."""


@service.command("list")
@json_option
@click.pass_context
def list_services(ctx: click.Context, as_json: bool) -> None:
    """List every service of the catalog."""
    with open_way(ctx) as way:
        answer = way.read("service.list")
    if as_json:
        print_json(answer)
        return
    for line in overview_lines({"services": answer, "quiet": " "}):
        if line.strip():
            click.echo(line)


COMMANDS: Final[dict[str, click.Command]] = {"change": change, "service": service}
