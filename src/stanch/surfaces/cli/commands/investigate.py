"""`stanch investigate`: send the collectors out again; the focused looks at errors, releases, spans; free queries."""

import json
from collections.abc import Callable, Iterator
from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.commands.incident import print_view
from stanch.surfaces.cli.records import Record, child, line_of, record_of, records_of
from stanch.surfaces.cli.shared import (
    incident_argument,
    json_option,
    names_incident,
    number_of,
    open_way,
    print_json,
)
from stanch.surfaces.cli.telling import faint, hint, say, table
from stanch.surfaces.cli.tracked_text import errors_lines, performance_lines, releases_lines

_service = click.argument("service", default="")
_minutes = click.option("--minutes", default=120.0, show_default=True, help="How far back.")
_on = click.option("--on", default="", help="Which tracker, where several are configured.")


class _Looks(click.Group):
    """`stanch investigate errors` is a look; `stanch investigate INC-1`, and no word at all, send collectors out."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = next((word for word in args if not word.startswith("-")), "current")
        is_named = first == "current" or names_incident(first)
        if is_named and not {"--help", "-h"} & set(args) and not ctx.resilient_parsing:
            args = ["run", *args]
        return super().parse_args(ctx, args)


@click.group("investigate", cls=_Looks)
def investigate() -> None:
    """Send the collectors out again; or look closely at what a tracker such as Sentry knows.

    \b
    stanch investigate INC-1
    stanch investigate errors payments
    stanch investigate releases payments
    stanch investigate performance payments
    stanch investigate query "level:error release:3.2.1"
    """


@investigate.command("run")
@incident_argument
@json_option
@click.pass_context
def run(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Send the collectors out again: stanch investigate INC-1"""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        way.write("investigate.run", incident=number)
        way.settle()
        answer = way.read("incident.show", incident=number)
        if way.is_server:
            hint(f"The collectors are out; what they find appears as it comes: stanch timeline INC-{number} --follow")
    print_view(answer, as_json=as_json)


@investigate.command("errors")
@_service
@click.option("--issue", default="", help="One alone, by its key: PAYMENTS-1F.")
@_minutes
@_on
@json_option
@click.pass_context
def errors(ctx: click.Context, service: str, issue: str, minutes: float, on: str, as_json: bool) -> None:
    """Show the errors of a service: how often, since when, where, in which release, whose commit."""
    with open_way(ctx) as way:
        answer = way.read("investigate.errors", service=service, issue=issue, minutes=minutes, on=on)
    _print(answer, errors_lines, as_json=as_json)


@investigate.command("releases")
@_service
@_minutes
@_on
@json_option
@click.pass_context
def releases(ctx: click.Context, service: str, minutes: float, on: str, as_json: bool) -> None:
    """Show the releases of a service, which errors began after them, and how healthy they are."""
    with open_way(ctx) as way:
        answer = way.read("investigate.releases", service=service, minutes=minutes, on=on)
    _print(answer, releases_lines, as_json=as_json)


@investigate.command("performance")
@_service
@_minutes
@_on
@json_option
@click.pass_context
def performance(ctx: click.Context, service: str, minutes: float, on: str, as_json: bool) -> None:
    """Show which steps of a service's requests take longer than on the day before."""
    with open_way(ctx) as way:
        answer = way.read("investigate.performance", service=service, minutes=minutes, on=on)
    _print(answer, performance_lines, as_json=as_json)


@investigate.command("query")
@click.argument("text", default="")
@click.option("--dataset", default="errors", show_default=True, help="errors, spans or logs.")
@click.option("--field", "-f", "fields", multiple=True, help="A column; may be given again.")
@click.option("--service", "-s", default="", help="Of this service alone.")
@click.option("--sort", default="", help="By this column, the largest first with a dash before it.")
@click.option("--rows", default=20, show_default=True, help="At most so many.")
@click.option("--every", "every_s", default=0, help="A series instead, with a value every so many seconds.")
@_minutes
@_on
@json_option
@click.pass_context
def free_query(
    ctx: click.Context,
    text: str,
    dataset: str,
    fields: tuple[str, ...],
    service: str,
    sort: str,
    rows: int,
    every_s: int,
    minutes: float,
    on: str,
    as_json: bool,
) -> None:
    """Put a free query to the tracker, in its own language, over errors, spans or logs."""
    with open_way(ctx) as way:
        answer = way.read(
            "investigate.query",
            text=text,
            dataset=dataset,
            fields=list(fields),
            service=service,
            sort=sort,
            rows=rows,
            every_s=every_s,
            minutes=minutes,
            on=on,
        )
    _print(answer, _rows, as_json=as_json)
    if not as_json:
        hint(faint(line_of(record_of(answer), "command")))


def _print(answer: JSON, lines: Callable[[Record], Iterator[str]], *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        say(lines(record_of(answer)))


def _rows(answer: Record) -> Iterator[str]:
    rows = records_of(answer.get("rows"))
    if rows:
        columns = list(rows[0])
        yield from table([tuple(columns), *(tuple(_cell(row.get(name)) for name in columns) for row in rows)])
    for name, points in child(answer, "series").items():
        values = [f"{point[1]:g}" for point in points if isinstance(point, list)] if isinstance(points, list) else []
        yield f"{name}: {' '.join(values)}"
    period = child(answer, "period")
    more = "; there may be more" if answer.get("cut") is True else ""
    what = "a series" if answer.get("series") else f"{len(rows)} {'row' if len(rows) == 1 else 'rows'}"
    yield faint(f"{what} from {line_of(period, 'start')} to {line_of(period, 'end')}{more}")


def _cell(value: JSON) -> str:
    if value is None:
        return "–"
    return " ".join((value if isinstance(value, str) else json.dumps(value)).split())


COMMANDS: Final[dict[str, click.Command]] = {"investigate": investigate}
