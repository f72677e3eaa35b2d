"""Who would be paged about a service, level by level, from an instant on. Pure; the twin of what the engine does."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from stanch.catalog.model import Catalog
from stanch.oncall.escalation.rules import Why, freeze, policy_for
from stanch.oncall.model import NOTHING, Facts
from stanch.oncall.targets import all_reached

DEFAULT_SEVERITY = 3
"""The severity that questions mean when they name none: the policy as it is written, nobody in addition."""


@dataclass(frozen=True, kw_only=True)
class Level:
    """One level: when it is reached after the start, in seconds, its targets and whom they mean at that instant."""

    number: int
    after_s: float
    targets: tuple[str, ...]
    people: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Levels:
    """The levels of a policy, then its last resort as `fallback`. `reason` says why there are none."""

    policy: str = ""
    levels: tuple[Level, ...] = ()
    fallback: tuple[str, ...] = ()
    reason: str = ""


def levels_for(
    catalog: Catalog, service: str, *, at: datetime, severity: int = DEFAULT_SEVERITY, facts: Facts = NOTHING
) -> Levels:
    """Return who would be paged about `service` from `at` on, without any answer, the first time through."""
    policy = policy_for(catalog, (service,), severity=severity)
    if isinstance(policy, Why):
        return Levels(reason=policy.value)
    frozen = freeze(policy, catalog, (service,), severity=severity)
    found, after_s = [], 0.0
    for number, step in enumerate(frozen.steps, start=1):
        people = all_reached(catalog, step.targets, at=at + timedelta(seconds=after_s), facts=facts)
        found.append(Level(number=number, after_s=after_s, targets=step.targets, people=people))
        after_s += step.wait_s
    last = all_reached(catalog, frozen.fallback, at=at + timedelta(seconds=after_s), facts=facts)
    return Levels(policy=policy.name, levels=tuple(found), fallback=last)
