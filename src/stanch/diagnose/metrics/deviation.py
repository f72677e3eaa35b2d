"""How far each series has moved, in units of what it does anyway; and which samples count as before and after.

Pure. Everything later (resources, self-excess, gaps) is measured with the split and the yardstick of this module.
"""

from dataclasses import dataclass

import numpy as np

from stanch.alerts.baseline import MAD_TO_SIGMA, MINIMUM_SAMPLES, Floats
from stanch.diagnose.metrics.frame import Marks

RELATIVE_FLOOR = 0.05  # a level that moves by less than a twentieth is not what a person looks for
HABIT_QUANTILE = 0.98  # of the series' own windows as long as the incident; the rarest 2 % may be old incidents
FROM_NOTHING = 50.0  # deviation given to a series that was constant 0 and is not any more
MAXIMUM_CELLS = 1_000_000  # of sliding windows copied at a time: 8 MB
ALERT_SIGMA = 3.0  # how far the alerting series must move for its own movement to date the incident
ALERT_SHARE = 0.4  # of the alerting series' largest movement; samples above it are in the incident
ALERT_REACH = 2  # samples before the stated time in which the alerting series may already have moved


@dataclass(frozen=True, kw_only=True)
class Split:
    """Rows by their place in the incident. One row before `after` is a guard band and belongs to neither side.

    `recent` is the last row before the guard: what was already so shortly before did not begin with the incident.
    """

    before: Marks
    recent: Marks
    after: Marks


@dataclass(frozen=True, kw_only=True)
class Movement:
    """One series' movement: levels before and after, and the calibrated deviation, positive for up."""

    before: float
    after: float
    deviation: float


STILL = Movement(before=float("nan"), after=float("nan"), deviation=0.0)


def split_at(times: Floats, at: float) -> Split:
    """Split rows at a time that may be one sample late or early: the row before it is left out."""
    first = min(max(int(np.searchsorted(times, at)), MINIMUM_SAMPLES + 1), times.size - 1)
    return _split(times.size, first, times.size - 1, guard=1)


def split_by_alert(times: Floats, at: float, alert: Floats) -> Split:
    """Split rows by the movement of the series that alerts (turned so that bad is up), near a given time.

    An incident that is over before the last row is thereby not diluted, and a time given late does not count its
    first samples as normal. When the series has not moved by 3 spreads, the same as `split_at`.
    """
    plain = split_at(times, at)
    first = int(np.argmax(plain.after))
    normal = alert[: first - ALERT_REACH]
    normal = normal[np.isfinite(normal)]
    near = np.arange(times.size) >= first - ALERT_REACH
    local = alert[np.arange(times.size) >= first - ALERT_REACH - 1]
    local = local[np.isfinite(local)]
    if normal.size < MINIMUM_SAMPLES or not local.size:
        return plain
    median = float(np.median(normal))
    spread = max(MAD_TO_SIGMA * float(np.median(np.abs(normal - median))), float(np.std(normal)) / 4.0)
    spread = max(spread, 0.001 * abs(median))
    # Against the lowest sample nearby: the level of an hour ago may be a different one altogether.
    low = min(median, float(local.min()))
    away = np.where(near & np.isfinite(alert), (alert - low) / spread if spread > 0 else 0.0, 0.0)
    if away.max() < ALERT_SIGMA:
        return plain
    hot = np.flatnonzero(away >= ALERT_SHARE * away.max())
    return _split(times.size, int(hot[0]), int(hot[-1]), guard=0)


def movements(values: Floats, split: Split, *, floor: float = RELATIVE_FLOOR) -> list[Movement]:
    """Measure every column, in order.

    Formula, with m the median before and L the median after::

        habit     = the 98 % quantile of |median of w - m| over all windows w before that are as long as after
        spread    = max(1.4826 * median(|x - m|), habit, std(x) / 4, floor * |m|)
        deviation = (L - m) / spread, or what is left of it against the level of the row just before the guard

    A series that has moved before the incident, or the other way since, has a deviation of 0; one that was
    constantly 0 gets 50. Under 8 samples before, or none after: 0.
    Worked: CPU at 10 +- 1 (spread 1) with habits up to 12, now 100: (100 - 10) / 2 = 45.
    """
    complete = np.isfinite(values[split.before | split.recent | split.after]).all(axis=0)
    found: dict[int, Movement] = {}
    for group in (np.flatnonzero(complete), *np.flatnonzero(~complete)[:, None]):
        found.update(zip(group.tolist(), _group(values[:, group], split, floor), strict=True))
    return [found[column] for column in range(values.shape[1])]


def _group(columns: Floats, split: Split, floor: float) -> list[Movement]:
    """Measure columns that have samples in the same rows; a group of one may have gaps."""
    if columns.shape[1] == 0:
        return []
    known = np.isfinite(columns[:, 0])
    x, after, recent = (columns[rows & known] for rows in (split.before, split.after, split.recent))
    if x.shape[0] < MINIMUM_SAMPLES or not after.shape[0]:
        return [STILL] * columns.shape[1]
    median, level = np.median(x, axis=0), np.median(after, axis=0)
    reference = median
    if recent.shape[0]:
        bound = np.where(level > median, recent.min(axis=0), recent.max(axis=0))
        reference = np.where(level > median, np.maximum(median, bound), np.minimum(median, bound))
    gap = level - reference
    spread = np.max(
        [
            MAD_TO_SIGMA * np.median(np.abs(x - median), axis=0),
            _habits(x, median, after.shape[0]),
            np.std(x, axis=0) / 4.0,
            floor * np.abs(median),
        ],
        axis=0,
    )
    from_nothing = np.copysign(FROM_NOTHING, gap)
    deviation = np.where(spread > 0, gap / np.where(spread > 0, spread, 1.0), from_nothing)
    deviation = np.where(gap * (level - median) > 0, deviation, 0.0)
    return [
        Movement(before=float(m), after=float(n), deviation=float(d))
        for m, n, d in zip(median, level, deviation, strict=True)
    ]


def _habits(x: Floats, median: Floats, length: int) -> Floats:
    """How far the median of a window as long as the incident strays from normal anyway, for every column."""
    length = max(1, min(length, x.shape[0] // 4))
    strays = np.empty(x.shape[1])
    step = max(1, MAXIMUM_CELLS // (x.shape[0] * length))
    for first in range(0, x.shape[1], step):
        some = slice(first, first + step)
        windows = np.lib.stride_tricks.sliding_window_view(x[:, some], length, axis=0)
        away = np.abs(np.median(windows, axis=-1) - median[some])
        strays[some] = np.quantile(away, HABIT_QUANTILE, axis=0)
    return strays


def _split(rows: int, first: int, last: int, *, guard: int) -> Split:
    row = np.arange(rows)
    return Split(
        before=row < first - 1,
        recent=row == first - 1 - guard,
        after=(row >= first) & (row <= last),
    )
