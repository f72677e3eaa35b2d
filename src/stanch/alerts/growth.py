"""When memory grows as a leak makes it grow: far above normal, and still rising all through the window. Pure.

For processes whose limit nobody tells: where there is one, `rules.judge_saturation` judges how full they are.
"""

from typing import Final

import numpy as np

from stanch.alerts.baseline import Baseline, Floats
from stanch.alerts.began import Start
from stanch.alerts.model import Measured, Outcome, Unit
from stanch.alerts.verdict import Verdict, held_since
from stanch.alerts.words import megabytes
from stanch.catalog.model import Thresholds

FACTOR: Final = 3.0
LEAST_GROWTH: Final = 64e6
"""Bytes above normal: what a process gains while it warms up is no leak."""

AGAIN: Final = 2.0
"""Once it is an alert it is over at twice the normal."""

QUARTERS: Final = 4
LEAST_PART: Final = 0.05
"""Of the growth in the window, what each quarter must have grown over the one before: caches fill and stop."""

LEAST_LOOKS: Final = 8
SPAN_WINDOWS: Final = 3.0


def judge_memory(
    times: Floats,
    values: Floats,
    *,
    baseline: Baseline | None,
    thresholds: Thresholds,
    now: float,
    window_s: float,
    firing: bool,
) -> Verdict:
    """Judge the memory of a process in bytes against its own normal.

    It is a leak when the newest value is three times normal and 64 MB above it, and the medians of the four quarters
    of the newest window (of three where looks are few) rise, each by a twentieth of the whole rise at least.
    `firing` says that it is an alert already: then it lasts until memory is below twice normal.
    """
    keep = times > now - window_s
    if not keep.any():
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="memory was not measured")
    value = float(np.median(values[keep][-3:]))
    if baseline is None:
        detail = f"{megabytes(value)}, and normal is not known yet"
        return Verdict(breach=False, outcome=Outcome.TOO_FEW_SAMPLES, detail=detail, measured=_measured(value, None))
    limit = max(FACTOR * baseline.median, baseline.median + LEAST_GROWTH, baseline.high)
    measured = _measured(value, baseline, limit=limit)
    detail = f"{megabytes(value)} is not above {megabytes(limit)}"
    if firing and value > AGAIN * baseline.median:
        start = _left_normal(times, values, baseline)
        detail = f"{megabytes(value)} is above {megabytes(AGAIN * baseline.median)}, twice the normal"
        return _breach(detail, measured, start=start, above=times[values > baseline.high], thresholds=thresholds)
    if value <= limit:
        return Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail=detail, measured=measured)
    if keep.sum() < LEAST_LOOKS:
        keep = times > now - SPAN_WINDOWS * window_s
    if not _keeps_rising(values[keep]):
        detail = f"{megabytes(value)} is much, but it does not go on growing"
        return Verdict(breach=False, outcome=Outcome.WITHIN_NORMAL, detail=detail, measured=measured)
    start = _left_normal(times, values, baseline)
    detail = f"{megabytes(value)} is above {megabytes(limit)} and still growing"
    return _breach(detail, measured, start=start, above=times[values > baseline.high], thresholds=thresholds)


def _keeps_rising(values: Floats) -> bool:
    """Tell whether the medians of four quarters rise, none by less than a twentieth of the whole rise."""
    if values.size < LEAST_LOOKS:
        return False
    medians = np.array([float(np.median(part)) for part in np.array_split(values, QUARTERS)])
    rise = float(medians[-1] - medians[0])
    return rise > 0 and bool((np.diff(medians) >= LEAST_PART * rise).all())


def _left_normal(times: Floats, values: Floats, baseline: Baseline) -> Start:
    """Return when memory was last inside its normal band, as the start of the growth."""
    inside = np.flatnonzero(values <= baseline.high)
    last = int(inside[-1]) if inside.size else 0
    first = min(last + 1, times.size - 1)
    return Start(at=float(times[last]), low=float(times[last]), high=float(times[first]))


def _breach(detail: str, measured: Measured, *, start: Start, above: Floats, thresholds: Thresholds) -> Verdict:
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=detail,
        measured=measured,
        start=start,
        held_s=held_since(start, above),
        hold_s=thresholds.for_s,
    )


def _measured(value: float, baseline: Baseline | None, *, limit: float | None = None) -> Measured:
    if baseline is None:
        return Measured(value=value, unit=Unit.BYTES, limit=limit)
    return Measured(
        value=value, unit=Unit.BYTES, normal=baseline.median, low=baseline.low, high=baseline.high, limit=limit
    )
