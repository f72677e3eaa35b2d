"""Commands on the status page: what it shows, what waits for a yes, who subscribed, and its static copy."""

from collections.abc import Iterator
from typing import Final

import click

from stanch.kernel.errors import Conflict, NotFound
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
    text_of,
)
from stanch.surfaces.cli.session import Way
from stanch.surfaces.cli.shared import can_ask, incident_argument, json_option, number_of, open_way, print_json
from stanch.surfaces.cli.telling import at, faint, hint, paint, percent, say, table

_COLOURS: Final = {
    "operational": "green",
    "under_maintenance": "blue",
    "degraded_performance": "yellow",
    "partial_outage": "yellow",
    "major_outage": "red",
}


@click.group("status-page")
def status_page() -> None:
    """What customers see; what waits for a yes to stand there; who subscribed.

    \b
    stanch status-page show
    stanch status-page waiting
    stanch status-page publish INC-7
    """


@status_page.command("show")
@click.option("--internal", is_flag=True, help="The page for who works here: every service, as the log says.")
@json_option
@click.pass_context
def show(ctx: click.Context, internal: bool, as_json: bool) -> None:
    """Show the status page: components with 90 days, incidents, maintenance."""
    with open_way(ctx) as way:
        answer = way.read("statuspage.show", internal=internal)
    if as_json:
        print_json(answer)
        return
    found = record_of(answer)
    say(_page(found))
    if waits := count_in(found, "waiting"):
        hint(f"{waits} waiting for a yes: stanch status-page waiting")


@status_page.command("waiting")
@json_option
@click.pass_context
def waiting(ctx: click.Context, as_json: bool) -> None:
    """Show the updates that wait for a person's yes, exactly as they would stand there."""
    with open_way(ctx) as way:
        answer = way.read("statuspage.waiting")
    if as_json:
        print_json(answer)
        return
    found = records_of(answer)
    if not found:
        hint("No update waits.")
    for one in found:
        say(_update(one))


@status_page.command("publish")
@incident_argument
@click.option("--text", default="", help="What shall stand there in place of its own words.")
@click.option("--digest", default="", help="That of the update you saw; else it is shown and you are asked.")
@json_option
@click.pass_context
def publish(ctx: click.Context, incident: str | None, text: str, digest: str, as_json: bool) -> None:
    """Publish the update of an incident that waits; subscribers are told."""
    with open_way(ctx) as way:
        one = _waiting(way, incident)
        seen = digest or line_of(one, "digest")
        if not digest:
            if not can_ask():
                raise click.UsageError("nobody can be asked here: say --digest of the update that you saw", ctx=ctx)
            say(_update({**one, "text": text} if text else one))
            if not click.confirm("Publish it?"):
                raise click.exceptions.Exit(2)
        answer = way.write(
            "statuspage.publish",
            incident=count_in(one, "incident"),
            number=count_in(one, "number"),
            digest=seen,
            text=text,
        )
    _said(answer, "published", as_json=as_json)


@status_page.command("discard")
@incident_argument
@click.option("--reason", "-m", default="", help="Why it shall not stand there.")
@json_option
@click.pass_context
def discard(ctx: click.Context, incident: str | None, reason: str, as_json: bool) -> None:
    """Keep the update of an incident that waits off the page."""
    with open_way(ctx) as way:
        one = _waiting(way, incident)
        answer = way.write(
            "statuspage.discard", incident=count_in(one, "incident"), number=count_in(one, "number"), reason=reason
        )
    _said(answer, "kept off the page", as_json=as_json)


@status_page.command("export")
@json_option
@click.pass_context
def export(ctx: click.Context, as_json: bool) -> None:
    """Write the static copy now."""
    with open_way(ctx) as way:
        answer = way.write("statuspage.export")
    if as_json:
        print_json(answer)
        return
    found = record_of(answer)
    click.echo(f"{count_in(found, 'files')} files in {line_of(found, 'folder')}")


@status_page.command("subscribers")
@json_option
@click.pass_context
def subscribers(ctx: click.Context, as_json: bool) -> None:
    """List who subscribed, without their addresses."""
    with open_way(ctx) as way:
        answer = way.read("statuspage.subscribers")
    if as_json:
        print_json(answer)
        return
    found = records_of(answer)
    if not found:
        hint("Nobody subscribed.")
    say(table([_subscriber(one) for one in found]))


@status_page.command("forget")
@click.argument("id", default="")
@click.option("--address", default="", help="The address that somebody names who wants to be forgotten.")
@json_option
@click.pass_context
def forget(ctx: click.Context, id: str, address: str, as_json: bool) -> None:
    """Delete a subscriber, with everything that was sent to them."""
    with open_way(ctx) as way:
        answer = way.write("statuspage.forget", id=id, address=address)
    if as_json:
        print_json(answer)
        return
    click.echo(f"{line_of(record_of(answer), 'id')} forgotten")


def _waiting(way: Way, incident: str | None) -> Record:
    """Return the update of an incident that waits; without a name, the only one that does."""
    found = records_of(way.read("statuspage.waiting"))
    if incident not in (None, "current"):
        number = number_of(way, incident)
        found = [one for one in found if count_in(one, "incident") == number]
    if not found:
        raise NotFound("no update waits for a yes", hint="see them: stanch status-page waiting")
    if len(found) > 1:
        keys = ", ".join(line_of(one, "key") for one in found)
        raise Conflict(f"several updates wait: {keys}", reason="several", hint="name the incident")
    return found[0]


def _page(page: Record) -> Iterator[str]:
    yield f"{line_of(page, 'title')}  {_state(line_of(page, 'state'))}  {faint(line_of(page, 'url'))}"
    yield from table([_component(one) for one in children(page, "components")])
    for one in children(page, "incidents"):
        yield f"{line_of(one, 'key')}  {line_of(one, 'stage')}  {line_of(one, 'title')}  {at(moment(one, 'at'))}"
    for one in children(page, "maintenance"):
        word = "under way" if one.get("holds") else "scheduled"
        yield f"{word}  {line_of(one, 'title')}  {at(moment(one, 'start'))} to {at(moment(one, 'end'))}"


def _component(one: Record) -> tuple[str, ...]:
    uptime = one.get("uptime")
    days = one.get("troubled")
    return (
        line_of(one, "title"),
        line_of(one, "group"),
        _state(line_of(one, "state")),
        percent(float(uptime)) if isinstance(uptime, int | float) else "–",
        f"{len(days)} {'day' if len(days) == 1 else 'days'} with trouble" if isinstance(days, list) and days else "",
    )


def _update(one: Record) -> Iterator[str]:
    yield f"{line_of(one, 'key')}/{count_in(one, 'number')}  {line_of(one, 'stage')}  {line_of(one, 'title')}"
    components = child(one, "components")
    for name in components:
        yield f"  {' '.join(name.split())}: {line_of(components, name)}"
    yield ""
    yield text_of(one, "text")
    yield ""
    yield faint(f"digest {line_of(one, 'digest')}")


def _subscriber(one: Record) -> tuple[str, ...]:
    confirmed = moment(one, "confirmed_at")
    return line_of(one, "id"), line_of(one, "kind"), f"since {at(confirmed)}" if confirmed else "asked"


def _state(word: str) -> str:
    return paint(word.replace("_", " "), _COLOURS.get(word))


def _said(answer: JSON, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    one = record_of(answer)
    click.echo(f"{line_of(one, 'key')} update {count_in(one, 'number')} {what}: {line_of(one, 'title')}")


COMMANDS: Final[dict[str, click.Command]] = {"status-page": status_page}
