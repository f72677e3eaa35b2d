"""How alerts read in a terminal: a row of the list, and one alert with what became of it."""

from collections.abc import Iterator
from typing import Final

from stanch.surfaces.cli.records import Record, child, children, line_of, moment, record_of, text_of, texts
from stanch.surfaces.cli.telling import ago, at, at_and_ago, faint, paint, rule, strong

_STATES: Final = {"firing": ("▲", "red"), "suppressed": ("◌", "yellow"), "resolved": ("✓", "green")}


def alert_row(one: Record) -> tuple[str, ...]:
    """Return one alert as a row of the list."""
    sign, colour = _STATES.get(line_of(one, "state"), ("?", None))
    return (
        line_of(one, "id"),
        f"{paint(sign, colour)} {line_of(one, 'state')}",
        line_of(one, "severity") or "–",
        line_of(one, "service") or "–",
        strong(line_of(one, "name")),
        ago(moment(one, "starts_at")),
        line_of(one, "title"),
        faint("; ".join(texts(one, "quiet"))),
    )


def alert_lines(view: Record) -> Iterator[str]:
    """Yield one alert, line by line."""
    one = child(view, "alert")
    yield f"{strong(line_of(one, 'name'))}  {line_of(one, 'title')}"
    yield f"{line_of(one, 'state')} since {at_and_ago(moment(one, 'starts_at'))}, from {line_of(one, 'source')}"
    for reason in texts(one, "quiet"):
        yield f"  {reason}"
    for link in children(view, "incidents"):
        yield f"part of {line_of(link, 'key')} {line_of(link, 'title')} ({line_of(link, 'status')})"
    yield rule("Labels")
    yield from (f"{name}={value}" for name, value in sorted(child(one, "labels").items()))
    yield rule("Annotations")
    yield from (f"{name}: {text_of(child(view, 'annotations'), name)}" for name in child(view, "annotations"))
    yield rule("What became of it")
    for each in children(view, "outcomes"):
        detail = line_of(each, "detail")
        yield f"{line_of(each, 'what')}: {line_of(each, 'why')}" + (f" ({detail})" if detail else "")
    for each in children(view, "notices"):
        told = f"{line_of(each, 'receiver')} was told {line_of(each, 'told')}"
        yield f"{at(moment(each, 'at'))} {told} by {line_of(each, 'integration')}: {line_of(each, 'state')}"
    yield rule("History")
    for each in children(view, "history"):
        yield f"{at(moment(each, 'at'))} {line_of(each, 'what')} {faint(line_of(each, 'detail'))}".rstrip()
    similar = children(view, "similar")
    if similar:
        yield rule("Others of this name")
        yield from ("  ".join(alert_row(record_of(dict(each)))) for each in similar)
