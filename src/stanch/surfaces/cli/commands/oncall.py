"""Who is on call: `stanch oncall`, `stanch oncall checkout`, `stanch oncall test`; overrides, swaps, time off."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, cast

import click

from stanch.catalog.load import FILE_NAME, load_catalog
from stanch.kernel.errors import NotFound
from stanch.kernel.event import JSON
from stanch.surfaces.cli.commands.moving import TOOLS
from stanch.surfaces.cli.commands.oncall_reports import REPORTS
from stanch.surfaces.cli.moments import ahead
from stanch.surfaces.cli.oncall_text import answer_lines, broken_lines, calendar_lines, handover_row, when
from stanch.surfaces.cli.records import Record, line_of, moment, record_of, records_of, texts
from stanch.surfaces.cli.session import Session, Way
from stanch.surfaces.cli.shared import json_option, local_zone, open_way, print_json, zone_option
from stanch.surfaces.cli.telling import hint, is_tty, paint, say, table

if TYPE_CHECKING:
    # What needs the store is opened through a door.
    from stanch.oncall.assertions import Finding
    from stanch.operations.oncall.moving.shadow import Compared

_WHO: Final = "who"


class _Whom(click.Group):
    """A group of which a word that is no command is the service or schedule that is asked about."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ("-h", "--help")):
            args = [_WHO, *args]
        return super().parse_args(ctx, args)


@click.group("oncall", cls=_Whom)
def oncall() -> None:
    """Say who is on call, and change it: stanch oncall [SERVICE]

    \b
    stanch oncall                     who is on now, everywhere
    stanch oncall checkout            who is paged about checkout now
    stanch oncall checkout --at 2026-12-25T03:00
    """


@oncall.command(_WHO)
@click.argument("name", default="")
@click.option("--at", "instant", default="", help="At this instant instead of now.")
@click.option("--severity", type=click.IntRange(1, 4), default=3, show_default=True, help="For this severity.")
@click.option("--person", default="", help="Only where this person is on, next or secondary.")
@zone_option
@json_option
@click.pass_context
def who(ctx: click.Context, name: str, instant: str, severity: int, person: str, zone: str, as_json: bool) -> None:
    """Say who is on call for a service or a schedule; without a name, everywhere."""
    at = ahead(instant, zone=zone, field="--at")
    with open_way(ctx) as way:
        asked = _asked_about(way, name)
        if at:
            answer = way.read("oncall.at", at=at, severity=severity, person=person, **asked)
        else:
            answer = way.read("oncall.now", severity=severity, person=person, **asked)
    if as_json:
        print_json(answer)
        return
    say(answer_lines(record_of(answer)))
    if not record_of(answer).get("schedules") and not name:
        hint("nobody is on call: there is no schedule. docs/oncall.md has one in five minutes")


@oncall.command("next")
@click.argument("schedule", default="")
@click.option("--person", default="", help="Only where this person begins or ends.")
@click.option("--count", default=5, show_default=True, help="How many.")
@json_option
@click.pass_context
def next_ones(ctx: click.Context, schedule: str, person: str, count: int, as_json: bool) -> None:
    """List the next changes of who is on call."""
    with open_way(ctx) as way:
        answer = way.read("oncall.next", schedule=schedule, person=person, count=count)
    if as_json:
        print_json(answer)
    else:
        say(table([handover_row(one) for one in records_of(answer)]))


@oncall.command("calendar")
@click.argument("schedule", default="")
@click.option("--person", default="", help="Only the shifts of this person.")
@click.option("--from", "start", default="", help="From when; by default now.")
@click.option("--until", "end", default="", help="Until when; by default two weeks on.")
@zone_option
@json_option
@click.pass_context
def calendar(ctx: click.Context, schedule: str, person: str, start: str, end: str, zone: str, as_json: bool) -> None:
    """List shifts, with gaps and with the rules that are broken in the next 90 days."""
    begins = ahead(start, zone=zone, field="--from")
    ends = ahead(end, zone=zone, field="--until")
    with open_way(ctx) as way:
        answer = way.read("oncall.calendar", schedule=schedule, person=person, start=begins, end=ends)
    if as_json:
        print_json(answer)
    else:
        say(calendar_lines(record_of(answer)))


