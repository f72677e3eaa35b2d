"""Commands on maintenance windows, and on single looks of own checks."""

from typing import Final

import click

from stanch.surfaces.cli.records import (
    Record,
    child,
    children,
    line_of,
    moment,
    number_in,
    record_of,
    records_of,
    texts,
)
from stanch.surfaces.cli.shared import instant_of, json_option, open_way, print_json, zone_option
from stanch.surfaces.cli.telling import at, say, table


@click.group("maintenance")
def maintenance() -> None:
    """Windows in which something is expected to fail: recorded, and told to nobody.

    \b
    stanch maintenance add orders --for 2h --why "PostgreSQL 17"
    stanch maintenance list
    """


@maintenance.command("list")
@click.option("--over", is_flag=True, help="Also those that are over.")
@json_option
@click.pass_context
def list_windows(ctx: click.Context, over: bool, as_json: bool) -> None:
    """List windows: what holds now and what it holds back, then what comes next."""
    with open_way(ctx) as way:
        answer = way.read("maintenance.list", over=over)
    if as_json:
        print_json(answer)
        return
    say(table([_row(one) for one in records_of(answer)]))


@maintenance.command("add")
@click.argument("services", nargs=-1)
@click.option("--name", default="", help="What it is called; by default the time.")
@click.option("--matchers", default="", help='Only alerts with such labels: severity!="critical".')
@click.option("--dependants", is_flag=True, help="Also everything that needs these services.")
@click.option("--for", "lasts", default="", help="How long: 90m, 2h.")
@click.option("--from", "begins", default="", help="When it begins: 14:30, an instant; by default now.")
@click.option("--to", "ends", default="", help="When it ends, instead of --for.")
@click.option("--rrule", default="", help="How it recurs: FREQ=WEEKLY;BYDAY=SU.")
@click.option("--first", default="", help="Recurring: the local time of the first one, 2026-01-04T02:00.")
@click.option("--until", default="", help="Recurring: until which time of day, instead of --for.")
@click.option("--why", "-m", default="", help="What is done then.")
@click.option("--dry-run", is_flag=True, help="Only say when it would hold and what it would have covered.")
@zone_option
@json_option
@click.pass_context
def add(
    ctx: click.Context,
    services: tuple[str, ...],
    name: str,
    matchers: str,
    dependants: bool,
    lasts: str,
    begins: str,
    ends: str,
    rrule: str,
    first: str,
    until: str,
    why: str,
    dry_run: bool,
    zone: str,
    as_json: bool,
) -> None:
    """Put a window: stanch maintenance add orders-db --dependants --for 2h -m "PostgreSQL 17" """
    wanted: dict[str, object] = {
        "name": name,
        "why": why,
        "services": list(services),
        "dependants": dependants,
        "matchers": matchers,
        "lasts": lasts,
        "rrule": rrule,
        "first": first,
        "until": until,
        "zone": zone,
    }
    if begins:
        wanted["starts_at"] = instant_of(begins, zone=zone, field="--from")
    if ends:
        wanted["ends_at"] = instant_of(ends, zone=zone, field="--to")
    with open_way(ctx) as way:
        if dry_run:
            answer = way.read("maintenance.preview", **wanted)
        else:
            answer = way.write("maintenance.create", **wanted)
    if as_json:
        print_json(answer)
    elif dry_run:
        told = record_of(answer)
        click.echo(line_of(told, "summary"))
        say(
            table(
                [(f"{at(moment(one, 'start'))}", f"until {at(moment(one, 'end'))}") for one in children(told, "next")]
            )
        )
    else:
        say(table([_row(record_of(answer))]))


@maintenance.command("end")
@click.argument("name")
@json_option
@click.pass_context
def end(ctx: click.Context, name: str, as_json: bool) -> None:
    """End a window now; what still fires then opens."""
    with open_way(ctx) as way:
        answer = way.write("maintenance.end", name=name)
    if as_json:
        print_json(answer)
    else:
        say(table([_row(record_of(answer))]))


def _row(one: Record) -> tuple[str, ...]:
    following = children(one, "next")
    when = ""
    if following:
        start, stop = at(moment(following[0], "start")), at(moment(following[0], "end"))
        when = f"until {stop}" if line_of(one, "state") == "holds" else f"{start} until {stop}"
    held = texts(one, "holds_back")
    return (
        line_of(one, "name"),
        line_of(one, "state"),
        when,
        ", ".join((*texts(one, "services"), *([line_of(one, "matchers")] if line_of(one, "matchers") else []))),
        line_of(one, "recurs"),
        line_of(one, "created_by") or line_of(one, "origin"),
        line_of(one, "why") + (f"; holds back: {', '.join(held)}" if held else ""),
    )


@click.command("probe")
@click.argument("service", required=False, default="")
@click.argument("check", required=False, default="")
@json_option
@click.pass_context
def probe(ctx: click.Context, service: str, check: str, as_json: bool) -> None:
    """Look once with the checks of a service, or with one, and show what they see; nothing is stored."""
    with open_way(ctx) as way:
        answer = way.read("check.try", service=service, check=check)
    tried = records_of(answer)
    if as_json:
        print_json(answer)
    else:
        for one in tried:
            _show(one, all_figures=bool(service))
    if any(line_of(one, "state") != "ok" for one in tried):
        ctx.exit(1)


def _show(one: Record, *, all_figures: bool) -> None:
    head = f"{line_of(one, 'service')} {line_of(one, 'check')}"
    click.echo(f"{line_of(one, 'state'):<7} {head}: {line_of(one, 'says')} ({number_in(one, 'took_ms') or 0:,.0f} ms)")
    if not all_figures:
        return
    rows = []
    for seen in children(one, "seen"):
        labels = " ".join(f"{name}={value}" for name, value in child(seen, "labels").items())
        rows.append(("", line_of(seen, "metric"), labels, f"{number_in(seen, 'value') or 0:,.4g}"))
    say(table(rows))


COMMANDS: Final[dict[str, click.Command]] = {"maintenance": maintenance, "probe": probe}
