"""What the Engine says of a container, and what follows from it for an action. Pure."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from stanch.kernel.errors import Refused
from stanch.kernel.event import JSON

_UNITS: Final = {"": 1, "b": 1, "k": 1024, "m": 1024**2, "g": 1024**3}
_MEMORY: Final = re.compile(r"(\d{1,9})([bkmg]?)")
_CPUS: Final = re.compile(r"\d{1,3}(?:\.\d{1,3})?")
_LEAST_BYTES: Final = 6 * 1024**2
"""The Engine takes no less (https://docs.docker.com/engine/containers/resource_constraints/)."""

_NANO: Final = 1_000_000_000
_OWNERS: Final = {
    "com.docker.swarm.service.name": "the swarm service {} owns it and replaces it: change the service instead",
    "io.kubernetes.pod.name": "the pod {} owns it and restarts it by itself: act on the pod instead",
    "com.docker.compose.project": "the Compose project {} made it: `docker compose up` may set it back",
}


@dataclass(frozen=True, kw_only=True)
class Container:
    """A container as it is. `memory` is its limit in bytes and `nano_cpus` in billionths of a CPU; 0 is none."""

    identity: str
    name: str
    image: str
    status: str
    health: str
    started_at: str
    exit_code: int
    memory: int
    swap: int
    nano_cpus: int
    removes_itself: bool
    labels: Mapping[str, str]

    @property
    def runs(self) -> bool:
        """Tell whether it runs, or is being started again by the Engine."""
        return self.status in ("running", "restarting", "paused")

    @property
    def fingerprint(self) -> str:
        """Return which start of which container this is, with its limits.

        One that the Engine starts again and again is the same all the time.
        """
        start = "restarting" if self.status == "restarting" else f"{self.status}:{self.started_at}"
        return f"{self.identity[:12]}:{start}:{self.memory}:{self.nano_cpus}"

    @property
    def said(self) -> str:
        """Return its state in words."""
        health = f", {self.health}" if self.health not in ("", "none") else ""
        ended = f", exit code {self.exit_code}" if self.status == "exited" else ""
        return f"{self.name} ({self.image}) is {self.status}{health}{ended}"


def read_container(found: Mapping[str, JSON]) -> Container:
    """Return the container of `GET /containers/{id}/json`."""
    state, limits, config = (_part(found, key) for key in ("State", "HostConfig", "Config"))
    labels = {name: value for name, value in _part(config, "Labels").items() if isinstance(value, str)}
    return Container(
        identity=str(found.get("Id", "")),
        name=str(found.get("Name", "")).lstrip("/"),
        image=str(config.get("Image", "")),
        status=str(state.get("Status", "")),
        health=str(_part(state, "Health").get("Status", "")),
        started_at=str(state.get("StartedAt", "")),
        exit_code=_number(state, "ExitCode"),
        memory=_number(limits, "Memory"),
        swap=_number(limits, "MemorySwap"),
        nano_cpus=_number(limits, "NanoCpus"),
        removes_itself=limits.get("AutoRemove") is True,
        labels=labels,
    )


def refusal(container: Container, action: str) -> str:
    """Return why an action cannot be done, empty when it can."""
    if action == "start" and container.runs:
        return f"{container.said} already"
    if action == "stop" and not container.runs:
        return f"{container.said} already"
    if action in ("stop", "restart") and container.removes_itself:
        return f"{container.name} removes itself when it is stopped: nothing could start it again"
    if container.status in ("removing", "dead"):
        return container.said
    return ""


def warnings_of(container: Container, action: str) -> Iterator[str]:
    """Yield who else has a hand on it, and what else an action does."""
    for label, said in _OWNERS.items():
        if name := container.labels.get(label):
            yield said.format(name)
    if container.status == "restarting":
        yield f"the Engine restarts it all the time; it ended last with exit code {container.exit_code}"
    if action == "limits" and 0 in (container.memory, container.nano_cpus):
        yield "a limit that was not there before cannot be taken away again, only changed"
    if container.status == "paused" and action != "limits":
        yield "it is paused"


def new_limits(container: Container, *, memory: str, cpus: str) -> tuple[dict[str, JSON], dict[str, JSON] | None]:
    """Return the body of an update, and the settings that bring back what is there now, None where nothing does.

    Raises `Refused` for limits that cannot be, or that are there already. Zero is no value to the Engine, so that a
    limit can be changed and never taken away. Swap keeps its distance to the memory: the Engine refuses a memory limit
    above the sum of both.
    """
    body: dict[str, JSON] = {}
    back: dict[str, JSON] = {}
    if memory:
        found = _MEMORY.fullmatch(memory)
        size = int(found[1]) * _UNITS[found[2]] if found else -1
        if size < _LEAST_BYTES:
            raise Refused(f"the memory must be a size such as 512m, at least 6m, not {memory!r}", reason="not_taken")
        if size != container.memory:
            bounded = container.swap > 0 and container.memory > 0
            body["Memory"] = size
            # -1 is no limit for swap: what a container without a limit has.
            body["MemorySwap"] = size + container.swap - container.memory if bounded else -1
            back["memory"] = str(container.memory)
    if cpus:
        if not _CPUS.fullmatch(cpus) or not float(cpus):
            raise Refused(f"the CPUs must be a number such as 1.5, not {cpus!r}", reason="not_taken")
        nano = round(float(cpus) * _NANO)
        if nano != container.nano_cpus:
            body["NanoCpus"] = nano
            back["cpus"] = f"{container.nano_cpus / _NANO:g}"
    if not body:
        raise Refused(f"{container.name} has these limits already", reason="nothing_to_do")
    return body, None if "0" in back.values() else back


def limits_said(body: Mapping[str, JSON], container: Container) -> Iterator[str]:
    """Yield a line for each limit that changes."""
    if isinstance(memory := body.get("Memory"), int):
        yield f"memory: {_size(container.memory)} -> {_size(memory)}"
    if isinstance(nano := body.get("NanoCpus"), int):
        yield f"CPUs: {container.nano_cpus / _NANO:g} -> {nano / _NANO:g}"


def _size(size: int) -> str:
    return f"{size / 1024**2:,.0f} MiB" if size else "no limit"


def _part(found: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    inner = found.get(name)
    return inner if isinstance(inner, dict) else {}


def _number(found: Mapping[str, JSON], name: str) -> int:
    value = found.get(name)
    return value if isinstance(value, int) else 0
