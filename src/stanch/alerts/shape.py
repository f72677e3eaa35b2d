"""The trend of one series against its normal: steady, spiking, creeping, stepped, recovering, flapping.

Pure. Built for what a person sees during an incident: 20 to 600 samples, 1 to 60 seconds apart. The normal
itself is `baseline`'s; words and arrows are the surfaces'.
"""

from dataclasses import dataclass
from enum import Enum

import numpy as np

from stanch.alerts.baseline import MINIMUM_SAMPLES, Baseline, Floats, Samples, deviations, finite

ENTER = 3.0  # spreads from normal at which an excursion begins: the edge of the baseline's band
LEAVE = 1.5  # and at which it ends; half of it, so that noise on the edge does not look like flapping
LONE = 6.0  # spreads at which even the single newest sample counts
FLAPS = 3  # excursions in one window that make it flapping
CALM_SHARE = 0.25  # of the time from the first to the last excursion that is calm when they are separate
NOISE_SHARE = 0.05  # of the largest excursion's area; a smaller one beside it is noise
BRIEF_SHARE = 0.10  # of the window; an excursion shorter than this that has ended is a spike
FRESH_SHARE = 0.05  # of the window; a younger excursion has no shape yet except "sharply away"
FRESH_SAMPLES = 4  # the same for short windows
FALLEN = 0.6  # of its peak; an excursion that has come back to this is recovering
CLIP = 1_000.0  # spreads; beyond it more is not more, and one absurd sample cannot own the fit


class Shape(Enum):
    """How a series has moved against its normal; the value is the word shown."""

    STEADY = "steady"
    SPIKING = "spiking"
    GRADUAL_INCREASE = "gradual increase"
    GRADUAL_DECREASE = "gradual decrease"
    STEP = "step"
    RECOVERING = "recovering"
    FLAPPING = "flapping"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Excursion:
    """One stretch outside normal, as positions in the series; `stop` is exclusive."""

    start: int
    stop: int

    @property
    def length(self) -> int:
        """How many samples it lasted."""
        return self.stop - self.start


def shape_of(times: Samples, values: Samples, baseline: Baseline | None) -> Shape:
    """Name the trend of a window against its baseline; UNKNOWN under 8 samples or without a baseline.

    With e the deviation in spreads, turned so that the larger side is up, clipped to 1000 and put through a
    running median of 3 (a lone sample is no trend, save the newest at 6 or more). An excursion starts at e
    > 3 and ends at e < 1.5. In this order::

        no excursion                                            steady
        3 or more, a quarter of the time between them calm      flapping
        over, and shorter than a tenth of the window            spiking
        over, or down to 0.6 of its peak                        recovering
        no older than 4 samples or 5 % of the window            spiking
        0 until k, then a line, fits better than then a level   gradual increase or decrease
        otherwise                                               step

    Fits are least squares over every k inside the window that begins as long before the excursion as it
    lasts. Worked: 20 samples at 1, then 20 at 9, baseline 1 with spread 0.1: one excursion of e = 80, still
    on, 20 long; the level leaves no error and the line does, so it is a step.
    """
    when, level = finite(times, values)
    if baseline is None or level.size < MINIMUM_SAMPLES:
        return Shape.UNKNOWN
    away, upward = _away(level, baseline)
    smooth = _running_median(away)
    found = _large(excursions(smooth), smooth)
    if not found:
        return Shape.SPIKING if away[-1] >= LONE else Shape.STEADY
    if _is_flapping(found):
        return Shape.FLAPPING
    ended = _ended(smooth, found)
    if ended is not None:
        return ended
    if found[-1].stop - found[0].start <= max(FRESH_SAMPLES, FRESH_SHARE * level.size):
        return Shape.SPIKING
    if _line_beats_level(when, smooth, found[0].start):
        return Shape.GRADUAL_INCREASE if upward else Shape.GRADUAL_DECREASE
    return Shape.STEP


def excursions(away: Floats) -> tuple[Excursion, ...]:
    """Find the stretches that start above 3 spreads and end below 1.5, oldest first, may be empty."""
    found: list[Excursion] = []
    start: int | None = None
    for position, value in enumerate(away):
        if start is None and value > ENTER:
            start = position
        elif start is not None and value < LEAVE:
            found.append(Excursion(start=start, stop=position))
            start = None
    if start is not None:
        found.append(Excursion(start=start, stop=len(away)))
    return tuple(found)


def _large(found: tuple[Excursion, ...], smooth: Floats) -> tuple[Excursion, ...]:
    """Leave out what is noise beside the largest: excursions of under a twentieth of its area."""
    areas = [float(smooth[e.start : e.stop].sum()) for e in found]
    return tuple(e for e, area in zip(found, areas, strict=True) if area >= NOISE_SHARE * max(areas))


def _away(level: Floats, baseline: Baseline) -> tuple[Floats, bool]:
    """Deviations turned so that the side with more excess is up, and whether that side is the upper one."""
    signed = deviations(level, baseline, limit=CLIP)
    above = float(np.maximum(signed - ENTER, 0).sum())
    below = float(np.maximum(-signed - ENTER, 0).sum())
    return (signed, True) if above >= below else (-signed, False)


def _running_median(away: Floats) -> Floats:
    """Median of each sample and its two neighbours; the two ends see themselves twice, so they stay."""
    padded = np.concatenate([away[:1], away, away[-1:]])
    smooth: Floats = np.median(np.stack([padded[:-2], padded[1:-1], padded[2:]]), axis=0)
    # An end sample outvotes its one neighbour, which would let a lone first or last sample through.
    smooth[0], smooth[-1] = min(away[0], away[1]), min(away[-1], away[-2])
    return smooth


def _is_flapping(found: tuple[Excursion, ...]) -> bool:
    if len(found) < FLAPS:
        return False
    span = found[-1].stop - found[0].start
    calm = span - sum(excursion.length for excursion in found)
    return calm >= CALM_SHARE * span


def _ended(smooth: Floats, found: tuple[Excursion, ...]) -> Shape | None:
    """SPIKING or RECOVERING when the excursion is over or well on its way back, None while it is on."""
    first, last = found[0], found[-1]
    samples = smooth.size
    tail = max(3, round(BRIEF_SHARE * samples))
    if last.stop < samples:
        lasted = last.stop - first.start if len(found) < FLAPS else last.length
        return Shape.SPIKING if lasted < max(3, BRIEF_SHARE * samples) else Shape.RECOVERING
    if samples - first.start < 2 * tail:
        return None
    stretch = smooth[first.start :]
    peak = float(np.quantile(stretch, 0.9))
    now = float(np.median(stretch[-tail:]))
    return Shape.RECOVERING if now <= FALLEN * peak else None


def _line_beats_level(when: Floats, smooth: Floats, start: int) -> bool:
    """Compare "normal, then a rising line" with "normal, then a level", each at its own best start."""
    begin = max(0, 2 * start - smooth.size)
    clock, away = when[begin:] - when[begin], smooth[begin:]
    total = float(np.square(away).sum())
    starts = np.arange(away.size - 3)
    best_level, best_line = np.inf, np.inf
    for k in starts:
        rest = away[k:]
        best_level = min(best_level, total - float(rest.sum()) ** 2 / rest.size)
        ramp = clock[k:] - clock[k]
        power = float(np.square(ramp).sum())
        if power > 0:
            slope = max(0.0, float((ramp * rest).sum()) / power)
            best_line = min(best_line, total - slope * slope * power)
    return best_line < best_level
