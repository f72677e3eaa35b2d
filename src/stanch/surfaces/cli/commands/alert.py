"""Alerts: the list, one of them, those that scripts send, and the senders there are."""

from typing import Final

import click

from stanch.kernel.errors import Invalid
from stanch.surfaces.cli.alert_text import alert_lines, alert_row
from stanch.surfaces.cli.records import children, count_in, line_of, moment, record_of, records_of
from stanch.surfaces.cli.shared import instant_of, json_option, open_way, print_json, zone_option
from stanch.surfaces.cli.telling import at, hint, say, table


@click.group("alert")
def alert() -> None:
    """List alerts, look at one, send them from scripts; see who sends.

    \b
    stanch alert list --service payments --since 2h
    stanch alert send BackupFailed --service orders --severity warning
    stanch alert send BackupFailed --service orders --resolve
    """


@alert.command("list")
@click.argument("matchers", nargs=-1)
@click.option(
    "--state",
    type=click.Choice(["firing", "active", "suppressed", "resolved", "all"]),
    default="firing",
    show_default=True,
    help="firing holds both active and suppressed.",
)
@click.option("--service", default="", help="Of this service alone.")
@click.option("--source", default="", help="From this sender alone; check: own checks.")
@click.option("--severity", default="", help="Of this severity alone.")
@click.option("--text", default="", help="With this anywhere in what the sender wrote.")
@click.option("--since", default="", help="Begun since: 25m, 14:30, an instant.")
@click.option("--until", default="", help="Begun before.")
@click.option("--after", default="", help="Go on where the list before ended.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@zone_option
@json_option
@click.pass_context
def list_alerts(
    ctx: click.Context,
    matchers: tuple[str, ...],
    state: str,
    service: str,
    source: str,
    severity: str,
    text: str,
    since: str,
    until: str,
    after: str,
    limit: int,
    zone: str,
    as_json: bool,
) -> None:
    """List alerts, the newest first: stanch alert list 'host=~"db.*"' --severity critical"""
    begun_since = instant_of(since, zone=zone, field="--since")
    begun_before = instant_of(until, zone=zone, field="--until")
    with open_way(ctx) as way:
        answer = way.read(
            "alert.list",
            state="" if state == "all" else state,
            matchers=", ".join(matchers),
            service=service,
            source=source,
            severity=severity,
            text=text,
            since=begun_since,
            until=begun_before,
            after=after,
            limit=limit,
        )
    if as_json:
        print_json(answer)
        return
    page = record_of(answer)
    say(table([alert_row(one) for one in children(page, "alerts")]))
    if searched := moment(page, "searched_to"):
        hint(f"looked back to {at(searched)}")
    if line_of(page, "next"):
        hint(f"more: --after '{line_of(page, 'next')}'")


@alert.command("show")
@click.argument("id")
@json_option
@click.pass_context
def show(ctx: click.Context, id: str, as_json: bool) -> None:
    """Show one alert: its labels, its history, who was told, and why or why not."""
    with open_way(ctx) as way:
        answer = way.read("alert.show", id=id)
    if as_json:
        print_json(answer)
        return
    say(alert_lines(record_of(answer)))


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
