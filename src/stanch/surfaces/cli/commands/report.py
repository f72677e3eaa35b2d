"""Commands on what customers report."""

from typing import Final

import click

from stanch.surfaces.cli.records import count_in, line_of, moment, record_of, records_of
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import ago, say, table


@click.group("report")
def report() -> None:
    """Record and list what customers report.

    \b
    stanch report send "I cannot pay" --service checkout
    stanch report list
    """


@report.command("send")
@click.argument("text")
@click.option("--service", default="", help="Which service it is about, where that is known.")
@click.option("--contact", default="", help="How the customer can be reached.")
@json_option
@click.pass_context
def send(ctx: click.Context, text: str, service: str, contact: str, as_json: bool) -> None:
    """Record what a customer says: stanch report send "cannot pay by card" --service payments"""
    with open_way(ctx) as way:
        answer = way.write("report.send", text=text, service=service, contact=contact)
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    raised = "; they are an alert now" if told.get("alert") else ""
    click.echo(f"report {count_in(told, 'id')} is on record, {count_in(told, 'counted')} came lately{raised}")


@report.command("list")
@click.option("--service", default="", help="About this service alone.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@json_option
@click.pass_context
def list_reports(ctx: click.Context, service: str, limit: int, as_json: bool) -> None:
    """List what customers reported, the newest first."""
    with open_way(ctx) as way:
        answer = way.read("report.list", service=service, limit=limit)
    if as_json:
        print_json(answer)
        return
    rows = [
        (str(count_in(one, "id")), ago(moment(one, "at")), line_of(one, "service") or "–", line_of(one, "text"))
        for one in records_of(answer)
    ]
    say(table(rows))


COMMANDS: Final[dict[str, click.Command]] = {"report": report}
