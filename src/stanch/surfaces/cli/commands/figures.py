"""`stanch figures`: how long incidents took, what came back, what alerts and pages were worth."""

from typing import Final

import click

from stanch.surfaces.cli.figures_text import figures_lines
from stanch.surfaces.cli.records import record_of, text_of
from stanch.surfaces.cli.shared import instant_of, json_option, open_way, print_json, zone_option
from stanch.surfaces.cli.telling import say


@click.command("figures")
@click.option(
    "--by",
    type=click.Choice(("service", "severity", "cause", "month")),
    default="service",
    show_default=True,
    help="What incidents are put together by.",
)
@click.option("--since", default="", help="Declared from when; by default a year ago.")
@click.option("--until", default="", help="Declared until when; by default now.")
@click.option("--drills", is_flag=True, help="Count exercises too.")
@click.option("--csv", "as_csv", is_flag=True, help="Print it as CSV, in seconds.")
@zone_option
@json_option
@click.pass_context
def figures(
    ctx: click.Context, by: str, since: str, until: str, drills: bool, as_csv: bool, zone: str, as_json: bool
) -> None:
    """Show how long incidents took to detect, acknowledge, mitigate and resolve, and what came back."""
    asked = {
        "by": by,
        "since": instant_of(since, zone=zone, field="--since"),
        "until": instant_of(until, zone=zone, field="--until"),
        "drills": drills,
    }
    with open_way(ctx) as way:
        answer = way.read("figures.export", **asked) if as_csv else way.read("figures.show", **asked)
    if as_csv and not as_json:
        click.echo(text_of(record_of(answer), "text"), nl=False)
    elif as_json:
        print_json(answer)
    else:
        say(figures_lines(record_of(answer)))


COMMANDS: Final[dict[str, click.Command]] = {"figures": figures}
