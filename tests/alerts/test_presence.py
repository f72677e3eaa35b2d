"""When a service is down, restarts over and over, or cannot be seen."""

import numpy as np
import pytest

from stanch.alerts.model import Outcome
from stanch.alerts.presence import judge_restarts, judge_sight, judge_up
from stanch.alerts.verdict import Verdict
from stanch.catalog.model import Thresholds

SHIPPED = Thresholds()


def up(values: list[float], *, step_s: float = 15.0) -> Verdict:
    """Judge looks, the last at 0."""
    times = np.arange(1 - len(values), 1, dtype=np.float64) * step_s
    return judge_up(times, np.array(values), thresholds=SHIPPED, now=0.0, window_s=60.0)


def restarts(values: list[float]) -> Verdict:
    """Judge looks 15 s apart, the last at 0."""
    times = np.arange(1 - len(values), 1, dtype=np.float64) * 15.0
    return judge_restarts(times, np.array(values), now=0.0, window_s=60.0)


@pytest.mark.parametrize(
    ("values", "due"),
    [
        ([1, 1, 1, 1, 0, 0], True),
        ([1, 1, 1, 1, 1, 0], False),
        ([1, 1, 1, 1, 0, 1], False),
        ([0, 0], True),
        # Half of the looks of the window: neither up nor down for long, and no good either way.
        ([1, 1, 0, 1, 0, 1], True),
    ],
)
def test_down(values: list[float], due: bool) -> None:
    """Down is two looks in a row, or half of the looks in the window."""
    assert due is up(values).is_due


def test_two_looks_a_second_apart() -> None:
    """With fast looks two in a row are not enough: a restart takes that long."""
    verdict = up([1, 1, 1, 1, 0, 0], step_s=1.0)

    assert (True, False) == (verdict.breach, verdict.is_due)


def test_no_looks() -> None:
    """Without looks there is nothing to say."""
    assert Outcome.NO_DATA is up([]).outcome


def test_down_since() -> None:
    """It went down between the last look that was answered and the first that was not."""
    start = up([1, 1, 1, 0, 0, 0]).start

    assert start is not None
    assert (-45.0, -30.0) == (start.low, start.high)


@pytest.mark.parametrize(("values", "due"), [([0, 1, 0, 1, 0, 0], False), ([0, 1, 0, 1, 0, 1], True), ([0] * 6, False)])
def test_crash_loop(values: list[float], due: bool) -> None:
    """Three restarts within ten windows are a crash loop."""
    assert due is restarts(values).is_due


@pytest.mark.parametrize(
    ("troubles", "troubled_s", "due"), [(0, 0.0, False), (2, 100.0, False), (3, 30.0, False), (5, 60.0, True)]
)
def test_blind(troubles: int, troubled_s: float, due: bool) -> None:
    """Blind is three looks in a row that saw nothing, for as long as an alert must hold."""
    verdict = judge_sight(troubles, troubled_s, "refused", every_s=15.0, thresholds=SHIPPED)

    assert due is verdict.is_due
