"""The actuator that sets a flag: reads what it is, changes it, reads back; undone by exactly what it was."""

import os
import re
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from stanch.integrations.flags.model import NAME, Changed, FlagState, Provider, Switch, Told, Wanted, read_wanted
from stanch.kernel.blocks import clean
from stanch.kernel.errors import Bug, Refused, Unavailable
from stanch.kernel.redaction import redact
from stanch.ports.actuator import Outlook, Say, Step, StepResult, carried_out

_OURS: Final = ("restore", "version", "dry_run", "undo")
_POLL_S: Final = 0.2
_VARIABLE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class FlagActuator:
    """Sets flags of one provider."""

    def __init__(self, provider: Provider, *, read_back_s: float = 5.0) -> None:
        """Set flags of `provider`; what was changed may take `read_back_s` until it is read back."""
        self._provider = provider
        self._read_back_s = read_back_s

    @property
    def name(self) -> str:
        """Return the actuator's name, e.g. `flag.unleash`."""
        return self._provider.name

    def problems(self, step: Step) -> tuple[str, ...]:
        """Return what is wrong with the settings."""
        told = _told(step)
        required = [name[:-1] for name in self._provider.settings if name.endswith("!")]
        known = [name.removesuffix("!") for name in self._provider.settings] + ["token_env"]
        found = [
            f"{name!r} is no setting: there are {', '.join(sorted(['set', *known]))}"
            for name in sorted(step.data.keys() - {*known, *_OURS, "set"})
        ]
        found += [f"{name} must be a text" for name in known if not isinstance(step.data.get(name, ""), str)]
        found += [f"{name} is missing" for name in required if not told[name]]
        for name in ("flag", "project", "environment"):
            if told[name] and not NAME.fullmatch(told[name]):
                found.append(f"{name} cannot be {told[name]!r}")
        if "restore" not in step.data and read_wanted(told["set"]) is None:
            found.append("set must be on, off, or a percentage from 0 to 100")
        if variable := told["token_env"]:
            if not _VARIABLE.fullmatch(variable):
                found.append("token_env must be the name of a variable")
            elif not os.environ.get(variable):
                found.append(f"the environment variable {variable} is not set")
        return tuple(found) or tuple(self._provider.problems(told))

    def look(self, step: Step) -> Outlook:
        """Return what the flag is and what would be sent; the undo is exactly what it is now."""
        if found := self.problems(step):
            return Outlook(step=step, refusal="; ".join(found))
        told, wanted = _told(step), _wanted(step)
        try:
            state = self._provider.read(told)
            if self._provider.is_now(told, state, wanted):
                return Outlook(step=step, fingerprint=state.version, refusal=f"{_what(told)} is {state.shown} already")
            sent = self._provider.plan(told, state, wanted)
        except Refused as refusal:
            return Outlook(step=step, refusal=refusal.message)
        except Changed as changed:
            return Outlook(step=step, refusal=f"{_what(told)} is being changed: {changed}")
        settings = {name: value for name, value in step.data.items() if name not in (*_OURS, "set")}
        return Outlook(
            step=replace(step, data={**step.data, "version": state.version}),
            undo=replace(step, data={**settings, "restore": state.exact}),
            fingerprint=state.version,
            warnings=state.warnings,
            preview=tuple(map(_told_plainly, (f"{_what(told)} is {state.shown}; it would be {wanted.shown}", *sent))),
        )

    def run(self, step: Step, *, emit: Callable[[str], None]) -> StepResult:
        """Set the flag and read it back; with `dry_run`, only say what would be done."""
        return carried_out(lambda say: self._carry_out(step, say=say), emit=emit, shown=_told_plainly)

    def _tried(self, step: Step, *, say: Say) -> int:
        outlook = self.look(step)
        for line in (*outlook.preview, *outlook.warnings):
            say(line)
        say(outlook.refusal or "nothing was changed: this was a try")
        return 1 if outlook.refusal else 0

    def _carry_out(self, step: Step, *, say: Say) -> int:
        try:
            return self._tried(step, say=say) if step.data.get("dry_run") is True else self._set(step, say=say)
        except Changed as changed:
            say(f"somebody else changed it in the meantime, and nothing was done: {changed}")
            return 1

    def _set(self, step: Step, *, say: Say) -> int:
        if found := self.problems(step):
            say("; ".join(found))
            return 1
        told, wanted = _told(step), _wanted(step)
        state = self._provider.read(told)
        expected = step.data.get("version")
        if isinstance(expected, str) and expected != state.version:
            raise Changed(f"it is {state.shown} now")
        if self._provider.is_now(told, state, wanted):
            say(f"{_what(told)} is {state.shown} already")
            return 0
        try:
            self._provider.write(told, state, wanted)
        except Unavailable as error:
            # It may have arrived; what it is now tells.
            say(error.message)
        return self._read_back(told, wanted, say=say)

    def _read_back(self, told: Told, wanted: Wanted, *, say: Say) -> int:
        deadline = time.monotonic() + self._read_back_s
        pause = threading.Event()
        while True:
            state, trouble = self._seen(told, wanted)
            if not trouble or time.monotonic() > deadline:
                break
            pause.wait(_POLL_S)
        now = f"is {state.shown}" if state else "cannot be read"
        say(f"{_what(told)} {now}, read back" + (f": {trouble}" if trouble else ""))
        if not trouble and (served := self._provider.evaluate(told, wanted)):
            say(served)
        return 1 if trouble else 0

    def _seen(self, told: Told, wanted: Wanted) -> tuple[FlagState | None, str]:
        try:
            state = self._provider.read(told)
            if not self._provider.is_now(told, state, wanted):
                return state, f"it should be {wanted.shown}"
            self._provider.evaluate(told, wanted)
        except (Unavailable, Refused) as error:
            return None, error.message
        return state, ""


def _told(step: Step) -> Told:
    texts = {name: value for name, value in step.data.items() if isinstance(value, str)}
    return Told(settings=texts, timeout_s=min(step.timeout_s, 30.0), cwd=step.cwd, note=step.describe)


def _wanted(step: Step) -> Wanted:
    if "restore" in step.data:
        # The switch says nothing here: what it was says all.
        return Wanted(switch=Switch.ON, restore=step.data["restore"])
    wanted = read_wanted(str(step.data.get("set", "")))
    if wanted is None:
        raise Bug("a step whose settings were not looked at")
    return wanted


def _told_plainly(line: str) -> str:
    # A variant's value may be a key, and its name whatever somebody typed.
    return redact(" ".join(clean(line).split("\n")))


def _what(told: Told) -> str:
    place = told["environment"] or told["file"]
    return f"the flag {told['flag']}" + (f" in {place}" if place else "")
