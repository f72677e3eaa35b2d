"""The port to statements that change rows: one statement, its parameters bound, in one transaction that may be undone.

Which statements may run is the owner's: a system without an allow rule takes none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from stanch.ports.query import Row


@dataclass(frozen=True, kw_only=True)
class Statement:
    """One statement, with `%(name)s` for each parameter. It is taken back when it touches more than `most_rows`."""

    text: str
    parameters: Mapping[str, str]
    most_rows: int = 1000
    timeout_s: float = 10.0


@dataclass(frozen=True, kw_only=True)
class Touched:
    """What a statement did, or would have done: how many rows, the first of those it returns, what to know besides.

    `kept` is False where it was taken back.
    """

    rows: int
    shown: tuple[Row, ...] = ()
    kept: bool = False
    warnings: tuple[str, ...] = ()


class StatementServer(Protocol):
    """A database that takes statements."""

    @property
    def where(self) -> str:
        """Return where it is, without a password."""
        ...

    def attempt(self, statement: Statement) -> Touched:
        """Carry a statement out and take it back. What acts at once is only read, where that can be told.

        Raises `Refused` where the account may not, or where it cannot be tried, `Unavailable` when there is no answer.
        """
        ...

    def carry_out(self, statement: Statement) -> Touched:
        """Carry a statement out; it is taken back, and `kept` False, where it touches more rows than it may."""
        ...
