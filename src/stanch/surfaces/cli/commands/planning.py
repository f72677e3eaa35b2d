"""Commands on plans besides yes and no: look again, propose one oneself, take one back, say what became of one."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.plan_text import action_lines, action_of, plan_lines
from stanch.surfaces.cli.records import child, children, line_of, record_of
from stanch.surfaces.cli.shared import (
    incident_argument,
    incident_option,
    json_option,
    number_of,
    open_way,
    print_json,
    told_apart,
    word_argument,
)
from stanch.surfaces.cli.telling import hint, say


@click.group("plan")
def plan() -> None:
    """Show plans, propose one, look at one again, take one back.

    \b
    stanch plan list
    stanch plan propose rollback --service payments --set previous=v3.2.0
    stanch plan undo INC-7 rollback-payments
    """


@plan.command("list")
@incident_argument
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
@incident_argument
@word_argument("name", "PLAN")
@json_option
@click.pass_context
def look(ctx: click.Context, incident: str, name: str, as_json: bool) -> None:
    """Look at the far ends of a plan again; where they changed it becomes what it would be now."""
    incident, name = told_apart(incident, name, needed="PLAN")
    with open_way(ctx) as way:
        answer = way.write("mitigation.look", incident=number_of(way, incident), plan=name)
    _said(answer, name, as_json=as_json)


@plan.command("propose")
@click.argument("action")
@click.option("--service", "-s", required=True, help="The service that declares it.")
@click.option("--set", "words", multiple=True, metavar="NAME=VALUE", help="Fill in what is not known: previous=v3.2.0.")
@click.option("--reason", default="", help="Why.")
@incident_option
@json_option
@click.pass_context
def propose(
    ctx: click.Context,
    action: str,
    service: str,
    words: tuple[str, ...],
    reason: str,
    incident: str,
    as_json: bool,
) -> None:
    """Propose ACTION, as it is declared for a service; it runs when it is approved."""
    with open_way(ctx) as way:
        answer = way.write(
            "mitigation.propose",
            incident=number_of(way, incident),
            action=action,
            service=service,
            words=list(words),
            reason=reason,
        )
    _newest(answer, as_json=as_json)


@plan.command("undo")
@incident_argument
@word_argument("name", "PLAN")
@json_option
@click.pass_context
def undo(ctx: click.Context, incident: str, name: str, as_json: bool) -> None:
    """Propose to take back a plan that has run; the undo runs when it is approved."""
    incident, name = told_apart(incident, name, needed="PLAN")
    with open_way(ctx) as way:
        answer = way.write("mitigation.undo", incident=number_of(way, incident), plan=name)
    _newest(answer, as_json=as_json)


@plan.command("again")
@incident_argument
@word_argument("name", "PLAN")
@json_option
@click.pass_context
def again(ctx: click.Context, incident: str, name: str, as_json: bool) -> None:
    """Propose once more what has run, or may have: a new plan that needs a yes of its own."""
    incident, name = told_apart(incident, name, needed="PLAN")
    with open_way(ctx) as way:
        answer = way.write("mitigation.again", incident=number_of(way, incident), plan=name)
    _newest(answer, as_json=as_json)


@plan.command("settle")
@incident_argument
@word_argument("name", "PLAN")
@click.option("--happened/--did-not-happen", required=True, help="What became of it.")
@click.option("--reason", required=True, help="How you know.")
@json_option
@click.pass_context
def settle(ctx: click.Context, incident: str, name: str, happened: bool, reason: str, as_json: bool) -> None:
    """Say what became of a run whose outcome is unknown."""
    incident, name = told_apart(incident, name, needed="PLAN")
    with open_way(ctx) as way:
        answer = way.write(
            "mitigation.settle", incident=number_of(way, incident), plan=name, happened=happened, reason=reason
        )
    _said(answer, name, as_json=as_json)


def _newest(answer: JSON, *, as_json: bool) -> None:
    """Print the plan that was proposed last, and what approves it."""
    if as_json:
        print_json(answer)
        return
    view = record_of(answer)
    action = children(view, "actions")[-1]
    say(action_lines(action))
    name = line_of(child(action, "plan"), "id")
    hint(f"It runs when it is approved: stanch approve {line_of(child(view, 'card'), 'key')} {name}")


def _said(answer: JSON, name: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    say(action_lines(action_of(record_of(answer), name)))


COMMANDS: Final[dict[str, click.Command]] = {"plan": plan}
