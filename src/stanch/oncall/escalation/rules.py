"""What is next in an escalation: pure decisions. A page's state, the configuration and `now` in; what to do out."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Final

from stanch.catalog.model import Catalog, Person, Service
from stanch.catalog.oncall import Method, OnCall, Policy, SeverityPaging
from stanch.kernel.zone import in_zone, resolve
from stanch.oncall.escalation.model import FrozenPolicy, FrozenStep, Notice, NoticeState
from stanch.oncall.escalation.state import PageState

# How long the last resort is left alone before it is paged again.
AGAIN: Final = timedelta(minutes=15)
# Four times an hour for a day: whoever has not answered by then is not going to.
MOST_FALLBACKS: Final = 96
# How long a notice of unknown outcome is left to be answered before it is said again.
GRACE: Final = timedelta(seconds=60)
# Without rules of their own a person is told by every method, one after the other.
_BETWEEN_METHODS_S: Final = 120.0


class Why(StrEnum):
    """Why nobody is paged about an incident."""

    NO_POLICY = "there is no escalation policy for it"
    EMPTY_POLICY = "its escalation policy has no levels"


@dataclass(frozen=True, kw_only=True)
class Reach:
    """What to do next: page the targets of `level` (0 is the fallback) and go on at `wait_s` later, if there is more.

    `lap` counts the times the levels were begun, from 1. `nobody` says that all of them have now been gone through.
    """

    step: int
    level: int
    lap: int
    targets: tuple[str, ...]
    wait_s: float
    nobody: bool = False


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One method that a person is told through, when, and until when their quiet hours hold it back."""

    method: Method
    due_at: datetime
    held_until: datetime | None = None


def rule_of(oncall: OnCall, severity: int) -> SeverityPaging:
    """Return what a severity (1 to 4) changes about paging."""
    name = f"SEV{severity}"
    return oncall.severities.get(name) or SeverityPaging(severity=name)


def policy_for(catalog: Catalog, services: Sequence[str], *, severity: int) -> Policy | Why:
    """Return the policy for an incident of these services: the severity's, the first service's that has one, or the
    default; or why there is none."""
    oncall = catalog.oncall
    named = [catalog.services[name].policy for name in services if name in catalog.services]
    names = (rule_of(oncall, severity).policy, *named, oncall.policy)
    found = next((oncall.policies[name] for name in names if name in oncall.policies), None)
    if found is None:
        return Why.NO_POLICY
    return found if found.steps or found.fallback else Why.EMPTY_POLICY


def freeze(policy: Policy, catalog: Catalog, services: Sequence[str], *, severity: int) -> FrozenPolicy:
    """Return `policy` as data for one severity: SEV1 begins with the full rotation, SEV2 with a specialist too."""
    rule = rule_of(catalog.oncall, severity)
    steps = [FrozenStep(targets=step.targets, wait_s=step.wait_s) for step in policy.steps]
    if steps:
        known = [catalog.services[name] for name in services if name in catalog.services]
        steps[0] = replace(steps[0], targets=_first(steps[0].targets, rule, catalog.oncall, known))
    return FrozenPolicy(
        name=policy.name,
        steps=tuple(steps),
        repeat=policy.repeat,
        fallback=policy.fallback,
        stale_after_s=policy.stale_after_s,
    )


def _first(
    targets: tuple[str, ...], rule: SeverityPaging, oncall: OnCall, services: Sequence[Service]
) -> tuple[str, ...]:
    """Return the targets of the first level under a severity's rule."""
    wide = [_everyone(target) for target in targets] if rule.everyone else list(targets)
    also = list(rule.also)
    if rule.specialist:
        special = [target for service in services for target in service.specialists]
        # Where nobody is named, whoever backs up the first rotation knows it best.
        also += special or [f"schedule:{name}" for target in targets if (name := _secondary(target, oncall))]
    return tuple(dict.fromkeys((*wide, *also)))


def _everyone(target: str) -> str:
    return f"{target}/all" if target.startswith("schedule:") and not target.endswith("/all") else target


def _secondary(target: str, oncall: OnCall) -> str:
    kind, _, name = target.partition(":")
    schedule = oncall.schedules.get(name.removesuffix("/all")) if kind == "schedule" else None
    return schedule.secondary if schedule else ""


