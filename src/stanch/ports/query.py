"""The query port: ask a system one read-only question in its own language, get rows or series back.

A system is a database, a cache, a cluster, a metrics server, this machine. What is asked stands in a query pack; what
an answer means is judged elsewhere. An integration refuses everything that is not read-only, keeps its own time-out,
and reads no more than it is told to.
"""

from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON

Row = dict[str, JSON]


class Exhausted(Unavailable):
    """The system takes no more clients: `resource`, of which the limit is reached, is itself the evidence."""

    def __init__(self, message: str = "", *, resource: str = "connections") -> None:
        super().__init__(message, retry=True)
        self.resource = resource


@dataclass(frozen=True, kw_only=True)
class Ask:
    """One question. `text` is SQL, PromQL, a command line or a path; `pattern` takes columns out of lines of text,
    `needs` is what a metric's name must fit. `query` is its `pack.name`, empty for a text that is in no pack.

    `start` and `end` (UTC) are the window of a range query and of what is listed by time.
    """

    text: str
    start: datetime
    end: datetime
    timeout_s: float = 3.0
    most_rows: int = 200
    pattern: str = ""
    needs: str = ""
    query: str = ""


@dataclass(frozen=True, kw_only=True)
class Line:
    """One series of a range query: its labels, times in seconds since 1970 (oldest first), values."""

    labels: Mapping[str, str]
    times: tuple[float, ...]
    values: tuple[float, ...]


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What came back: rows, or lines of a range query. `command` repeats it by hand; `cut` says there was more."""

    command: str
    rows: tuple[Row, ...] = ()
    lines: tuple[Line, ...] = ()
    cut: bool = False


class Session(Protocol):
    """An open way to a system."""

    def ask(self, ask: Ask) -> Reply:
        """Answer one question.

        Raises `NotFound` for what this system does not have (a missing extension, no such metric), `Refused` when the
        question is not read-only or the system denies it, `Exhausted` and `Unavailable` when there is no answer.
        """
        ...


class QuerySource(Protocol):
    """A system that can be asked. `services` are those that use it, empty when that is not said."""

    @property
    def name(self) -> str:
        """Return its name in the configuration, e.g. `orders-db`."""
        ...

    @property
    def system(self) -> str:
        """Return what it is, e.g. `postgresql`: which queries fit."""
        ...

    @property
    def where(self) -> str:
        """Return where it is, as people may see it: without a password."""
        ...

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services that use it."""
        ...

    @property
    def settings(self) -> Mapping[str, str]:
        """Return what fills the placeholders of its queries, e.g. `namespace`."""
        ...

    @property
    def timeout_s(self) -> float:
        """Return how many seconds all questions of one look may take together."""
        ...

    @property
    def side_by_side(self) -> int:
        """Return how many questions it may be asked at a time in one session."""
        ...

    def open(self) -> AbstractContextManager[Session]:
        """Return a session, closed when it is left. Raises as `Session.ask` does."""
        ...


@dataclass(frozen=True, kw_only=True)
class SystemSpec:
    """A configured system. `url` holds no password; `secret` is what the environment variable held, kept out of repr.

    `services` are those that use it.
    """

    name: str
    kind: str
    url: str = ""
    user: str = ""
    secret: str = field(default="", repr=False)
    services: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 8.0


class ConfiguredSource:
    """What every source that is configured says of itself in the same way; a source says the rest, or otherwise."""

    def __init__(self, spec: SystemSpec) -> None:
        self._spec = spec

    @property
    def name(self) -> str:
        """Return its name in the configuration."""
        return self._spec.name

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services that use it, as configured; empty for all."""
        return self._spec.services

    @property
    def settings(self) -> Mapping[str, str]:
        """Return what is configured beside its address."""
        return self._spec.settings

    @property
    def timeout_s(self) -> float:
        """Return how many seconds all queries of one look may take together."""
        return self._spec.timeout_s
