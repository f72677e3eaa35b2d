"""The Docker actuator: one container is started, stopped, restarted or given other limits by the Engine's API."""

import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from stanch.integrations.docker.container import (
    Container,
    limits_said,
    new_limits,
    read_container,
    refusal,
    warnings_of,
)
from stanch.integrations.docker.engine import SOCKET, Engine
from stanch.kernel.blocks import clean
from stanch.kernel.errors import Refused, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.redaction import redact
from stanch.ports.actuator import TIMED_OUT, Outlook, Say, Step, StepResult, carried_out

ACTIONS: Final = ("restart", "start", "stop", "limits")
_NAME: Final = re.compile(r"[a-zA-Z0-9][\w.-]{0,127}", re.ASCII)
_KEYS: Final = frozenset({"container", "action", "memory", "cpus", "grace_s", "socket", "fingerprint", "dry_run"})
_GRACE_S: Final = 10
_LONGEST_GRACE_S: Final = 3600
# The Engine answers a stop when the container has ended, so that it is waited for longer than that.
_SLACK_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class _Order:
    container: str
    action: str
    memory: str
    cpus: str
    grace_s: str
    socket: str

    @classmethod
    def of(cls, step: Step) -> "_Order":
        given = {name: value for name, value in step.data.items() if isinstance(value, str)}
        return cls(
            container=given.get("container", ""),
            action=given.get("action") or "restart",
            memory=given.get("memory", ""),
            cpus=given.get("cpus", ""),
            grace_s=given.get("grace_s") or str(_GRACE_S),
            socket=given.get("socket") or SOCKET,
        )


class DockerActuator:
    """Acts on containers. One must hold for `settle_s` after it is started; with a health check, until it is well."""

    def __init__(self, *, settle_s: float = 3.0, every_s: float = 0.5) -> None:
        self._settle_s = settle_s
        self._every_s = every_s

    @property
    def name(self) -> str:
        """Return `docker`."""
        return "docker"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it may not be done whatever the Engine says: a name that is none, an action there is not."""
        order = _Order.of(step)
        found = [f"{name!r} is no setting" for name in sorted(step.data.keys() - _KEYS)]
        if not _NAME.fullmatch(order.container):
            found.append(f"{order.container!r} is no name of a container")
        if order.action not in ACTIONS:
            found.append(f"the action must be one of {', '.join(ACTIONS)}")
        if not order.grace_s.isdecimal() or int(order.grace_s) > _LONGEST_GRACE_S:
            found.append(f"grace_s must be seconds, at most {_LONGEST_GRACE_S}")
        if not order.socket.startswith("/"):
            found.append("the socket must be a path")
        if order.action == "limits" and not (order.memory or order.cpus):
            found.append("say memory or cpus, the new limit")
        return tuple(found)

    def look(self, step: Step) -> Outlook:
        """Ask the Engine what the container is; raises `Unavailable`. The step then names it by its id."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        order = _Order.of(step)
        try:
            container = read_container(Engine(order.socket).container(order.container))
            body, back = _change(order, container)
        except Refused as why:
            return Outlook(step=step, refusal=why.message)
        if why_not := refusal(container, order.action):
            return Outlook(step=step, refusal=why_not)
        data: dict[str, JSON] = {**step.data, "container": container.identity, "fingerprint": container.fingerprint}
        lines = list(limits_said(body, container)) if body else [f"{order.action} {container.name}"]
        return Outlook(
            step=replace(step, data=data),
            undo=_undo_of(step, container, back) if back else None,
            fingerprint=container.fingerprint,
            warnings=tuple(warnings_of(container, order.action)),
            preview=(redact(clean(container.said)), f"container {container.identity[:12]}", *lines),
        )

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Do it where the container is as it was looked at, and say how it is afterwards."""
        until = time.monotonic() + step.timeout_s
        return carried_out(lambda say: self._run(step, say, until=until), emit=emit, refused="nothing was done: ")

    def _run(self, step: Step, say: Say, *, until: float) -> int:
        outlook = self.look(step)
        if outlook.refusal:
            raise Refused(outlook.refusal)
        if step.data.get("dry_run") is True:
            for line in (*outlook.preview, *(f"note: {one}" for one in outlook.warnings)):
                say(line)
            say("nothing was done: this was a try")
            return 0
        if step.data.get("fingerprint", outlook.fingerprint) != outlook.fingerprint:
            raise Refused("the container is another or was restarted since it was looked at", reason="world_changed")
        order = _Order.of(outlook.step)
        engine = Engine(order.socket)
        body, _ = _change(order, read_container(engine.container(order.container)))
        verb = "update" if order.action == "limits" else order.action
        waits = order.action in ("stop", "restart")
        query = {"t": order.grace_s} if waits else {}
        wait_s = max(until - time.monotonic(), 1.0) + (int(order.grace_s) + _SLACK_S if waits else 0.0)
        try:
            warnings = engine.act(order.container, verb, query=query, body=body or None, timeout_s=wait_s)
        except Unavailable as silence:
            say(f"{silence.message}; whether it was done is not known")
            return 1
        for line in warnings:
            say(f"the Engine warns: {line}")
        return self._settled(engine, order, say, until=until)

    def _settled(self, engine: Engine, order: _Order, say: Say, *, until: float) -> int:
        """Watch whether it holds: until its health check says so where it has one, else for some seconds."""
        wanted = order.action not in ("stop", "limits")
        held_at = time.monotonic() + (self._settle_s if wanted else 0.0)
        told = ""
        while True:
            container = read_container(engine.container(order.container))
            if container.said != told:
                say(container.said)
                told = container.said
            is_up = container.status == "running"
            if order.action != "limits" and is_up != wanted:
                return 1
            if wanted and container.health == "unhealthy":
                return 1
            waits = wanted and (container.health == "starting" or time.monotonic() < held_at)
            if not waits:
                return 0
            if time.monotonic() + self._every_s > until and container.health == "starting":
                say("it was not well in time")
                return TIMED_OUT
            time.sleep(self._every_s)


def _change(order: _Order, container: Container) -> tuple[dict[str, JSON], dict[str, JSON] | None]:
    """Return the body of the call, empty where there is none, and the settings that take it back, None for none."""
    if order.action == "limits":
        return new_limits(container, memory=order.memory, cpus=order.cpus)
    nothing: dict[str, JSON] = {}
    if order.action == "restart" and container.runs:
        return nothing, None
    back: dict[str, JSON] = {"action": "start" if order.action == "stop" else "stop"}
    return nothing, back


def _undo_of(step: Step, container: Container, back: dict[str, JSON]) -> Step:
    told: dict[str, JSON] = {name: step.data[name] for name in ("socket", "grace_s", "action") if name in step.data}
    told |= {"container": container.identity, **back}
    return replace(step, data=told, describe=f"Undo: {step.describe}".strip())
