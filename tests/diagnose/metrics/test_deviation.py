"""How far a series has moved: the yardstick, the guard band, and what counts as moved before."""

from dataclasses import replace

import numpy as np
import pytest

from stanch.alerts.baseline import Floats
from stanch.diagnose.metrics.deviation import movements, split_at, split_by_alert
from tests.diagnose.metrics.shop import AT, ONSET, ROWS, STEP, clock


def steps(*, before: float, after: float, noise: float = 0.0) -> Floats:
    """One column: a level, then another from the onset on."""
    series: Floats = np.where(np.arange(ROWS) < ONSET, before, after).astype(np.float64)
    series += noise * np.random.default_rng(5).standard_normal(ROWS)
    return series[:, None]


def test_constant_is_measured_against_a_twentieth_of_its_level() -> None:
    """From a constant 10 to 15 is 5 over 0.5."""
    moved = movements(steps(before=10, after=15), split_at(clock(), AT))[0]

    assert (moved.before, moved.after) == (10.0, 15.0)
    assert moved.deviation == pytest.approx(10.0)


def test_leaving_zero_is_a_fixed_deviation() -> None:
    """From a constant 0 to anything is 50, since there is no yardstick."""
    assert movements(steps(before=0, after=3), split_at(clock(), AT))[0].deviation == 50.0


def test_a_fall_is_negative() -> None:
    """Down has a negative sign."""
    assert movements(steps(before=10, after=5), split_at(clock(), AT))[0].deviation == pytest.approx(-10.0)


def test_habitual_excursions_are_part_of_the_yardstick() -> None:
    """A series that jumps to 20 for five rows every so often has not moved much when it does so again."""
    series = steps(before=10, after=20)
    for start in (10, 30, 50):
        series[start : start + 12] = 20

    assert movements(series, split_at(clock(), AT))[0].deviation <= 1.0


def test_level_of_just_before_counts_as_already_moved() -> None:
    """A series that moved twenty rows earlier has not moved now."""
    series = steps(before=10, after=15)
    series[ONSET - 20 :] = 15

    assert movements(series, split_at(clock(), AT))[0].deviation == 0.0


def test_row_before_the_onset_is_left_out() -> None:
    """One bad row before the stated time is neither normal nor what was so just before."""
    series = steps(before=10, after=15)
    series[ONSET - 1] = 15

    assert movements(series, split_at(clock(), AT))[0].deviation == pytest.approx(10.0)


def test_too_few_samples_have_not_moved() -> None:
    """A column with seven samples before is not measured."""
    series = steps(before=10, after=15)
    series[7:ONSET] = np.nan

    assert movements(series, split_at(clock(), AT))[0].deviation == 0.0


def test_columns_with_gaps_are_measured_as_those_without() -> None:
    """A missing sample changes nothing else, and columns keep their places."""
    both = np.column_stack([steps(before=10, after=15), steps(before=10, after=5)])
    both[3, 0] = np.nan

    assert [pytest.approx(10.0), pytest.approx(-10.0)] == [m.deviation for m in movements(both, split_at(clock(), AT))]


def test_alert_dates_the_incident() -> None:
    """An alert that moved for rows 79 to 82 makes these the rows of the incident."""
    alert = 100 + np.random.default_rng(2).standard_normal(ROWS)
    alert[79:83] += 60

    assert [79, 80, 81, 82] == np.flatnonzero(split_by_alert(clock(), AT, alert).after).tolist()


def test_alert_that_did_not_move_dates_nothing() -> None:
    """Without movement the stated time holds to the end."""
    alert = 100 + np.random.default_rng(2).standard_normal(ROWS)

    assert list(range(ONSET, ROWS)) == np.flatnonzero(split_by_alert(clock(), AT, alert).after).tolist()


@pytest.mark.parametrize("at", [0.0, AT + 1e6])
def test_time_outside_the_rows_still_splits(at: float) -> None:
    """A time before or after all rows leaves something on both sides."""
    split = split_at(clock(), at)

    assert split.before.any()
    assert split.after.any()


def test_split_of_one_step_later_moves_by_one() -> None:
    """One interval later is one row later on all three marks."""
    plain, later = split_at(clock(), AT), split_at(clock(), AT + STEP)

    assert np.flatnonzero(plain.recent)[0] + 1 == np.flatnonzero(later.recent)[0]
    assert replace(plain).after.sum() == later.after.sum() + 1
