"""One command for every operation there is: derived from the registry, so nothing is out of the terminal's reach."""

import json
from typing import Final

import click

from stanch.kernel.errors import Invalid
from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import open_way, print_json


@click.command("call")
@click.argument("operation", required=False)
@click.argument("body", required=False)
@click.pass_context
def call(ctx: click.Context, operation: str | None, body: str | None) -> None:
    """Call any operation by name, with its request as JSON; without a name, list them all.

    \b
    stanch call
    stanch call incident.note '{"incident": 1, "text": "pool looks full"}'
    """
    session: Session = ctx.obj
    known = session.doors.open("operation_list")()
    entries = dict(known) if isinstance(known, dict) else {}
    if operation is None:
        width = max(len(name) for name in entries)
        for name, told in entries.items():
            click.echo(f"{name:{width}}  {told['effect']:7}  {told['summary']}")
        return
    if operation not in entries:
        raise Invalid(f"there is no operation {operation!r}", field="operation", hint="list them: stanch call")
    given = _object(body)
    with open_way(ctx) as way:
        reads = entries[operation]["effect"] == "read"
        print_json(way.read(operation, **given) if reads else way.write(operation, **given))


def _object(body: str | None) -> dict[str, object]:
    if not body:
        return {}
    try:
        given = json.loads(body)
    except ValueError as error:
        raise Invalid(f"is not JSON: {error}", field="body") from error
    if not isinstance(given, dict):
        raise Invalid("must be a JSON object", field="body")
    return given


COMMANDS: Final[dict[str, click.Command]] = {"call": call}
