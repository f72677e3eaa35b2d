"""Commands on pages and contact methods: who was paged, page somebody, take it on, prove that a method works."""

from typing import Final

import click

from stanch.kernel.event import JSON
from stanch.surfaces.cli.records import (
    Record,
    child,
    children,
    count_in,
    line_of,
    moment,
    record_of,
    records_of,
    texts,
)
from stanch.surfaces.cli.shared import json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import at, faint, hint, say, strong, table


@click.group("page")
def page() -> None:
    """Who was paged, and what became of every notice.

    \b
    stanch page list --open
    stanch page ack 7
    stanch page test alice
    """


@page.command("list")
@click.option("--incident", "-i", default="", help="Only those about this incident.")
@click.option("--open", "open_only", is_flag=True, help="Only those that are not over.")
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 500))
@json_option
@click.pass_context
def list_pages(ctx: click.Context, incident: str, open_only: bool, limit: int, as_json: bool) -> None:
    """List pages, newest first."""
    with open_way(ctx) as way:
        number = number_of(way, incident) if incident else None
        answer = way.read("page.list", incident=number, open_only=open_only, limit=limit)
    if as_json:
        print_json(answer)
        return
    rows = [_row(one) for one in records_of(answer)]
    say(table(rows) if rows else ["Nobody was paged."])


@page.command("show")
@click.argument("number", type=click.IntRange(1))
@json_option
@click.pass_context
def show(ctx: click.Context, number: int, as_json: bool) -> None:
    """Show a page: every notice with every attempt, in the providers' words."""
    with open_way(ctx) as way:
        answer = way.read("page.show", page=number)
    _print(answer, as_json=as_json)


@page.command("send")
@click.argument("title")
@click.option("--to", "targets", multiple=True, help="person:alice, schedule:checkout, team:commerce; may be repeated.")
@click.option("--policy", default="", help="Page by this policy instead.")
@click.option("--severity", default="SEV2", show_default=True, help="How urgent it is.")
@click.option("--incident", "-i", default="", help="The incident that it is about; it ends with it.")
@json_option
@click.pass_context
def send(
    ctx: click.Context,
    title: str,
    targets: tuple[str, ...],
    policy: str,
    severity: str,
    incident: str,
    as_json: bool,
) -> None:
    """Page somebody now: stanch page send "Please join the call" --to person:alice"""
    with open_way(ctx) as way:
        number = number_of(way, incident) if incident else None
        answer = way.write(
            "oncall.page",
            title=title,
            targets=list(targets),
            policy=policy,
            severity=severity,
            incident=number,
        )
    _print(answer, as_json=as_json)


@page.command("test")
@click.argument("person", default="")
@json_option
@click.pass_context
def test(ctx: click.Context, person: str, as_json: bool) -> None:
    """Send PERSON, by default you, a page that says that nothing is wrong."""
    with open_way(ctx) as way:
        answer = way.write("page.test", person=person)
    _print(answer, as_json=as_json)


@page.command("ack")
@click.argument("number", type=click.IntRange(1))
@json_option
@click.pass_context
def acknowledge(ctx: click.Context, number: int, as_json: bool) -> None:
    """Take a page on: paging stops."""
    with open_way(ctx) as way:
        answer = way.write("oncall.acknowledge", page=number)
    _print(answer, as_json=as_json)


@click.group("contact")
def contact() -> None:
    """How people are reached, and whether that was proved to work.

    \b
    stanch contact list alice
    stanch contact code sms
    stanch contact verify sms 123456
    """


@contact.command("list")
@click.argument("person", default="")
@json_option
@click.pass_context
def list_contacts(ctx: click.Context, person: str, as_json: bool) -> None:
    """List the contact methods of PERSON, or of everybody."""
    with open_way(ctx) as way:
        answer = way.read("contact.list", person=person)
    if as_json:
        print_json(answer)
        return
    rows = [_contact(one) for one in records_of(answer)]
    say(table(rows) if rows else ["Nobody has a contact method."])


@contact.command("code")
@click.argument("method")
@click.option("--person", default="", help="Whose method; by default yours.")
@json_option
@click.pass_context
def code(ctx: click.Context, method: str, person: str, as_json: bool) -> None:
    """Send a code through METHOD, to be typed in with `stanch contact verify`."""
    with open_way(ctx) as way:
        answer = way.write("contact.code", method=method, person=person)
    _say_contact(answer, as_json=as_json)


@contact.command("verify")
@click.argument("method")
@click.argument("typed", metavar="CODE")
@click.option("--person", default="", help="Whose method; by default yours.")
@json_option
@click.pass_context
def verify(ctx: click.Context, method: str, typed: str, person: str, as_json: bool) -> None:
    """Prove by the CODE that came that METHOD works."""
    with open_way(ctx) as way:
        answer = way.write("contact.verify", method=method, code=typed, person=person)
    _say_contact(answer, as_json=as_json)


def _print(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    card = child(told, "card")
    say([strong(f"Page {count_in(card, 'number')}: {line_of(card, 'severity')} {line_of(card, 'title')}")])
    say([_stands(card)])
    say(faint(f"  {line}") for line in texts(told, "policy"))
    say(table([_notice(one) for one in children(told, "notices")]))
    say(
        table(
            [(at(moment(one, "at")), line_of(one, "title"), line_of(one, "text")) for one in children(told, "entries")]
        )
    )
    if line_of(card, "status") == "paging":
        hint(f"Take it on: stanch page ack {count_in(card, 'number')}")


def _stands(card: Record) -> str:
    by = line_of(card, "acknowledged_by")
    match line_of(card, "status"):
        case "paging":
            return f"Paging, {line_of(card, 'level')}, next at {at(moment(card, 'next_at'))}"
        case "acknowledged":
            return f"Acknowledged by {by} at {at(moment(card, 'acknowledged_at'))}"
        case _:
            return f"Over: {line_of(card, 'ended')}"


def _row(card: Record) -> tuple[str, ...]:
    incident = count_in(card, "incident")
    return (
        str(count_in(card, "number")),
        at(moment(card, "started_at")),
        line_of(card, "severity"),
        f"INC-{incident}" if incident else line_of(card, "purpose"),
        line_of(card, "status"),
        ", ".join(texts(card, "people")),
        line_of(card, "title"),
    )


def _notice(one: Record) -> tuple[str, ...]:
    tries = len(children(one, "attempts"))
    return (
        f"#{count_in(one, 'number')}",
        line_of(one, "person"),
        f"{line_of(one, 'method')} ({line_of(one, 'address')})",
        line_of(one, "said"),
        f"{line_of(one, 'provider') or '–'}, {tries} attempt{'' if tries == 1 else 's'}",
        line_of(one, "detail"),
    )


def _contact(one: Record) -> tuple[str, ...]:
    state = "verified" if one.get("verified") is True else line_of(one, "trouble")
    return (
        line_of(one, "person"),
        line_of(one, "method"),
        line_of(one, "address"),
        state,
        ", ".join(texts(one, "providers")),
    )


def _say_contact(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    say([f"{line_of(told, 'person')}, {line_of(told, 'method')}: {line_of(told, 'said')}"])


COMMANDS: Final[dict[str, click.Command]] = {"page": page, "contact": contact}
