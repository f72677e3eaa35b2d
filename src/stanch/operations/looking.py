"""Looks of own checks: which checks there are, one look within its time, and `check.try` to see what one sees now.

A look happens outside any transaction, in a thread of its own, so that one that hangs holds up nobody.
"""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

import structlog

from stanch.alerts.declared import measured_for
from stanch.alerts.looks.tables import cursor_of
from stanch.alerts.model import Metric
from stanch.catalog.checks import Check
from stanch.catalog.model import Catalog
from stanch.kernel.errors import NotFound
from stanch.kernel.event import JSON
from stanch.operations.registry import Effect, operation
from stanch.operations.world import Call, World
from stanch.ports.sampler import Look, Sample, Sampler

LOOK_S: Final = 8.0
"""Longer than the time-outs that samplers have of their own: this one is for a sampler that does not keep its own."""

SPARE_S: Final = 2.0
"""How much longer than its own time-out a look may take before it is left behind."""

_LONG: Final = {"journey": 17.0}
_PROBES: Final = ("http", "tcp")
_SIDE_BY_SIDE: Final = 32
_MOST_READINGS: Final = 30

log = structlog.get_logger("stanch.watch")


@dataclass(frozen=True, kw_only=True)
class Watched:
    """One check with the service it belongs to; `id` is that of its timer and of its cursor."""

    id: str
    service: str
    check: Check


@dataclass(frozen=True, kw_only=True)
class TryChecks:
    """The checks to try: those of a service, one of them by its name, or all."""

    service: str = ""
    check: str = ""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """One number that a look brought; ratios are 0..1, latencies milliseconds. `note` says what is behind it."""

    metric: str
    value: float
    labels: dict[str, str]
    note: str


@dataclass(frozen=True, kw_only=True)
class Tried:
    """What one look of a check saw. `state` is `ok`, `failed` (what it looks at is not well) or `unseen` (nothing)."""

    service: str
    check: str
    sampler: str
    target: str
    state: str
    says: str
    took_ms: float
    seen: tuple[Seen, ...] = ()


@operation("check.try", effect=Effect.READ, example={"service": "payments"})
def try_checks(call: Call, request: TryChecks) -> tuple[Tried, ...]:
    """Look once with own checks, side by side, and say what they see; nothing is stored."""
    wanted = [
        one
        for one in watched_of(call.world.catalog)
        if (not request.service or one.service == request.service)
        and (not request.check or one.check.name == request.check)
    ]
    if request.service and request.service not in call.world.catalog.services:
        raise NotFound(f"there is no service {request.service!r}", hint="stanch service list")
    if request.check and not wanted:
        raise NotFound(f"there is no check {request.check!r}" + (f" of {request.service}" if request.service else ""))
    with ThreadPoolExecutor(_SIDE_BY_SIDE, thread_name_prefix="stanch-try") as pool:
        return tuple(pool.map(lambda one: _tried(call.world, one, at=call.now), wanted))


def watched_of(catalog: Catalog) -> list[Watched]:
    """Return every check of the catalog with its id, `check/<service>/<n>`, n counting from 1."""
    return [
        Watched(id=f"check/{service.name}/{number}", service=service.name, check=check)
        for service in catalog.services.values()
        for number, check in enumerate(service.checks, start=1)
    ]


def look_at(
    world: World, watched: Watched, cursor: dict[str, JSON], at: datetime, *, looks: "Looks | None" = None
) -> Look:
    """Look once, within the check's time, and return what was seen with the names of the check and of its rule."""
    check = watched.check
    sampler = world.samplers.get(check.reader)
    if sampler is None:
        return Look(cursor=cursor, trouble=f"nothing reads {check.sampler!r} here")
    seconds = LOOK_S if check.timeout_s is None else check.timeout_s + SPARE_S
    limit_s = max(seconds, _LONG.get(check.sampler, 0.0))
    look = (looks or _LOOKS).within(limit_s, sampler, watched, cursor, at)
    if look.trouble and check.sampler in _PROBES and not check.settings and not look.samples:
        down = Sample(service=watched.service, metric=Metric.UP.value, value=0.0, at=at)
        return replace(look, samples=(down,))
    named = tuple(_named(one, check) for one in look.samples)
    return replace(look, samples=(*named, *measured_for(check.rules, named)))


