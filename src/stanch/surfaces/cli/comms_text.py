"""What is told to whom, and what somebody needs who joins late, as lines of text."""

from collections.abc import Iterator

from stanch.surfaces.cli.records import Record, children, line_of, moment, texts
from stanch.surfaces.cli.telling import at, faint, strong, table


def preview_lines(preview: Record, *, whole: bool) -> Iterator[str]:
    """Yield who would get a message and what it says; `whole` shows each text, else the first of each audience."""
    changed = texts(preview, "changed")
    if changed:
        yield strong("Since the last message")
        yield from (f"  {line}" for line in changed)
        yield ""
    messages = children(preview, "messages")
    yield strong(f"{len(messages)} recipients")
    yield from table([(line_of(one, "audience"), line_of(one, "channel"), whom(one)) for one in messages])
    shown: set[tuple[str, str]] = set()
    for one in messages:
        text = (line_of(one, "audience"), str(one.get("text", "")))
        if text not in shown and (whole or text[0] not in {audience for audience, _ in shown}):
            shown.add(text)
            yield ""
            yield faint(f"--- {text[0]}")
            yield text[1]
    due = moment(preview, "next_update_at")
    if due:
        yield ""
        yield f"The next update is promised for {at(due)}"


def told_lines(found: Record) -> Iterator[str]:
    """Yield who was told what and when, a line each."""
    yield from table(
        [
            (
                at(moment(one, "at")),
                line_of(one, "state"),
                line_of(one, "purpose").replace("_", " "),
                line_of(one, "audience"),
                line_of(one, "channel"),
                whom(one),
                line_of(one, "by"),
                "" if line_of(one, "state") == "sent" else line_of(one, "detail"),
            )
            for one in children(found, "told")
        ]
    )


def catchup_lines(found: Record) -> Iterator[str]:
    """Yield where an incident stands, for somebody who was not there."""
    yield strong(f"{line_of(found, 'key')} {line_of(found, 'title')}")
    yield from (f"  {line}" for line in texts(found, "state"))
    decisions = children(found, "decisions")
    if decisions:
        yield strong("Last decisions")
        for one in decisions:
            yield f"  {at(moment(one, 'at'))}  {line_of(one, 'actor')}: {line_of(one, 'text')}"
    left = texts(found, "open")
    if left:
        yield strong("Open")
        yield from (f"  {line}" for line in left)
    yield strong("Who does what")
    for one in children(found, "duties"):
        yield f"  {line_of(one, 'title')}: {line_of(one, 'person') or 'nobody'}. {line_of(one, 'duty')}"
    yield line_of(found, "url")


def whom(one: Record) -> str:
    """Return who gets a message, as people say it."""
    to, stakeholder = line_of(one, "to"), line_of(one, "stakeholder")
    return f"{to} ({stakeholder})" if stakeholder else to or "whoever reads it"
