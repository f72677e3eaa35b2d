"""Definitions of figures: quantiles, what each length of time is between, what came back, what groups add up to."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.incidents.model import Severity, Status
from stanch.review.figures.model import By, Course, Measure
from stanch.review.figures.rules import NOT_KNOWN, groups, quantile, repeats, spread, took, was_acted_on
from stanch.review.figures.sheet import COLUMNS, as_csv

START = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)
UTC_ZONE = ZoneInfo("UTC")
VALUES = st.lists(st.floats(min_value=0, max_value=1e7), min_size=1, max_size=60)
SHARES = st.floats(min_value=0, max_value=1)


def course(number: int = 1, **said: object) -> Course:
    """Return an incident that began at `START`, was declared two minutes later, and is over after an hour."""
    told: dict[str, object] = {
        "title": f"Number {number}",
        "status": Status.RESOLVED,
        "severity": Severity.SEV2,
        "service": "payments",
        "cause_kind": "bad_deploy",
        "drill": False,
        "started_at": START,
        "start_known": True,
        "declared_at": START + timedelta(minutes=2),
        "acknowledged_at": START + timedelta(minutes=5),
        "watched_at": START + timedelta(minutes=20),
        "helped_at": START + timedelta(minutes=15),
        "resolved_at": START + timedelta(hours=1),
        "acted_at": START + timedelta(minutes=14),
    }
    return Course(number=number, **{**told, **said})  # type: ignore[arg-type]


COURSES = st.builds(
    lambda number, service, kind, day, severity, resolved: course(
        number,
        service=service,
        cause_kind=kind,
        severity=severity,
        declared_at=START + timedelta(days=day, minutes=2),
        started_at=START + timedelta(days=day),
        resolved_at=START + timedelta(days=day, hours=1) if resolved else None,
    ),
    number=st.integers(min_value=1, max_value=10_000),
    service=st.sampled_from(("payments", "checkout", "")),
    kind=st.sampled_from(("bad_deploy", "dependency_down", "")),
    day=st.integers(min_value=0, max_value=400),
    severity=st.sampled_from(Severity),
    resolved=st.booleans(),
)
MANY = st.lists(COURSES, max_size=30, unique_by=lambda one: one.number)


@given(VALUES, SHARES)
def test_a_quantile_is_what_others_compute(values: list[float], share: float) -> None:
    """The seventh definition is also numpy's own."""
    found = quantile(values, share)

    assert found == pytest.approx(float(np.quantile(values, share)), rel=1e-9, abs=1e-6)


@given(VALUES, SHARES, SHARES)
def test_a_quantile_lies_among_the_values_and_grows(values: list[float], one: float, other: float) -> None:
    """It is between the smallest and the largest, and never falls as the share grows."""
    low, high = sorted((one, other))
    below, above = quantile(values, low), quantile(values, high)
    assert below is not None
    assert above is not None

    assert min(values) <= below <= above <= max(values)


@given(VALUES)
def test_the_median_never_exceeds_the_90th_percentile(values: list[float]) -> None:
    """Both are known, over all values."""
    found = spread(values)

    assert (len(values), True) == (found.known, (found.median_s or 0.0) <= (found.p90_s or 0.0))


def test_a_quantile_of_four() -> None:
    """Of 10, 20, 30, 40: half lies below 25, and h = 2.7 puts nine tenths at 37."""
    assert (25.0, 37.0, None) == (quantile([40, 10, 30, 20], 0.5), quantile([10, 20, 30, 40], 0.9), quantile([], 0.5))


