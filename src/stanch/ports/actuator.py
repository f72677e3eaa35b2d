"""The actuator port: plan, dry-run, run, check what is there, undo. Nothing runs without an approved plan."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Protocol, runtime_checkable

from stanch.kernel.blocks import clean
from stanch.kernel.errors import Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact

Say = Callable[[str], None]

TIMED_OUT: Final = 124
"""What `timeout` of the GNU tools answers, for work that was not done in time."""


@dataclass(frozen=True, kw_only=True)
class Step:
    """One thing an actuator does: for a command, the exact argument list; no shell ever reads it."""

    actuator: str
    argv: tuple[str, ...] = ()
    cwd: str = ""
    timeout_s: float = 60.0
    describe: str = ""
    data: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class StepResult:
    """How a step ended. `output` is redacted, newest kept, at most 64 KiB; `code` is 0 for success."""

    code: int
    output: str
    took_s: float
    timed_out: bool = False


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """What a step would meet, read without a change.

    `step` is the same step made exact, `undo` the step that brings back what is there now (None: nothing does).
    `fingerprint` names the state of what it acts on (a resource version, a commit); empty where there is none to name.
    `warnings` are told beside the plan, `preview` is what a dry run shows, and a `refusal` says why it may not be done.
    """

    step: Step
    undo: Step | None = None
    fingerprint: str = ""
    warnings: tuple[str, ...] = ()
    preview: tuple[str, ...] = ()
    refusal: str = ""


class Actuator(Protocol):
    """Carries out steps of one kind."""

    @property
    def name(self) -> str:
        """Return the actuator's name, e.g. `command`."""
        ...

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why this step may not run (not on the allow-list, no such program ...); empty when it may."""
        ...

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Carry out the step; call `emit` with each line of output as it comes."""
        ...


@runtime_checkable
class Foreseeing(Protocol):
    """An actuator that can say beforehand what its step would meet."""

    def look(self, step: Step) -> Outlook:
        """Read what `step` would meet and change nothing; raises `Unavailable` when the far end does not answer."""
        ...


def _plain(line: str) -> str:
    return redact(clean(line))


def carried_out(
    work: Callable[[Say], int], *, emit: Say, shown: Callable[[str], str] = _plain, refused: str = ""
) -> StepResult:
    """Do the work, which says its lines and returns its code, and pass each line on as `shown` makes it.

    What raises `Refused` or `Unavailable` is a last line and code 1; `refused` stands before the first of the two.
    """
    began = time.monotonic()
    lines: list[str] = []

    def say(line: str) -> None:
        lines.append(shown(line))
        emit(lines[-1])

    try:
        code = work(say)
    except Refused as error:
        say(f"{refused}{error.message}")
        code = 1
    except Unavailable as error:
        say(error.message)
        code = 1
    took_s = time.monotonic() - began
    return StepResult(code=code, output="\n".join(lines), took_s=took_s, timed_out=code == TIMED_OUT)
