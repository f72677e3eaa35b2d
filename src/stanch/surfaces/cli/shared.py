"""What commands share: options, how an incident is named, how an answer is printed."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from stanch.kernel.errors import Invalid, NotFound
from stanch.kernel.event import JSON
from stanch.surfaces.cli.session import Session, Way

F = TypeVar("F", bound=Callable[..., Any])  # Any: click's own convention for decorated commands

_NAMED = re.compile(r"(?:.*/i/|INC-|#)?(\d{1,9})(?:#e-\d+)?", re.IGNORECASE)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")


def incident_argument(*, required: bool = True) -> Callable[[F], F]:
    """Return the argument that names an incident: `INC-42`, `42`, `#42`, its URL, or `current`."""
    return click.argument("incident", required=required, default=None if required else "current")


@contextmanager
def open_way(ctx: click.Context) -> Iterator[Way]:
    """Open the way to the operations for one command; what is due is done before it closes."""
    session: Session = ctx.obj
    way = session.way()
    try:
        yield way
        way.settle()
    finally:
        way.close()


def number_of(way: Way, named: str | None) -> int:
    """Return the incident's number. `current` is $STANCH_INCIDENT, else the one that is open, if it is only one."""
    word = named if named and named != "current" else os.environ.get("STANCH_INCIDENT", "current")
    if word != "current":
        found = _NAMED.fullmatch(word)
        if not found:
            raise Invalid(f"{word!r} names no incident", field="incident", hint="say INC-42, 42, #42 or its URL")
        return int(found.group(1))
    cards = way.read("incident.list", open_only=True)
    numbers = [card["number"] for card in cards if isinstance(card, dict)] if isinstance(cards, list) else []
    if len(numbers) == 1 and isinstance(numbers[0], int):
        return numbers[0]
    if not numbers:
        raise NotFound("no incident is open")
    several = ", ".join(f"INC-{number}" for number in numbers)
    raise Invalid(f"several incidents are open: {several}", field="incident", hint="name one")


def print_json(answer: JSON) -> None:
    """Print an answer as JSON: indented on a terminal, else in one line."""
    indent = 2 if sys.stdout.isatty() else None
    click.echo(json.dumps(answer, indent=indent, ensure_ascii=False))


def is_terminal() -> bool:
    """Tell whether a person can be asked: both ends are a terminal."""
    return sys.stdin.isatty() and sys.stdout.isatty()
