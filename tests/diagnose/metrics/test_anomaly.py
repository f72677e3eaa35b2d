"""Surprise by surprise: one series as it streams by."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.alerts.baseline import Floats
from stanch.diagnose.metrics.anomaly import AnomalyDetector

FIVE_MINUTES = 300.0
DAY = 288


def clock(samples: int, *, start: float = 0.0) -> Floats:
    """A sample every five minutes."""
    times: Floats = start + FIVE_MINUTES * np.arange(samples, dtype=np.float64)
    return times


def noise(samples: int, *, seed: int = 1) -> Floats:
    """A steady 100 with noise."""
    series: Floats = 100 + 5 * np.random.default_rng(seed).standard_normal(samples)
    return series


def days(samples: int) -> Floats:
    """A daily rhythm between 60 and 140 with a little noise."""
    series: Floats = 100 + 40 * np.sin(2 * np.pi * np.arange(samples) / DAY)
    return series + np.random.default_rng(2).standard_normal(samples)


def told(series: Floats, *, start: float = 0.0) -> list[int]:
    """Positions at which an incident is told."""
    detector = AnomalyDetector()
    times = clock(series.size, start=start)
    scored = [detector.add(float(at), float(value)) for at, value in zip(times, series, strict=True)]
    return [round((found.at - start) / FIVE_MINUTES) for found in scored if found.anomalous]


def test_jump_is_told_at_once() -> None:
    """A jump by ten spreads is told at its first samples, and once, though a smaller one was told shortly before."""
    series = noise(1000)
    series[700:740] += 50

    assert [position in (700, 701, 702) for position in told(series) if 690 <= position < 760] == [True]


def test_drift_is_told_by_its_mean() -> None:
    """A shift of 1.5 spreads, invisible sample by sample, is told within two hours."""
    series = noise(2000)
    series[1500:] += 7.5

    assert any(1500 <= position < 1524 for position in told(series))


def test_missing_midday_is_told() -> None:
    """On a daily rhythm a day without its peak is told, though its values are usual ones."""
    series = days(10 * DAY)
    series[8 * DAY : 8 * DAY + DAY // 2] = 100.0

    assert any(8 * DAY <= position < 8 * DAY + DAY // 2 for position in told(series))


def test_rhythm_itself_is_not_told() -> None:
    """Ten days of rhythm and noise, 2,880 samples, bring no more false alarms than three in a thousand."""
    assert len(told(days(10 * DAY))) <= 8


@pytest.mark.parametrize("series", [np.zeros(500), np.full(500, 45.0)])
def test_flat_line_is_not_told(series: Floats) -> None:
    """A constant is never surprising."""
    assert [] == told(series)


def test_first_samples_are_not_judged() -> None:
    """Before fifty samples nothing is surprising."""
    detector = AnomalyDetector()

    assert {0.0} == {detector.add(float(i), 10.0**i).score for i in range(40)}


def test_missing_value_is_skipped() -> None:
    """Not a number has no score, and leaves no trace."""
    detector = AnomalyDetector()

    assert detector.add(0.0, float("nan")).score == 0.0


def test_what_was_said_is_not_taken_back() -> None:
    """The beginning of a series is judged alike whatever follows."""
    series = noise(600)
    series[400:] += 80

    assert [position for position in told(series) if position < 400] == told(series[:400])


@settings(max_examples=10, deadline=None)
@given(factor=st.floats(min_value=1e-3, max_value=1e3), start=st.integers(min_value=0, max_value=2_000_000_000))
def test_units_and_clock_do_not_matter(factor: float, start: int) -> None:
    """Scaling the values or shifting the clock leaves what is told."""
    series = noise(600)
    series[450:480] += 60

    assert told(series) == told(series * factor, start=float(start))
