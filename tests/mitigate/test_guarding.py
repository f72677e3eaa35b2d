"""The guard rails of what runs by itself: each holds alone, all together, and never more often than allowed."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.catalog.acting import Automatic, Guard
from stanch.incidents.events import Expectation, Plan
from stanch.incidents.model import Severity
from stanch.mitigate.guarding import WEEKDAYS, Facts, Why, decide, in_hours
from tests.mitigate.test_foresight import OTHER, plan

NOW = datetime(2026, 11, 21, 14, 0, tzinfo=UTC)  # a Saturday
GUARD = Guard(most=2, within_s=3600, score=0.8, worst="SEV2", share=0.5)
FACTS = Facts(now=NOW, severity=Severity.SEV2, score=0.9, hit=1, services=4)
EXPECTED = Expectation(service="payments", metric="error_ratio", below=0.05)
PLAN = replace(plan(OTHER), expectation=EXPECTED)

instants = st.integers(0, 7_200).map(lambda seconds: NOW - timedelta(seconds=seconds))
facts = st.builds(
    Facts,
    now=st.just(NOW),
    severity=st.sampled_from(Severity),
    score=st.floats(0, 1) | st.just(float("nan")),
    hit=st.integers(0, 6),
    services=st.integers(0, 6),
    runs=st.lists(instants, max_size=4).map(tuple),
    all_runs=st.lists(instants, max_size=6).map(tuple),
    busy=st.sampled_from(["", "restart runs"]),
    paused=st.sampled_from(["", "alice: moving"]),
    stopped=st.sampled_from(["", "it did not help"]),
)
guards = st.builds(
    Guard,
    most=st.integers(1, 4),
    within_s=st.floats(60, 7_200),
    score=st.floats(0.5, 1),
    worst=st.sampled_from([one.name for one in Severity]),
    share=st.floats(0, 1),
    risk=st.sampled_from(["low", "high"]),
    hours=st.none() | st.tuples(*[st.times().map(lambda one: f"{one:%H:%M}")] * 2),
    days=st.lists(st.sampled_from([*WEEKDAYS, "weekday", "weekend"]), max_size=3).map(tuple),
)
overalls = st.builds(Automatic, services=st.sampled_from([(), ("payments",), ("checkout",)]), most=st.integers(0, 4))
plans = st.builds(
    lambda risk, needed, unseen, refusal, expected: replace(
        PLAN, risk=risk, approvals_needed=needed, unseen=unseen, refusal=refusal, expectation=expected
    ),
    st.sampled_from(["low", "high", "irreversible", "unheard-of"]),
    st.integers(1, 2),
    st.sampled_from(["", "", "it does not answer"]),
    st.sampled_from(["", "", "the account may not"]),
    st.sampled_from([EXPECTED, EXPECTED, None]),
)


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"paused": "alice: moving"}, Why.PAUSED),
        ({"stopped": "it did not help"}, Why.STOPPED),
        ({"severity": Severity.SEV1}, Why.SEVERITY),
        ({"score": 0.79}, Why.SCORE),
        ({"score": float("nan")}, Why.SCORE),
        ({"hit": 3}, Why.SHARE),
        ({"services": 0}, Why.SHARE),
        ({"busy": "restart runs"}, Why.BUSY),
        ({"runs": (NOW, NOW)}, Why.OFTEN),
        ({"all_runs": (NOW, NOW, NOW)}, Why.OFTEN_TOGETHER),
    ],
)
def test_each_rail_holds_alone(changed: dict[str, object], why: Why) -> None:
    """What does not hold is the reason."""
    found = decide(PLAN, GUARD, Automatic(), replace(FACTS, **changed))  # type: ignore[arg-type]  # fields by name

    assert (False, why, True) == (found.acts, found.why, bool(found.detail))


@pytest.mark.parametrize(
    ("changed", "why"),
    [
        ({"risk": "high"}, Why.RISK),
        ({"risk": "irreversible"}, Why.RISK),
        ({"approvals_needed": 2}, Why.PEOPLE),
        ({"unseen": "it does not answer"}, Why.UNCHECKED),
        ({"refusal": "the account may not"}, Why.UNCHECKED),
        ({"expectation": None}, Why.UNCHECKED),
    ],
)
def test_a_plan_that_a_person_would_think_about_is_left_to_one(changed: dict[str, object], why: Why) -> None:
    """Higher risk, a second person's yes, a far end that could not be checked."""
    found = decide(replace(PLAN, **changed), GUARD, Automatic(), FACTS)  # type: ignore[arg-type]  # fields by name

    assert (False, why) == (found.acts, found.why)


