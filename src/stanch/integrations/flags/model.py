"""What a flag is to us: what is wanted of it, what it is now, exactly enough to bring it back; who changes it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol

from stanch.kernel.event import JSON

NAME: Final = re.compile(r"(?!\.{1,2}\Z)(?!-)[\w.~:-]{1,200}", re.ASCII)
"""Names of flags, projects and environments: such that they are one segment of a path and no option."""
_SHARE: Final = re.compile(r"(\d{1,3}(?:\.\d{1,3})?)\s?%?", re.ASCII)


class Switch(StrEnum):
    """What a flag is set to."""

    OFF = "off"
    ON = "on"
    SHARE = "share"


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is wanted: off, on, or on for `share` percent. With `restore`, exactly what a flag was before."""

    switch: Switch
    share: float = 0.0
    restore: JSON = None

    @property
    def shown(self) -> str:
        """Return it in words."""
        if self.restore is not None:
            return "as it was"
        return f"on for {self.share:g} %" if self.switch is Switch.SHARE else self.switch.value


@dataclass(frozen=True, kw_only=True)
class FlagState:
    """What a flag is now. `exact` is all that is needed to bring it back, `version` names this state, `shown` in words.

    `etag` is what the far end compares a change with, where it has such a thing.
    """

    shown: str
    exact: JSON
    version: str
    etag: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Told:
    """The settings of a step, texts only, with its time-out."""

    settings: Mapping[str, str]
    timeout_s: float
    cwd: str = ""
    note: str = ""

    def __getitem__(self, name: str) -> str:
        """Return a setting, empty when it is not given."""
        return self.settings.get(name, "")


class Changed(Exception):
    """The flag is not as it was looked at."""


class Provider(Protocol):
    """One kind of place where flags are kept."""

    @property
    def name(self) -> str:
        """Return the actuator's name, e.g. `flag.unleash`."""
        ...

    @property
    def settings(self) -> Sequence[str]:
        """Return the names of the settings it takes, those that must be given first with a `!` behind."""
        ...

    def problems(self, told: Told) -> Sequence[str]:
        """Return what is wrong with values, beyond what is missing."""
        ...

    def read(self, told: Told) -> FlagState:
        """Return what the flag is now. Raises `NotFound`, `Refused`, `Unavailable`."""
        ...

    def plan(self, told: Told, state: FlagState, wanted: Wanted) -> Sequence[str]:
        """Return what would be sent or written, a line each. Raises `Refused` when it cannot be done."""
        ...

    def write(self, told: Told, state: FlagState, wanted: Wanted) -> None:
        """Change it, where the far end can compare only if it still is `state`. Raises `Changed` when it is not."""
        ...

    def is_now(self, told: Told, state: FlagState, wanted: Wanted) -> bool:
        """Tell whether `state` is what was wanted."""
        ...

    def evaluate(self, told: Told, wanted: Wanted) -> str:
        """Return what clients now get, in words, empty when that cannot be asked. Raises `Unavailable` when not yet."""
        ...


def read_wanted(text: str) -> Wanted | None:
    """Read `on`, `off`, `25` or `25 %`; None for anything else."""
    if text in (Switch.ON.value, Switch.OFF.value):
        return Wanted(switch=Switch(text))
    share = _SHARE.fullmatch(text)
    if share is None or float(share[1]) > 100:
        return None
    return Wanted(switch=Switch.SHARE, share=float(share[1]))