def _tried(world: World, watched: Watched, *, at: datetime) -> Tried:
    check = watched.check
    with world.store.reading() as view:
        # From where the last look ended, so that what is counted between two looks is seen too.
        cursor = cursor_of(view.connection, watched.id, sampler=check.sampler, target=check.target)
    began = time.perf_counter()
    look = look_at(world, watched, cursor, at, looks=Looks())
    took_ms = (time.perf_counter() - began) * 1000
    judged = [one for one in look.samples if one.metric in (Metric.UP, Metric.CHECK)]
    wrong = [one.note for one in judged if one.value < 0.5 and one.note]
    failed = any(one.value < 0.5 for one in judged)
    return Tried(
        service=watched.service,
        check=check.name,
        sampler=check.sampler,
        target=check.target,
        state="failed" if failed else "unseen" if look.trouble else "ok",
        says="; ".join(wrong) or look.trouble or _found(look),
        took_ms=took_ms,
        seen=tuple(
            Seen(metric=one.metric, value=one.value, labels=dict(one.labels), note=one.note)
            for one in look.samples[:_MOST_READINGS]
        ),
    )


def _found(look: Look) -> str:
    errors = sum(one.count for one in look.errors)
    parts = [f"{len(look.samples)} figures" if look.samples else "no figure yet: two looks are compared"]
    return ", ".join([*parts, *([f"{errors} errors"] if errors else [])])


def _named(sample: Sample, check: Check) -> Sample:
    """Return a sample of a check or a rule with their names as labels, by which it is judged."""
    labels = dict(sample.labels)
    if sample.metric == Metric.RULE:
        rules = {rule.name: rule for rule in check.rules}
        rule = rules.get(labels.get("rule", "")) or next(iter(rules.values()), None)
        if rule is None:
            return sample
        labels |= {"rule": rule.name, "severity": rule.severity}
    elif sample.metric == Metric.CHECK:
        labels = {"probe": check.name, "severity": check.severity} | labels
    elif sample.metric.startswith("check_"):
        labels |= {"probe": check.name}
    else:
        return sample
    return replace(sample, labels=tuple(sorted(labels.items())))


class Looks:
    """Looks under way in this process, each in a thread of its own, so that one that hangs holds up nobody.

    A check whose look has not come back gets no second thread: at most one hangs per check.
    """

    def __init__(self) -> None:
        self._under_way: set[str] = set()
        self._lock = threading.Lock()

    def within(self, seconds: float, sampler: Sampler, watched: Watched, cursor: dict[str, JSON], at: datetime) -> Look:
        """Return the look, or one that says why there is none."""
        with self._lock:
            if watched.id in self._under_way:
                return Look(cursor=cursor, trouble=f"the look at {watched.check.target} has not come back yet")
            self._under_way.add(watched.id)
        found: list[Look] = []
        thread = threading.Thread(
            target=self._run, args=(sampler, watched, cursor, at, found), name=f"stanch-{watched.id}", daemon=True
        )
        thread.start()
        thread.join(seconds)
        if found:
            return found[0]
        return Look(cursor=cursor, trouble=f"the look at {watched.check.target} took longer than {seconds:g} s")

    def _run(
        self, sampler: Sampler, watched: Watched, cursor: dict[str, JSON], at: datetime, found: list[Look]
    ) -> None:
        try:
            check = watched.check
            found.append(sampler.look(service=watched.service, target=check.target, cursor=cursor, now=at))
        except Exception as error:  # boundary "integration": a sampler's own defect must not stop the others
            log.exception("look_failed", check=watched.id, sampler=watched.check.sampler)
            found.append(Look(cursor=cursor, trouble=f"{type(error).__name__} in sampler {watched.check.sampler}"))
        finally:
            with self._lock:
                self._under_way.discard(watched.id)


_LOOKS: Final = Looks()
