"""The error tree. Everything Stanch raises on purpose is one of these.

    StanchError
    |-- Refused        a rule said no; `reason` is a stable code
    |   |-- NotFound   the thing asked for does not exist
    |   |-- Conflict   the world has changed since the caller looked
    |   `-- Forbidden  this actor may not do this
    |-- Invalid        bad input; all problems at once
    |-- Unavailable    something outside did not answer; `retry` says whether trying again can help
    `-- Bug            an invariant does not hold; never the user's fault

A message says what was tried, on what, and what to do next, and never holds a secret. Transport facts (an HTTP
status, an exit code) are added by the surface.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class StanchError(Exception):
    """Stanch could not do what was asked."""

    code: ClassVar[str] = "error"

    def __init__(self, message: str = "", *, hint: str = "") -> None:
        self.message = message or (type(self).__doc__ or "").strip().splitlines()[0]
        self.hint = hint
        super().__init__(self.message)


class Refused(StanchError):
    """A rule does not allow this."""

    code = "refused"

    def __init__(self, message: str = "", *, reason: str = "refused", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class NotFound(Refused):
    """There is no such thing."""

    code = "not_found"

    def __init__(self, message: str = "", *, reason: str = "not_found", hint: str = "") -> None:
        super().__init__(message, reason=reason, hint=hint)


class Conflict(Refused):
    """Somebody else changed this in the meantime."""

    code = "conflict"

    def __init__(self, message: str = "", *, reason: str = "conflict", hint: str = "") -> None:
        super().__init__(message, reason=reason, hint=hint)


class Forbidden(Refused):
    """This actor may not do this."""

    code = "forbidden"

    def __init__(self, message: str = "", *, reason: str = "forbidden", hint: str = "") -> None:
        super().__init__(message, reason=reason, hint=hint)


@dataclass(frozen=True, kw_only=True)
class Problem:
    """One thing wrong with the input: where (a dotted path such as `labels.severity`) and what."""

    field: str
    message: str


class Invalid(StanchError):
    """The input is not valid."""

    code = "invalid"

    def __init__(self, message: str = "", *, field: str = "", problems: Sequence[Problem] = (), hint: str = "") -> None:
        found = tuple(problems)
        if field and not found:
            found = (Problem(field=field, message=message),)
        if not message and found:
            message = "; ".join(f"{problem.field}: {problem.message}" for problem in found)
        super().__init__(message, hint=hint)
        self.problems = found


class Unavailable(StanchError):
    """Something outside Stanch did not answer."""

    code = "unavailable"

    def __init__(self, message: str = "", *, retry: bool, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry = retry


class Bug(StanchError):
    """An invariant of Stanch does not hold. Please report this."""

    code = "bug"
