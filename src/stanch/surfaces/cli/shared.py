"""What commands share: options, how an incident is named, how a time is read, how an answer is printed."""

import json
import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import click

from stanch.kernel.errors import Invalid, NotFound
from stanch.kernel.event import JSON
from stanch.kernel.moment import read_since
from stanch.surfaces.cli.records import count_in, records_of
from stanch.surfaces.cli.session import Session, Way
from stanch.surfaces.cli.telling import hint, is_tty

F = TypeVar("F", bound=Callable[..., Any])  # Any: click's own convention for decorated commands

_NAMED = re.compile(r"(?:.*/i/|INC-|#)?(\d{1,9})(?:#e-\d+)?", re.IGNORECASE)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
incident_option = click.option("--incident", "-i", default="current", help="Which incident; by default the open one.")
zone_option = click.option("--tz", "zone", default="", help="Time zone of clock times; by default this machine's.")


incident_argument = click.argument("incident", required=False, default="current")
"""Names an incident: `INC-42`, `42`, `#42`, its URL, or `current`, which it is where nothing is said."""


def word_argument(name: str, metavar: str) -> Callable[[F], F]:
    """Return the argument that comes after the incident, which may be left out: see `told_apart`."""
    return click.argument(name, metavar=metavar, required=False, default="")


def told_apart(incident: str, word: str, *, needed: str = "") -> tuple[str, str]:
    """Return the incident and the word after it, where one alone was said.

    It is the incident where it names one, else the word. Where the word is `needed` (what it is called) a number alone
    is the word as well, and a word must be said: `confirm 1` confirms the first cause of the incident that is open.
    """
    if word:
        return incident, word
    is_number = needed and incident.isdecimal()
    if incident != "current" and (is_number or not names_incident(incident)):
        return "current", incident
    if needed:
        raise click.UsageError(f"Missing argument '{needed}'.", ctx=click.get_current_context())
    return incident, ""


@contextmanager
def open_way(ctx: click.Context) -> Iterator[Way]:
    """Open the way to the operations for one command; what it made due is done before the way closes."""
    session: Session = ctx.obj
    way = session.way()
    try:
        yield way
        way.settle()
    finally:
        way.close()


def names_incident(word: str) -> bool:
    """Tell whether a word names an incident by its number: `INC-42`, `42`, `#42`, its URL."""
    return _NAMED.fullmatch(word) is not None


def number_of(way: Way, named: str | None) -> int:
    """Return the incident's number. `current` is $STANCH_INCIDENT, else the one that is open, if it is only one."""
    word = named if named and named != "current" else os.environ.get("STANCH_INCIDENT") or "current"
    if word != "current":
        found = _NAMED.fullmatch(word)
        if not found:
            raise Invalid(f"{word!r} names no incident", field="incident", hint="say INC-42, 42, #42 or its URL")
        return int(found.group(1))
    numbers = [count_in(card, "number") for card in records_of(way.read("incident.list", open_only=True))]
    if not numbers:
        raise NotFound("no incident is open", hint="name one; all of them: stanch incident list")
    if len(numbers) > 1:
        several = ", ".join(f"INC-{number}" for number in numbers)
        raise Invalid(f"several incidents are open: {several}", field="incident", hint="name one")
    return numbers[0]


def instant_of(text: str, *, zone: str, field: str) -> str | None:
    """Return the instant that `text` says, as RFC 3339, and echo how it was read; None for an empty text.

    Reads `25m` and `25m ago`, `14:30`, `yesterday 9pm`, and dates. Raises `Invalid` on `field` for anything else.
    """
    if not text:
        return None
    found = read_since(text, now=datetime.now(UTC), zone=zone or local_zone())
    if found is None:
        forms = 'say it like 25m, 14:30, "14:30 UTC" or 2026-11-21T14:30Z'
        raise Invalid(f"{text!r} is no time", field=field, hint=forms)
    hint(f"{text} is {found.describe()}")
    for note in found.notes:
        hint(note)
    return found.at.astimezone(UTC).isoformat()


def local_zone() -> str:
    """Return this machine's time zone: $TZ, what /etc/localtime points to, else UTC."""
    named = os.environ.get("TZ", "").lstrip(":")
    if named:
        return named
    return os.path.realpath("/etc/localtime").partition("/zoneinfo/")[2] or "UTC"


def print_json(answer: JSON) -> None:
    """Print an answer as JSON: indented on a terminal, else in one line."""
    click.echo(json.dumps(answer, indent=2 if is_tty() else None, ensure_ascii=False))


def can_ask() -> bool:
    """Tell whether a person can be asked: both ends are a terminal, and --no-input was not said."""
    context = click.get_current_context(silent=True)
    session = context.find_object(Session) if context else None
    return sys.stdin.isatty() and is_tty() and not (session and session.no_input)