def test_when_all_hold_it_acts_and_says_on_what() -> None:
    """The figures that allowed it stand in the log."""
    assert (
        "risk low, SEV2, the cause at 90 % of 80 % asked for, 1 of 4 services hit, run 1 of 2 in 1h"
        == decide(PLAN, GUARD, Automatic(), FACTS).detail
    )


def test_a_run_that_is_long_past_does_not_count() -> None:
    """The window slides."""
    old = NOW - timedelta(seconds=3600)

    assert decide(PLAN, GUARD, Automatic(), replace(FACTS, runs=(old, NOW))).acts


@given(plan=plans, guard=guards, overall=overalls, facts=facts)
@settings(max_examples=400)
def test_it_never_acts_beyond_a_rail(plan: Plan, guard: Guard, overall: Automatic, facts: Facts) -> None:
    """Whatever is configured and whatever happens, acting means that every rail holds."""
    found = decide(plan, guard, overall, facts)
    own = [one for one in facts.runs if (NOW - one).total_seconds() < guard.within_s]
    everything = [one for one in facts.all_runs if (NOW - one).total_seconds() < overall.within_s]
    holds = (
        not (facts.paused or facts.stopped or facts.busy or plan.unseen or plan.refusal)
        and plan.risk in ("low", guard.risk)
        and plan.risk != "irreversible"
        and plan.approvals_needed == 1
        and plan.expectation is not None
        and (not overall.services or plan.target in overall.services)
        and facts.severity.value >= int(guard.worst[-1])
        and facts.score >= guard.score
        and 0 < facts.services
        and facts.hit <= guard.share * facts.services
        and in_hours(guard, NOW, zone="UTC")
        and len(own) < guard.most
        and len(everything) < overall.most
    )

    assert holds == found.acts


@given(guard=guards, steps=st.lists(st.integers(1, 1_800), min_size=1, max_size=40))
@settings(max_examples=200)
def test_no_window_of_time_ever_holds_more_runs_than_allowed(guard: Guard, steps: list[int]) -> None:
    """However often it is asked, in no stretch of the guard's length are there more runs than `most`."""
    calm = replace(guard, hours=None, days=(), worst="SEV1", score=0.5, share=1.0)
    now, runs = NOW, list[datetime]()
    for step in steps:
        now += timedelta(seconds=step)
        asked = replace(FACTS, now=now, runs=tuple(runs), all_runs=())
        if decide(PLAN, calm, Automatic(), asked).acts:
            runs.append(now)
    within = timedelta(seconds=guard.within_s)
    most = max((sum(start <= one < start + within for one in runs) for start in runs), default=0)

    assert most <= guard.most


@pytest.mark.parametrize(
    ("hours", "days", "at", "expected"),
    [
        (("09:00", "17:00"), (), "2026-11-20T08:59", False),
        (("09:00", "17:00"), (), "2026-11-20T09:00", True),
        (("09:00", "17:00"), (), "2026-11-20T17:00", False),
        (("22:00", "06:00"), (), "2026-11-20T23:00", True),
        (("22:00", "06:00"), (), "2026-11-20T05:59", True),
        (("22:00", "06:00"), (), "2026-11-20T06:00", False),
        (None, ("weekend",), "2026-11-20T12:00", False),  # a Friday
        (None, ("weekend",), "2026-11-21T12:00", True),
        (("22:00", "06:00"), ("fri",), "2026-11-21T03:00", True),  # the night that began on Friday
        (("22:00", "06:00"), ("fri",), "2026-11-20T03:00", False),  # that of Thursday
    ],
)
def test_hours_and_days(hours: tuple[str, str] | None, days: tuple[str, ...], at: str, expected: bool) -> None:
    """A night belongs to the day on which it begins."""
    guard = replace(GUARD, hours=hours, days=days)

    assert expected == in_hours(guard, datetime.fromisoformat(at).replace(tzinfo=UTC), zone="UTC")


@pytest.mark.parametrize(
    ("at", "expected"),
    [("2026-10-24T06:30", True), ("2026-10-25T06:30", False), ("2026-10-25T07:30", True)],
)
def test_hours_are_those_of_the_zone(at: str, expected: bool) -> None:
    """Helsinki leaves summer time on 25 October: 09:30 there is 06:30 UTC before and 07:30 after."""
    guard = replace(GUARD, hours=("09:00", "17:00"), zone="Europe/Helsinki")

    assert expected == in_hours(guard, datetime.fromisoformat(at).replace(tzinfo=UTC), zone="UTC")
