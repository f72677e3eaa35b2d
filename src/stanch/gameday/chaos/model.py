"""The records of breaking and taking back: what was meant, done and undone, and how each thing is undone."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class UndoKind(StrEnum):
    """How something is taken back. Each may be done twice: a runner can die between the deed and the note of it."""

    RESUME = "resume"
    START = "start"
    RUN = "run"
    TELL = "tell"
    REMOVE = "remove"
    LEAVE = "leave"


@dataclass(frozen=True, kw_only=True)
class Undo:
    """One thing to take back, as data, so that another process can do it.

    RESUME lets process `pid` go on if it is still the one that was `started` then; START runs `argv` unless the process
    in the file `path` lives; RUN runs `argv`; TELL sends `method` with `body` to `url`; REMOVE deletes the file `path`;
    LEAVE makes the file `path`, at which a process of ours ends.
    """

    kind: UndoKind
    pid: int = 0
    started: str = ""
    argv: tuple[str, ...] = ()
    url: str = ""
    method: str = ""
    body: str = ""
    path: str = ""
    timeout_s: float = 30.0


@dataclass(frozen=True, kw_only=True)
class Deed:
    """What a step means to do, before it is done: on which instances, in words, and how it is taken back."""

    step: int
    target: str
    words: str
    instances: tuple[str, ...] = ()
    undo: tuple[Undo, ...] = ()


class Note(StrEnum):
    """What a line of the journal says."""

    OPENED = "opened"
    MEANT = "meant"
    DONE = "done"
    UNDONE = "undone"
    STUCK = "stuck"
    CLOSED = "closed"
    TOLD = "told"


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of the journal. `at` is UTC; `text` is the scenario, the problem or the reason."""

    note: Note
    at: datetime
    step: int = -1
    text: str = ""
    gameday: int = 0
    deed: Deed | None = None


@dataclass(frozen=True, kw_only=True)
class Told:
    """What became of one deed."""

    deed: Deed
    done_at: datetime | None = None
    undone_at: datetime | None = None
    problem: str = ""


@dataclass(frozen=True, kw_only=True)
class Story:
    """What a journal adds up to. Deeds stand as they were meant, oldest first; `closed` says why no more may be.

    `told` says that the server knows how it ended.
    """

    gameday: int = 0
    scenario: str = ""
    deeds: tuple[Told, ...] = field(default_factory=tuple)
    closed: str = ""
    told: bool = False
