"""What a token looks like and what is kept of it, and when an hour's budget is spent. Pure."""

import hashlib
import math
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.agents.model import Limits, OwnLimits, Spent
from stanch.kernel.errors import Problem

PREFIX: Final = "stanch_agent_"
"""How every token begins, so that it is told from others, and found by whoever looks for leaked secrets."""

HOUR: Final = timedelta(hours=1)
LIMITED: Final = ("calls", "writes", "executions", "seconds")
"""The fields of a budget."""

MOST: Final = 1_000_000
"""What no limit is above: more than one agent can ask for in an hour."""


def is_token(text: str) -> bool:
    """Tell whether `text` means to be an agent's token."""
    return text.startswith(PREFIX)


def hash_of(token: str) -> str:
    """Return what is stored of a token. It holds 256 random bits, so a plain SHA-256 cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def merged(own: OwnLimits, usual: Limits) -> Limits:
    """Return the limits that hold for an agent: its token's own, and the usual where that says nothing."""
    given = {name: value for name in LIMITED if (value := getattr(own, name)) is not None}
    return replace(usual, **given)


def left_of(spent: Spent, limits: Limits) -> Limits:
    """Return what is left of a budget; a part of a second that was begun is spent."""
    return Limits(
        calls=max(0, limits.calls - spent.calls),
        writes=max(0, limits.writes - spent.writes),
        executions=max(0, limits.executions - spent.executions),
        seconds=max(0, limits.seconds - math.ceil(spent.seconds)),
    )


def complaints(own: OwnLimits) -> tuple[Problem, ...]:
    """Return what is wrong with the limits that somebody gives a token."""
    return tuple(
        Problem(message=f"is a whole number from {least} to {MOST:,}", field=name)
        for name, least in (("calls", 1), ("writes", 0), ("executions", 0), ("seconds", 1))
        if (value := getattr(own, name)) is not None and not least <= value <= MOST
    )


def lacking(spent: Spent, limits: Limits, *, writes: bool, executes: bool) -> str:
    """Return which part of the budget is spent for a call of this kind, empty where none is."""
    if spent.calls >= limits.calls:
        return f"{limits.calls} calls"
    if writes and spent.writes >= limits.writes:
        return f"{limits.writes} writes"
    if executes and spent.executions >= limits.executions:
        return f"{limits.executions} executions"
    return f"{limits.seconds} seconds of work" if spent.seconds >= limits.seconds else ""


def again_at(spent: Spent, *, now: datetime) -> datetime:
    """Return when the oldest of what was spent is forgotten; it is counted by the minute."""
    return (spent.since or now) + HOUR + timedelta(minutes=1)
