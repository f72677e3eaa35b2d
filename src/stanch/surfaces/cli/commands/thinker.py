"""`stanch thinker`: ask the configured language model about an incident, and see what it was asked and what it cost."""

import time
from typing import Final

import click

from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import Record, child, children, line_of, record_of
from stanch.surfaces.cli.session import Way
from stanch.surfaces.cli.shared import incident_argument, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import hint, say
from stanch.surfaces.cli.thinker_text import causes_lines, ledger_lines, statement_lines, trouble_line

_LOOKED_EVERY_S: Final = 0.5
# As of every error about what cannot be reached: stanch help exit-codes.
_UNANSWERED: Final = 8
# Two calls of the longest time-out that can be configured.
_WAITED_S: Final = 1_230.0


@click.group("thinker")
def thinker() -> None:
    """Ask a language model, if one is configured. What it says cites the log, and changes nothing.

    \b
    stanch thinker summary INC-1
    stanch thinker update INC-1
    stanch thinker causes INC-1
    stanch thinker show INC-1
    """


@thinker.command("summary")
@incident_argument
@json_option
@click.pass_context
def summary(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Ask for a summary, each sentence with the entries it rests on."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        way.write("thinker.summary", incident=number)
        answer = _settled(way, number)
    view = record_of(answer)
    if as_json:
        print_json(answer)
    else:
        say([*statement_lines(child(view, "summary")), *trouble_line(view, "summary")])
    _fail_unless_answered(ctx, view, "summary")


@thinker.command("update")
@incident_argument
@json_option
@click.pass_context
def update(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Ask for a draft of the next update. It is sent to nobody."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        way.write("thinker.update", incident=number)
        answer = _settled(way, number)
    view = record_of(answer)
    drafted = child(view, "update")
    if as_json:
        print_json(answer)
    else:
        say([*statement_lines(drafted), *trouble_line(view, "update")])
        if line_of(drafted, "text"):
            hint(f'read it, then: stanch comms send -i {line_of(view, "key")} "..."')
    _fail_unless_answered(ctx, view, "update")


@thinker.command("causes")
@incident_argument
@json_option
@click.pass_context
def causes(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Ask for possible causes, then for what speaks against each."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        way.write("thinker.hypotheses", incident=number)
        answer = _settled(way, number)
    view = record_of(answer)
    if as_json:
        print_json(answer)
    else:
        say([*causes_lines(view), *trouble_line(view, "hypotheses"), *trouble_line(view, "contrary")])
        if children(view, "claims"):
            hint(f'take one up yourself: stanch hypothesis add {line_of(view, "key")} "..." --reason "..."')
    _fail_unless_answered(ctx, view, "hypotheses")


@thinker.command("show")
@incident_argument
@json_option
@click.pass_context
def show(ctx: click.Context, incident: str | None, as_json: bool) -> None:
    """Show what was asked, by whom, what left, what it cost and what was not believed."""
    with open_way(ctx) as way:
        answer = way.read("thinker.show", incident=number_of(way, incident))
    if as_json:
        print_json(answer)
        return
    say(ledger_lines(record_of(answer)))


def _fail_unless_answered(ctx: click.Context, view: Record, use: str) -> None:
    """End with the exit code of what is unavailable where the newest call of a use brought no answer."""
    calls = [one for one in children(view, "history") if line_of(one, "use") == use]
    if calls and line_of(calls[-1], "outcome") != "answered":
        ctx.exit(_UNANSWERED)


def _settled(way: Way, number: int) -> JSON:
    """Return what is known when nothing is under way any more. Raises `Unavailable` when that takes too long."""
    way.settle()
    until = time.monotonic() + _WAITED_S
    while True:
        answer = way.read("thinker.show", incident=number)
        if not line_of(record_of(answer), "under_way"):
            return answer
        if time.monotonic() > until:
            raise Unavailable("the model is still being asked", retry=True, hint=f"stanch thinker show INC-{number}")
        time.sleep(_LOOKED_EVERY_S)


COMMANDS: Final[dict[str, click.Command]] = {"thinker": thinker}