@oncall.command("override")
@click.argument("schedule")
@click.argument("person")
@click.option("--until", "end", required=True, help="Until when: 18:00, in 4h, an instant.")
@click.option("--from", "start", default="", help="From when; by default now.")
@click.option("--instead-of", default="", help="Only where this person would be on.")
@click.option("--why", default="", help="The reason, for people.")
@zone_option
@json_option
@click.pass_context
def override(
    ctx: click.Context,
    schedule: str,
    person: str,
    end: str,
    start: str,
    instead_of: str,
    why: str,
    zone: str,
    as_json: bool,
) -> None:
    """Put somebody on call for a while: stanch oncall override checkout bob --until 18:00"""
    begins = ahead(start, zone=zone, field="--from")
    ends = ahead(end, zone=zone, field="--until")
    with open_way(ctx) as way:
        answer = way.write(
            "oncall.override", schedule=schedule, person=person, start=begins, end=ends, instead_of=instead_of, why=why
        )
    _changed(answer, as_json=as_json, zone=zone)


@oncall.command("overrides")
@click.argument("schedule", default="")
@json_option
@click.pass_context
def overrides(ctx: click.Context, schedule: str, as_json: bool) -> None:
    """List the overrides that hold or wait."""
    with open_way(ctx) as way:
        answer = way.read("oncall.overrides", schedule=schedule)
    if as_json:
        print_json(answer)
        return
    rows = [(line_of(one, "id"), *_row(one, local_zone()), line_of(one, "why")) for one in records_of(answer)]
    say(table(rows))


@oncall.command("cancel")
@click.argument("override_id", metavar="ID")
@click.pass_context
def cancel(ctx: click.Context, override_id: str) -> None:
    """Take an override back."""
    with open_way(ctx) as way:
        answer = way.write("oncall.override_cancel", id=override_id)
    click.echo(f"taken back: {line_of(record_of(answer), 'person')} is not put on any more")


@oncall.command("swap")
@click.argument("schedule")
@click.argument("taker")
@click.option("--give-from", required=True, help="From when they take yours.")
@click.option("--give-until", required=True, help="Until when.")
@click.option("--take-from", default="", help="From when you take theirs.")
@click.option("--take-until", default="", help="Until when.")
@click.option("--giver", default="", help="Whose shifts are given; by default yours.")
@click.option("--why", default="", help="The reason, for people.")
@zone_option
@json_option
@click.pass_context
def swap(
    ctx: click.Context,
    schedule: str,
    taker: str,
    give_from: str,
    give_until: str,
    take_from: str,
    take_until: str,
    giver: str,
    why: str,
    zone: str,
    as_json: bool,
) -> None:
    """Offer somebody your shifts; nothing changes until they accept."""
    with open_way(ctx) as way:
        answer = way.write(
            "swap.propose",
            schedule=schedule,
            taker=taker,
            give_start=ahead(give_from, zone=zone, field="--give-from"),
            give_end=ahead(give_until, zone=zone, field="--give-until"),
            take_start=ahead(take_from, zone=zone, field="--take-from"),
            take_end=ahead(take_until, zone=zone, field="--take-until"),
            giver=giver,
            why=why,
        )
    if as_json:
        print_json(answer)
        return
    click.echo(line_of(record_of(answer), "id"))
    hint(f"{taker} accepts with: stanch oncall accept {line_of(record_of(answer), 'id')}")


@oncall.command("accept")
@click.argument("swap_id", metavar="ID")
@json_option
@click.pass_context
def accept(ctx: click.Context, swap_id: str, as_json: bool) -> None:
    """Accept a swap that was offered to you."""
    with open_way(ctx) as way:
        answer = way.write("swap.accept", id=swap_id)
    _swapped(answer, as_json=as_json)


