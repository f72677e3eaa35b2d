"""`stanch incident prevent`: what would have told sooner, what was missing, and an action item of any of it."""

from collections.abc import Iterator, Sequence

import click

from stanch.surfaces.cli.records import Record, children, line_of, moment, number_in, record_of, text_of
from stanch.surfaces.cli.session import Way
from stanch.surfaces.cli.shared import incident_argument, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import at, faint, hint, rule, say, strong


@click.command("prevent")
@incident_argument
@click.option("--item", "numbers", multiple=True, type=click.IntRange(min=1), help="Make this an action item.")
@click.option("--toml", is_flag=True, help="Only the lines for the configuration.")
@json_option
@click.pass_context
def prevent(ctx: click.Context, incident: str | None, numbers: tuple[int, ...], toml: bool, as_json: bool) -> None:
    """Propose checks that would have told of an incident sooner, and say what was missing when it came."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        if numbers:
            _write_items(way, number, record_of(way.read("incident.prevent", incident=number)), numbers)
        answer = way.read("incident.prevent", incident=number)
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    if toml:
        say(text_of(one, "toml") for one in _all(told) if text_of(one, "toml"))
        return
    say(_lines(told))
    if _all(told) and not numbers:
        hint(f"make one an action item: stanch incident prevent {line_of(told, 'key')} --item 1")


def _write_items(way: Way, incident: int, told: Record, numbers: Sequence[int]) -> None:
    found = _all(told)
    for number in numbers:
        if number > len(found):
            raise click.BadParameter(f"there are {len(found)}", param_hint="--item")
        one = found[number - 1]
        if number_in(one, "item") is None:
            purpose = "detect" if "measure" in one else "prevent"
            way.write("item.add", incident=incident, title=text_of(one, "todo"), purpose=purpose)


def _all(told: Record) -> list[Record]:
    return [*children(told, "monitors"), *children(told, "gaps")]


def _lines(told: Record) -> Iterator[str]:
    begun, declared = at(moment(told, "onset")), at(moment(told, "told_at"))
    yield strong(f"{line_of(told, 'key')}: began {begun} at the earliest, declared {declared}")
    yield ""
    yield rule("Checks that would have told sooner")
    if note := line_of(told, "note"):
        yield faint(note)
    monitors = children(told, "monitors")
    for number, one in enumerate(monitors, start=1):
        yield strong(f"{number}. {line_of(one, 'title')}") + _item(one)
        yield f"   {line_of(one, 'gain')}; {line_of(one, 'quiet')}"
        yield f"   {line_of(one, 'limits')} {faint('(' + line_of(one, 'source') + ')')}"
        yield from (f"   {line}" for line in text_of(one, "toml").splitlines())
    yield ""
    yield rule("What was missing")
    gaps = children(told, "gaps")
    if not gaps:
        yield faint("nothing that the configuration and the findings show")
    for number, one in enumerate(gaps, start=len(monitors) + 1):
        yield strong(f"{number}. {line_of(one, 'text')}") + _item(one)
        yield f"   {line_of(one, 'todo')} {faint('(' + line_of(one, 'source') + ')')}"
        yield from (f"   {line}" for line in text_of(one, "toml").splitlines())


def _item(one: Record) -> str:
    number = number_in(one, "item")
    return "" if number is None else f" (action item {number:.0f})"
