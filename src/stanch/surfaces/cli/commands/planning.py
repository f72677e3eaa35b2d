"""Commands on plans besides yes and no: look again, propose one oneself, take one back, say what became of one."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.plan_text import action_lines, action_of, plan_lines
from stanch.surfaces.cli.records import record_of
from stanch.surfaces.cli.shared import incident_argument, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import say


@click.group("plan")
def plan() -> None:
    """Show plans, propose one, look at one again, take one back."""


@plan.command("list")
@incident_argument(required=False)
@json_option
@click.pass_context
def listing(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Show what to do now and later, and every plan with exactly what it runs."""
    with open_way(ctx) as way:
        answer = way.read("incident.show", incident=number_of(way, incident))
    if as_json:
        print_json(record_of(answer).get("actions"))
        return
    say(plan_lines(record_of(answer)))


@plan.command("look")
@incident_argument()
@click.argument("name", metavar="PLAN")
@json_option
@click.pass_context
def look(ctx: click.Context, incident: str, name: str, as_json: bool) -> None:
    """Look at the far ends of a plan again; where they changed it becomes what it would be now."""
    with open_way(ctx) as way:
        answer = way.write("mitigation.look", incident=number_of(way, incident), plan=name)
    _said(answer, name, as_json=as_json)


def _said(answer: JSON, name: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    say(action_lines(action_of(record_of(answer), name)))


COMMANDS: Final[dict[str, click.Command]] = {"plan": plan}
