"""When it began: the onset of an excursion, with an interval, for one series and for several together.

Pure. A start is estimated from the data and not taken from the alert, which comes late by its own rule. Which
series to ask, and what to do with the answer, is not decided here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from stanch.alerts.baseline import MAD_TO_SIGMA, MINIMUM_SAMPLES, RELATIVE_FLOOR, Floats, Samples, finite

# The search for a stretch is quadratic: 200 x 200 pairs cost 4 ms; longer series are thinned for it.
COARSE_SAMPLES = 200
MINIMUM_BEFORE = 4  # samples that must lie before an onset, or there is no "normal" to have left
CLIP_SPREADS = 40.0  # one absurd sample weighs as much as one at 40 units of noise
MINIMUM_STRENGTH = 3.0  # spreads between the levels inside and outside, as for the band of a baseline
MINIMUM_GAIN = 3.0  # log-likelihood, on top of 2 ln n for the two ends that were chosen among n samples
CREEP_SPREADS = 2.0  # a sample this far out just before the start belongs to the excursion
INTERVAL_GAIN = 1.92  # half of chi-squared's 95 % point with one degree of freedom
Marks = NDArray[np.bool_]


class Direction(Enum):
    """Which way a series left its normal."""

    UP = "up"
    DOWN = "down"


@dataclass(frozen=True, kw_only=True)
class Onset:
    """Where an excursion began. Times are in the unit of the input (seconds since 1970 in the product).

    `at` is the first sample of the excursion; the true start is held to lie in `low`..`high`, which is
    never shorter than the step before `at`. `strength` is the distance of the two levels in spreads.
    `series` counts the series that agree.
    """

    at: float
    low: float
    high: float
    direction: Direction
    strength: float
    series: int = 1


def estimate_onset(times: Samples, values: Samples, *, around: float | None = None) -> Onset | None:
    """Estimate where one series left its normal, or return None when nothing stands out.

    Of all stretches [i, j) with at least 4 samples before i (j may be the end, or the excursion may be over),
    the one that gains most likelihood by having a level of its own::

        gain(i, j) = a * b / (a + b) * (inside mean - outside mean)^2 / 2,   a = j - i, b = n - a

    on values in units of the noise between neighbours (1.4826 * MAD of the differences / sqrt 2, at least 2
    % of the level), clipped at 40. It is then judged in units of the largest of that noise, the MAD and a
    quarter of the standard deviation outside the stretch, and refused when the two levels are less than 3
    such units apart or the gain is under 3 + 2 ln n. From there the start moves back: to the first run of two
    samples more than half way to the inside level (a series that flaps), and along samples that are already
    2 units out on the same side (one that creeps). `around` restricts i to the third of the series nearest
    to it. The interval holds every i whose gain is within 1.92 of the best (profile likelihood, 95 %), and
    `at`. None also when there are fewer than 8 finite samples. Worked: 30 samples at 10 +- 1, then 10 at 20
    +- 1: a = 10, b = 30, 10 units apart, gain 7.5 * 100 / 2 = 375.
    """
    when, level = finite(times, values)
    if level.size < MINIMUM_SAMPLES:
        return None
    unit = _noise(level)
    if unit <= 0:
        return None
    scaled = np.clip((level - np.median(level)) / unit, -CLIP_SPREADS, CLIP_SPREADS)
    allowed = _allowed(when, around=around)
    stop = _coarse_stop(scaled, allowed)
    if stop is None:
        return None
    return _judged(when, level, _profile(scaled, allowed, stop=stop), stop=stop, unit=unit)


def estimate_common_onset(series: Iterable[tuple[Samples, Samples]], *, around: float | None = None) -> Onset | None:
    """Estimate one start from several series that may have different clocks, or None when none has one.

    Every series with an onset votes for the times of its interval, with the weight ln(1 + strength), capped
    at ln 31 so that one wild series cannot outvote three clear ones. The answer is the vote's earliest peak
    among times that get at least 0.8 of the best, with the weighted means of the interval's ends of those
    that agree.
    """
    return common_onset([onset for times, values in series if (onset := estimate_onset(times, values, around=around))])


def common_onset(found: Sequence[Onset]) -> Onset | None:
    """Return the start that most of several onsets agree on, as `estimate_common_onset` does; None without any."""
    if not found:
        return None
    weights = np.log1p(np.minimum([onset.strength for onset in found], 30.0))
    lows, highs = np.array([o.low for o in found]), np.array([o.high for o in found])
    candidates = np.array(sorted({o.at for o in found}))
    support = np.array([float(weights[(lows <= t) & (t <= highs)].sum()) for t in candidates])
    at = float(candidates[support >= 0.8 * support.max()][0])
    agree = (lows <= at) & (at <= highs)
    strongest = max((o for o, agrees in zip(found, agree, strict=True) if agrees), key=lambda o: o.strength)
    return Onset(
        at=at,
        low=min(at, float(np.average(lows[agree], weights=weights[agree]))),
        high=max(at, float(np.average(highs[agree], weights=weights[agree]))),
        direction=strongest.direction,
        strength=strongest.strength,
        series=int(agree.sum()),
    )


def _noise(level: Floats) -> float:
    """Noise between neighbours, in the series' unit, with a floor of 2 % of its level; 0 for a constant 0."""
    steps = np.abs(np.diff(level))
    neighbours = MAD_TO_SIGMA * float(np.median(steps)) / float(np.sqrt(2))
    floor = RELATIVE_FLOOR * abs(float(np.median(level)))
    if neighbours > 0 or floor > 0:
        return max(neighbours, floor)
    # More than half at rest at 0: what moves, moves in steps of this size.
    return float(np.mean(steps)) / 4.0


