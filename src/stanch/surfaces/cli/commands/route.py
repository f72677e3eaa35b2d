"""Routes: what others would have done to the alerts of the last days."""

from pathlib import Path
from typing import Final

import click

from stanch.surfaces.cli.records import child, children, count_in, line_of, record_of, texts
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import say, table


@click.group("route")
def route() -> None:
    """Which receiver alerts go to.

    \b
    stanch route preview alertmanager.yml --days 7
    """


@route.command("preview")
@click.argument("config", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--days", default=30, show_default=True, help="How far to look back.")
@json_option
@click.pass_context
def preview(ctx: click.Context, config: Path, days: int, as_json: bool) -> None:
    """Say which alerts the routes in CONFIG, an alertmanager.yml, would have sent elsewhere."""
    with open_way(ctx) as way:
        answer = way.write("route.preview", config=config.read_text(encoding="utf-8"), days=days)
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    say([line_of(told, "summary")])
    names = sorted({*child(told, "before"), *child(told, "after")})
    rows = [(one, str(count_in(child(told, "before"), one)), str(count_in(child(told, "after"), one))) for one in names]
    say(table([("RECEIVER", "NOW", "THEN"), *rows]))
    for one in children(told, "examples"):
        labels = " ".join(f"{name}={line_of(child(one, 'labels'), name)}" for name in child(one, "labels"))
        say([f"{', '.join(texts(one, 'before'))} -> {', '.join(texts(one, 'after'))}: {labels}"])


COMMANDS: Final[dict[str, click.Command]] = {"route": route}
