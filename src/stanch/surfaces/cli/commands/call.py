"""One command for every operation there is: derived from the registry, so nothing is out of the terminal's reach."""

import json
import sys
from typing import Final

import click

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import Record, line_of, record_of
from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import say, table


@click.command("call")
@click.argument("operation", required=False)
@click.argument("body", required=False)
@json_option
@click.pass_context
def call(ctx: click.Context, operation: str | None, body: str | None, as_json: bool) -> None:
    """Call any operation by name, with its request as JSON; without a name, list them all. Answers are JSON.

    \b
    stanch call
    stanch call incident.note '{"incident": 1, "text": "pool looks full"}'
    stanch call incident.note - < request.json
    """
    session: Session = ctx.obj
    entries = known_operations(session)
    if operation is None:
        print_operations(entries, as_json=as_json)
        return
    if operation not in entries:
        raise Invalid(f"there is no operation {operation!r}", field="operation", hint="list them: stanch call")
    given = _object(sys.stdin.read() if body == "-" else body)
    with open_way(ctx) as way:
        reads = line_of(entries[operation], "effect") == "read"
        print_json(way.read(operation, **given) if reads else way.write(operation, **given))


def known_operations(session: Session) -> dict[str, Record]:
    """Return every operation with its effect and what it does, by name."""
    known = session.doors.open("operation_list")()
    return {str(name): record_of(told) for name, told in known.items()} if isinstance(known, dict) else {}


def print_operations(entries: dict[str, Record], *, as_json: bool = False) -> None:
    """Print every operation."""
    if as_json:
        told: JSON = {name: dict(entry) for name, entry in entries.items()}
        print_json(told)
    else:
        say(table([(name, line_of(told, "effect"), line_of(told, "summary")) for name, told in entries.items()]))


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
