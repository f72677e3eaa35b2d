"""What a token looks like and what is kept of it, and when an hour's budget is spent. Pure."""

import hashlib
from datetime import datetime, timedelta
from typing import Final

from stanch.catalog.agents.model import Limits, Spent

PREFIX: Final = "stanch_agent_"
"""How every token begins, so that it is told from others, and found by whoever looks for leaked secrets."""

HOUR: Final = timedelta(hours=1)


def is_token(text: str) -> bool:
    """Tell whether `text` means to be an agent's token."""
    return text.startswith(PREFIX)


def hash_of(token: str) -> str:
    """Return what is stored of a token. It holds 256 random bits, so a plain SHA-256 cannot be turned back."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


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
