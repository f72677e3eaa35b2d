"""The tracker port: an action item has a ticket where a team keeps its work, and each follows the other.

Owns what a ticket is and what a tracker is asked; who wins where both changed is `review.tickets.rules`' business.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum
from typing import Protocol

from stanch.ports.pager import Failure, NotTaken, lost, refused, retry_after

__all__ = [
    "Draft",
    "Failure",
    "Move",
    "NotTaken",
    "Part",
    "Said",
    "Ticket",
    "TicketState",
    "TicketTracker",
    "Touched",
    "TrackerSettings",
    "lost",
    "refused",
    "retry_after",
]


class TicketState(StrEnum):
    """Where a ticket stands: a tracker has more words for it, which mean one of these."""

    OPEN = "open"
    DONE = "done"
    DROPPED = "dropped"


class Part(StrEnum):
    """What both sides say of one thing, and keep the same."""

    TITLE = "title"
    OWNER = "owner"
    DUE = "due"
    STATE = "state"


@dataclass(frozen=True, kw_only=True)
class Said:
    """What one side says. `owner` is an account of the tracker, empty for nobody; `due_on` a day without a zone."""

    title: str
    owner: str = ""
    due_on: date | None = None
    state: TicketState = TicketState.OPEN


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What a ticket is to say. `mark` is unique to the item, guessed by nobody, and what a ticket is found again by.

    `about` is one line on where it comes from, `url` the page of it; `facts` are pairs of a word and what it is.
    """

    mark: str
    said: Said
    about: str
    url: str
    facts: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Move:
    """Who changed a part of a ticket, an account with a name to show, and when (UTC)."""

    part: Part
    by: str
    name: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Ticket:
    """A ticket as it is there. `reference` is what people call it, `version` differs after every change."""

    reference: str
    url: str
    said: Said
    version: str


@dataclass(frozen=True, kw_only=True)
class Touched:
    """A ticket that changed, the version it has now, and when it changed (UTC)."""

    reference: str
    version: str
    at: datetime


@dataclass(frozen=True, kw_only=True)
class TrackerSettings:
    """How a tracker is configured. `secret` never stands in an error or a log.

    `states` are the tracker's own words for `open`, `done` and `dropped`, where they are not the usual ones.
    """

    name: str
    kind: str
    project: str
    url: str = ""
    account: str = ""
    secret: str = field(default="", repr=False)
    label: str = "stanch"
    issue_type: str = "Task"
    states: dict[str, str] = field(default_factory=dict)


class TicketTracker(Protocol):
    """One project of one tracker. Every method raises `NotTaken`; of a write, `UNKNOWN` means that it may stand."""

    @property
    def name(self) -> str:
        """Return the configured name."""
        ...

    @property
    def longest_title(self) -> int:
        """Return how many letters a title may have there."""
        ...

    def find(self, mark: str, *, since: datetime, now: datetime) -> Ticket | None:
        """Return the ticket of our own account with `mark`, made at `since` or later; None where none is seen (yet).

        Who can read a ticket can copy its mark into another: where several have it, it is the oldest.
        """
        ...

    def create(self, draft: Draft) -> Ticket:
        """Make a ticket; its state is open."""
        ...

    def read(self, reference: str) -> Ticket:
        """Return a ticket; `reference` as people say it."""
        ...

    def moves(self, ticket: Ticket) -> tuple[Move, ...]:
        """Return the changes of `ticket` that the tracker remembers, oldest first; of many the last ones."""
        ...

    def update(self, ticket: Ticket, draft: Draft, *, parts: frozenset[Part]) -> Ticket:
        """Let `ticket` say what `draft` says of `parts`, and return it as it is then. Again, it changes nothing."""
        ...

    def touched(self, *, since: datetime, now: datetime) -> tuple[Touched, ...]:
        """Return what changed at `since` or later, each once, oldest first; it may hold some that changed before."""
        ...
