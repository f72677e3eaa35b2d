"""The records of a game day: what may be broken, what is done to it, what is expected of those who respond."""

import hashlib
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Final

import msgspec

from stanch.kernel.errors import Problem


class TargetKind(StrEnum):
    """What a target is, which decides what can be done to it."""

    PROCESS = "process"
    PODS = "pods"
    PROXY = "proxy"
    TOXIPROXY = "toxiproxy"
    FOLDER = "folder"
    ADDRESS = "address"
    COMMAND = "command"
    PERSON = "person"


class Act(StrEnum):
    """What a step does."""

    KILL = "kill"
    PAUSE = "pause"
    DELAY = "delay"
    FAIL = "fail"
    CUT = "cut"
    FILL = "fill"
    EXHAUST = "exhaust"
    RUN = "run"
    AWAY = "away"


ACTS: Final[dict[TargetKind, tuple[Act, ...]]] = {
    TargetKind.PROCESS: (Act.KILL, Act.PAUSE),
    TargetKind.PODS: (Act.KILL,),
    TargetKind.PROXY: (Act.DELAY, Act.FAIL, Act.CUT),
    TargetKind.TOXIPROXY: (Act.DELAY, Act.CUT),
    TargetKind.FOLDER: (Act.FILL,),
    TargetKind.ADDRESS: (Act.EXHAUST,),
    TargetKind.COMMAND: (Act.RUN,),
    TargetKind.PERSON: (Act.AWAY,),
}


@dataclass(frozen=True, kw_only=True)
class Target:
    """Something that its owners allow to be broken. `most_share` (0..1) bounds how many of its instances at once.

    A process has an instance for each file in `pid_files`, pods those that match `selector`, anything else is one.
    `start` starts a killed process again where nothing else does; `do` and `undo` are the commands of a `command`, and
    `lasting` says why there is nothing to undo. `most_bytes` and `keep_free_bytes` bound what fills a folder.
    """

    name: str
    kind: TargetKind
    services: tuple[str, ...] = ()
    most_share: float = 0.5
    pid_files: tuple[str, ...] = ()
    start: tuple[str, ...] = ()
    kubectl: str = "kubectl"
    context: str = ""
    namespace: str = "default"
    selector: str = ""
    control: str = ""
    proxy: str = ""
    folder: str = ""
    most_bytes: int = 0
    keep_free_bytes: int = 1_000_000_000
    address: str = ""
    most_connections: int = 0
    do: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    lasting: str = ""
    person: str = ""
    timeout_s: float = 30.0


@dataclass(frozen=True, kw_only=True)
class GameStep:
    """One thing that is done, `at_s` after the beginning, and undone `for_s` later; with 0 at the end.

    `share` of the instances are hit, with 0 one of them. `ratio` of the requests fail with `status`.
    """

    do: Act
    target: str
    at_s: float = 0.0
    for_s: float = 0.0
    share: float = 0.0
    delay_ms: float = 0.0
    ratio: float = 1.0
    status: int = 503
    bytes: int = 0
    connections: int = 0


@dataclass(frozen=True, kw_only=True)
class Expectation:
    """What is expected of those who respond. A limit of 0 s asks for nothing.

    `kinds` are the kinds of hypotheses that are right, `about` the services they must name; without kinds nobody can
    tell what is right, and it is not scored. Lengths count from the first fault, `acknowledge_s` from the declaration.
    """

    kinds: tuple[str, ...] = ()
    about: tuple[str, ...] = ()
    detect_s: float = 300.0
    acknowledge_s: float = 300.0
    hypothesis_s: float = 900.0
    mitigate_s: float = 1800.0
    updates: bool = True


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """A game day: its steps and how long it may last. After `within_s` everything is undone, whatever happened.

    At most `most_targets` targets are hit, and at most `most_share` of the instances of each.
    """

    name: str
    title: str
    description: str = ""
    services: tuple[str, ...] = ()
    within_s: float = 900.0
    most_targets: int = 1
    most_share: float = 1.0
    steps: tuple[GameStep, ...] = ()
    expect: Expectation = field(default_factory=Expectation)
    shipped: bool = False

    @property
    def targets(self) -> tuple[str, ...]:
        """Return the names of the targets, each once, in the order of the steps."""
        return tuple(dict.fromkeys(step.target for step in self.steps))

    @property
    def away(self) -> tuple[str, ...]:
        """Return the targets that are people who are away."""
        return tuple(dict.fromkeys(step.target for step in self.steps if step.do is Act.AWAY))

    def on(self, places: dict[str, str]) -> "Scenario":
        """Return the scenario with targets replaced by others, by name."""
        steps = tuple(replace(step, target=places.get(step.target, step.target)) for step in self.steps)
        return replace(self, steps=steps)


@dataclass(frozen=True, kw_only=True)
class Gamedays:
    """Every target and scenario, and what is wrong with the files they stand in."""

    targets: dict[str, Target]
    scenarios: dict[str, Scenario]
    problems: tuple[Problem, ...] = ()


def digest_of(scenario: Scenario, targets: dict[str, Target]) -> str:
    """Return SHA-256 over everything that decides what would be done: what a person says yes to."""
    used = [targets[name] for name in scenario.targets if name in targets]
    return hashlib.sha256(msgspec.json.encode([scenario, used], order="sorted")).hexdigest()


def services_of(scenario: Scenario, targets: dict[str, Target]) -> tuple[str, ...]:
    """Return the services that a scenario reaches: its own and those of its targets."""
    touched = [service for name in scenario.targets if name in targets for service in targets[name].services]
    return tuple(dict.fromkeys((*scenario.services, *touched)))
