"""What the ranking of causes works on: the dependency graph and single facts taken out of findings.

How findings are made is the collectors' business; what facts mean for a cause is `kinds` and `clues`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from stanch.catalog.model import Catalog
from stanch.ports.changes import Change
from stanch.ports.evidence import Signal


@dataclass(frozen=True, kw_only=True)
class Graph:
    """Who calls whom. `depends_on` maps a service to the services it calls; `external` ones are somebody else's."""

    depends_on: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    external: frozenset[str] = frozenset()

    @property
    def services(self) -> tuple[str, ...]:
        """Return every service that is named, sorted."""
        return tuple(sorted({*self.depends_on, *(name for called in self.depends_on.values() for name in called)}))

    def callees(self, service: str) -> tuple[str, ...]:
        """Return the services that `service` calls itself."""
        return tuple(self.depends_on.get(service, ()))

    def callers(self, service: str) -> tuple[str, ...]:
        """Return the services that call `service` themselves, sorted."""
        return tuple(sorted(name for name, called in self.depends_on.items() if service in called))

    def downstream(self, service: str) -> frozenset[str]:
        """Return everything that `service` needs, directly or not; without itself unless it is in a cycle."""
        return _reachable(service, self.callees)

    def upstream(self, service: str) -> frozenset[str]:
        """Return everything that needs `service`, directly or not."""
        return _reachable(service, self.callers)

    def on_path(self, one: str, other: str) -> bool:
        """Tell whether one of the two needs the other, or they are the same."""
        return one == other or other in self.downstream(one) or one in self.downstream(other)


def graph_of(catalog: Catalog) -> Graph:
    """Return the dependency graph that the catalog declares."""
    return Graph(
        depends_on={name: tuple(service.depends_on) for name, service in catalog.services.items()},
        external=frozenset(name for name, service in catalog.services.items() if service.external),
    )


@dataclass(frozen=True, kw_only=True)
class Fact:
    """One signal with the finding it was read from. `raised` says that it lies outside its normal, on the bad side."""

    finding: str
    signal: Signal
    raised: bool
    command: str = ""

    @property
    def service(self) -> str:
        """Return the service it is about."""
        return self.signal.service

    @property
    def key(self) -> str:
        """Return what tells it apart from its siblings: the called service, the resource or the fingerprint."""
        return key_of(self.signal)

    @property
    def value(self) -> float:
        """Return the value now, 0 where there is none."""
        return self.signal.value or 0.0

    @property
    def excess(self) -> float:
        """Return how far the value lies above normal, at least 0; all of it where no normal is known."""
        return max(0.0, self.value - (self.signal.normal or 0.0))


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One possible cause that is weighed: a kind with what it points at.

    `service` is the one to act on; `target` is the called service or the resource; `change` is set for the kinds that
    blame one. `rivals` is how many candidates share the prior of the kind.
    """

    kind: str
    service: str
    target: str = ""
    change: Change | None = None
    rivals: int = 1
    culprit: str = ""


@dataclass(frozen=True, kw_only=True)
class Sighting:
    """What a clue found: it holds or it was looked for and is absent, with the findings that say so.

    `strength` 0..1 scales the weight of the clue's likelihood ratio; `words` fill its sentence.
    """

    holds: bool
    findings: tuple[str, ...] = ()
    strength: float = 1.0
    words: Mapping[str, str] = field(default_factory=dict)


def key_of(signal: Signal) -> str:
    """Return what tells a signal apart from others of its name and service: target, resource or fingerprint."""
    for name in ("target", "resource", "fingerprint"):
        found = signal.data.get(name)
        if isinstance(found, str) and found:
            return found
    return signal.text if signal.name in ("error_group", "log_template") else ""


def _reachable(service: str, step: Callable[[str], tuple[str, ...]]) -> frozenset[str]:
    found: set[str] = set()
    waiting = list(step(service))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(step(name))
    return frozenset(found)
