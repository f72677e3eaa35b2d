"""What is looked at after a shift and before one: load, checklist, replay through a changed configuration."""

import csv
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.oncall_text import when
from stanch.surfaces.cli.records import Record, child, children, count_in, line_of, moment, number_in, record_of
from stanch.surfaces.cli.session import Session
from stanch.surfaces.cli.shared import instant_of, json_option, local_zone, open_way, print_json, zone_option
from stanch.surfaces.cli.telling import hint, is_tty, paint, say, table

if TYPE_CHECKING:
    # What needs the store is opened through a door.
    from stanch.operations.oncall.replays import Replayed

_KINDS: Final = ("day", "night", "weekend", "holiday")
_COLUMNS: Final = (
    "person",
    "name",
    "zone",
    "month",
    *(f"hours_{kind}" for kind in _KINDS),
    "hours",
    *(f"pages_{kind}" for kind in _KINDS),
    "pages",
    "sleep_hours_interrupted",
)


@click.command("load")
@click.argument("schedule", default="")
@click.option("--person", default="", help="Only this person.")
@click.option("--from", "start", default="", help="From when; by default the beginning of last month.")
@click.option("--until", "end", default="", help="Until when; by default now.")
@click.option("--csv", "as_csv", is_flag=True, help="Print it as CSV, for compensation.")
@zone_option
@json_option
@click.pass_context
def load(
    ctx: click.Context, schedule: str, person: str, start: str, end: str, as_csv: bool, zone: str, as_json: bool
) -> None:
    """Report hours on call by kind, pages and interrupted sleep per person and month."""
    with open_way(ctx) as way:
        answer = way.read(
            "oncall.load",
            schedule=schedule,
            person=person,
            start=instant_of(start, zone=zone, field="--from"),
            end=instant_of(end, zone=zone, field="--until"),
        )
    told = record_of(answer)
    if as_json:
        print_json(answer)
    elif as_csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(_COLUMNS)
        writer.writerows(_load_row(one) for one in children(told, "rows"))
    else:
        rows = [_COLUMNS] if is_tty() else []
        say(table([*rows, *(_load_row(one) for one in children(told, "rows"))]))
        hours, pages = (number_in(told, key) or 0 for key in ("uneven_hours", "uneven_pages"))
        hint(f"unevenness (0 is evenly, 1 is all on one person): {hours:.2f} of hours, {pages:.2f} of pages")


@click.command("checklist")
@click.argument("schedule")
@click.option("--done", "done", default="", metavar="ITEM", help="Say that this item is done.")
@click.option("--undone", "undone", default="", metavar="ITEM", help="Say that it is not after all.")
@click.option("--person", default="", help="Whose shift; by default yours.")
@json_option
@click.pass_context
def checklist(ctx: click.Context, schedule: str, done: str, undone: str, person: str, as_json: bool) -> None:
    """Show and tick what is ready before your next shift."""
    with open_way(ctx) as way:
        if done or undone:
            answer = way.write("oncall.check", schedule=schedule, item=done or undone, done=bool(done))
        else:
            answer = way.read("oncall.checklist", schedule=schedule, person=person or cast("Session", ctx.obj).person)
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    hint(f"{line_of(told, 'person')}, shift from {when(moment(told, 'shift'), local_zone())}")
    rows = [
        ("x" if line_of(one, "done_by") else "-", line_of(one, "item"), line_of(one, "text"))
        for one in children(told, "items")
    ]
    say(table(rows))


@click.command("replay")
@click.argument("folder", type=click.Path(path_type=Path, exists=True))
@click.option("--since", default="30d", show_default=True, help="How far back.")
@zone_option
@json_option
@click.pass_context
def replay(ctx: click.Context, folder: Path, since: str, zone: str, as_json: bool) -> None:
    """Run the incidents of last month through a changed configuration: who would have been paged instead."""
    session: Session = ctx.obj
    start = instant_of(since, zone=zone, field="--since")
    with open_way(ctx) as way:
        past = record_of(way.read("oncall.history", start=start))
    replayed = cast("tuple[Replayed, ...]", session.doors.open("replay_folder")(folder, past))
    if as_json:
        print_json({"incidents": [_replayed(one) for one in replayed]})
        return
    changed = [one for one in replayed if one.is_changed]
    rows = [
        (one.key, when(one.at, local_zone()), ", ".join(one.services), f"was {one.before}", f"would be {one.after}")
        for one in changed
    ]
    say(table(rows))
    if replayed and not changed:
        hint(paint("nobody else would have been paged", "green"))
    hint(f"{len(changed)} of {len(replayed)} incidents would have paged others")


def _load_row(one: Record) -> tuple[str, ...]:
    hours, pages = child(one, "hours"), child(one, "pages")
    return (
        line_of(one, "person"),
        line_of(one, "name"),
        line_of(one, "zone"),
        line_of(one, "month"),
        *(f"{number_in(hours, kind) or 0:g}" for kind in _KINDS),
        f"{number_in(one, 'all_hours') or 0:g}",
        *(f"{count_in(pages, kind)}" for kind in _KINDS),
        f"{count_in(one, 'all_pages')}",
        f"{count_in(one, 'sleep_hours')}",
    )


def _replayed(one: "Replayed") -> JSON:
    services: list[JSON] = list(one.services)
    return {
        "key": one.key,
        "at": one.at.isoformat(),
        "services": services,
        "before": one.before,
        "after": one.after,
        "changed": one.is_changed,
    }


REPORTS: Final[tuple[click.Command, ...]] = (load, checklist, replay)
"""Commands of `stanch oncall` that stand here."""