@pytest.mark.parametrize(
    ("measure", "minutes"),
    # Detected 2 minutes after the start, acknowledged 3 after that, well again after 20, resolved after 60.
    [(Measure.DETECT, 2), (Measure.ACKNOWLEDGE, 3), (Measure.MITIGATE, 20), (Measure.RESOLVE, 60)],
)
def test_what_is_measured(measure: Measure, minutes: int) -> None:
    """Detecting, mitigating and resolving count from the start, acknowledging from the declaration."""
    assert minutes * 60.0 == took(measure, course())


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (Measure.DETECT, {"start_known": False}),
        (Measure.ACKNOWLEDGE, {"acknowledged_at": None}),
        (Measure.MITIGATE, {"watched_at": None, "helped_at": None}),
        (Measure.RESOLVE, {"resolved_at": None}),
    ],
)
def test_what_is_not_known_is_none(measure: Measure, said: dict[str, object]) -> None:
    """Nothing is made up where the log does not say."""
    assert took(measure, course(**said)) is None


def test_what_was_seen_to_help_counts_where_nobody_watched() -> None:
    """The watched recovery is the better witness, and not always there."""
    assert 15 * 60.0 == took(Measure.MITIGATE, course(watched_at=None))


def test_an_estimate_behind_what_followed_takes_no_time() -> None:
    """A length of time is never below nothing."""
    assert 0.0 == took(Measure.DETECT, course(started_at=START + timedelta(minutes=3)))


@given(MANY, st.sampled_from(By))
def test_every_incident_is_in_one_group(many: list[Course], by: By) -> None:
    """Whatever they are put together by, the groups add up to all."""
    found = groups(many, by=by, zone=UTC_ZONE)

    assert (len(many), len({one.name for one in found})) == (sum(one.incidents for one in found), len(found))


@given(MANY)
def test_what_comes_back_comes_after_one_like_it(many: list[Course]) -> None:
    """Of the same service and a known cause of the same kind, at most 90 days before."""
    by_number = {one.number: one for one in many}
    for one in repeats(many):
        again, before = by_number[one.incident], by_number[one.before]

        assert (again.service, again.cause_kind, True, True) == (
            before.service,
            before.cause_kind,
            bool(again.cause_kind),
            0 <= one.days <= 90,
        )


@pytest.mark.parametrize(("days", "again"), [(90, [2]), (91, [])])
def test_within_ninety_days(days: int, again: list[int]) -> None:
    """The ninetieth day counts, the one after does not."""
    later = course(2, declared_at=START + timedelta(days=days, minutes=2))

    assert again == [one.incident for one in repeats([later, course(1)])]


def test_what_is_not_known_repeats_nothing() -> None:
    """Two incidents of unknown cause are not the same one."""
    later = course(2, cause_kind="", declared_at=START + timedelta(days=1))

    assert () == repeats([course(1, cause_kind=""), later])


def test_months_are_those_of_the_installation() -> None:
    """An hour before midnight UTC it is another month further east."""
    late = course(declared_at=datetime(2026, 11, 30, 23, 0, tzinfo=UTC))

    assert ["2026-12"] == [one.name for one in groups([late], by=By.MONTH, zone=ZoneInfo("Europe/Helsinki"))]


def test_a_cause_that_is_not_known_is_a_group() -> None:
    """It is said, and not left out."""
    assert [NOT_KNOWN] == [one.name for one in groups([course(cause_kind="")], by=By.CAUSE, zone=UTC_ZONE)]


@pytest.mark.parametrize(
    ("said", "acknowledged", "expected"),
    [
        ({}, True, True),
        ({}, False, False),
        ({"acted_at": None}, True, False),
        ({"acted_at": START - timedelta(minutes=1)}, True, False),
        ({"status": Status.DISMISSED}, True, False),
    ],
)
def test_a_page_is_acted_on(said: dict[str, object], acknowledged: bool, expected: bool) -> None:
    """Acknowledged, then something done about an incident that was one."""
    assert expected is was_acted_on(course(**said), paged_at=START, acknowledged=acknowledged)


def test_the_sheet_leaves_empty_what_is_not_known() -> None:
    """A head line, then a row per group; an empty field is no zero."""
    (one,) = groups([course(resolved_at=None)], by=By.SERVICE, zone=UTC_ZONE)
    head, row = as_csv([one]).splitlines()

    assert (list(COLUMNS), "payments,1,0,0,1,120.0,120.0,1,180.0,180.0,1,1200.0,1200.0,0,,") == (head.split(","), row)
