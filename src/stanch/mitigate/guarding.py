"""Whether an action that is marked automatic may run without a person's yes. Pure: every guard rail, and why not.

All must hold; the first that does not is the reason. What is not known does not hold.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from stanch.catalog.acting import Automatic, Guard
from stanch.incidents.events import Plan
from stanch.incidents.model import Severity
from stanch.kernel.duration import format_duration
from stanch.kernel.percentage import percent
from stanch.kernel.zone import in_zone

WEEKDAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_RISKS: Final = ("read", "low", "high", "irreversible")


class Why(StrEnum):
    """Why Stanch acts by itself, or does not."""

    ACTS = "acts"
    PAUSED = "paused"
    STOPPED = "stopped"
    SERVICE = "service"
    RISK = "risk"
    PEOPLE = "people"
    UNCHECKED = "unchecked"
    SEVERITY = "severity"
    SCORE = "score"
    SHARE = "share"
    HOURS = "hours"
    BUSY = "busy"
    OFTEN = "often"
    OFTEN_TOGETHER = "often_together"


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known when it is decided.

    `runs` are the instants at which this action ran by itself, `all_runs` those of all together; `busy` says what is
    under way at the service, `paused` who paused everything, `stopped` what did not help in this incident; each is
    empty where there is nothing. `hit` of `services` own services are failing or affected.
    """

    now: datetime
    severity: Severity
    score: float
    hit: int
    services: int
    zone: str = "UTC"
    runs: tuple[datetime, ...] = ()
    all_runs: tuple[datetime, ...] = ()
    busy: str = ""
    paused: str = ""
    stopped: str = ""


@dataclass(frozen=True, kw_only=True)
class Decision:
    """To act or not, why, and that in words."""

    acts: bool
    why: Why
    detail: str


def decide(plan: Plan, guard: Guard, overall: Automatic, facts: Facts) -> Decision:
    """Return whether `plan` may run by itself now."""
    rails = {
        Why.PAUSED: f"all automatic actions are paused by {facts.paused}" if facts.paused else "",
        Why.STOPPED: facts.stopped,
        Why.SERVICE: _service(plan, overall),
        Why.RISK: _risk(plan, guard),
        Why.PEOPLE: f"it needs the yes of {plan.approvals_needed} people" if plan.approvals_needed > 1 else "",
        Why.UNCHECKED: plan.refusal or plan.unseen or _unmeasured(plan),
        Why.SEVERITY: _severity(guard, facts),
        Why.SCORE: _score(guard, facts),
        Why.SHARE: _share(guard, facts),
        Why.HOURS: "" if in_hours(guard, facts.now, zone=facts.zone) else _hours(guard),
        Why.BUSY: facts.busy,
        Why.OFTEN: _often(facts.runs, facts.now, most=guard.most, within_s=guard.within_s, what="it"),
        Why.OFTEN_TOGETHER: _often(
            facts.all_runs, facts.now, most=overall.most, within_s=overall.within_s, what="something"
        ),
    }
    for why, against in rails.items():
        if against:
            return Decision(acts=False, why=why, detail=against)
    return Decision(acts=True, why=Why.ACTS, detail=_allowed(plan, guard, facts))


def in_hours(guard: Guard, now: datetime, *, zone: str) -> bool:
    """Tell whether `now` lies in the hours and on the days of a guard, in its zone or else in `zone`.

    Hours over midnight belong to the day on which they begin: 22:00 to 06:00 on `fri` holds at 03:00 on Saturday.
    """
    local = in_zone(now, guard.zone or zone)
    day = local.weekday()
    if guard.hours is not None:
        clock, (start, end) = f"{local:%H:%M}", guard.hours
        if start < end:
            if not start <= clock < end:
                return False
        elif clock < end:
            day = (day - 1) % 7
        elif clock < start:
            return False
    if not guard.days:
        return True
    words = {WEEKDAYS[day], "weekend" if day >= 5 else "weekday"}
    return not words.isdisjoint(guard.days)


def words_of(guard: Guard) -> str:
    """Return a guard in words, for people who ask what runs by itself."""
    within = format_duration(timedelta(seconds=guard.within_s))
    when = f"; {_hours(guard)}" if guard.hours or guard.days else ""
    return (
        f"at most {guard.most} in {within}, the cause at least {percent(guard.score)}, no worse than {guard.worst}, "
        f"at most {percent(guard.share)} of the services hit, risk up to {guard.risk}{when}"
    )


def _service(plan: Plan, overall: Automatic) -> str:
    if overall.services and plan.target not in overall.services:
        return f"{plan.target} is none of the services on which anything runs by itself"
    return ""


def _risk(plan: Plan, guard: Guard) -> str:
    limit = min(_RISKS.index(guard.risk), _RISKS.index("high"))
    known = plan.risk in _RISKS
    if known and _RISKS.index(plan.risk) <= limit:
        return ""
    return f"its risk is {plan.risk}, and {guard.risk} is the highest that is taken without a person"


def _unmeasured(plan: Plan) -> str:
    return "" if plan.expectation is not None else "nothing is measured that would show whether it helped"


def _severity(guard: Guard, facts: Facts) -> str:
    if facts.severity >= Severity[guard.worst]:
        return ""
    return f"it is {facts.severity.label}: worse than {guard.worst} is a person's to decide"


def _score(guard: Guard, facts: Facts) -> str:
    # Written so that a score that is no number does not pass.
    if facts.score >= guard.score:
        return ""
    return f"the cause stands at {percent(facts.score)}, and {percent(guard.score)} is asked for"


def _share(guard: Guard, facts: Facts) -> str:
    if facts.services > 0 and facts.hit <= guard.share * facts.services:
        return ""
    return f"{facts.hit} of {facts.services} services are hit, and {percent(guard.share)} is the most"


def _hours(guard: Guard) -> str:
    days = f" on {', '.join(guard.days)}" if guard.days else ""
    hours = f" from {guard.hours[0]} to {guard.hours[1]}" if guard.hours else ""
    return f"it acts{hours}{days} only"


def _often(runs: tuple[datetime, ...], now: datetime, *, most: int, within_s: float, what: str) -> str:
    since = now - timedelta(seconds=within_s)
    count = sum(one > since for one in runs)
    if count < most:
        return ""
    times = "once" if count == 1 else f"{count} times"
    return (
        f"{what} ran by itself {times} in the last {format_duration(timedelta(seconds=within_s))}, {most} is the most"
    )


def _allowed(plan: Plan, guard: Guard, facts: Facts) -> str:
    return (
        f"risk {plan.risk}, {facts.severity.label}, the cause at {percent(facts.score)} of {percent(guard.score)} "
        f"asked for, {facts.hit} of {facts.services} services hit, run {len(facts.runs) + 1} of {guard.most} "
        f"in {format_duration(timedelta(seconds=guard.within_s))}"
    )
