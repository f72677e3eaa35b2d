"""Commands on plans: try, approve, reject. An approval is a person's: it asks on a terminal, else needs --yes."""

from typing import Final

import click

from stanch.kernel.errors import Invalid, NotFound
from stanch.surfaces.cli.plan_text import action_of, plan_lines
from stanch.surfaces.cli.records import Record, child, children, line_of, record_of, text_of
from stanch.surfaces.cli.shared import (
    can_ask,
    incident_argument,
    json_option,
    number_of,
    open_way,
    print_json,
    told_apart,
    word_argument,
)
from stanch.surfaces.cli.telling import hint

_ENDED: Final = ("succeeded", "failed", "unknown")


@click.command("dry-run")
@incident_argument
@word_argument("plan", "[PLAN]")
@json_option
@click.pass_context
def dry_run(ctx: click.Context, incident: str, plan: str, as_json: bool) -> None:
    """Try a proposed plan without effect; by default the first one."""
    incident, plan = told_apart(incident, plan)
    with open_way(ctx) as way:
        number = number_of(way, incident)
        chosen = _choose(record_of(way.read("incident.show", incident=number)), plan)
        answer = way.write("mitigation.dry_run", incident=number, plan=text_of(chosen, "id"))
    if as_json:
        print_json(answer)
        return
    action = action_of(record_of(answer), text_of(chosen, "id"))
    click.echo(text_of(action, "dry_run"))
    if action.get("dry_run_code"):
        hint(f"The dry run failed with code {action['dry_run_code']}")
        ctx.exit(1)


@click.command("approve")
@incident_argument
@word_argument("plan", "[PLAN]")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def approve(ctx: click.Context, incident: str, plan: str, yes: bool, as_json: bool) -> None:
    """Approve a proposed plan, by default the first one; it runs then."""
    incident, plan = told_apart(incident, plan)
    with open_way(ctx) as way:
        number = number_of(way, incident)
        view = record_of(way.read("incident.show", incident=number))
        chosen = _choose(view, plan)
        if not yes:
            if not can_ask():
                raise Invalid("approving needs a person at a terminal, or --yes", field="--yes")
            for line in plan_lines(view):
                hint(line)
            _ask(chosen)
        name = text_of(chosen, "id")
        answer = way.write("mitigation.approve", incident=number, plan=name, digest=text_of(chosen, "digest"))
        way.settle()
        if not way.is_server:
            answer = way.read("incident.show", incident=number)
    if as_json:
        print_json(answer)
        return
    click.echo(f"Approved: {line_of(chosen, 'title')}")
    action = action_of(record_of(answer), name)
    for line in "".join(str(one) for one in _output(action)).splitlines():
        click.echo(f"  | {line}")
    if text_of(action, "state") in _ENDED:
        click.echo(f"It {line_of(action, 'state')}")
    elif text_of(action, "state") == "proposed":
        click.echo("It needs the approval of another person before it runs")
    else:
        click.echo(f"It runs now; follow it: stanch timeline INC-{number} --follow")


@click.command("reject")
@incident_argument
@word_argument("plan", "[PLAN]")
@click.option("--reason", required=True, help="Why not.")
@json_option
@click.pass_context
def reject(ctx: click.Context, incident: str, plan: str, reason: str, as_json: bool) -> None:
    """Say no to a proposed plan."""
    incident, plan = told_apart(incident, plan)
    with open_way(ctx) as way:
        number = number_of(way, incident)
        chosen = _choose(record_of(way.read("incident.show", incident=number)), plan)
        answer = way.write("mitigation.reject", incident=number, plan=text_of(chosen, "id"), reason=reason)
    if as_json:
        print_json(answer)
        return
    click.echo(f"Rejected: {line_of(chosen, 'title')}")


def _choose(view: Record, plan: str) -> Record:
    """Return the plan that was named, else the one that is proposed first. Raises `NotFound` naming what there is."""
    plans = [child(action, "plan") for action in children(view, "actions")]
    wanted = plan or text_of(child(child(view, "proposal"), "plan"), "id")
    for one in plans:
        if text_of(one, "id") == wanted:
            return one
    known = ", ".join(text_of(one, "id") for one in plans) or "none is proposed yet"
    raise NotFound(f"there is no plan {plan!r}" if plan else "no plan is proposed", hint=f"plans: {known}")


def _ask(chosen: Record) -> None:
    """Ask for a yes; for what cannot be undone the target has to be typed."""
    title, target = line_of(chosen, "title"), line_of(chosen, "target")
    if chosen.get("reversible") and text_of(chosen, "risk") in ("read", "low"):
        click.confirm(f"Approve: {title}?", abort=True, err=True)
        return
    typed = click.prompt(f"{title}. Type {target} to approve", default="", show_default=False, err=True)
    if typed.strip() != target:
        raise click.Abort


def _output(action: Record) -> list[object]:
    output = action.get("output")
    return list(output) if isinstance(output, list) else []


COMMANDS: Final[dict[str, click.Command]] = {"dry-run": dry_run, "approve": approve, "reject": reject}
