"""Commands on query packs: list the queries, put one to a system."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import child, line_of, number_in, record_of, records_of, text_of, texts
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import faint, hint, is_tty, say, table

_SIGNS: Final = {"ok": "ok", "no_data": "no data", "failed": "failed", "refused": "refused"}
_MOST_ROWS: Final = 20
_WIDEST: Final = 60


@click.group("query")
def query() -> None:
    """List the read-only queries of the packs, and put one to a system.

    \b
    stanch query systems
    stanch query list postgresql
    stanch query run postgresql.locks --on orders-db
    """


@query.command("list")
@click.argument("pack", default="")
@click.option("--on", default="", help="Only what fits this system or service.")
@json_option
@click.pass_context
def list_queries(ctx: click.Context, pack: str, on: str, as_json: bool) -> None:
    """List the queries, of one pack or of all."""
    with open_way(ctx) as way:
        answer = way.read("query.list", pack=pack, on=on)
    if as_json:
        print_json(answer)
        return
    rows = [
        (line_of(one, "name"), line_of(one, "title"), ", ".join(texts(one, "systems"))) for one in records_of(answer)
    ]
    say(table(rows))


@query.command("run")
@click.argument("name")
@click.option("--on", required=True, help="The system, or a service that uses it.")
@click.option("--minutes", default=60.0, show_default=True, help="How far back a range query goes.")
@json_option
@click.pass_context
def run_query(ctx: click.Context, name: str, on: str, minutes: float, as_json: bool) -> None:
    """Put one query to a system: stanch query run postgresql.lock_blockers --on orders-db

    Exit code 8 when the system does not answer, 4 when it denies the query.
    """
    with open_way(ctx) as way:
        answer = way.read("query.run", name=name, on=on, minutes=minutes)
    told = record_of(answer)
    if as_json:
        print_json(answer)
    else:
        status = text_of(told, "status")
        click.echo(f"{_SIGNS.get(status, status)}: {line_of(told, 'summary')}")
        say(_rows(child(told, "data").get("rows")))
        if meaning := line_of(told, "meaning"):
            hint(faint(meaning))
        hint(faint(f"{line_of(told, 'command')}  ({number_in(told, 'took_s') or 0:.2f} s)"))
    ctx.exit({"failed": 8, "refused": 4}.get(text_of(told, "status"), 0))


@query.command("systems")
@json_option
@click.pass_context
def list_systems(ctx: click.Context, as_json: bool) -> None:
    """List the configured systems and try each."""
    with open_way(ctx) as way:
        answer = way.read("system.list")
    if as_json:
        print_json(answer)
        return
    rows = [
        tuple(line_of(one, field) for field in ("status", "name", "kind", "where", "detail"))
        for one in records_of(answer)
    ]
    say(table(rows))


def _rows(found: JSON) -> list[str]:
    """Return a table of the rows of an answer: the columns of the first, as wide as they may be on a terminal."""
    rows = records_of(found)
    if not rows:
        return []
    columns = list(rows[0])
    body = [tuple(_cell(row.get(column)) for column in columns) for row in rows[:_MOST_ROWS]]
    return list(table([tuple(columns), *body]))


def _cell(value: JSON) -> str:
    if value is None:
        return "–"
    told = f"{value:,.4g}" if isinstance(value, float) else str(value)
    return told if not is_tty() or len(told) <= _WIDEST else f"{told[: _WIDEST - 1]}…"


COMMANDS: Final[dict[str, click.Command]] = {"query": query}
