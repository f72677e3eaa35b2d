"""What is normal for one series: median, spread and band, robust against outliers and skew.

Pure numbers in, a record out. Owns the formulas of "45 %, normal 0.2 %". Where the samples come from, and
how a value is worded for a person, is decided elsewhere; the trend of a series is in `shape`.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Samples = Sequence[float] | Floats

MINIMUM_SAMPLES = 8  # below this a median absolute deviation says more about chance than about the series
# Makes the MAD of a normal distribution its standard deviation (Rousseeuw & Croux, 1993).
MAD_TO_SIGMA = 1.4826
RELATIVE_FLOOR = 0.02  # a series cannot be steadier than 2 % of its own level, so that constants have a band
BAND_SPREADS = 3.0  # half the band's width; 0.3 % of normal samples lie outside on well-behaved data
DAY_SECONDS = 86_400.0
SEASON_SHARE = 1.0 / 24.0  # how much of a season on either side of the phase counts as "the same time of day"


@dataclass(frozen=True, kw_only=True)
class Baseline:
    """What a series normally does; spreads are in the series' own unit and never negative."""

    median: float
    spread: float
    spread_below: float
    spread_above: float
    low: float
    high: float
    n: int
    start: float
    end: float
    seasonal: bool = False


def baseline_of(
    times: Samples,
    values: Samples,
    *,
    before: float | None = None,
    guard_seconds: float = 0.0,
    season_seconds: float | None = DAY_SECONDS,
) -> Baseline | None:
    """Summarise what is normal, or return None when fewer than 8 finite samples are left.

    `before` cuts the incident out: only samples earlier than `before - guard_seconds` count. With at least
    three seasons of history, and 8 samples at the same phase (an hour either side of the same time of day),
    only those are used, and `seasonal` says so.

    Formulas, with x the samples used and m their median::

        spread       = max(1.4826 * median(|x - m|), std(x) / 4, 0.02 * |m|) spread_above = max(1.4826 *
        (upper quartile - m), std(x) / 4, 0.02 * |m|)      (below: m - lower quartile) band         = [m - 3
        * spread_below, m + 3 * spread_above], not beyond 0 when no sample is

    The quarter of the standard deviation keeps a series that mostly rests (MAD 0) from calling its own
    habitual bursts abnormal. A constant 0 has the band [0, 0] and a spread of 0; `deviation` copes. Worked:
    10, 11, 9, 10, 12, 10, 9, 11 gives m = 10, |x - m| = 0 0 0 1 1 1 1 2 and a spread of 1.4826; the
    quartiles are 9.75 and 11, so spread_above is 1.4826, spread_below 0.3707, and the band [8.89, 14.45].
    """
    when, level = finite(times, values)
    if before is not None:
        keep = when < before - guard_seconds
        when, level = when[keep], level[keep]
    seasonal = False
    if season_seconds and when.size:
        same = _same_phase(when, at=before if before is not None else float(when[-1]), season=season_seconds)
        if same is not None:
            when, level, seasonal = when[same], level[same], True
    if when.size < MINIMUM_SAMPLES:
        return None
    return _summary(when, level, seasonal=seasonal)


def deviation(value: float, baseline: Baseline) -> float:
    """Return how many spreads `value` lies from normal, signed; against a constant 0, infinity for any other value.

    Formula: (value - median) / spread_above, or spread_below when value < median.
    Worked: a P95 of 4,200 ms against a median of 800 and a spread above of 85 is 40 spreads up.
    """
    gap = value - baseline.median
    spread = baseline.spread_above if gap >= 0 else baseline.spread_below
    if spread > 0:
        return gap / spread
    return 0.0 if gap == 0 else float(np.copysign(np.inf, gap))


def deviations(values: Samples, baseline: Baseline, *, limit: float = 1e6) -> Floats:
    """Return `deviation` of every value, clipped to plus and minus `limit` so that sums stay finite."""
    gaps = np.asarray(values, dtype=np.float64) - baseline.median
    spreads = np.where(gaps >= 0, baseline.spread_above, baseline.spread_below)
    signed = np.where(gaps == 0, 0.0, np.sign(gaps) * limit)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        scaled = np.where(spreads > 0, gaps / np.where(spreads > 0, spreads, 1.0), signed)
    clipped: Floats = np.clip(scaled, -limit, limit)
    return clipped


def is_normal(value: float, baseline: Baseline) -> bool:
    """Say whether `value` lies inside the band, its edges included."""
    return baseline.low <= value <= baseline.high


def finite(times: Samples, values: Samples) -> tuple[Floats, Floats]:
    """Return both as arrays in order of time, without the samples where either is not a finite number.

    Raises ValueError when the two differ in length.
    """
    when = np.asarray(times, dtype=np.float64)
    level = np.asarray(values, dtype=np.float64)
    if when.shape != level.shape or when.ndim != 1:
        raise ValueError(f"times and values must be two flat lists of one length, got {when.shape} and {level.shape}")
    ok = np.isfinite(when) & np.isfinite(level)
    when, level = when[ok], level[ok]
    order = np.argsort(when, kind="stable")
    return when[order], level[order]


def _summary(when: Floats, level: Floats, *, seasonal: bool) -> Baseline:
    median = float(np.median(level))
    quarter, three_quarters = (float(q) for q in np.quantile(level, (0.25, 0.75)))
    # Values at the far end of float64 would overflow in the square of the standard deviation.
    scale = float(np.max(np.abs(level))) or 1.0
    floor = max(float(np.std(level / scale)) * scale / 4.0, RELATIVE_FLOOR * abs(median))
    above = max(MAD_TO_SIGMA * (three_quarters - median), floor)
    below = max(MAD_TO_SIGMA * (median - quarter), floor)
    low, high = median - BAND_SPREADS * below, median + BAND_SPREADS * above
    if level.min() >= 0:
        low = max(low, 0.0)
    if level.max() <= 0:
        high = min(high, 0.0)
    return Baseline(
        median=median,
        spread=max(MAD_TO_SIGMA * float(np.median(np.abs(level - median))), floor),
        spread_below=below,
        spread_above=above,
        low=low,
        high=high,
        n=int(level.size),
        start=float(when[0]),
        end=float(when[-1]),
        seasonal=seasonal,
    )


def _same_phase(when: Floats, *, at: float, season: float) -> NDArray[np.bool_] | None:
    """Mark the samples at the same phase as `at`, or None when history is too short for that to be better."""
    if at - when[0] < 3 * season:
        return None
    phase = np.mod(when - at + season / 2, season) - season / 2
    same = np.abs(phase) <= SEASON_SHARE * season
    return same if int(same.sum()) >= MINIMUM_SAMPLES else None
