"""The port to a database's sessions: who is connected, what they do, who waits for whom; and ending one of them.

Owns what a session is and which of them an action may choose; no SQL. A number of a process or of a connection is used
again some day, so a session is named by its number, when it began, and what it works on; the far end compares all
three in the moment in which it ends it.
"""

from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Protocol


class Trouble(StrEnum):
    """What a session is ended for."""

    BLOCKING = "blocking"
    IDLE_IN_TRANSACTION = "idle_in_transaction"
    LONG = "long"


class Doing(StrEnum):
    """What a session does."""

    ACTIVE = "active"
    IDLE_IN_TRANSACTION = "idle in transaction"
    IDLE = "idle"


@dataclass(frozen=True, kw_only=True)
class Identity:
    """One session's piece of work: its number, when (or from where) it connected, and what it works on."""

    pid: int
    started: str
    work: str


@dataclass(frozen=True, kw_only=True)
class DatabaseSession:
    """One session. `for_s` is how long it does what it does, `open_s` how long its transaction is open, in seconds.

    `behind` counts the sessions that wait for it, directly or by way of others, the longest for `waiting_s`;
    `waits_for` are the numbers of those it waits for itself. `protected` says why it is never ended, in words.
    """

    identity: Identity
    user: str
    application: str = ""
    client: str = ""
    database: str = ""
    doing: Doing = Doing.ACTIVE
    for_s: float = 0.0
    open_s: float = 0.0
    query: str = ""
    behind: int = 0
    waiting_s: float = 0.0
    waits_for: tuple[int, ...] = ()
    protected: str = ""


@dataclass(frozen=True, kw_only=True)
class Wait:
    """One session waits for another."""

    waiter: int
    blocker: int
    for_s: float


class Ending(StrEnum):
    """How a session may be ended: its query, or all of it."""

    CANCEL = "cancel"
    TERMINATE = "terminate"


class Console(Protocol):
    """An open way to a server's sessions."""

    def sessions(self) -> tuple[DatabaseSession, ...]:
        """Return who is connected and does something. Raises `Refused` and `Unavailable`."""
        ...

    def server(self) -> str:
        """Return a name for the server as it runs now: numbers of sessions mean something within it alone."""
        ...

    def denial(self, sessions: Sequence[DatabaseSession]) -> str:
        """Return why this account may not end `sessions`, in words; empty when it may, or cannot know before."""
        ...

    def end(self, identity: Identity, how: Ending) -> bool:
        """Ask the server to end it; False when there is no such session any more, or it works on something else.

        Raises `Refused` when this account may not.
        """
        ...


class SessionServer(Protocol):
    """A database server whose sessions can be looked at and ended."""

    @property
    def where(self) -> str:
        """Return where it is, without a password."""
        ...

    def open(self) -> AbstractContextManager[Console]:
        """Connect. Raises `Exhausted`, `Refused` and `Unavailable`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """What an action may end: which troubles, from how many seconds on, how many, whose. Empty `users` is anybody's."""

    troubles: frozenset[Trouble]
    at_least_s: float
    at_most: int
    users: frozenset[str] = frozenset()
    databases: frozenset[str] = frozenset()


def trouble_of(session: DatabaseSession, bounds: Bounds) -> Trouble | None:
    """Return what `session` would be ended for within `bounds`, the worst first; None when it is left alone.

    Of those that block, only the ones that do not wait themselves are: ending another would free nobody.
    """
    if bounds.users and session.user not in bounds.users:
        return None
    if bounds.databases and session.database not in bounds.databases:
        return None
    is_root = session.behind > 0 and not session.waits_for
    if Trouble.BLOCKING in bounds.troubles and is_root and session.waiting_s >= bounds.at_least_s:
        return Trouble.BLOCKING
    if session.for_s < bounds.at_least_s:
        return None
    if Trouble.IDLE_IN_TRANSACTION in bounds.troubles and session.doing is Doing.IDLE_IN_TRANSACTION:
        return Trouble.IDLE_IN_TRANSACTION
    # One that waits for a lock is not slow; who holds the lock is.
    if Trouble.LONG in bounds.troubles and session.doing is Doing.ACTIVE and not session.waits_for:
        return Trouble.LONG
    return None


def choose(sessions: Iterable[DatabaseSession], bounds: Bounds) -> list[tuple[DatabaseSession, Trouble]]:
    """Return whom an action ends and what for: most waiting first, then the longest; at most as many as it may."""
    found = [(one, why) for one in sessions if not one.protected and (why := trouble_of(one, bounds)) is not None]
    found.sort(key=lambda each: (-each[0].behind, -max(each[0].for_s, each[0].waiting_s), each[0].identity.pid))
    return found[: bounds.at_most]


def is_settled(identity: Identity, why: Trouble, sessions: Iterable[DatabaseSession]) -> bool:
    """Tell whether what a session was to be ended for is over, as `sessions` are now."""
    session = next((one for one in sessions if one.identity == identity), None)
    if session is None:
        return True
    if why is Trouble.BLOCKING:
        return session.behind == 0
    return session.doing is not (Doing.IDLE_IN_TRANSACTION if why is Trouble.IDLE_IN_TRANSACTION else Doing.ACTIVE)


def with_waits(sessions: Iterable[DatabaseSession], waits: Iterable[Wait]) -> tuple[DatabaseSession, ...]:
    """Return `sessions` with who waits for whom filled in, by way of others too."""
    direct: dict[int, dict[int, float]] = {}
    blockers: dict[int, set[int]] = {}
    for wait in waits:
        direct.setdefault(wait.blocker, {})[wait.waiter] = wait.for_s
        blockers.setdefault(wait.waiter, set()).add(wait.blocker)
    found = []
    for session in sessions:
        pid = session.identity.pid
        behind = _all_behind(pid, direct)
        waits_for = tuple(sorted(blockers.get(pid, ())))
        longest = max(behind.values(), default=0.0)
        found.append(replace(session, behind=len(behind), waiting_s=longest, waits_for=waits_for))
    return tuple(found)


def _all_behind(pid: int, direct: dict[int, dict[int, float]]) -> dict[int, float]:
    found: dict[int, float] = {}
    pending = [pid]
    while pending:
        for waiter, for_s in direct.get(pending.pop(), {}).items():
            if waiter not in found and waiter != pid:
                found[waiter] = for_s
                pending.append(waiter)
    return found
