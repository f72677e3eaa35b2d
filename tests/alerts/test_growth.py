"""When memory is an alert: far above its normal, and growing all the time."""

import numpy as np
import pytest

from stanch.alerts.baseline import Baseline, baseline_of
from stanch.alerts.growth import judge_memory
from stanch.alerts.model import Outcome
from stanch.alerts.verdict import Verdict
from stanch.catalog.model import Thresholds

MB = 1e6
QUIET = Thresholds(for_s=2.0)


def normal_at(megabytes: float) -> Baseline:
    """Return the baseline of a process that has taken as much for forty looks."""
    found = baseline_of(np.arange(40.0), np.full(40, megabytes * MB), season_seconds=None)
    assert found is not None
    return found


def judge(megabytes: list[float], *, normal: float = 22.0, firing: bool = False) -> Verdict:
    """Judge looks a second apart, the last at 0, with a window of 8 s."""
    values = np.array(megabytes) * MB
    times = np.arange(1.0 - values.size, 1.0)
    return judge_memory(
        times, values, baseline=normal_at(normal), thresholds=QUIET, now=0.0, window_s=8.0, firing=firing
    )


LEAK = [22.0] * 8 + [22 + 6.5 * second for second in range(1, 17)]


def test_memory_that_grows_beyond_three_times_normal_is_a_leak() -> None:
    """From 22 MB by 6.5 MB a second, it is so and has been for long enough after 16 s."""
    assert judge(LEAK).is_due


def test_a_leak_began_when_memory_left_its_normal() -> None:
    """The start is the last look inside the band, not the look that crossed the threshold."""
    start = judge(LEAK).start

    assert start is not None
    assert -16.0 == start.at


QUIET_LIVES = {
    "constant": [22.0] * 24,
    "warms up": [22.0] * 8 + [22.0 + 1.5 * second for second in range(16)],
    "a cache that filled and stopped": [22.0] * 8 + [150.0] * 16,
    "a batch that came and went": [22.0] * 8 + [22 + 12.0 * second for second in range(10)] + [30.0] * 6,
    "collected again and again": [40.0 + 12.0 * (second % 5) for second in range(24)],
}


@pytest.mark.parametrize("life", QUIET_LIVES)
def test_ordinary_memory_is_no_alert(life: str) -> None:
    """What does not grow all the time, or does not grow by much, is no leak."""
    assert not judge(QUIET_LIVES[life]).breach


def test_a_large_process_may_breathe() -> None:
    """Of a process of 2 GB, half as much again is within what it does."""
    assert not judge([2000.0] * 8 + [2000.0 + 60 * second for second in range(16)], normal=2000.0).breach


def test_an_alert_lasts_while_memory_stays_high() -> None:
    """A leak that has stopped growing has not given anything back."""
    assert judge([150.0] * 16, firing=True).breach


def test_an_alert_is_over_after_a_restart() -> None:
    """A new process is back at normal."""
    assert (False, Outcome.BELOW_THRESHOLD) == (
        (verdict := judge([300.0] * 8 + [24.0] * 8, firing=True)).breach,
        verdict.outcome,
    )


def test_without_a_baseline_nothing_is_said() -> None:
    """What is normal must be known first."""
    values = np.array(LEAK) * MB
    verdict = judge_memory(
        np.arange(1.0 - values.size, 1.0),
        values,
        baseline=None,
        thresholds=QUIET,
        now=0.0,
        window_s=8.0,
        firing=False,
    )

    assert Outcome.TOO_FEW_SAMPLES == verdict.outcome
