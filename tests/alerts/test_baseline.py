"""What is normal: the band, the deviation, counters and the edges of too little data."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.alerts.baseline import baseline_of, deviation, deviations, is_normal

EXAMPLE = [10.0, 11.0, 9.0, 10.0, 12.0, 10.0, 9.0, 11.0]
DAY = 86_400.0

levels = st.lists(st.floats(min_value=-1e6, max_value=1e6), min_size=8, max_size=60)


def test_worked_example() -> None:
    """The docstring's example has the figures that it states."""
    normal = baseline_of(range(8), EXAMPLE)

    assert normal is not None
    assert (
        normal.median,
        round(normal.spread, 3),
        round(normal.spread_below, 3),
        round(normal.low, 2),
        round(normal.high, 2),
    ) == (10.0, 1.483, 0.371, 8.89, 14.45)


def test_seven_samples_are_not_enough() -> None:
    """Under 8 finite samples there is no baseline."""
    assert baseline_of(range(8), [*EXAMPLE[:7], math.nan]) is None


def test_incident_is_cut_out() -> None:
    """Samples at or after `before`, and within the guard band, do not count."""
    times = np.arange(20.0)
    values = np.where(times < 10, 5.0, 500.0)

    normal = baseline_of(times, values, before=11.0, guard_seconds=1.0)

    assert normal is not None
    assert (normal.median, normal.n) == (5.0, 10)


def test_a_tenth_of_outliers_does_not_move_the_band_far() -> None:
    """Normal survives a tenth of absurd samples: the band still excludes them."""
    values = [*EXAMPLE * 5, 900.0, 950.0, 980.0, 1000.0]

    normal = baseline_of(range(44), values)

    assert normal is not None
    assert not is_normal(980.0, normal)


def test_constant_has_a_relative_floor() -> None:
    """A constant 100 has a spread of 2, so 105 is inside the band and 107 is not."""
    normal = baseline_of(range(10), [100.0] * 10)

    assert normal is not None
    assert (normal.spread, is_normal(105.0, normal), is_normal(107.0, normal)) == (2.0, True, False)


def test_anything_but_zero_is_infinitely_far_from_constant_zero() -> None:
    """Against a constant 0 the deviation of 3 is infinite, and of 0 it is 0."""
    normal = baseline_of(range(10), [0.0] * 10)

    assert normal is not None
    assert (math.inf, 0.0) == (deviation(3.0, normal), deviation(0.0, normal))


def test_band_of_a_share_does_not_go_below_zero() -> None:
    """A series that is never negative has a band that is not either."""
    normal = baseline_of(range(8), [0.0, 0.0, 0.2, 0.0, 0.1, 0.0, 0.3, 0.0])

    assert normal is not None
    assert normal.low == 0.0


def test_same_time_of_day_is_used_with_three_days_of_history() -> None:
    """With four days of history, normal at 14:00 is that of other days at 14:00, not of the night before it."""
    times = np.arange(0.0, 4 * DAY + 14 * 3600, 600.0)
    by_day = np.where((times % DAY >= 8 * 3600) & (times % DAY < 20 * 3600), 100.0, 10.0)

    normal = baseline_of(times, by_day, before=4 * DAY + 2 * 3600)

    assert normal is not None
    assert (normal.median, normal.seasonal) == (10.0, True)


def test_short_history_is_not_seasonal() -> None:
    """With two days of history every sample counts."""
    times = np.arange(0.0, 2 * DAY, 600.0)

    normal = baseline_of(times, np.ones(times.size))

    assert normal is not None
    assert (normal.seasonal, normal.n) == (False, 288)


def test_different_lengths_are_an_error() -> None:
    """Times and values of different lengths are refused and not cut."""
    with pytest.raises(ValueError, match="one length"):
        baseline_of([1.0, 2.0], [1.0])


def test_deviations_are_clipped() -> None:
    """The array form of the deviation stays finite."""
    normal = baseline_of(range(10), [0.0] * 10)

    assert normal is not None
    assert deviations([3.0, 0.0, -3.0], normal).tolist() == [1e6, 0.0, -1e6]


@given(levels, st.floats(min_value=1e-3, max_value=1e3))
def test_units_do_not_matter(values: list[float], factor: float) -> None:
    """Milliseconds or seconds: the deviation of the last sample stays what it is."""
    plain = baseline_of(range(len(values)), values)
    scaled = baseline_of(range(len(values)), [v * factor for v in values])

    assert plain is not None
    assert scaled is not None
    assert deviations([values[-1]], plain)[0] == pytest.approx(
        deviations([values[-1] * factor], scaled)[0], rel=1e-6, abs=1e-6
    )


@given(levels, st.randoms(use_true_random=False))
def test_order_of_arrival_does_not_matter(values: list[float], random: object) -> None:
    """Samples that arrive shuffled give the same baseline."""
    pairs = list(enumerate(values))
    random.shuffle(pairs)  # type: ignore[attr-defined]

    assert baseline_of(range(len(values)), values) == baseline_of([p[0] for p in pairs], [p[1] for p in pairs])