@oncall.command("decline")
@click.argument("swap_id", metavar="ID")
@json_option
@click.pass_context
def decline(ctx: click.Context, swap_id: str, as_json: bool) -> None:
    """Decline a swap, or withdraw one that you offered."""
    with open_way(ctx) as way:
        answer = way.write("swap.decline", id=swap_id)
    _swapped(answer, as_json=as_json)


@oncall.command("swaps")
@click.option("--person", default="", help="Only those of this person.")
@json_option
@click.pass_context
def swaps(ctx: click.Context, person: str, as_json: bool) -> None:
    """List the swaps of shifts that have not ended."""
    with open_way(ctx) as way:
        answer = way.read("swap.list", person=person)
    if as_json:
        print_json(answer)
        return
    rows = [
        (
            line_of(one, "id"),
            line_of(one, "state"),
            f"{line_of(one, 'giver')} → {line_of(one, 'taker')}",
            line_of(one, "schedule"),
            when(moment(one, "give_start"), local_zone()),
            when(moment(one, "give_end"), local_zone()),
        )
        for one in records_of(answer)
    ]
    say(table(rows))


@oncall.command("timeoff")
@click.argument("start")
@click.argument("end")
@click.option("--person", default="", help="Who is away; by default you.")
@click.option("--what", default="", help="What it is, for people.")
@zone_option
@json_option
@click.pass_context
def timeoff(ctx: click.Context, start: str, end: str, person: str, what: str, zone: str, as_json: bool) -> None:
    """Say that you are away: stanch oncall timeoff 2026-12-21 2027-01-02"""
    with open_way(ctx) as way:
        answer = way.write(
            "oncall.timeoff",
            start=ahead(start, zone=zone, field="start"),
            end=ahead(end, zone=zone, field="end"),
            person=person,
            what=what,
        )
    _changed(answer, as_json=as_json, zone=zone)


@oncall.command("away")
@click.option("--person", default="", help="Only this person.")
@click.option("--cancel", "cancelled", default="", metavar="ID", help="Take this time off back.")
@json_option
@click.pass_context
def away(ctx: click.Context, person: str, cancelled: str, as_json: bool) -> None:
    """List who is away when, from calendars too."""
    with open_way(ctx) as way:
        if cancelled:
            way.write("oncall.timeoff_cancel", id=cancelled)
        answer = way.read("oncall.away", person=person)
    if as_json:
        print_json(answer)
        return
    zone = local_zone()
    rows = [
        (
            line_of(one, "person"),
            when(moment(one, "start"), zone),
            when(moment(one, "end"), zone),
            line_of(one, "what"),
            line_of(one, "id"),
        )
        for one in records_of(answer)
    ]
    say(table(rows))


@oncall.command("feed")
@click.option("--person", default="", help="The shifts of this person; by default yours.")
@click.option("--schedule", default="", help="The shifts of this schedule.")
@click.option("--end", "ended", is_flag=True, help="End every address of this feed.")
@click.option("--list", "listed", is_flag=True, help="List the addresses that are in use.")
@json_option
@click.pass_context
def feed(ctx: click.Context, person: str, schedule: str, ended: bool, listed: bool, as_json: bool) -> None:
    """Give out an address that Google, Apple or Outlook calendars subscribe to."""
    with open_way(ctx) as way:
        if listed:
            answer = way.read("feed.list", person=person, schedule=schedule)
        elif ended:
            answer = way.write("feed.end", person=person, schedule=schedule)
        else:
            answer = way.write("feed.make", person=person, schedule=schedule)
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    say(texts(told, "urls"))
    hint("ended" if ended else "Whoever has this address can read it. Ended with: stanch oncall feed --end")


