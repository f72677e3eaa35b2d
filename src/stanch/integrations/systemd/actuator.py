"""The systemd actuator: one unit is started, stopped, restarted or reloaded by systemctl, and watched until it holds.

Only units that serve are acted on: to start `reboot.target` is an action too. No shell reads anything, and systemctl
asks for no password.
"""

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

from stanch.integrations.systemd.unit import PROPERTIES, Unit, read_unit, refusal, warnings_of
from stanch.kernel.errors import Refused, Unavailable
from stanch.ports.actuator import TIMED_OUT, Outlook, Say, Step, StepResult, carried_out
from stanch.ports.program import Programs

ACTIONS: Final = ("restart", "start", "stop", "reload")
_UNIT: Final = re.compile(r"(?!-)[\w:.@\\-]{1,250}", re.ASCII)
_SERVES: Final = (".service", ".timer", ".socket", ".path")
_KEYS: Final = frozenset({"unit", "units", "action", "scope", "fingerprint", "dry_run"})
_BACK: Final = {"start": "stop", "stop": "start"}
_ASK_S: Final = 10.0
_DENIED: Final = ("Access denied", "authentication required", "Permission denied", "Interactive authentication")


@dataclass(frozen=True, kw_only=True)
class _Order:
    unit: str
    allowed: tuple[str, ...]
    action: str
    scope: str

    @classmethod
    def of(cls, step: Step) -> "_Order":
        given = {name: value for name, value in step.data.items() if isinstance(value, str)}
        return cls(
            unit=_whole(given.get("unit", "")),
            allowed=tuple(_whole(one) for one in re.split(r"[,\s]+", given.get("units", "")) if one),
            action=given.get("action") or "restart",
            scope=given.get("scope") or "system",
        )


class SystemdActuator:
    """Acts on units. `program` is systemctl; a unit must hold for `settle_s` after it is started."""

    def __init__(self, *, programs: Programs, program: str = "systemctl", settle_s: float = 3.0) -> None:
        self._programs = programs
        self._program = program
        self._settle_s = settle_s

    @property
    def name(self) -> str:
        """Return `systemd`."""
        return "systemd"

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return why it may not be done whatever systemd says: a unit that is none, or not on the list of those."""
        order = _Order.of(step)
        found = [f"{name!r} is no setting" for name in sorted(step.data.keys() - _KEYS)]
        if not _UNIT.fullmatch(order.unit):
            found.append(f"{order.unit!r} is no name of a unit")
        elif not order.unit.endswith(_SERVES):
            found.append(f"{order.unit} is none of {', '.join(_SERVES)}")
        elif order.allowed and order.unit not in order.allowed:
            found.append(f"{order.unit} is not among the units that are allowed: {', '.join(order.allowed)}")
        if order.action not in ACTIONS:
            found.append(f"the action must be one of {', '.join(ACTIONS)}")
        if order.scope not in ("system", "user"):
            found.append("the scope must be system or user")
        return tuple(found)

    def look(self, step: Step) -> Outlook:
        """Ask systemd what the unit is; raises `Unavailable` where it does not run."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        order = _Order.of(step)
        unit = self._show(order)
        if why := refusal(unit, order.action):
            return Outlook(step=step, refusal=why)
        exact = replace(step, data={**step.data, "unit": order.unit, "fingerprint": unit.fingerprint})
        warnings = list(warnings_of(unit, order.action))
        if order.scope == "system" and os.geteuid() != 0:
            warnings.append("this account is not root: whether it may is decided by polkit when it is done")
        back = _BACK.get(order.action, "stop" if order.action == "restart" and not unit.runs else "")
        return Outlook(
            step=exact,
            undo=_undo_of(step, order, back) if back else None,
            fingerprint=unit.fingerprint,
            warnings=tuple(warnings),
            preview=(f"{unit.name} is {unit.said}", " ".join(self._argv(order))),
        )

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Do it where the unit is as it was looked at, and say how it is some seconds afterwards."""
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
            raise Refused("the unit was started or stopped since it was looked at", reason="world_changed")
        order = _Order.of(step)
        say(" ".join(self._argv(order)))
        try:
            done = self._programs.run(self._argv(order), timeout_s=max(0.1, until - time.monotonic()))
        except Unavailable as silence:
            say(f"{silence.message}; systemd goes on with it")
            return TIMED_OUT
        if done.code:
            said = done.complaint or f"systemctl ended with {done.code}"
            may_not = "this account may not: " if any(word in said for word in _DENIED) else ""
            say(f"{may_not}{said}")
            self._say_log(order, say)
            return 1
        return self._settled(order, say, until=until)

    def _settled(self, order: _Order, say: Say, *, until: float) -> int:
        """Watch whether the unit holds: many fall over a moment after systemctl was content with them."""
        wanted = order.action != "stop"
        first = self._show(order)
        held_at = min(until, time.monotonic() + (self._settle_s if wanted else 0.0))
        while True:
            unit = self._show(order)
            if unit.runs != wanted or unit.restarts > first.restarts:
                say(f"{unit.name} is {unit.said}")
                self._say_log(order, say)
                return 1
            if time.monotonic() >= held_at:
                say(f"{unit.name} is {unit.said}")
                return 0
            time.sleep(min(0.5, self._settle_s))

    def _say_log(self, order: _Order, say: Say) -> None:
        argv = (*self._start(order), "status", "--no-pager", "--lines=10", "--", order.unit)
        try:
            printed = self._programs.run(argv, timeout_s=_ASK_S)
        except Unavailable as silence:
            say(silence.message)
            return
        for line in printed.out.decode(errors="replace").splitlines():
            say(line)

    def _show(self, order: _Order) -> Unit:
        argv = (*self._start(order), "show", f"--property={','.join(PROPERTIES)}", "--", order.unit)
        printed = self._programs.run(argv, timeout_s=_ASK_S)
        if printed.code:
            raise Unavailable(f"systemd does not answer: {printed.complaint}", retry=False)
        unit = read_unit(printed.out.decode(errors="replace"))
        return unit if unit.name else replace(unit, name=order.unit)

    def _argv(self, order: _Order) -> tuple[str, ...]:
        return (*self._start(order), "--no-ask-password", order.action, "--", order.unit)

    def _start(self, order: _Order) -> tuple[str, ...]:
        return (self._program, *(["--user"] if order.scope == "user" else []))


def _undo_of(step: Step, order: _Order, back: str) -> Step:
    data = {name: value for name, value in step.data.items() if name in ("units", "scope")}
    told = {**data, "unit": order.unit, "action": back}
    return replace(step, data=told, describe=f"Undo: {step.describe}".strip())


def _whole(unit: str) -> str:
    """Return a unit's name with its kind: systemctl takes one without for a service."""
    return unit if not unit or "." in unit else f"{unit}.service"
