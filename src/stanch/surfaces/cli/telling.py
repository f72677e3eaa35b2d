"""How values read in a terminal, and in a pipe: colour, instants, shares, tables.

On a terminal times are short and say how long ago; elsewhere they are RFC 3339 in UTC, and tables are separated by
tabs, whole and without colour.
"""

import sys
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Final

import click

from stanch.kernel import percentage
from stanch.kernel.duration import format_age

# Severity is never told by colour alone: the label stands beside its sign.
_SEVERITY: Final = {"SEV1": ("‼", "red"), "SEV2": ("!", "yellow"), "SEV3": ("▲", "blue"), "SEV4": ("·", None)}
_STATE: Final = {"ok": ("●", "green"), "degraded": ("◐", "yellow"), "down": ("○", "red")}
_RULE: Final = "─" * 60


def is_tty() -> bool:
    """Tell whether a person reads what is printed."""
    return sys.stdout.isatty()


def paint(text: str, colour: str | None = None, *, bold: bool = False, dim: bool = False) -> str:
    """Return `text` coloured where that is wanted."""
    context = click.get_current_context(silent=True)
    if context is None or not context.color:
        return text
    return click.style(text, fg=colour, bold=bold or None, dim=dim or None)


def faint(text: str) -> str:
    """Return `text` as something that stands back."""
    return paint(text, dim=True)


def strong(text: str) -> str:
    """Return `text` as something that stands out."""
    return paint(text, bold=True)


def say(lines: Iterable[str]) -> None:
    """Print lines on standard output."""
    for line in lines:
        click.echo(line)


def hint(text: str) -> None:
    """Say something on standard error: what helps a person and is no data."""
    click.echo(text, err=True)


def at(when: datetime | None) -> str:
    """Return an instant: `14:30:05 UTC` on a terminal, with the date when it is not today; else RFC 3339."""
    if when is None:
        return "–"
    utc = when.astimezone(UTC)
    if not is_tty():
        return f"{utc:%Y-%m-%dT%H:%M:%SZ}"
    same_day = utc.date() == datetime.now(UTC).date()
    return f"{utc:%H:%M:%S} UTC" if same_day else f"{utc:%Y-%m-%d %H:%M:%S} UTC"


def ago(when: datetime | None) -> str:
    """Return how long ago an instant was, `4m ago`; where nobody reads it, the instant itself."""
    if when is None:
        return "–"
    return format_age(datetime.now(UTC) - when) if is_tty() else at(when)


def at_and_ago(when: datetime | None) -> str:
    """Return an instant and, on a terminal, how long ago it was."""
    return f"{at(when)} ({ago(when)})" if when is not None and is_tty() else at(when)


def percent(value: float | None) -> str:
    """Return a share of one as a percentage, a dash for None."""
    return "–" if value is None else percentage.percent(value)


def milliseconds(value: float | None) -> str:
    """Return a latency."""
    return "–" if value is None else f"{value:,.0f} ms"


def severity(label: str) -> str:
    """Return a severity with its sign and colour on a terminal, else the label alone."""
    sign, colour = _SEVERITY.get(label, ("·", None))
    return paint(f"{sign} {label}", colour, bold=True) if is_tty() else paint(label, colour, bold=True)


def service_state(state: str) -> str:
    """Return the state of a service with its sign and colour on a terminal, else the word alone."""
    sign, colour = _STATE.get(state, ("?", None))
    return f"{paint(sign, colour)} {state}" if is_tty() else state


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield rows with their columns lined up on a terminal, else separated by tabs, whole and without colour."""
    if not rows:
        return
    if not is_tty():
        yield from ("\t".join(_cell(cell) for cell in row) for row in rows)
        return
    widths = [max(len(click.unstyle(cell)) for cell in column) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - len(click.unstyle(cell))) for cell, width in zip(row, widths, strict=True))
        yield "  ".join(cells).rstrip()


def rule(title: str) -> str:
    """Return a heading."""
    return strong(f"── {title} {_RULE}"[:60]) if is_tty() else f"{title}:"


def _cell(cell: str) -> str:
    # A tab or a line break inside would be another cell or row.
    return " ".join(click.unstyle(cell).split())
