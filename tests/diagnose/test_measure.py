"""One series before and after the onset as one signal."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.alerts.baseline import baseline_of
from stanch.diagnose.measure import Track, measure, points, rise_of
from stanch.ports.evidence import Signal
from tests.diagnose.scene import ONSET

NOW = ONSET + timedelta(minutes=2)
TIMES = [ONSET.timestamp() + second for second in range(-300, 121, 5)]


def told(metric: str, values: list[float], *, judged: bool = True) -> Signal:
    """Return what a series says, with its baseline when `judged`."""
    baseline = baseline_of(TIMES, values, before=ONSET.timestamp(), season_seconds=None) if judged else None
    track = Track(service="payments", metric=metric, times=TIMES, values=values)
    signal = measure(track, onset=ONSET, now=NOW, baseline=baseline)
    assert signal is not None
    return signal


def step(before: float, after: float) -> list[float]:
    """Return a series that jumps at the onset."""
    return [after if at > ONSET.timestamp() else before for at in TIMES]


def test_a_rise_as_worked_out() -> None:
    """0.1 until 60 s and then 0.05 more every 2 s until 1.0 takes 32 s from 62 s."""
    times = np.arange(0.0, 200.0, 2.0)
    values = np.clip(0.1 + 0.05 * (times - 60) / 2, 0.1, 1.0)
    rise = rise_of(times, values)

    assert rise is not None and (62.0, 32.0) == (rise.start, rise.seconds)


def test_a_jump_takes_one_step() -> None:
    """A level that jumps has a rise of one sample's distance."""
    rise = rise_of([float(n) for n in range(20)], [0.0] * 10 + [1.0] * 10)

    assert rise is not None and 1.0 == rise.seconds


def test_what_stays_does_not_rise() -> None:
    """A level that does not move has no rise."""
    assert rise_of([float(n) for n in range(20)], [0.5] * 20) is None


@settings(max_examples=50, deadline=None)
@given(st.floats(min_value=1e-3, max_value=1e6))
def test_units_change_nothing(unit: float) -> None:
    """A rise takes as long in bytes as in megabytes."""
    times = [float(n) for n in range(60)]
    values = [unit * (0.1 if n < 20 else min(1.0, 0.1 + 0.05 * (n - 20))) for n in range(60)]
    rise = rise_of(times, values)

    assert rise is not None and 15 <= rise.seconds <= 17


def test_a_step_is_a_step() -> None:
    """A jump half-way through is called one."""
    assert "step" == told("latency_p95_ms", step(60, 2300)).trend


def test_a_small_jump_within_the_noise_is_not_raised() -> None:
    """What lies inside its own noise is not raised, however large the factor looks."""
    noisy = [float(20 + 400 * (n % 2)) for n in range(len(TIMES))]

    assert not told("latency_p95_ms", noisy).data["raised"]


def test_without_a_baseline_the_plain_rule_decides() -> None:
    """With little history the median before is the normal, and factors decide."""
    found = told("latency_p95_ms", step(60, 2300), judged=False)

    assert (60.0, True) == (found.normal, found.data["raised"])


def test_counts_are_compared_with_an_equal_stretch() -> None:
    """Ten restarts in five minutes before are four in the two minutes since."""
    found = told("restarts", [1.0 if index % 6 == 0 and index < 60 else 0.0 for index in range(len(TIMES))])

    assert (0.0, 4.0) == (found.value, found.normal)


def test_nothing_since_the_onset_is_nothing() -> None:
    """A series that ends before the onset says nothing about it."""
    track = Track(service="s", metric="up", times=[ONSET.timestamp() - 5], values=[1.0])

    assert measure(track, onset=ONSET, now=NOW) is None


def test_values_that_are_no_numbers_are_left_out() -> None:
    """NaN and infinity do not reach a signal."""
    values = step(60, 2300)
    values[70], values[75] = float("nan"), float("inf")

    assert 2300.0 == told("latency_p95_ms", values).value


def test_labels_stand_in_the_data() -> None:
    """The called service of a series is in its signal."""
    track = Track(
        service="s", metric="dependency_error_ratio", times=TIMES, values=step(0, 0.5), labels={"target": "acquirer"}
    )
    signal = measure(track, onset=ONSET, now=NOW)

    assert signal is not None and "acquirer" == signal.data["target"]


def test_a_chart_keeps_the_newest_point() -> None:
    """Of ten thousand samples at most 120 are kept, the last one among them."""
    track = Track(
        service="s", metric="up", times=[float(n) for n in range(10_000)], values=[float(n) for n in range(10_000)]
    )
    times = points(track)["times"]

    assert isinstance(times, list) and (True, 9999.0) == (len(times) <= 120, times[-1])


def test_an_empty_chart_is_empty() -> None:
    """A series without samples has a chart without points."""
    assert [] == points(Track(service="s", metric="up", times=(), values=()))["times"]


@pytest.mark.parametrize(
    ("values", "raised"), [([1.0] * 85, False), ([1.0] * 61 + [0.0] * 24, True)], ids=["up", "down"]
)
def test_up_is_the_share_of_checks_passed(values: list[float], raised: bool) -> None:
    """A service that answers no check since the onset is raised; one that answers all is not."""
    assert raised is told("up", values).data["raised"]


def test_a_latency_keeps_its_worst_stretch() -> None:
    """Slowness that is over by now is still told beside the median since."""
    slow_for_a_while = [900.0 if 0 < at - ONSET.timestamp() <= 30 else 70.0 for at in TIMES]
    signal = told("latency_p95_ms", slow_for_a_while)

    assert (70.0, 900.0) == (signal.value, signal.data["held"])