def _allowed(when: Floats, *, around: float | None) -> Marks:
    """Mark the positions where an excursion may begin."""
    allowed = np.ones(when.size, dtype=np.bool_)
    allowed[: max(MINIMUM_BEFORE, round(0.1 * when.size))] = False
    if around is not None:
        reach = max((when[-1] - when[0]) / 6.0, 3 * float(np.median(np.diff(when))))
        near: Marks = allowed & (np.abs(when - around) <= reach)
        if near.any():
            return near
    return allowed


def _coarse_stop(scaled: Floats, allowed: Marks) -> int | None:
    """Find the end (exclusive) of the best stretch, on medians of equal runs so that at most 200 are searched."""
    run = -(-scaled.size // COARSE_SAMPLES)
    # The newest samples matter most, so what does not fill a run is left out at the old end.
    skip = scaled.size % run
    level: Floats = np.median(scaled[skip:].reshape(-1, run), axis=1)
    may: Marks = np.any(allowed[skip:].reshape(-1, run), axis=1)
    samples = level.size
    sums = np.concatenate([[0.0], np.cumsum(level)])
    inside = sums[None, 1:] - sums[:-1, None]
    length = np.arange(1, samples + 1)[None, :] - np.arange(samples)[:, None]
    shortest = 2 if run == 1 else 1
    valid = (length >= shortest) & (samples - length >= MINIMUM_BEFORE) & may[:, None]
    if not valid.any():
        return None
    a, b = np.where(valid, length, 1), np.where(valid, samples - length, 1)
    apart = inside / a - (sums[-1] - inside) / b
    gains = np.where(valid, a * b / (a + b) * np.square(apart), -np.inf)
    return skip + (int(np.argmax(gains)) % samples + 1) * run


def _profile(scaled: Floats, allowed: Marks, *, stop: int) -> Floats:
    """Gain of every start for this end; minus infinity where no stretch may begin."""
    sums = np.concatenate([[0.0], np.cumsum(scaled)])
    inside = sums[stop] - sums[:-1]
    length = stop - np.arange(scaled.size)
    valid = (length >= 2) & (scaled.size - length >= MINIMUM_BEFORE) & allowed
    a, b = np.where(valid, length, 1), np.where(valid, scaled.size - length, 1)
    apart = inside / a - (sums[-1] - inside) / b
    gains: Floats = np.where(valid, a * b / (a + b) * np.square(apart) / 2.0, -np.inf)
    return gains


def _judged(when: Floats, level: Floats, gains: Floats, *, stop: int, unit: float) -> Onset | None:
    """Measure the best stretch against what lies outside it, and give it its start and interval."""
    start = int(np.argmax(gains))
    if not np.isfinite(gains[start]):
        return None
    outside = np.concatenate([level[:start], level[stop:]])
    middle = float(np.median(outside))
    spread = max(unit, MAD_TO_SIGMA * float(np.median(np.abs(outside - middle))), float(np.std(outside)) / 4.0)
    apart = float(np.median(level[start:stop])) - middle
    shrink = (unit / spread) ** 2
    if abs(apart) / spread < MINIMUM_STRENGTH or gains[start] * shrink < MINIMUM_GAIN + 2 * np.log(level.size):
        return None
    close = np.flatnonzero(gains * shrink >= gains[start] * shrink - INTERVAL_GAIN)
    first = _moved_back(level, gains, start=start, middle=middle, apart=apart, unit=unit)
    # A creep's foot is hidden in the noise: it may lie half as far before as the start was moved.
    slid = float(when[start] - when[first])
    return Onset(
        at=float(when[first]),
        low=min(float(when[max(0, min(first, int(close[0])) - 1)]), float(when[first]) - slid / 2),
        high=float(when[max(first, int(close[-1]))]),
        direction=Direction.UP if apart > 0 else Direction.DOWN,
        strength=abs(apart) / spread,
    )


def _moved_back(level: Floats, gains: Floats, *, start: int, middle: float, apart: float, unit: float) -> int:
    """Move a start back: to the first flap more than half way to the new level, then down a creep's foot."""
    may = np.isfinite(gains)
    out = (level - middle) / apart > 0.5
    flaps = np.flatnonzero(out[:-1] & out[1:] & may[:-1])
    first = min(start, int(flaps[0])) if flaps.size else start
    sign = 1.0 if apart > 0 else -1.0
    while first > MINIMUM_BEFORE and may[first - 1]:
        # Normal is measured anew at every step: the part of a slope already taken no longer blurs it.
        before = level[:first]
        normal = float(np.median(before))
        spread = max(unit, MAD_TO_SIGMA * float(np.median(np.abs(before - normal))))
        if sign * (float(np.median(before[-3:])) - normal) <= CREEP_SPREADS * spread:
            break
        first -= 1
    return first
