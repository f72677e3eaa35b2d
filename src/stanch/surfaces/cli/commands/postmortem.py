"""Commands on post-mortems."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Final

import click

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.surfaces.cli.kept import kept_if_refused
from stanch.surfaces.cli.moments import ahead
from stanch.surfaces.cli.records import line_of, moment, record_of, records_of, text_of, texts
from stanch.surfaces.cli.shared import (
    can_ask,
    incident_argument,
    json_option,
    number_of,
    open_way,
    print_json,
    zone_option,
)
from stanch.surfaces.cli.telling import at, hint, paint, say, table


@click.group("postmortem")
def postmortem() -> None:
    """Read, draft, edit and publish post-mortems.

    \b
    stanch postmortem show INC-7
    stanch postmortem lint INC-7
    stanch postmortem meet INC-7 --at 2026-11-26T14:00 --minutes 45 --invite carol
    stanch postmortem export INC-7 --format html
    """


@postmortem.command("show")
@incident_argument
@click.option("--revision", type=click.IntRange(min=0), default=0, help="As it stood then; by default the newest.")
@json_option
@click.pass_context
def show(ctx: click.Context, incident: str, revision: int, as_json: bool) -> None:
    """Print the post-mortem of an incident as Markdown."""
    with open_way(ctx) as way:
        answer = way.read("postmortem.show", incident=number_of(way, incident), revision=revision)
    if as_json:
        print_json(answer)
    else:
        click.echo(text_of(record_of(answer), "markdown"), nl=False)


@postmortem.command("draft")
@incident_argument
@click.option("--template", default="", help="The outline: see `stanch postmortem templates`.")
@json_option
@click.pass_context
def draft(ctx: click.Context, incident: str, template: str, as_json: bool) -> None:
    """Draft it from the log again, as a new revision."""
    with open_way(ctx) as way:
        answer = way.write("postmortem.draft", incident=number_of(way, incident), template=template)
    _said(answer, "drafted", as_json=as_json)


@postmortem.command("history")
@incident_argument
@json_option
@click.pass_context
def history(ctx: click.Context, incident: str, as_json: bool) -> None:
    """List its revisions, newest first: who wrote what, when."""
    with open_way(ctx) as way:
        answer = way.read("postmortem.history", incident=number_of(way, incident))
    if as_json:
        print_json(answer)
        return
    rows = [
        (
            str(one.get("revision")),
            at(moment(one, "at")),
            f"{line_of(one, 'author')} via {line_of(one, 'via')}",
            f"+{one.get('added')} -{one.get('removed')}",
            "published" if one.get("published") else "",
        )
        for one in records_of(answer)
    ]
    say(table(rows))


@postmortem.command("diff")
@incident_argument
@click.option("--before", type=click.IntRange(min=0), default=0, help="By default the one before.")
@click.option("--after", type=click.IntRange(min=0), default=0, help="By default the newest.")
@json_option
@click.pass_context
def diff(ctx: click.Context, incident: str, before: int, after: int, as_json: bool) -> None:
    """Show what was changed between two revisions."""
    with open_way(ctx) as way:
        answer = way.read("postmortem.compare", incident=number_of(way, incident), before=before, after=after)
    if as_json:
        print_json(answer)
        return
    for line in text_of(record_of(answer), "diff").splitlines():
        click.echo(paint(line, _DIFF.get(line[:1])))


@postmortem.command("lint")
@click.argument("incident", required=False)
@click.option("--file", "-F", "file", type=click.Path(allow_dash=True), help="Check a file instead; - for stdin.")
@json_option
@click.pass_context
def lint(ctx: click.Context, incident: str | None, file: str | None, as_json: bool) -> None:
    """Find wording that blames, with another way to say it; exit code 1 when there is some."""
    with open_way(ctx) as way:
        asked: dict[str, JSON] = {"markdown": (_text(file, "") or "") if file else ""}
        if incident or not file:
            asked["incident"] = number_of(way, incident)
        answer = way.read("postmortem.lint", **asked)
    found = records_of(answer)
    if as_json:
        print_json(answer)
    else:
        for one in found:
            click.echo(f"{one.get('line')}: {paint(line_of(one, 'text'), 'yellow')}  ({line_of(one, 'kind')})")
            click.echo(f"   {line_of(one, 'suggestion')}")
        if not found:
            hint("No wording that blames was found.")
    if found:
        ctx.exit(1)


@postmortem.command("review")
@incident_argument
@click.option("--agree/--change", "agreed", default=None, help="Agree with it, or say what is to be changed.")
@click.option("--note", "-m", default="", help="What is to be changed, or a remark.")
@json_option
@click.pass_context
def review(ctx: click.Context, incident: str, agreed: bool | None, note: str, as_json: bool) -> None:
    """Agree with the newest revision, or say what is to be changed in it."""
    if agreed is None:
        raise Invalid("say --agree, or --change with --note", field="--agree")
    with open_way(ctx) as way:
        number = number_of(way, incident)
        revision = record_of(way.read("postmortem.show", incident=number)).get("revision")
        answer = way.write("postmortem.review", incident=number, revision=revision, agreed=agreed, note=note)
    _said(answer, "agreed with" if agreed else "to be changed", as_json=as_json)


@postmortem.command("export")
@incident_argument
@click.option("--format", "kind", type=click.Choice(("markdown", "html", "json")), default="html", show_default=True)
@click.option("--output", "-o", default="", help="The file to write; by default what it is called; - for stdout.")
@click.pass_context
def export(ctx: click.Context, incident: str, kind: str, output: str) -> None:
    """Write it as one file that needs no server; the HTML prints well, also as PDF."""
    with open_way(ctx) as way:
        told = record_of(way.read("postmortem.export", incident=number_of(way, incident), format=kind))
    if output == "-":
        click.echo(text_of(told, "text"), nl=False)
        return
    path = Path(output or line_of(told, "name"))
    try:
        path.write_text(text_of(told, "text"), encoding="utf-8")
    except OSError as error:
        raise Invalid(f"cannot write {path}: {error.strerror}", field="--output") from error
    click.echo(str(path))


@postmortem.command("templates")
@json_option
@click.pass_context
def templates(ctx: click.Context, as_json: bool) -> None:
    """List the outlines, those that ship and your own, with what is wrong in them."""
    with open_way(ctx) as way:
        answer = way.read("postmortem.templates")
    if as_json:
        print_json(answer)
        return
    found = records_of(answer)
    say(table([(line_of(one, "name"), "shipped" if one.get("shipped") else "own") for one in found]))
    say(f"{line_of(one, 'name')}: {problem}" for one in found for problem in texts(one, "problems"))


@postmortem.command("edit")
@incident_argument
@click.option("--file", "-F", "file", type=click.Path(allow_dash=True), help="Take the text from a file; - for stdin.")
@click.option(
    "--revision",
    type=click.IntRange(min=0),
    default=None,
    help="Which revision the file was written on; refused when there is a newer one. By default the newest.",
)
@json_option
@click.pass_context
def edit(ctx: click.Context, incident: str, file: str | None, revision: int | None, as_json: bool) -> None:
    """Edit it in $VISUAL or $EDITOR, or take the text from a file."""
    if revision is not None and not file:
        raise click.UsageError("--revision belongs to --file: an editor opens the newest revision")
    with open_way(ctx) as way:
        number = number_of(way, incident)
        now = record_of(way.read("postmortem.show", incident=number))
        written = _text(file, text_of(now, "markdown"))
        if written is None:
            hint("nothing was changed")
            return
        on = now.get("revision") if revision is None else revision
        again = f"stanch postmortem edit INC-{number} --file"
        with kept_if_refused(written, name=f"inc-{number}-postmortem", again=again) if not file else nullcontext():
            answer = way.write("postmortem.edit", incident=number, revision=on, markdown=written)
    _said(answer, "written", as_json=as_json)


@postmortem.command("publish")
@incident_argument
@json_option
@click.pass_context
def publish(ctx: click.Context, incident: str, as_json: bool) -> None:
    """Publish the newest revision."""
    with open_way(ctx) as way:
        number = number_of(way, incident)
        revision = record_of(way.read("postmortem.show", incident=number)).get("revision")
        answer = way.write("postmortem.publish", incident=number, revision=revision)
    _said(answer, "published", as_json=as_json)


@postmortem.command("meet")
@incident_argument
@click.option("--at", "when", default="", help="When: 2026-11-26T10:00, 18:00, in 4h.")
@zone_option
@click.option("--minutes", type=click.IntRange(5, 1440), help="How long it takes.")
@click.option("--invite", multiple=True, help="Somebody else who comes; may be given several times.")
@click.option("--leave-out", multiple=True, help="Somebody who does not; may be given several times.")
@click.option("--place", default=None, help="Where, e.g. the address of a call.")
@json_option
@click.pass_context
def meet(
    ctx: click.Context,
    incident: str,
    when: str,
    zone: str,
    minutes: int | None,
    invite: tuple[str, ...],
    leave_out: tuple[str, ...],
    place: str | None,
    as_json: bool,
) -> None:
    """Call the meeting on it, or move it: those who took part are invited by mail."""
    said: dict[str, JSON] = {"at": ahead(when, zone=zone, field="--at"), "place": place}
    said |= {"invite": list(invite), "leave_out": list(leave_out)}
    said["length_s"] = minutes * 60.0 if minutes else None
    with open_way(ctx) as way:
        answer = way.write("postmortem.meet", incident=number_of(way, incident), **said)
    _met(answer, as_json=as_json)


@postmortem.command("call-off")
@incident_argument
@click.option("--reason", "-m", default="", help="Why it does not take place.")
@json_option
@click.pass_context
def call_off(ctx: click.Context, incident: str, reason: str, as_json: bool) -> None:
    """Call the meeting on it off."""
    with open_way(ctx) as way:
        answer = way.write("postmortem.call_off", incident=number_of(way, incident), reason=reason)
    _met(answer, as_json=as_json)


def _met(answer: JSON, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    one = record_of(answer)
    if one.get("starts_at") is None:
        click.echo(f"{line_of(one, 'key')} has no meeting any more")
        return
    click.echo(f"{line_of(one, 'key')} meeting {at(moment(one, 'starts_at'))}: {', '.join(texts(one, 'invited'))}")
    if without := texts(one, "not_invited"):
        hint(f"took part and have no mail address: {', '.join(without)}")


def _text(file: str | None, now: str) -> str | None:
    if file == "-":
        return sys.stdin.read()
    if file:
        try:
            return Path(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"cannot read {file}: {error}", field="file") from error
    if not can_ask():
        raise Invalid("editing needs a person at a terminal, or --file", field="--file")
    edited: str | None = click.edit(now, extension=".md")
    return edited


def _said(answer: JSON, what: str, *, as_json: bool) -> None:
    if as_json:
        print_json(answer)
        return
    record = record_of(answer)
    click.echo(f"{line_of(record, 'key')} revision {record.get('revision')} {what}")


_DIFF: Final = {"+": "green", "-": "red", "@": "cyan"}

COMMANDS: Final[dict[str, click.Command]] = {"postmortem": postmortem}
