"""When it began: steps, creeps, flaps, several series at once, and what must not change the answer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.alerts.baseline import Floats
from stanch.diagnose.metrics.onset import Direction, estimate_common_onset, estimate_onset


def clock(samples: int, *, step: float = 1.0, start: float = 0.0) -> Floats:
    """Times at a fixed step."""
    times: Floats = np.arange(samples, dtype=np.float64) * step + start
    return times


def quiet(samples: int, *, seed: int = 1, noise: float = 3.0) -> Floats:
    """A series at 100 with noise."""
    values: Floats = 100 + noise * np.random.default_rng(seed).standard_normal(samples)
    return values


def stepped(samples: int, at: int, *, seed: int = 1, by: float = 60.0) -> Floats:
    """A series that moves to a new level at a position and stays."""
    values = quiet(samples, seed=seed)
    values[at:] += by
    return values


@pytest.mark.parametrize("samples", [20, 60, 600, 5000])
def test_step_is_dated_to_the_sample(samples: int) -> None:
    """A step is dated to its first sample, at every length."""
    at = int(samples * 0.6)

    onset = estimate_onset(clock(samples, step=15.0), stepped(samples, at))

    assert onset is not None
    assert at * 15.0 == onset.at


def test_fall_has_its_direction() -> None:
    """A fall is found as a rise is, and says so."""
    onset = estimate_onset(np.arange(60.0), stepped(60, 40, by=-80))

    assert onset is not None
    assert (onset.at, onset.direction) == (40.0, Direction.DOWN)


def test_excursion_that_is_over_is_dated() -> None:
    """The start of an excursion is found when it has ended."""
    values = quiet(60)
    values[30:40] += 60

    onset = estimate_onset(np.arange(60.0), values)

    assert onset is not None
    assert onset.at == 30.0


def test_creep_has_its_foot_in_the_interval() -> None:
    """A slope is dated before its middle, and its true foot lies in the interval or within three samples of it."""
    values = quiet(60)
    values[25:] += 120 * np.arange(35) / 35

    onset = estimate_onset(np.arange(60.0), values)

    assert onset is not None
    assert onset.low - 3 <= 25 <= onset.at <= 32


def test_flapping_is_dated_to_its_first_flap() -> None:
    """With flaps of the same height the first is the start."""
    values = quiet(80)
    for start in (30, 45, 60):
        values[start : start + 6] += 60

    onset = estimate_onset(np.arange(80.0), values)

    assert onset is not None
    assert onset.at == 30.0


@pytest.mark.parametrize("seed", range(8))
def test_noise_has_no_onset(seed: int) -> None:
    """Nothing is found in plain noise."""
    assert estimate_onset(np.arange(120.0), quiet(120, seed=seed)) is None


@pytest.mark.parametrize("level", [0.0, 100.0])
def test_constant_has_no_onset(level: float) -> None:
    """A constant has no onset, be it 0 or not."""
    assert estimate_onset(np.arange(50.0), np.full(50, level)) is None


def test_few_samples_have_no_onset() -> None:
    """Under 8 finite samples there is no onset."""
    assert estimate_onset(range(7), [1, 1, 1, 1, 9, 9, 9]) is None


def test_first_errors_of_a_counter_at_rest_are_found() -> None:
    """Errors that begin where there were none have an onset, though normal has no spread at all."""
    values = np.zeros(60)
    values[45:] = 12.0

    onset = estimate_onset(np.arange(60.0), values)

    assert onset is not None
    assert onset.at == 45.0


def test_around_chooses_between_two_excursions() -> None:
    """A hint picks the excursion near it, not the largest."""
    values = quiet(120)
    values[30:40] += 90
    values[90:100] += 50

    onset = estimate_onset(np.arange(120.0), values, around=92.0)

    assert onset is not None
    assert onset.at == 90.0


def test_several_series_agree_on_one_start() -> None:
    """Three series that move at 30 outvote one that moved at 12, and noise has no vote."""
    moved = [(np.arange(60.0), stepped(60, 30, seed=seed)) for seed in (1, 2, 3)]
    other = [(np.arange(60.0), stepped(60, 12, seed=4)), (np.arange(60.0), quiet(60, seed=5))]

    onset = estimate_common_onset([*other, *moved])

    assert onset is not None
    assert (onset.at, onset.series) == (30.0, 3)


def test_no_series_with_an_onset_gives_none() -> None:
    """Several quiet series have no common onset."""
    assert estimate_common_onset([(np.arange(60.0), quiet(60, seed=seed)) for seed in range(4)]) is None


@given(st.integers(min_value=-2_000_000_000, max_value=2_000_000_000), st.integers(min_value=12, max_value=50))
def test_offset_of_the_clock_moves_the_answer_alone(offset: int, at: int) -> None:
    """Shifting all times shifts the onset and its interval by as much."""
    values = stepped(60, at)
    plain = estimate_onset(clock(60, step=15.0), values)
    moved = estimate_onset(clock(60, step=15.0, start=float(offset)), values)

    assert plain is not None
    assert moved is not None
    assert (plain.at, plain.low, plain.high) == (moved.at - offset, moved.low - offset, moved.high - offset)


@given(st.floats(min_value=1e-6, max_value=1e6))
def test_units_do_not_matter(factor: float) -> None:
    """Scaling a series leaves its onset."""
    onset = estimate_onset(np.arange(60.0), stepped(60, 35) * factor)

    assert onset is not None
    assert onset.at == 35.0
