"""Commands on runbooks: find the one that fits, read it, run its checks, propose its changes, find what is wrong."""

from typing import Final

import click

from stanch.surfaces.cli.records import (
    Record,
    child,
    children,
    count_in,
    line_of,
    moment,
    record_of,
    records_of,
    text_of,
    texts,
)
from stanch.surfaces.cli.shared import incident_option, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import at, hint, paint, rule, say, strong, table

_COLOURS: Final = {"as_expected": "green", "not_as_expected": "red", "failed": "yellow"}
_WORDS: Final = {"as_expected": "as expected", "not_as_expected": "NOT as expected", "failed": "failed", "told": "told"}


@click.group("runbook")
def runbook() -> None:
    """Find, read and run runbooks.

    \b
    stanch runbook match
    stanch runbook show postgres-locks
    stanch runbook check postgres-locks
    stanch runbook propose postgres-locks 2 -i INC-7
    """


@runbook.command("list")
@click.argument("text", default="")
@json_option
@click.pass_context
def list_runbooks(ctx: click.Context, text: str, as_json: bool) -> None:
    """List the runbooks, shipped and own; with TEXT, those that are called so."""
    with open_way(ctx) as way:
        answer = way.read("runbook.list", text=text)
    if as_json:
        print_json(answer)
        return
    say(table([(line_of(one, "id"), line_of(one, "title"), _origin(one)) for one in records_of(answer)]))


@runbook.command("show")
@click.argument("name")
@click.option("--incident", "-i", default=None, help="Filled in for this incident.")
@json_option
@click.pass_context
def show(ctx: click.Context, name: str, incident: str | None, as_json: bool) -> None:
    """Show a runbook; with an incident, filled in for it."""
    with open_way(ctx) as way:
        number = number_of(way, incident) if incident else None
        answer = way.read("runbook.show", runbook=name, incident=number)
    if as_json:
        print_json(answer)
        return
    view = record_of(answer)
    click.echo(strong(line_of(child(view, "card"), "title")))
    for section in children(view, "sections"):
        click.echo(f"\n{strong(line_of(section, 'heading'))}\n{text_of(section, 'markdown')}")
    click.echo(f"\n{rule('what can be run')}")
    for block in children(view, "blocks"):
        say(_block_lines(block))


@runbook.command("match")
@incident_option
@json_option
@click.pass_context
def match(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Show the runbooks that fit an incident, best first, with why."""
    with open_way(ctx) as way:
        answer = way.read("runbook.match", incident=number_of(way, incident))
    if as_json:
        print_json(answer)
        return
    found = records_of(answer)
    if not found:
        hint("No runbook fits what is seen so far.")
    say(table([(line_of(one, "runbook"), line_of(one, "title"), "; ".join(texts(one, "reasons"))) for one in found]))


@runbook.command("check")
@click.argument("name")
@click.argument("block", type=int, required=False)
@click.option("--part", default="checks", show_default=True, help="Which section: checks, verification, ...")
@incident_option
@json_option
@click.pass_context
def check(ctx: click.Context, name: str, block: int | None, part: str, incident: str | None, as_json: bool) -> None:
    """Run the checks of a runbook, which only read; what they say goes into the incident's log."""
    with open_way(ctx) as way:
        answer = way.write("runbook.check", incident=number_of(way, incident), runbook=name, block=block, part=part)
    if as_json:
        print_json(answer)
        return
    found = records_of(answer)
    if not found:
        hint("There is no check in it that can be run.")
    for one in found:
        outcome = line_of(one, "outcome")
        expected = f", expected {line_of(one, 'expects')}" if line_of(one, "expects") else ""
        click.echo(f"{count_in(one, 'block')}. {line_of(one, 'asked')}  {_painted(outcome)}{expected}")
        click.echo("\n".join(f"   {line}" for line in text_of(one, "answer").splitlines()))


@runbook.command("propose")
@click.argument("name")
@click.argument("block", type=int)
@incident_option
@json_option
@click.pass_context
def propose(ctx: click.Context, name: str, block: int, incident: str | None, as_json: bool) -> None:
    """Propose a change of a runbook as a plan; it runs when a person approves it."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        answer = way.write("runbook.propose", incident=number, runbook=name, block=block)
    if as_json:
        print_json(answer)
    else:
        click.echo(f"proposed; approve it with: stanch approve INC-{number} runbook-{name}-{block}")


@runbook.command("lint")
@click.argument("text", default="")
@json_option
@click.pass_context
def lint(ctx: click.Context, text: str, as_json: bool) -> None:
    """Show what will not work in the runbooks; exit code 1 when something will not."""
    with open_way(ctx) as way:
        answer = way.read("runbook.lint", text=text)
    found = records_of(answer)
    if as_json:
        print_json(answer)
    else:
        say(f"{line_of(one, 'runbook')}:{count_in(one, 'line')}: {line_of(one, 'message')}" for one in found)
    if any(not one.get("advice") for one in found):
        ctx.exit(1)


@runbook.command("test")
@click.argument("name", default="")
@json_option
@click.pass_context
def test(ctx: click.Context, name: str, as_json: bool) -> None:
    """Try the runbooks while nothing is wrong; exit code 1 when one has rotted.

    Their checks are asked, of their changes it is told whether they could be planned; nothing is changed.
    """
    with open_way(ctx) as way:
        answer = way.write("runbook.test", runbook=name)
    found = records_of(answer)
    if as_json:
        print_json(answer)
    else:
        say(table([_trial_row(one) for one in found if line_of(one, "verdict") != "skipped"]))
        skipped = sum(line_of(one, "verdict") == "skipped" for one in found)
        if skipped:
            hint(f"{skipped} parts of shipped runbooks were skipped: what they ask is not configured here.")
    if any(line_of(one, "rot") for one in found):
        ctx.exit(1)


def _trial_row(one: Record) -> tuple[str, str, str]:
    verdict = line_of(one, "verdict")
    colour = {"held": "green", "ready": "green", "rotten": "red", "not_held": "yellow", "failed": "yellow"}.get(verdict)
    return f"{line_of(one, 'runbook')}:{count_in(one, 'line')}", paint(verdict, colour), line_of(one, "detail")


def _origin(card: Record) -> str:
    origin = "shipped" if card.get("shipped") else "own"
    tried = moment(card, "tested_at")
    rotten = texts(card, "rotten")
    return ", ".join(
        [origin, *([f"tried {at(tried)}"] if tried else []), *([f"{len(rotten)} rotten"] if rotten else [])]
    )


def _painted(outcome: str) -> str:
    return paint(_WORDS.get(outcome, outcome), _COLOURS.get(outcome))


def _block_lines(block: Record) -> list[str]:
    kind = f"changes something, risk {line_of(block, 'risk')}" if block.get("changes") else "only reads"
    lines = [f"{count_in(block, 'number')}. {line_of(block, 'language')}, {kind}"]
    lines += [f"   {line}" for line in text_of(block, "text").splitlines()]
    if line_of(block, "expects"):
        lines.append(f"   expected: {line_of(block, 'expects')}")
    if line_of(block, "why_not"):
        lines.append(f"   cannot be run: {line_of(block, 'why_not')}")
    last = child(block, "last")
    if last:
        lines.append(f"   last: {_painted(line_of(last, 'outcome'))}")
    return lines


COMMANDS: Final[dict[str, click.Command]] = {"runbook": runbook}
