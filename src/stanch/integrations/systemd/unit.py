"""What a unit says of itself, by `systemctl show`, and what follows from it. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

PROPERTIES: Final = (
    *("Id", "LoadState", "ActiveState", "SubState", "Result", "InvocationID", "NRestarts", "CanReload"),
    *("RequiredBy", "BoundBy", "ConsistsOf", "RefuseManualStart", "RefuseManualStop", "NeedDaemonReload"),
)
RUNNING: Final = frozenset({"active", "reloading"})


@dataclass(frozen=True, kw_only=True)
class Unit:
    """A unit as it is. `restarts` counts what systemd did by itself since somebody started it."""

    name: str
    load: str
    active: str
    sub: str
    result: str
    invocation: str
    restarts: int
    can_reload: bool
    taken_along: tuple[str, ...]
    refuses_start: bool
    refuses_stop: bool
    outdated: bool

    @property
    def runs(self) -> bool:
        """Tell whether it is active."""
        return self.active in RUNNING

    @property
    def fingerprint(self) -> str:
        """Return which start of the unit this is.

        One that systemd starts again and again is the same all the time, until somebody starts it by hand.
        """
        if self.restarts:
            return f"{self.name}:restarting"
        return f"{self.name}:{self.active}:{self.invocation}"

    @property
    def said(self) -> str:
        """Return its state in words, e.g. `active (running)`."""
        result = f", {self.result}" if self.result not in ("", "success") else ""
        return f"{self.active} ({self.sub}{result})"


def read_unit(printed: str) -> Unit:
    """Return the unit of the lines `Name=value`; what is not there is empty."""
    given = dict(line.split("=", 1) for line in printed.splitlines() if "=" in line)
    along = {name for key in ("RequiredBy", "BoundBy", "ConsistsOf") for name in given.get(key, "").split()}
    restarts = given.get("NRestarts", "")
    return Unit(
        name=given.get("Id", ""),
        load=given.get("LoadState", ""),
        active=given.get("ActiveState", ""),
        sub=given.get("SubState", ""),
        result=given.get("Result", ""),
        invocation=given.get("InvocationID", ""),
        restarts=int(restarts) if restarts.isdecimal() else 0,
        can_reload=given.get("CanReload") == "yes",
        taken_along=tuple(sorted(along)),
        refuses_start=given.get("RefuseManualStart") == "yes",
        refuses_stop=given.get("RefuseManualStop") == "yes",
        outdated=given.get("NeedDaemonReload") == "yes",
    )


def refusal(unit: Unit, action: str) -> str:
    """Return why an action cannot be done to a unit, empty when it can."""
    if unit.load == "not-found":
        return f"there is no unit {unit.name}"
    if unit.load != "loaded":
        return f"{unit.name} is {unit.load or 'not loaded'}"
    starts, stops = action in ("start", "restart"), action in ("stop", "restart")
    if (starts and unit.refuses_start) or (stops and unit.refuses_stop):
        return f"{unit.name} refuses to be started or stopped by hand"
    if action == "start" and unit.runs:
        return f"{unit.name} is {unit.said} already"
    if action == "stop" and unit.active in ("inactive", "failed"):
        return f"{unit.name} is {unit.said} already"
    if action == "reload" and not unit.runs:
        return f"{unit.name} is {unit.said}: there is nothing to reload"
    if action == "reload" and not unit.can_reload:
        return f"{unit.name} cannot be reloaded: restart it"
    return ""


def warnings_of(unit: Unit, action: str) -> Iterator[str]:
    """Yield what else an action does, a sentence each."""
    if unit.taken_along and action in ("stop", "restart"):
        done = "stops" if action == "stop" else "restarts"
        yield f"it {done} with it what needs it: {', '.join(unit.taken_along)}"
    if unit.outdated:
        yield "its file has changed since systemd read it: the former one counts until `systemctl daemon-reload`"
    if unit.restarts:
        yield f"systemd has restarted it {unit.restarts} times by itself"
