"""Units are acted on by a program that behaves as systemctl documents; the real one says where it cannot be had."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from stanch.integrations.program import LocalPrograms
from stanch.integrations.systemd import SystemdActuator
from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON
from stanch.ports.actuator import Foreseeing, Outlook, Step, StepResult

RUNNING = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "InvocationID": "1",
    "NRestarts": "0",
    "CanReload": "yes",
}


class Machine:
    """A machine with units, and the actuator on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        program = folder / "systemctl"
        source = (Path(__file__).parent / "systemctl.py").read_text()
        program.write_text(f"#!{sys.executable}\n{source}")
        program.chmod(0o755)
        self.units: dict[str, dict[str, str]] = {"payments.service": dict(RUNNING)}
        self.save()
        self.actuator = SystemdActuator(programs=LocalPrograms(), program=str(program), settle_s=0.05)

    def save(self) -> None:
        """Write the units."""
        (self.folder / "units.json").write_text(json.dumps(self.units))

    def be(self, **properties: str) -> None:
        """Give payments other properties."""
        self.units["payments.service"].update(properties)
        self.save()

    def step(self, **data: JSON) -> Step:
        """Return a step on payments."""
        return Step(actuator="systemd", data={"unit": "payments", **data}, timeout_s=20)

    def look(self, **data: JSON) -> Outlook:
        """Look at it."""
        return self.actuator.look(self.step(**data))

    def run(self, step: Step) -> StepResult:
        """Carry it out."""
        return self.actuator.run(step, emit=lambda _: None)

    @property
    def state(self) -> str:
        """Return how payments is now."""
        return str(json.loads((self.folder / "units.json").read_text())["payments.service"]["ActiveState"])

    @property
    def done(self) -> list[list[str]]:
        """Return the commands that were more than questions."""
        asked = self.folder / "asked"
        lines = [json.loads(line) for line in asked.read_text().splitlines()] if asked.exists() else []
        return [line for line in lines if not {"show", "status"} & set(line)]


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """Give a machine on which payments runs."""
    return Machine(tmp_path)


def test_it_can_foresee(machine: Machine) -> None:
    """It looks before anything is done."""
    assert isinstance(machine.actuator, Foreseeing)


def test_a_unit_is_restarted(machine: Machine) -> None:
    """By a list of arguments, with no password asked for, and the unit behind the end of the options."""
    result = machine.run(machine.look().step)

    assert (0, [["--no-ask-password", "restart", "--", "payments.service"]], True) == (
        result.code,
        machine.done,
        result.output.endswith("payments.service is active (running)"),
    )


def test_a_stop_is_undone_by_a_start(machine: Machine) -> None:
    """And the other way round."""
    outlook = machine.look(action="stop")
    stopped = machine.run(outlook.step)
    state = machine.state
    assert outlook.undo is not None
    started = machine.run(outlook.undo)

    assert (0, "inactive", 0, "active") == (stopped.code, state, started.code, machine.state)


def test_looking_does_nothing(machine: Machine) -> None:
    """It shows how the unit is and the command."""
    preview = machine.look().preview

    assert ([], "payments.service is active (running)", True) == (
        machine.done,
        preview[0],
        preview[1].endswith("--no-ask-password restart -- payments.service"),
    )


def test_a_unit_that_somebody_restarted_meanwhile_is_left_alone(machine: Machine) -> None:
    """It is another start by then."""
    outlook = machine.look()
    machine.be(InvocationID="2")
    result = machine.run(outlook.step)

    assert (1, [], False) == (result.code, machine.done, outlook.fingerprint == machine.look().fingerprint)


def test_a_unit_that_restarts_all_the_time_is_the_same_one(machine: Machine) -> None:
    """Its starts by itself do not hold up the plan to restart it."""
    machine.be(NRestarts="5", ActiveState="activating", SubState="auto-restart")
    outlook = machine.look()
    machine.be(NRestarts="6", ActiveState="active", InvocationID="7")
    result = machine.run(outlook.step)

    assert (0, ("systemd has restarted it 5 times by itself",)) == (result.code, outlook.warnings[:1])


def test_a_unit_that_falls_over_afterwards_is_no_success(machine: Machine) -> None:
    """Although systemctl was content; its last lines are shown, without secrets."""
    machine.be(falls_over="yes")
    result = machine.run(machine.step(action="restart"))

    assert (1, True, False) == (result.code, "auto-restart" in result.output, "hunter2hunter2" in result.output)


