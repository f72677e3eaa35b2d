"""The trend of a series: each shape at 20, 60 and 600 samples, and what must not change it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from stanch.alerts.baseline import Baseline, Floats, baseline_of
from stanch.alerts.shape import Shape, excursions, shape_of


def clock(samples: int, *, step: float = 15.0, start: float = 0.0) -> Floats:
    """Times at a fixed step."""
    times: Floats = np.arange(samples, dtype=np.float64) * step + start
    return times


def bare_normal(noise: float = 3.0) -> Baseline:
    """An hour of quiet at 100."""
    values = 100 + noise * np.random.default_rng(7).standard_normal(240)
    normal = baseline_of(clock(240, start=-7200.0), values)
    assert normal is not None
    return normal


def window(kind: Shape, samples: int, *, noise: float = 3.0) -> Floats:
    """A window of the given shape; what is abnormal begins at 40 % of it."""
    values = 100 + noise * np.random.default_rng(samples).standard_normal(samples)
    begin = int(samples * 0.4)
    i = np.arange(samples)
    if kind is Shape.STEP:
        values[begin:] += 60
    elif kind is Shape.GRADUAL_INCREASE:
        values[begin:] += 120 * (i[begin:] - begin) / (samples - begin)
    elif kind is Shape.GRADUAL_DECREASE:
        values[begin:] -= 90 * (i[begin:] - begin) / (samples - begin)
    elif kind is Shape.SPIKING:
        values[-3:] += 80
    elif kind is Shape.RECOVERING:
        back = begin + int(samples * 0.25)
        values[begin:back] += 60
        values[back:] += 60 * np.exp(-(i[back:] - back) / (samples * 0.08))
    elif kind is Shape.FLAPPING:
        for start in range(3, samples, max(6, samples // 5)):
            values[start : start + max(3, samples // 12)] += 60
    return values


@pytest.mark.parametrize("samples", [20, 60, 600])
@pytest.mark.parametrize("kind", [kind for kind in Shape if kind is not Shape.UNKNOWN])
def test_shape_is_recognised(kind: Shape, samples: int) -> None:
    """Every shape is named right at 20, 60 and 600 samples with noise of 3 % of the level."""
    assert kind is shape_of(clock(samples), window(kind, samples), bare_normal())


def test_worked_example_is_a_step() -> None:
    """Twenty samples at 1, then twenty at 9, is a step."""
    normal = baseline_of(range(20), [1.0, 1.05, 0.95, 1.0] * 5)

    assert Shape.STEP is shape_of(range(40), [1.0] * 20 + [9.0] * 20, normal)


def test_a_fall_to_zero_is_a_step() -> None:
    """Traffic that stops is a step, as traffic that doubles is."""
    values = window(Shape.STEADY, 60)
    values[30:] = 0.0

    assert Shape.STEP is shape_of(clock(60), values, bare_normal())


def test_lone_sample_in_the_middle_is_steady() -> None:
    """One absurd sample with calm on both sides is no trend."""
    values = window(Shape.STEADY, 60)
    values[30] = 900.0

    assert Shape.STEADY is shape_of(clock(60), values, bare_normal())


def test_lone_newest_sample_is_spiking() -> None:
    """The newest sample counts alone when it is far out: nothing has contradicted it yet."""
    values = window(Shape.STEADY, 60)
    values[-1] = 900.0

    assert Shape.SPIKING is shape_of(clock(60), values, bare_normal())


def test_short_burst_that_is_over_is_spiking() -> None:
    """An excursion of 3 % of the window that has ended is a spike, not a recovery."""
    values = window(Shape.STEADY, 200)
    values[100:106] += 100

    assert Shape.SPIKING is shape_of(clock(200), values, bare_normal())


def test_no_baseline_is_unknown() -> None:
    """Without a baseline there is no shape."""
    assert Shape.UNKNOWN is shape_of(range(60), window(Shape.STEP, 60), None)


def test_seven_samples_are_unknown() -> None:
    """Under 8 samples there is no shape."""
    assert Shape.UNKNOWN is shape_of(range(7), [100.0] * 7, bare_normal())


def test_missing_samples_do_not_matter() -> None:
    """Gaps in the series leave its shape."""
    values = window(Shape.STEP, 60)
    values[5::9] = np.nan

    assert Shape.STEP is shape_of(clock(60), values, bare_normal())


def test_edge_noise_is_one_excursion() -> None:
    """Noise around the edge of the band is one excursion, because leaving takes half of entering."""
    found = excursions(np.array([0.0, 4.0, 2.5, 3.5, 2.0, 4.0, 1.0]))

    assert [(e.start, e.stop) for e in found] == [(1, 6)]


@given(
    kind=st.sampled_from([kind for kind in Shape if kind is not Shape.UNKNOWN]),
    factor=st.floats(min_value=1e-3, max_value=1e3),
    spacing=st.floats(min_value=1.0, max_value=60.0),
    offset=st.floats(min_value=0.0, max_value=2e9),
)
def test_units_spacing_and_clock_do_not_matter(kind: Shape, factor: float, spacing: float, offset: float) -> None:
    """Scaling the unit, the step or shifting the clock leaves the shape."""
    quiet = 100 + 3 * np.random.default_rng(7).standard_normal(240)
    normal = baseline_of(clock(240), quiet * factor)

    assert kind is shape_of(clock(60, step=spacing, start=offset), window(kind, 60) * factor, normal)
