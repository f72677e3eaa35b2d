"""`stanch timeline`: what happened, in order, and as it happens."""

import json
import time
from collections.abc import Iterator, Sequence
from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import Record, count_in, line_of, moment, records_of, text_of
from stanch.surfaces.cli.session import Way
from stanch.surfaces.cli.shared import incident_argument, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import at, faint, is_tty, say, table

_LOOK_EVERY_S: Final = 1.0
_MOST_LINES: Final = 6


@click.command("timeline")
@incident_argument
@click.option("--follow", "-f", is_flag=True, help="Go on printing what comes, until the incident is over.")
@json_option
@click.pass_context
def timeline(ctx: click.Context, incident: str | None, follow: bool, as_json: bool) -> None:
    """Show the time line of an incident, in the order in which things happened.

    With --follow every entry is printed once, in the order in which it was recorded; with --json as well, each is an
    object on a line of its own.
    """
    with open_way(ctx) as way:
        number = number_of(way, incident)
        if follow:
            for entries in _following(way, number):
                _print(entries, as_lines=as_json)
            return
        answer = way.read("incident.timeline", incident=number)
    if as_json:
        print_json(answer)
    else:
        _print(records_of(answer), as_lines=False)


def _following(way: Way, number: int) -> Iterator[list[Record]]:
    after = 0
    while True:
        # Asked first: what is recorded between the two looks is in the second.
        is_open = _is_open(way.read("incident.show", incident=number))
        entries = records_of(way.read("incident.timeline", incident=number, after=after))
        entries.sort(key=lambda entry: count_in(entry, "seq"))
        if entries:
            after = count_in(entries[-1], "seq")
            yield entries
        if not is_open:
            return
        time.sleep(_LOOK_EVERY_S)


def _is_open(view: JSON) -> bool:
    card = view.get("card") if isinstance(view, dict) else None
    return isinstance(card, dict) and bool(card.get("is_open"))


def _print(entries: Sequence[Record], *, as_lines: bool) -> None:
    if as_lines:
        for entry in entries:
            click.echo(json.dumps(entry, ensure_ascii=False))
    elif is_tty():
        for entry in entries:
            say(_entry_lines(entry))
    else:
        say(table([_row(entry) for entry in entries]))


def _entry_lines(entry: Record) -> Iterator[str]:
    late = f" (recorded {at(moment(entry, 'recorded_at'))})" if entry.get("late") else ""
    by = f", {line_of(entry, 'actor')}" if line_of(entry, "tone") in ("person", "note") else ""
    yield f"{at(moment(entry, 'at'))}  #{count_in(entry, 'seq')}  {line_of(entry, 'title')}{by}{late}"
    for line in text_of(entry, "text").splitlines()[:_MOST_LINES]:
        yield faint(f"                {line}")


def _row(entry: Record) -> tuple[str, ...]:
    return (
        at(moment(entry, "at")),
        str(count_in(entry, "seq")),
        line_of(entry, "kind"),
        line_of(entry, "actor"),
        line_of(entry, "title"),
        line_of(entry, "text"),
    )


COMMANDS: Final[dict[str, click.Command]] = {"timeline": timeline}
