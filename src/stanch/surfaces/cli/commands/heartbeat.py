"""Heartbeats: which are waited for, and saying that something is alive."""

from typing import Final

import click

from stanch.surfaces.cli.records import line_of, moment, record_of, records_of
from stanch.surfaces.cli.shared import json_option, open_way, print_json
from stanch.surfaces.cli.telling import at, say, table


@click.group("heartbeat")
def heartbeat() -> None:
    """What must be heard regularly, and when it last was.

    \b
    stanch heartbeat list
    stanch heartbeat beat nightly-backup
    """


@heartbeat.command("list")
@json_option
@click.pass_context
def list_beats(ctx: click.Context, as_json: bool) -> None:
    """List the heartbeats that are waited for."""
    with open_way(ctx) as way:
        answer = way.read("heartbeat.list")
    if as_json:
        print_json(answer)
        return
    rows = [("HEARTBEAT", "STATE", "LAST HEARD", "MISSED AT")]
    for one in records_of(answer):
        heard, due = moment(one, "heard_at"), moment(one, "due_at")
        state = "missed" if one.get("missed") else "heard" if heard else "waiting"
        rows.append((line_of(one, "name"), state, at(heard) if heard else "never", at(due) if due else ""))
    say(table(rows))


@heartbeat.command("beat")
@click.argument("name")
@json_option
@click.pass_context
def beat(ctx: click.Context, name: str, as_json: bool) -> None:
    """Say that something is alive: backup.sh && stanch heartbeat beat backup"""
    with open_way(ctx) as way:
        answer = way.write("heartbeat.beat", name=name)
    if as_json:
        print_json(answer)
        return
    due = moment(record_of(answer), "due_at")
    say([f"{name} is heard; the next is due by {at(due)}"])


COMMANDS: Final[dict[str, click.Command]] = {"heartbeat": heartbeat}