@oncall.command("test")
@click.argument("folder", default=".", type=click.Path(path_type=Path, file_okay=False))
@json_option
@click.pass_context
def test(ctx: click.Context, folder: Path, as_json: bool) -> None:
    """Run the assertions in oncall/tests.toml against the configuration beside it; needs no server."""
    session: Session = ctx.obj
    catalog = load_catalog(folder / FILE_NAME)
    calendars = session.doors.open("calendars_for")(catalog)
    found = cast("tuple[Finding, ...]", session.doors.open("judge_folder")(catalog, calendars, folder))
    if not found:
        raise NotFound(
            f"there are no assertions in {folder / 'oncall' / 'tests.toml'}",
            hint='write some: assertions = ["checkout at 2026-12-25T03:00 pages alice, then bob"]',
        )
    failed = [one for one in found if not one.holds]
    if as_json:
        print_json({"ok": not failed, "assertions": [vars(one) for one in found]})
    else:
        for one in found:
            sign = (
                paint("✓" if is_tty() else "ok", "green") if one.holds else paint("✗" if is_tty() else "failed", "red")
            )
            click.echo(f"{sign}\t{one.text}" if not is_tty() else f"{sign} {one.text}")
            if not one.holds:
                click.echo(f"    {one.difference}")
        hint(f"{len(found) - len(failed)} of {len(found)} hold")
    ctx.exit(1 if failed else 0)


@oncall.command("shadow")
@click.argument("log", type=click.Path(path_type=Path, exists=True))
@click.option("--tool", required=True, type=click.Choice(TOOLS), help="Whose log it is.")
@click.option("--config", default=".", type=click.Path(path_type=Path, file_okay=False), help="The configuration.")
@json_option
@click.pass_context
def shadow(ctx: click.Context, log: Path, tool: str, config: Path, as_json: bool) -> None:
    """Compare who would be on call and paged here with what another tool did; pages nobody."""
    session: Session = ctx.obj
    compared = cast("Compared", session.doors.open("compare_shadow")(tool, log, config))
    if as_json:
        print_json(_plain(compared))
    else:
        rows = [
            (
                one.about,
                when(one.start, local_zone()),
                when(one.end, local_zone()),
                f"here {one.here}",
                f"there {one.there}",
            )
            for one in compared.differences
        ]
        say(table(rows))
        for unknown in compared.unknown:
            hint(f"not known here: {unknown}")
        hint(f"compared {compared.hours:g} hours and {compared.pages} pages: {len(rows)} differences")
    ctx.exit(0 if compared.agrees else 1)


def _plain(compared: "Compared") -> JSON:
    differences: list[JSON] = [
        {
            "about": one.about,
            "start": f"{one.start.isoformat()}",
            "end": one.end.isoformat(),
            "here": one.here,
            "there": one.there,
        }
        for one in compared.differences
    ]
    unknown: list[JSON] = list(compared.unknown)
    return {"hours": compared.hours, "pages": compared.pages, "differences": differences, "unknown": unknown}


def _asked_about(way: Way, name: str) -> dict[str, str]:
    """Return whether a name is a service or a schedule. Raises `NotFound` when it is neither."""
    if not name:
        return {}
    services = {line_of(one, "name") for one in records_of(way.read("service.list"))}
    if name in services:
        return {"service": name}
    schedules = {line_of(one, "schedule") for one in _schedules(way)}
    if name in schedules:
        return {"schedule": name}
    raise NotFound(
        f"{name!r} is neither a service nor a schedule",
        hint=f"schedules: {', '.join(sorted(schedules)) or 'none'}; services: {', '.join(sorted(services)) or 'none'}",
    )


def _schedules(way: Way) -> list[Record]:
    found = record_of(way.read("oncall.now")).get("schedules")
    return records_of(found)


def _row(one: Record, zone: str) -> tuple[str, ...]:
    times = (when(moment(one, "start"), zone), when(moment(one, "end"), zone))
    return (line_of(one, "schedule"), line_of(one, "person"), *times)


def _changed(answer: JSON, *, as_json: bool, zone: str) -> None:
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    place = zone or local_zone()
    until = when(moment(told, "end"), place)
    click.echo(
        f"{line_of(told, 'id')}\t{line_of(told, 'person')} from {when(moment(told, 'start'), place)} until {until}"
    )
    for line in broken_lines(told):
        hint(line)


def _swapped(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    told = record_of(answer)
    click.echo(f"{line_of(told, 'id')} {line_of(told, 'state')}")
    for line in broken_lines(told):
        hint(line)


for report in REPORTS:
    oncall.add_command(report)

COMMANDS: Final[dict[str, click.Command]] = {"oncall": oncall}
