"""Alerts that scripts send: `stanch alert send BackupFailed`, and the senders there are."""

from typing import Final

import click

from stanch.kernel.errors import Invalid
from stanch.surfaces.cli.records import count_in, line_of, moment, record_of, records_of
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import at, say, table


@click.group("alert")
def alert() -> None:
    """Send alerts from scripts; see who sends."""


@alert.command("send")
@click.argument("name")
@click.option("--service", default="", help="The service it is about.")
@click.option("--severity", default="warning", show_default=True, help="critical, error, warning or info.")
@click.option("--summary", default="", help="What is wrong, in a sentence.")
@click.option("--url", default="", help="A page about it.")
@click.option("--label", "labels", multiple=True, metavar="NAME=VALUE", help="A further label; may be repeated.")
@click.option("--resolve", is_flag=True, help="It is over.")
@json_option
@click.pass_context
def send(
    ctx: click.Context,
    name: str,
    service: str,
    severity: str,
    summary: str,
    url: str,
    labels: tuple[str, ...],
    resolve: bool,
    as_json: bool,
) -> None:
    """Send an alert: backup.sh || stanch alert send BackupFailed --service db --severity critical"""
    pairs = [label.partition("=") for label in labels]
    if any(not sign or not key for key, sign, _ in pairs):
        raise Invalid("write NAME=VALUE", field="--label")
    with open_way(ctx) as way:
        answer = way.write(
            "alert.send",
            name=name,
            service=service,
            severity=severity,
            summary=summary,
            url=url,
            labels={key: value for key, _, value in pairs},
            resolve=resolve,
        )
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    remark = line_of(told, "remark")
    click.echo(f"{line_of(told, 'name')} {'is over' if resolve else 'is open'}" + (f" ({remark})" if remark else ""))


@alert.command("sources")
@json_option
@click.pass_context
def sources(ctx: click.Context, as_json: bool) -> None:
    """List who sends: when last, how much, and what was wrong with it."""
    with open_way(ctx) as way:
        answer = way.read("source.list")
    if as_json:
        print_json(answer)
        return
    rows = [
        (
            line_of(one, "name"),
            at(seen) if (seen := moment(one, "last_seen")) else "never",
            f"{count_in(one, 'deliveries')} taken",
            f"{count_in(one, 'refused')} refused, {count_in(one, 'invalid')} not understood",
            line_of(one, "last_error"),
        )
        for one in records_of(answer)
    ]
    say(table(rows))


COMMANDS: Final[dict[str, click.Command]] = {"alert": alert}
