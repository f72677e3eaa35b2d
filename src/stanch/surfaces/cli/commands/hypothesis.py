"""Commands on possible causes: run the test that tells most, add one, confirm or refute one with a reason."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.incident_text import hypotheses_lines
from stanch.surfaces.cli.plan_text import plan_lines
from stanch.surfaces.cli.records import Record, record_of
from stanch.surfaces.cli.shared import (
    incident_argument,
    json_option,
    number_of,
    open_way,
    print_json,
    told_apart,
    word_argument,
)
from stanch.surfaces.cli.telling import hint, say


@click.group("hypothesis")
def hypothesis() -> None:
    """Test, add, confirm and refute possible causes.

    \b
    stanch hypothesis test INC-7                # what tells most
    stanch hypothesis add INC-7 "The pool is too small" --reason "20 of 20 connections are taken"
    stanch hypothesis confirm INC-7 1 --reason "reverted it by hand: the errors stopped"
    stanch hypothesis refute 2 --reason "its last deploy was a week ago"
    """


@hypothesis.command("test")
@incident_argument
@word_argument("which", "[WHICH]")
@json_option
@click.pass_context
def test(ctx: click.Context, incident: str, which: str, as_json: bool) -> None:
    """Run the next test: of the cause at place WHICH (or with this id), or the one that tells most. Only reads."""
    incident, which = told_apart(incident, which)
    with open_way(ctx) as way:
        number = number_of(way, incident)
        way.write("investigate.test", incident=number, hypothesis=which)
        way.settle()
        answer = way.read("incident.show", incident=number)
        if way.is_server:
            hint(f"It looks now; what it moves appears as it comes: stanch timeline INC-{number} --follow")
    _said(answer, as_json=as_json)


@hypothesis.command("analyse")
@incident_argument
@json_option
@click.pass_context
def analyse(ctx: click.Context, incident: str, as_json: bool) -> None:
    """Have the tracker of errors analyse the incident's issue. It costs money there; what it claims is unchecked."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        way.write("investigate.analyse", incident=number)
        way.settle()
        answer = way.read("incident.show", incident=number)
        if way.is_server:
            hint(f"It takes minutes; what it claims appears as it comes: stanch timeline INC-{number} --follow")
    _said(answer, as_json=as_json)


@hypothesis.command("add")
@incident_argument
@word_argument("title", "TITLE")
@click.option("--reason", required=True, help="Why you think so.")
@click.option("--kind", "cause", default="", help="A kind such as bad_deploy; its mitigations then follow.")
@click.option("--service", "-s", default="", help="The service it lies in.")
@click.option("--target", default="", help="The dependency or resource it points at.")
@json_option
@click.pass_context
def add(
    ctx: click.Context, incident: str, title: str, reason: str, cause: str, service: str, target: str, as_json: bool
) -> None:
    """Add a possible cause of your own."""
    incident, title = told_apart(incident, title, needed="TITLE")
    with open_way(ctx) as way:
        answer = way.write(
            "hypothesis.add",
            incident=number_of(way, incident),
            title=title,
            reason=reason,
            cause=cause,
            service=service,
            target=target,
        )
    _said(answer, as_json=as_json)


@hypothesis.command("confirm")
@incident_argument
@word_argument("which", "WHICH")
@click.option("--reason", required=True, help="How you know.")
@json_option
@click.pass_context
def confirm(ctx: click.Context, incident: str, which: str, reason: str, as_json: bool) -> None:
    """Say that the cause at place WHICH (1 is the first), or with this id, is it; a mitigation is proposed for it."""
    incident, which = told_apart(incident, which, needed="WHICH")
    with open_way(ctx) as way:
        number = number_of(way, incident)
        answer = way.write("hypothesis.confirm", incident=number, hypothesis=which, reason=reason)
    _said(answer, as_json=as_json)


@hypothesis.command("refute")
@incident_argument
@word_argument("which", "WHICH")
@click.option("--reason", required=True, help="How you know.")
@json_option
@click.pass_context
def refute(ctx: click.Context, incident: str, which: str, reason: str, as_json: bool) -> None:
    """Say that the cause at place WHICH (1 is the first), or with this id, is not it."""
    incident, which = told_apart(incident, which, needed="WHICH")
    with open_way(ctx) as way:
        number = number_of(way, incident)
        answer = way.write("hypothesis.refute", incident=number, hypothesis=which, reason=reason)
    _said(answer, as_json=as_json)


def _said(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    view: Record = record_of(answer)
    say([*hypotheses_lines(view), *plan_lines(view)])


COMMANDS: Final[dict[str, click.Command]] = {"hypothesis": hypothesis}
