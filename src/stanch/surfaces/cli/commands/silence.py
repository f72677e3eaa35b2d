"""Commands on silences and on the groups that alerts are notified about in."""

from typing import Final

import click

from stanch.surfaces.cli.records import Record, child, children, count_in, line_of, moment, record_of, records_of, texts
from stanch.surfaces.cli.shared import instant_of, json_option, open_way, print_json, zone_option
from stanch.surfaces.cli.telling import at, say, table


@click.group("silence")
def silence() -> None:
    """Keep alerts quiet for a while.

    \b
    stanch silence add service=orders --for 2h --comment "being replaced"
    stanch silence list
    """


@silence.command("list")
@click.option("--expired", is_flag=True, help="Also those that ended in the last five days.")
@json_option
@click.pass_context
def list_silences(ctx: click.Context, expired: bool, as_json: bool) -> None:
    """List silences: those that hold, then those that wait."""
    with open_way(ctx) as way:
        answer = way.read("silence.list", expired=expired)
    if as_json:
        print_json(answer)
        return
    say(table([_row(one) for one in records_of(answer)]))


@silence.command("add")
@click.argument("matchers", nargs=-1)
@click.option("--alert", "alerts", multiple=True, help="Silence this alert, by its id; may be repeated.")
@click.option("--for", "lasts", default="2h", show_default=True, help="How long: 90m, 2h, 3d.")
@click.option("--from", "begins", default="", help="When it begins: 14:30, an instant; by default now.")
@click.option("--comment", "-m", required=True, help="Why; it stands on every alert that is kept quiet.")
@click.option("--dry-run", is_flag=True, help="Only say what it would keep quiet.")
@zone_option
@json_option
@click.pass_context
def add(
    ctx: click.Context,
    matchers: tuple[str, ...],
    alerts: tuple[str, ...],
    lasts: str,
    begins: str,
    comment: str,
    dry_run: bool,
    zone: str,
    as_json: bool,
) -> None:
    """Put a silence: stanch silence add alertname=DiskFull 'host=~"db.*"' --for 2h -m "disk is being replaced" """
    starts_at = instant_of(begins, zone=zone, field="--from")
    with open_way(ctx) as way:
        wanted = ", ".join(matchers)
        if alerts:
            drafted = record_of(way.read("silence.draft", alerts=list(alerts)))
            wanted = ", ".join(part for part in (wanted, line_of(drafted, "matchers")) if part)
        if dry_run:
            answer = way.read("silence.preview", matchers=wanted)
        else:
            answer = way.write("silence.create", matchers=wanted, lasts=lasts, starts_at=starts_at, comment=comment)
    if as_json:
        print_json(answer)
    elif dry_run:
        click.echo(f"{wanted}\n{line_of(record_of(answer), 'summary')}")
    else:
        say(table([_row(record_of(answer))]))


@silence.command("extend")
@click.argument("id")
@click.option("--by", "lasts", default="2h", show_default=True, help="How much longer: 90m, 2h, 3d.")
@json_option
@click.pass_context
def extend(ctx: click.Context, id: str, lasts: str, as_json: bool) -> None:
    """Let a silence hold for longer."""
    with open_way(ctx) as way:
        answer = way.write("silence.extend", id=id, lasts=lasts)
    if as_json:
        print_json(answer)
    else:
        say(table([_row(record_of(answer))]))


@silence.command("expire")
@click.argument("id")
@json_option
@click.pass_context
def expire(ctx: click.Context, id: str, as_json: bool) -> None:
    """End a silence now."""
    with open_way(ctx) as way:
        answer = way.write("silence.expire", id=id)
    if as_json:
        print_json(answer)
    else:
        say(table([_row(record_of(answer))]))


@click.group("group")
def group() -> None:
    """The groups in which alerts are notified about.

    \b
    stanch group list
    """


@group.command("list")
@click.option("--receiver", default="", help="Of this receiver alone.")
@click.option("--limit", default=50, show_default=True, help="At most so many.")
@json_option
@click.pass_context
def list_groups(ctx: click.Context, receiver: str, limit: int, as_json: bool) -> None:
    """List groups, the newest first, with what each receiver was last told, or why nothing."""
    with open_way(ctx) as way:
        answer = way.read("group.list", receiver=receiver, limit=limit)
    if as_json:
        print_json(answer)
        return
    rows = []
    for one in children(record_of(answer), "groups"):
        told = [f"{line_of(each, 'what')}: {line_of(each, 'why')}" for each in children(one, "outcomes")]
        labels = ", ".join(f"{name}={value}" for name, value in child(one, "labels").items())
        firing = f"{count_in(one, 'firing')} firing"
        rows.append((line_of(one, "receiver"), labels, firing, at(moment(one, "due_at")), "; ".join(told)))
    say(table(rows))


def _row(one: Record) -> tuple[str, ...]:
    matchers = ", ".join(texts(one, "matchers"))
    ends = f"until {at(moment(one, 'ends_at'))}"
    return (
        line_of(one, "id"),
        line_of(one, "state"),
        ends,
        matchers,
        line_of(one, "created_by"),
        line_of(one, "comment"),
    )


COMMANDS: Final[dict[str, click.Command]] = {"silence": silence, "group": group}