def test_a_unit_that_does_not_start_is_told(machine: Machine) -> None:
    """In systemctl's words."""
    machine.be(broken="yes", ActiveState="inactive")
    result = machine.run(machine.step(action="start"))

    assert (1, True) == (result.code, "Job for payments.service failed" in result.output)


def test_an_account_that_may_not_is_told(machine: Machine) -> None:
    """As systemd says it."""
    machine.be(denied="yes")
    result = machine.run(machine.step())

    assert (1, True) == (result.code, "this account may not: Failed to restart" in result.output)


def test_what_goes_down_with_it_is_told(machine: Machine) -> None:
    """Units that need it are stopped and restarted too."""
    machine.be(RequiredBy="checkout.service", BoundBy="worker.service", NeedDaemonReload="yes")

    assert (
        "it restarts with it what needs it: checkout.service, worker.service",
        "its file has changed since systemd read it: the former one counts until `systemctl daemon-reload`",
    ) == machine.look().warnings[:2]


@pytest.mark.parametrize(
    ("properties", "action", "why"),
    [
        ({}, "start", "is active (running) already"),
        ({"ActiveState": "inactive", "SubState": "dead"}, "stop", "is inactive (dead) already"),
        ({"LoadState": "masked"}, "restart", "is masked"),
        ({"RefuseManualStart": "yes"}, "restart", "refuses to be started"),
        ({"CanReload": "no"}, "reload", "cannot be reloaded"),
    ],
)
def test_what_cannot_be_done_is_refused_beforehand(
    machine: Machine, properties: dict[str, str], action: str, why: str
) -> None:
    """By what the unit says of itself."""
    machine.be(**properties)

    assert why in machine.look(action=action).refusal


def test_a_unit_that_is_not_there_is_refused(machine: Machine) -> None:
    """systemctl itself says nothing of the kind when it is asked."""
    assert "there is no unit orders.service" == machine.look(unit="orders").refusal


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"unit": "--force"}, "no name of a unit"),
        ({"unit": "-H root@far"}, "no name of a unit"),
        ({"unit": "a b"}, "no name of a unit"),
        ({"unit": "payments;reboot"}, "no name of a unit"),
        ({"unit": "$(reboot).service"}, "no name of a unit"),
        ({"unit": ""}, "no name of a unit"),
        ({"unit": "reboot.target"}, "is none of .service"),
        ({"unit": "orders", "units": "payments.service, checkout"}, "not among the units that are allowed"),
        ({"action": "mask"}, "must be one of"),
        ({"scope": "machine"}, "system or user"),
        ({"host": "far"}, "is no setting"),
    ],
)
def test_what_may_not_be_is_never_asked(machine: Machine, data: dict[str, JSON], why: str) -> None:
    """No option, no target, nothing beside the list; systemctl is not even run."""
    assert (True, 1, False) == (
        why in machine.look(**data).refusal,
        machine.run(machine.step(**data)).code,
        (machine.folder / "asked").exists(),
    )


def test_a_unit_on_the_list_may(machine: Machine) -> None:
    """The list takes names with and without their kind."""
    assert "" == machine.look(units="checkout.service, payments").refusal


def test_a_try_does_nothing(machine: Machine) -> None:
    """It shows what would be done."""
    result = machine.run(machine.step(dry_run=True))

    assert (0, [], "nothing was done: this was a try") == (result.code, machine.done, result.output.splitlines()[-1])


def test_the_real_systemctl_is_understood() -> None:
    """Where systemd runs it describes a unit that is not there; where it does not, it is unavailable."""
    program = shutil.which("systemctl")
    if program is None:
        pytest.skip("systemctl is not installed: nothing can be acted on by it")
    actuator = SystemdActuator(programs=LocalPrograms())
    step = Step(actuator="systemd", data={"unit": "stanch-that-is-not-there.service"})
    argv = [program, "show", "--property=LoadState", "--", "stanch-that-is-not-there.service"]
    answers = subprocess.run(argv, capture_output=True, env=dict(os.environ), check=False).returncode == 0
    if answers:
        assert "there is no unit stanch-that-is-not-there.service" == actuator.look(step).refusal
    else:
        with pytest.raises(Unavailable):
            actuator.look(step)
