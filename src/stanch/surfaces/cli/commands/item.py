"""Commands on action items: what is to be done after an incident, until it is done."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import Record, count_in, line_of, record_of, records_of
from stanch.surfaces.cli.shared import incident_option, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import faint, hint, paint, say, table

_PRIORITIES: Final = click.Choice(("high", "medium", "low"))
_PURPOSES: Final = click.Choice(("prevent", "detect", "mitigate"))


@click.group("item")
def item() -> None:
    """Write down, change, end, link and list action items.

    \b
    stanch item add "Test guest checkout" -i INC-7 --owner bob --due 2026-12-01 --to prevent
    stanch item list --overdue
    stanch item done 1 -i INC-7
    """


@item.command("list")
@click.option("--incident", "-i", default=None, help="Those of one incident; by default of all.")
@click.option("--owner", default="", help="Those of one person.")
@click.option("--open", "open_only", is_flag=True, help="Only those that have still to be done.")
@click.option("--overdue", is_flag=True, help="Only those whose day is over.")
@json_option
@click.pass_context
def list_items(
    ctx: click.Context, incident: str | None, owner: str, open_only: bool, overdue: bool, as_json: bool
) -> None:
    """List action items of all incidents or of one, what is due first."""
    with open_way(ctx) as way:
        number = number_of(way, incident) if incident else None
        answer = way.read("item.list", incident=number, owner=owner, open_only=open_only, overdue=overdue)
    if as_json:
        print_json(answer)
        return
    found = records_of(answer)
    if not found:
        hint("There are no such action items.")
    say(table([_row(one) for one in found]))
    for one in found:
        if trouble := line_of(one, "tracking"):
            hint(f"{line_of(one, 'key')}/{one.get('number')} {trouble}")


@item.command("add")
@click.argument("title")
@incident_option
@click.option("--owner", default="", help="Who does it.")
@click.option("--due", "due_on", help="Until when: 2026-12-01.")
@click.option("--priority", type=_PRIORITIES, default="medium", show_default=True)
@click.option("--to", "purpose", type=_PURPOSES, default="prevent", show_default=True, help="What it is good for.")
@json_option
@click.pass_context
def add(
    ctx: click.Context,
    title: str,
    incident: str | None,
    owner: str,
    due_on: str | None,
    priority: str,
    purpose: str,
    as_json: bool,
) -> None:
    """Write down what is to be done after an incident."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        said = {"title": title, "owner": owner, "due_on": due_on, "priority": priority, "purpose": purpose}
        answer = way.write("item.add", incident=number, **said)
    _said(answer, "added", as_json=as_json)


@item.command("change")
@click.argument("number", type=click.IntRange(min=1))
@incident_option
@click.option("--title", default="", help="What is to be done.")
@click.option("--owner", default=None, help='Who does it; "" for nobody.')
@click.option("--due", "due_on", default="", help="Until when: 2026-12-01, or none.")
@click.option("--priority", type=_PRIORITIES)
@click.option("--to", "purpose", type=_PURPOSES, help="What it is good for.")
@json_option
@click.pass_context
def change(
    ctx: click.Context,
    number: int,
    incident: str | None,
    title: str,
    owner: str | None,
    due_on: str,
    priority: str | None,
    purpose: str | None,
    as_json: bool,
) -> None:
    """Change what an action item says."""
    with open_way(ctx) as way:
        said = {"title": title, "owner": owner, "due_on": due_on, "priority": priority, "purpose": purpose}
        answer = way.write("item.change", incident=number_of(way, incident), number=number, **said)
    _said(answer, "changed", as_json=as_json)


@item.command("done")
@click.argument("number", type=click.IntRange(min=1))
@incident_option
@click.option("--note", "-m", default="", help="What came of it.")
@json_option
@click.pass_context
def done(ctx: click.Context, number: int, incident: str | None, note: str, as_json: bool) -> None:
    """Say that an action item is done."""
    with open_way(ctx) as way:
        answer = way.write("item.done", incident=number_of(way, incident), number=number, note=note)
    _said(answer, "done", as_json=as_json)


@item.command("drop")
@click.argument("number", type=click.IntRange(min=1))
@incident_option
@click.option("--note", "-m", required=True, help="Why nobody will do it.")
@json_option
@click.pass_context
def drop(ctx: click.Context, number: int, incident: str | None, note: str, as_json: bool) -> None:
    """Say that an action item will not be done, and why."""
    with open_way(ctx) as way:
        answer = way.write("item.drop", incident=number_of(way, incident), number=number, note=note)
    _said(answer, "dropped", as_json=as_json)


@item.command("reopen")
@click.argument("number", type=click.IntRange(min=1))
@incident_option
@click.option("--note", "-m", default="", help="Why it is not done after all.")
@json_option
@click.pass_context
def reopen(ctx: click.Context, number: int, incident: str | None, note: str, as_json: bool) -> None:
    """Open an action item again."""
    with open_way(ctx) as way:
        answer = way.write("item.reopen", incident=number_of(way, incident), number=number, note=note)
    _said(answer, "open again", as_json=as_json)


@item.command("link")
@click.argument("number", type=click.IntRange(min=1))
@incident_option
@click.option("--to", "reference", default="", help="The ticket that is there: acme/shop#41, SHOP-41 or its address.")
@click.option("--tracker", default="", help="Which tracker; by default the one of the incident's services.")
@json_option
@click.pass_context
def link(ctx: click.Context, number: int, incident: str | None, reference: str, tracker: str, as_json: bool) -> None:
    """Give an action item a ticket in the issue tracker: a new one, or with --to one that is there."""
    with open_way(ctx) as way:
        said = {"number": number, "tracker": tracker, "reference": reference}
        answer = way.write("item.link", incident=number_of(way, incident), **said)
    one = record_of(answer)
    _said(answer, line_of(one, "url") or line_of(one, "tracking"), as_json=as_json)


def _row(one: Record) -> tuple[str, ...]:
    late = count_in(one, "overdue_days")
    due = line_of(one, "due_on") or faint("no day")
    return (
        f"{line_of(one, 'key')}/{one.get('number')}",
        paint(f"{due}, {late} days late", "red") if late else due,
        line_of(one, "owner") or paint("nobody", "yellow"),
        line_of(one, "priority"),
        line_of(one, "status"),
        f"{count_in(one, 'age_days')} d",
        line_of(one, "title"),
        line_of(one, "reference"),
    )


def _said(answer: JSON, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    one = record_of(answer)
    click.echo(f"{line_of(one, 'key')} action item {one.get('number')} {what}: {line_of(one, 'title')}")


COMMANDS: Final[dict[str, click.Command]] = {"item": item}
