"""The records of the log library: a level, a stack frame, an exception, one log record. No parsing here."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from types import MappingProxyType

MAX_LINE = 65_536
"""Characters kept of one physical line; what is longer is cut, so that a hostile line costs 64 KiB at most."""

MAX_MESSAGE = 8_192
"""Characters kept of one message: ten thousand samples of this size stay below 80 MB."""

MAX_FRAMES = 64
"""Frames kept of one trace; a recursion error repeats the same frames a thousand times."""

_NO_FIELDS: Mapping[str, str] = MappingProxyType({})

# Folders that hold code of others in Python, Node, Ruby, Go, Rust and PHP.
_LIBRARY_FILE = re.compile(
    r"site-packages|dist-packages|node_modules|/usr/(?:local/)?lib|/usr/local/go/|/go/pkg/mod/|/gems/|/vendor/"
    r"|lib/python\d|\.cargo/|/rustc/|^node:|^internal/|^<frozen|^<string>"
)
# Name spaces of the platform and of the common frameworks in Java, .NET and Go.
_LIBRARY_FUNCTION = re.compile(
    r"^(?:java|javax|jdk|sun|com\.sun|kotlin|scala|akka|jakarta|org\.springframework|org\.apache|org\.hibernate"
    r"|org\.eclipse|org\.postgresql|com\.mysql|com\.zaxxer|io\.netty|io\.grpc|reactor|System|Microsoft|runtime|net/http|database/sql|testing)\."
)


class Level(StrEnum):
    """How severe the writer of a line thought it was; `UNKNOWN` where the line does not say."""

    TRACE = "trace"
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"
    FATAL = "fatal"
    UNKNOWN = "unknown"

    @property
    def is_failure(self) -> bool:
        """Say whether the writer reported a failure."""
        return self in (Level.ERROR, Level.FATAL)


@dataclass(frozen=True, kw_only=True)
class Frame:
    """One call of a stack trace. `line` is 0 where the trace does not give it."""

    file: str
    line: int
    function: str

    @property
    def in_application(self) -> bool:
        """Say whether the frame is the application's own code rather than a library's or the platform's."""
        return not (_LIBRARY_FILE.search(self.file) or _LIBRARY_FUNCTION.match(self.function))

    def __str__(self) -> str:
        return f"{self.file}:{self.line} in {self.function}" if self.line else f"{self.file} in {self.function}"


@dataclass(frozen=True, kw_only=True)
class ExceptionInfo:
    """An exception as a log shows it.

    `frames` run from the outermost call to the innermost, where it was raised, whatever order the language prints.
    `wrapped_by` holds the types of the exceptions that wrap this one, outermost first, may be empty.
    """

    type: str
    message: str
    frames: tuple[Frame, ...] = ()
    wrapped_by: tuple[str, ...] = ()

    @property
    def innermost(self) -> Frame | None:
        """Return the frame in which it was raised, None without a trace."""
        return self.frames[-1] if self.frames else None

    @property
    def culprit(self) -> Frame | None:
        """Return the innermost frame of the application's own code, else the innermost one."""
        own = next((frame for frame in reversed(self.frames) if frame.in_application), None)
        return own or self.innermost

    @property
    def title(self) -> str:
        """Return `Type: message` on one line."""
        first = self.message.strip().split("\n", 1)[0]
        return f"{self.type}: {first}" if first else self.type


@dataclass(frozen=True, kw_only=True)
class LogRecord:
    """One thing a program said, its trace included.

    `at` is aware and in UTC, None where the line carries no time that can be resolved. `fields` are the other scalar
    values of a structured line, as text, at most 32.
    """

    message: str
    at: datetime | None = None
    level: Level = Level.UNKNOWN
    service: str = ""
    version: str = ""
    logger: str = ""
    exception: ExceptionInfo | None = None
    fields: Mapping[str, str] = field(default_factory=lambda: _NO_FIELDS)

    @property
    def is_failure(self) -> bool:
        """Say whether the record reports a failure: by its level, or by an exception below a warning's level."""
        return self.level.is_failure or (self.exception is not None and self.level is not Level.DEBUG)
