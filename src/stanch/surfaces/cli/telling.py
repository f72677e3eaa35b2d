"""Turns answers into text for a terminal. Text from outside is cleaned of control codes before it is printed."""

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

import click

from stanch.kernel.blocks import clean
from stanch.kernel.duration import format_age
from stanch.kernel.event import JSON

Record = Mapping[str, JSON]

_SEVERITY: Final = {"SEV1": ("‼", "red"), "SEV2": ("!", "yellow"), "SEV3": ("▲", "blue"), "SEV4": ("·", "white")}
_STATE: Final = {"ok": ("●", "green"), "degraded": ("◐", "yellow"), "down": ("○", "red"), "unknown": ("?", "white")}
_RULE: Final = "─" * 60


def paint(text: str, colour: str, *, bold: bool = False) -> str:
    """Return `text` coloured where colours are wanted: on a terminal, unless NO_COLOR or TERM=dumb."""
    wanted = sys.stdout.isatty() and os.environ.get("TERM") != "dumb" and not os.environ.get("NO_COLOR")
    if os.environ.get("FORCE_COLOR") or os.environ.get("CLICOLOR_FORCE"):
        wanted = True
    return click.style(text, fg=colour, bold=bold) if wanted else text


def text_of(record: Record, name: str) -> str:
    """Return a text field, cleaned; an empty text where there is none."""
    value = record.get(name)
    return clean(value) if isinstance(value, str) else ""


def number_in(record: Record, name: str) -> float | None:
    """Return a number field, None where there is none."""
    value = record.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def child(record: Record, name: str) -> Record:
    """Return an object field, an empty one where there is none."""
    value = record.get(name)
    return value if isinstance(value, dict) else {}


def children(record: Record, name: str) -> list[Record]:
    """Return the objects of a list field."""
    value = record.get(name)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def texts(record: Record, name: str) -> list[str]:
    """Return the texts of a list field, cleaned."""
    value = record.get(name)
    return [clean(one) for one in value if isinstance(one, str)] if isinstance(value, list) else []


def moment(record: Record, name: str) -> datetime | None:
    """Return an instant field (UTC)."""
    value = record.get(name)
    return datetime.fromisoformat(value) if isinstance(value, str) else None


def at(when: datetime | None) -> str:
    """Return an instant as `14:30:05 UTC`, with the date when it is not today."""
    if when is None:
        return "–"
    same_day = when.date() == datetime.now(UTC).date()
    return f"{when:%H:%M:%S} UTC" if same_day else f"{when:%Y-%m-%d %H:%M:%S} UTC"


def ago(when: datetime | None) -> str:
    """Return how long ago an instant was, `4m ago`."""
    return "" if when is None else format_age(datetime.now(UTC) - when)


def percent(value: float | None) -> str:
    """Return a ratio as a percentage."""
    if value is None:
        return "–"
    return f"{value * 100:.0f} %" if value >= 0.1 or value == 0 else f"{value * 100:.1f} %"


def milliseconds(value: float | None) -> str:
    """Return a latency."""
    return "–" if value is None else f"{value:,.0f} ms"


def severity(label: str) -> str:
    """Return a severity with its sign and colour; the text alone says it too."""
    sign, colour = _SEVERITY.get(label, ("·", "white"))
    return paint(f"{sign} {label}", colour, bold=True)


def overview_lines(answer: Record) -> Iterator[str]:
    """Yield the overview: every open incident with what a responder asks first, then every service."""
    cards = children(answer, "incidents")
    if not cards:
        yield paint(text_of(answer, "quiet") or "No incident is open.", "green")
    for card in cards:
        yield from _card_lines(card)
        yield ""
    services = children(answer, "services")
    if services:
        yield paint("Services", "white", bold=True)
        yield from table([_service_row(one) for one in services])
    for step in texts(answer, "workflow"):
        yield paint(f"  {step}", "white")


def _card_lines(card: Record) -> Iterator[str]:
    title = paint(text_of(card, "title"), "white", bold=True)
    yield f"{severity(text_of(card, 'severity'))}  {text_of(card, 'key')}  {title}"
    started = moment(card, "started_at")
    services = ", ".join(texts(card, "services")) or "no service named"
    environment = text_of(card, "environment")
    where = f"{services} ({environment})" if environment else services
    yield f"  Status    {text_of(card, 'status')}, started {at(started)} ({ago(started)})"
    yield f"  Affected  {where}"
    yield from _impact_lines(card)
    error = child(card, "error")
    if error:
        count = int(number_in(error, "count") or 0)
        trend = text_of(error, "trend").replace("_", " ")
        yield f"  Error     {text_of(error, 'title')}"
        seen = f"first seen {ago(moment(error, 'first_seen'))}"
        yield f"            {', '.join(part for part in (f'{count:,} times', trend, seen) if part)}"
    change = child(card, "change")
    if change:
        before = number_in(change, "seconds_before") or 0.0
        yield f"  Change    {text_of(change, 'title')}, {before:.0f} s before the start"
    if text_of(card, "cause"):
        yield f"  Cause     {text_of(card, 'cause')}"
    for index, step in enumerate(texts(card, "recommended"), start=1):
        yield f"  {'Do' if index == 1 else '  '}        {index}. {step}"
    yield f"  {paint(text_of(card, 'url'), 'blue')}"


def _impact_lines(card: Record) -> Iterator[str]:
    parts = []
    ratio = number_in(card, "error_ratio")
    if ratio is not None:
        parts.append(f"error rate {percent(ratio)} (normal {percent(number_in(card, 'normal_error_ratio'))})")
    latency = number_in(card, "latency_p95_ms")
    if latency is not None:
        normal = milliseconds(number_in(card, "normal_latency_p95_ms"))
        parts.append(f"p95 {milliseconds(latency)} (normal {normal})")
    failed = int(number_in(card, "failed_requests") or 0)
    if failed:
        parts.append(f"{failed:,} failed requests")
    if parts:
        yield f"  Impact    {', '.join(parts)}"


def _service_row(one: Record) -> tuple[str, ...]:
    sign, colour = _STATE.get(text_of(one, "state"), ("?", "white"))
    return (
        "  " + paint(sign, colour),
        text_of(one, "name"),
        text_of(one, "state"),
        percent(number_in(one, "error_ratio")),
        milliseconds(number_in(one, "latency_p95_ms")),
        text_of(one, "version"),
        text_of(one, "last_change"),
    )


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows with their columns lined up on a terminal, else separated by tabs and untruncated."""
    if not sys.stdout.isatty():
        yield from ("\t".join(click.unstyle(cell).strip() for cell in row) for row in rows)
        return
    widths = [max(len(click.unstyle(cell)) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def rule(title: str) -> str:
    """Return a heading."""
    return paint(f"── {title} {_RULE}"[:60], "white", bold=True)
