"""Containers are acted on through an Engine on a socket, which the docker command understands as well."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from stanch.integrations.docker import DockerActuator
from stanch.kernel.errors import Unavailable
from stanch.kernel.event import JSON
from stanch.ports.actuator import Foreseeing, Outlook, Step, StepResult
from tests.integrations.docker.engine import ID, MIB, FakeEngine, Object, container, engine

ACTUATOR = DockerActuator(settle_s=0.03, every_s=0.01)


class Host:
    """An Engine, and steps on payments."""

    def __init__(self, fake: FakeEngine) -> None:
        self.fake = fake

    @property
    def payments(self) -> Object:
        """Return the container as it is now."""
        return self.fake.containers[ID]

    def step(self, **data: JSON) -> Step:
        """Return a step on payments."""
        return Step(actuator="docker", data={"container": "payments", "socket": self.fake.socket, **data}, timeout_s=5)

    def look(self, **data: JSON) -> Outlook:
        """Look at it."""
        return ACTUATOR.look(self.step(**data))

    def run(self, step: Step) -> StepResult:
        """Carry it out."""
        return ACTUATOR.run(step, emit=lambda _: None)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    """Give an Engine with payments, which has 256 MiB and half a CPU."""
    limited = container(Memory=256 * MIB, MemorySwap=512 * MIB, NanoCpus=500_000_000)
    with engine(tmp_path, limited) as fake:
        yield Host(fake)


def test_it_can_foresee() -> None:
    """It looks before anything is done."""
    assert isinstance(ACTUATOR, Foreseeing)


def test_a_container_is_restarted_by_its_id(host: Host) -> None:
    """The name may belong to another one by then."""
    result = host.run(host.look().step)

    assert (0, [(f"/containers/{ID}/restart?t=10", {})], "payments (shop/payments:v3.2.1) is running") == (
        result.code,
        host.fake.done,
        result.output,
    )


def test_a_stop_is_undone_by_a_start(host: Host) -> None:
    """And it holds."""
    outlook = host.look(action="stop", grace_s="30")
    stopped = host.run(outlook.step)
    status = host.payments["State"]["Status"]
    assert outlook.undo is not None
    started = host.run(outlook.undo)

    assert (0, "exited", 0, "running") == (stopped.code, status, started.code, host.payments["State"]["Status"])


def test_looking_does_nothing(host: Host) -> None:
    """It shows how the container is."""
    preview = host.look().preview

    assert ([], "payments (shop/payments:v3.2.1) is running") == (host.fake.done, preview[0])


def test_limits_are_changed_and_brought_back(host: Host) -> None:
    """Swap keeps its distance, since the Engine refuses more memory than memory and swap together."""
    outlook = host.look(action="limits", memory="1g", cpus="1.5")
    raised = host.run(outlook.step)
    limits = dict(host.payments["HostConfig"])
    assert outlook.undo is not None
    back = host.run(outlook.undo)

    assert (
        (0, 1024 * MIB, 1280 * MIB, 1_500_000_000),
        (0, 256 * MIB, 512 * MIB, 500_000_000),
        ("memory: 256 MiB -> 1,024 MiB", "CPUs: 0.5 -> 1.5"),
    ) == (
        (raised.code, limits["Memory"], limits["MemorySwap"], limits["NanoCpus"]),
        (back.code, *(host.payments["HostConfig"][name] for name in ("Memory", "MemorySwap", "NanoCpus"))),
        outlook.preview[2:],
    )


def test_a_limit_where_there_was_none_has_no_undo(tmp_path: Path) -> None:
    """The Engine takes a limit and never takes it away again."""
    with engine(tmp_path, container()) as fake:
        outlook = Host(fake).look(action="limits", memory="512m")

    assert (None, True) == (outlook.undo, "cannot be taken away again" in outlook.warnings[0])


def test_a_container_that_falls_over_is_no_success(host: Host) -> None:
    """Although the Engine was content."""
    host.fake.falls_over = True
    result = host.run(host.step())

    assert (1, True) == (result.code, "is exited, exit code 1" in result.output)


@pytest.mark.parametrize(("health", "code"), [(["starting", "healthy"], 0), (["starting", "unhealthy"], 1)])
def test_a_health_check_is_waited_for(host: Host, health: list[str], code: int) -> None:
    """Where the container has one it decides."""
    host.fake.health_after = [*health, *health[1:] * 50]

    assert code == host.run(host.step()).code


def test_a_health_check_that_does_not_come_is_a_time_out(host: Host) -> None:
    """It is said that it was not well in time."""
    host.fake.health_after = ["starting"] * 1000
    step = host.step()
    result = ACTUATOR.run(Step(actuator="docker", data=step.data, timeout_s=0.2), emit=lambda _: None)

    assert (124, True) == (result.code, result.timed_out)


def test_a_container_that_was_restarted_meanwhile_is_left_alone(host: Host) -> None:
    """It is another start by then."""
    outlook = host.look()
    host.payments["State"]["StartedAt"] = "2026-11-21T13:30:00Z"
    result = host.run(outlook.step)

    assert (1, [], False) == (result.code, host.fake.done, outlook.fingerprint == host.look().fingerprint)


def test_a_container_that_was_replaced_meanwhile_is_left_alone(host: Host) -> None:
    """The id that was looked at is gone, whatever is called payments now."""
    outlook = host.look()
    host.fake.containers = {"f" * 64: {**container(), "Id": "f" * 64}}
    result = host.run(outlook.step)

    assert (1, []) == (result.code, host.fake.done)


@pytest.mark.parametrize(
    ("label", "said"),
    [
        ("com.docker.swarm.service.name", "the swarm service shop owns it"),
        ("io.kubernetes.pod.name", "the pod shop owns it"),
        ("com.docker.compose.project", "the Compose project shop made it"),
    ],
)
def test_who_else_owns_it_is_told(host: Host, label: str, said: str) -> None:
    """What is changed by hand there may be set back."""
    host.payments["Config"]["Labels"][label] = "shop"

    assert [True] == [warning.startswith(said) for warning in host.look().warnings]


def test_one_that_removes_itself_is_not_stopped(host: Host) -> None:
    """Nothing could start it again."""
    host.payments["HostConfig"]["AutoRemove"] = True

    assert "removes itself" in host.look(action="stop").refusal


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"container": "--all"}, "no name of a container"),
        ({"container": "../images/x"}, "no name of a container"),
        ({"container": "payments?force=1"}, "no name of a container"),
        ({"container": "$(id)"}, "no name of a container"),
        ({"container": ""}, "no name of a container"),
        ({"action": "rm"}, "must be one of"),
        ({"action": "limits"}, "say memory or cpus"),
        ({"grace_s": "1e9"}, "grace_s must be seconds"),
        ({"socket": "tcp://far:2375"}, "must be a path"),
        ({"privileged": "true"}, "is no setting"),
    ],
)
def test_what_may_not_be_is_never_asked(host: Host, data: dict[str, JSON], why: str) -> None:
    """The Engine hears nothing of it."""
    assert (True, 1, []) == (why in host.look(**data).refusal, host.run(host.step(**data)).code, host.fake.heard)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ({"container": "orders"}, "No such container: orders"),
        ({"action": "start"}, "is running already"),
        ({"action": "limits", "memory": "1m"}, "at least 6m"),
        ({"action": "limits", "cpus": "many"}, "must be a number"),
        ({"action": "limits", "memory": "256m"}, "has these limits already"),
    ],
)
def test_what_cannot_be_done_is_refused_beforehand(host: Host, data: dict[str, JSON], why: str) -> None:
    """By what the Engine says of the container."""
    assert (True, []) == (why in host.look(**data).refusal, host.fake.done)


def test_a_try_does_nothing(host: Host) -> None:
    """It shows what would be done."""
    result = host.run(host.step(dry_run=True))

    assert (0, [], "nothing was done: this was a try") == (result.code, host.fake.done, result.output.splitlines()[-1])


def test_without_an_engine_nothing_is_known(tmp_path: Path) -> None:
    """It raises, since that is no refusal."""
    step = Step(actuator="docker", data={"container": "payments", "socket": str(tmp_path / "none.sock")})

    with pytest.raises(Unavailable):
        ACTUATOR.look(step)


def test_the_docker_command_understands_the_engine_of_these_tests(host: Host) -> None:
    """So it speaks as the real one, not as Stanch wishes."""
    docker = shutil.which("docker")
    if docker is None:
        pytest.skip("the docker command is not installed: the Engine of these tests is not cross-checked")
    environment = {"PATH": os.environ["PATH"], "DOCKER_HOST": f"unix://{host.fake.socket}"}

    def run(*arguments: str) -> tuple[int, str]:
        done = subprocess.run([docker, *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout.strip() or done.stderr.strip()

    assert [
        (0, "payments"),
        (0, "running 268435456"),
        (0, "payments"),
        (1, "Error response from daemon: No such container: orders"),
    ] == [
        run("restart", "-t", "3", "payments"),
        run("inspect", "--type=container", "--format={{.State.Status}} {{.HostConfig.Memory}}", "payments"),
        run("update", "--memory=300m", "payments"),
        run("stop", "orders"),
    ]
