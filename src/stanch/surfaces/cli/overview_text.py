"""What is wrong now as text: every open incident with what a responder asks first, then every service."""

from collections.abc import Iterator, Sequence
from typing import Final

from stanch.kernel.duration import before_start
from stanch.surfaces.cli.records import Record, child, children, count_in, line_of, moment, number_in, text_of, texts
from stanch.surfaces.cli.telling import (
    ago,
    at_and_ago,
    faint,
    is_tty,
    milliseconds,
    paint,
    percent,
    service_state,
    severity,
    strong,
    table,
)
from stanch.surfaces.cli.tracked_text import seen_lines

_HEAD: Final = ("service", "state", "errors", "p95", "version", "last change")


def overview_lines(answer: Record) -> Iterator[str]:
    """Yield the overview."""
    cards = children(answer, "incidents")
    if not cards:
        yield paint(line_of(answer, "quiet"), "green")
    for card in cards:
        yield from card_lines(card)
        yield ""
    yield from seen_lines(answer)
    for notice in texts(answer, "notices"):
        yield paint(notice, "yellow")
    services = children(answer, "services")
    if services:
        yield strong("Services")
        head = [tuple(faint(name) for name in _HEAD)] if is_tty() else []
        yield from (f"  {line}" for line in table([*head, *service_rows(services)]))
    for step in texts(answer, "workflow"):
        yield faint(f"  {step}")


def card_lines(card: Record) -> Iterator[str]:
    """Yield one incident: what is broken, how bad, since when, what changed, what to do first."""
    yield f"{severity(line_of(card, 'severity'))}  {line_of(card, 'key')}  {strong(line_of(card, 'title'))}"
    services = ", ".join(texts(card, "services")) or "no service named"
    environment = line_of(card, "environment")
    yield f"  Status    {line_of(card, 'status')}, started {at_and_ago(moment(card, 'started_at'))}"
    yield f"  Affected  {services} ({environment})" if environment else f"  Affected  {services}"
    yield from _impact_lines(card)
    yield from _error_lines(child(card, "error"))
    change = child(card, "change")
    if change:
        before_s = number_in(change, "seconds_before") or 0.0
        yield f"  Change    {line_of(change, 'title')}, {before_start(before_s)}"
    if line_of(card, "cause"):
        yield f"  Cause     {line_of(card, 'cause')}"
    for index, step in enumerate(texts(card, "recommended"), start=1):
        yield f"  {'Do' if index == 1 else '  '}        {index}. {step}"
    yield f"  {paint(line_of(card, 'url'), 'blue')}"


def service_rows(services: Sequence[Record]) -> list[tuple[str, ...]]:
    """Return a row for each service: shares and milliseconds as people read them, on a pipe as plain numbers."""
    return [
        (
            line_of(one, "name"),
            service_state(line_of(one, "state")),
            percent(number_in(one, "error_ratio")) if is_tty() else _plain(number_in(one, "error_ratio")),
            milliseconds(number_in(one, "latency_p95_ms")) if is_tty() else _plain(number_in(one, "latency_p95_ms")),
            line_of(one, "version"),
            line_of(one, "last_change"),
        )
        for one in services
    ]


def _plain(value: float | None) -> str:
    return "" if value is None else f"{value:.6g}"


def _impact_lines(card: Record) -> Iterator[str]:
    parts = []
    ratio = number_in(card, "error_ratio")
    if ratio is not None:
        parts.append(f"error rate {percent(ratio)} (normal {percent(number_in(card, 'normal_error_ratio'))})")
    latency = number_in(card, "latency_p95_ms")
    if latency is not None:
        normal = milliseconds(number_in(card, "normal_latency_p95_ms"))
        parts.append(f"p95 {milliseconds(latency)} (normal {normal})")
    failed = count_in(card, "failed_requests")
    if failed:
        parts.append(f"{failed:,} failed requests")
    if parts:
        yield f"  Impact    {', '.join(parts)}"


def _error_lines(error: Record) -> Iterator[str]:
    if not error:
        return
    yield f"  Error     {line_of(error, 'title')}"
    trend = text_of(error, "trend").replace("_", " ")
    parts = (f"{count_in(error, 'count'):,} times", trend, f"first seen {ago(moment(error, 'first_seen'))}")
    yield f"            {', '.join(part for part in parts if part)}"
