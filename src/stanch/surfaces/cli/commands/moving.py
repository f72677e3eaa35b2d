"""Moving from another on-call tool: `stanch import pagerduty export/ --to config`. Needs no server."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import json_option, print_json
from stanch.surfaces.cli.telling import hint, say, table

if TYPE_CHECKING:
    # What reads exports is opened through a door.
    from stanch.operations.oncall.moving.carrying import Carried

TOOLS: Final = ("pagerduty", "opsgenie", "grafana-oncall")
"""The tools whose exports are read."""


@click.command("import")
@click.argument("tool", type=click.Choice(TOOLS))
@click.argument("export", type=click.Path(path_type=Path, exists=True))
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path, file_okay=False), help="Where to write.")
@click.option("--force", is_flag=True, help="Overwrite files of an earlier import.")
@json_option
@click.pass_context
def import_(ctx: click.Context, tool: str, export: Path, folder: Path, force: bool, as_json: bool) -> None:
    """Write our configuration files from another tool's export: a file or folder of its API's JSON.

    Lists what could not be carried over and why; the exit code is 1 where there is anything of that kind.
    """
    session: Session = ctx.obj
    carried = cast("Carried", session.doors.open("carry_over")(tool, export, folder, now=datetime.now(UTC), over=force))
    if as_json:
        missed = [{"where": one.where, "what": one.what, "why": one.why} for one in carried.missed]
        print_json(
            {
                "files": list(carried.files),
                "people": carried.people,
                "schedules": carried.schedules,
                "policies": carried.policies,
                "services": carried.services,
                "missed": [dict(one) for one in missed],
            }
        )
    else:
        say(carried.files)
        counts = f"{carried.people} people, {carried.schedules} schedules, {carried.policies} policies"
        hint(f"carried over: {counts}, {carried.services} services")
        if carried.missed:
            hint(f"\n{len(carried.missed)} things were not carried over, or otherwise:")
            for line in table([(one.where, one.what, one.why) for one in carried.missed]):
                hint(f"  {line}")
        hint(f"\nNext: stanch check {folder} && stanch oncall shadow LOG --tool {tool} --config {folder}")
    ctx.exit(1 if carried.missed else 0)


COMMANDS: Final[dict[str, click.Command]] = {"import": import_}
