"""The actuator port: plan, dry-run, run, check what is there, undo. Nothing runs without an approved plan."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from stanch.kernel.event import JSON


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
