"""Commands on plans: try, approve, reject. An approval is a person's: it asks on a terminal, else needs --yes."""

from typing import Final

import click

from stanch.kernel.errors import Invalid, NotFound
from stanch.surfaces.cli.incident_text import plan_lines
from stanch.surfaces.cli.shared import incident_argument, is_terminal, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import Record, child, children, text_of, texts


@click.command("dry-run")
@incident_argument(required=False)
@click.argument("plan", required=False)
@json_option
@click.pass_context
def dry_run(ctx: click.Context, incident: str | None, plan: str | None, as_json: bool) -> None:
    """Try a proposed plan without effect; by default the first one."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        view = _view(way.read("incident.show", incident=number))
        chosen = _choose(view, plan)
        answer = way.write("mitigation.dry_run", incident=number, plan=text_of(chosen, "id"))
    if as_json:
        print_json(answer)
        return
    for action in children(_view(answer), "actions"):
        if text_of(child(action, "plan"), "id") == text_of(chosen, "id"):
            click.echo(text_of(action, "dry_run"))


@click.command("approve")
@incident_argument(required=False)
@click.argument("plan", required=False)
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
@json_option
@click.pass_context
def approve(ctx: click.Context, incident: str | None, plan: str | None, yes: bool, as_json: bool) -> None:
    """Approve a proposed plan, by default the first one; it runs then."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        view = _view(way.read("incident.show", incident=number))
        chosen = _choose(view, plan)
        if not yes:
            if not is_terminal():
                raise Invalid("approving needs a person at a terminal, or --yes", field="--yes")
            for line in plan_lines(view):
                click.echo(line, err=True)
            _ask(chosen)
        answer = way.write(
            "mitigation.approve", incident=number, plan=text_of(chosen, "id"), digest=text_of(chosen, "digest")
        )
        way.settle()
    if as_json:
        print_json(answer)
        return
    click.echo(f"Approved: {text_of(chosen, 'title')}")
    click.echo(f"It runs now; follow it: {text_of(child(view, 'card'), 'url')}")


@click.command("reject")
@incident_argument(required=False)
@click.argument("plan", required=False)
@click.option("--reason", required=True, help="Why not.")
@json_option
@click.pass_context
def reject(ctx: click.Context, incident: str | None, plan: str | None, reason: str, as_json: bool) -> None:
    """Say no to a proposed plan."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        chosen = _choose(_view(way.read("incident.show", incident=number)), plan)
        answer = way.write("mitigation.reject", incident=number, plan=text_of(chosen, "id"), reason=reason)
    if as_json:
        print_json(answer)
        return
    click.echo(f"Rejected: {text_of(chosen, 'title')}")


def _choose(view: Record, plan: str | None) -> Record:
    """Return the plan that was named, else the one that is proposed first. Raises `NotFound` naming what there is."""
    plans = [child(action, "plan") for action in children(view, "actions")]
    first = child(child(view, "proposal"), "plan")
    wanted = plan or text_of(first, "id")
    for one in plans:
        if text_of(one, "id") == wanted:
            return one
    known = ", ".join(text_of(one, "id") for one in plans) or "none is proposed yet"
    raise NotFound(f"there is no plan {plan!r}" if plan else "no plan is proposed", hint=f"plans: {known}")


def _ask(chosen: Record) -> None:
    """Ask for a yes; for what cannot be undone the target has to be typed."""
    title, target = text_of(chosen, "title"), text_of(chosen, "target")
    if chosen.get("reversible") and text_of(chosen, "risk") in ("read", "low"):
        click.confirm(f"Approve: {title}?", abort=True)
        return
    for step in children(chosen, "steps"):
        click.echo(f"  $ {' '.join(texts(step, 'argv'))}", err=True)
    typed = click.prompt(f"{title}. Type {target} to approve", default="", show_default=False)
    if typed.strip() != target:
        raise click.Abort


def _view(answer: object) -> Record:
    return answer if isinstance(answer, dict) else {}


COMMANDS: Final[dict[str, click.Command]] = {"dry-run": dry_run, "approve": approve, "reject": reject}