def next_reach(state: PageState) -> Reach | None:
    """Return what comes after the levels reached so far in this round; None when there is nothing more to try."""
    policy = state.policy
    laps = 1 + max(0, policy.repeat)
    step = state.step + 1
    if step <= laps * len(policy.steps):
        level = (step - 1) % len(policy.steps) + 1
        frozen = policy.steps[level - 1]
        return Reach(
            step=step,
            level=level,
            lap=(step - 1) // len(policy.steps) + 1,
            targets=frozen.targets,
            wait_s=frozen.wait_s,
        )
    again = step - laps * len(policy.steps)
    if again > MOST_FALLBACKS:
        return None
    # Without a last resort, the first level is the only one there is to turn to.
    targets = policy.fallback or (policy.steps[0].targets if policy.steps else ())
    return Reach(step=step, level=0, lap=again, targets=targets, wait_s=AGAIN.total_seconds(), nobody=again == 1)


def asked(person: Person, *, rule: SeverityPaging, severity: int, now: datetime, zone: str) -> tuple[Asked, ...]:
    """Return how `person` is told, in order of time: their rules for this urgency, held back by their quiet hours.

    SEV1 takes no notice of quiet hours. Without a rule for this urgency every method is used, two minutes apart: to
    have said nothing is no wish to be left out.
    """
    methods = {method.id: method for method in person.methods}
    wanted = [one for one in person.rules if one.urgency in ("any", rule.urgency) and one.method in methods]
    plan = [(methods[one.method], one.after_s) for one in wanted]
    if not plan:
        plan = [(method, index * _BETWEEN_METHODS_S) for index, method in enumerate(person.methods)]
    quiet = quiet_until(person, now=now, zone=zone) if severity > 1 else None
    start = quiet or now
    found = [
        Asked(method=method, due_at=start + timedelta(seconds=after_s), held_until=quiet) for method, after_s in plan
    ]
    return tuple(sorted(found, key=lambda one: one.due_at))


def quiet_until(person: Person, *, now: datetime, zone: str) -> datetime | None:
    """Return when the quiet hours end (UTC) that `now` lies in; None outside them. `zone` stands in for theirs."""
    if person.quiet_hours is None:
        return None
    begin, end = (time.fromisoformat(text) for text in person.quiet_hours)
    where = person.zone or zone
    local = in_zone(now, where)
    clock = local.time()
    inside = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not inside or begin == end:
        return None
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    return resolve(day, end, where).at


def hint_of(method: Method) -> str:
    """Return the address of `method` so that its owner knows it and nobody else learns it: the last two characters."""
    return f"{method.kind} …{method.address[-2:]}" if len(method.address) > 4 else method.kind


def is_held(state: PageState, *, person: str, method: str) -> bool:
    """Tell whether a notice of this round waits already for the end of the person's quiet hours, for this method."""
    return any(
        (one.round, one.person, one.method, one.state) == (state.round, person, method, NoticeState.HELD)
        for one in state.notices
    )


def next_notice(state: PageState) -> int:
    """Return the number of the next notice."""
    return len(state.notices) + 1


def hurries(state: PageState, moved: Notice) -> Notice | None:
    """Return the notice of the same person that need not wait any more, as `moved` has failed for good."""
    if moved.state is not NoticeState.FAILED:
        return None
    waiting = [
        one
        for one in state.notices
        if one.person == moved.person and one.state is NoticeState.COMMITTED and one.round == moved.round
    ]
    return min(waiting, key=lambda one: one.due_at, default=None)


def level_is_lost(state: PageState) -> bool:
    """Tell whether every notice of the level that was paged last has failed, so that waiting is for nothing.

    The last resort is never lost: nothing comes after it but itself, and a provider that refuses everything would use
    up in a minute what is to last for a day.
    """
    if state.at_level == 0:
        return False
    last = [one for one in state.notices if (one.round, one.level) == (state.round, state.at_level)]
    return bool(last) and all(one.state is NoticeState.FAILED for one in last)


def repetition(state: PageState, moved: Notice, *, now: datetime) -> Notice | None:
    """Return the one notice that says again what may not have arrived, None where it has been said again already."""
    if moved.state is not NoticeState.UNKNOWN or moved.repeats:
        return None
    if any(one.repeats == moved.number for one in state.notices):
        return None
    return replace(
        moved,
        number=next_notice(state),
        state=NoticeState.COMMITTED,
        repeats=moved.number,
        due_at=now + GRACE,
        provider="",
        detail="",
        attempts=0,
        moved_at=None,
        held_until=None,
    )


def stale_at(state: PageState, *, last_act_at: datetime) -> datetime | None:
    """Return when the acknowledgement goes stale if nobody acts after `last_act_at`; None when it never does."""
    if not state.is_acknowledged or state.acknowledged_at is None or state.policy.stale_after_s <= 0:
        return None
    return max(last_act_at, state.acknowledged_at) + timedelta(seconds=state.policy.stale_after_s)
