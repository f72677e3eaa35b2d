"""A far end with a state that can be looked at: a valve, its setting and its version. It refuses what came too late."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from stanch.catalog.model import ActionSpec
from stanch.kernel.errors import Unavailable
from stanch.ports.actuator import Outlook, Step, StepResult

ACTION = ActionSpec(
    name="close",
    mitigation="rollback",
    title="Close the valve of {service}",
    uses="valve",
    settings={"to": "40"},
    risk="low",
)


@dataclass
class Valve:
    """The valve and the actuator that turns it. `gone` makes it not answer; `refusal` is what the account may not."""

    setting: str = "100"
    version: int = 1
    gone: bool = False
    refusal: str = ""
    looks: int = 0
    ran: list[Step] = field(default_factory=list)
    meanwhile: Callable[[], None] = field(default=lambda: None)

    name = "valve"

    def turn(self, setting: str) -> None:
        """Set it, as anybody might."""
        self.setting, self.version = setting, self.version + 1

    def look(self, step: Step) -> Outlook:
        """Say what the step would meet."""
        self.looks += 1
        if self.gone:
            raise Unavailable("the valve does not answer", retry=True)
        return Outlook(
            step=replace(step, data={"to": step.data["to"], "if": str(self.version)}),
            undo=replace(step, data={"to": self.setting}),
            fingerprint=f"version {self.version}",
            warnings=("somebody watches it",),
            preview=(f"{self.setting} -> {step.data['to']}",),
            refusal=self.refusal,
        )

    def problems(self, step: Step) -> tuple[str, ...]:
        """Have none."""
        return ()

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Turn it, if it is at the version that the step names."""
        self.meanwhile()
        self.ran.append(step)
        if step.data.get("if") != str(self.version):
            emit(f"refused: it is at version {self.version}")
            return StepResult(code=1, output="", took_s=0.0)
        self.turn(str(step.data["to"]))
        emit(f"at {self.setting}")
        return StepResult(code=0, output="", took_s=0.0)
