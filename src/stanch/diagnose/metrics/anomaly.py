"""Scores one series as it streams by: how surprising is each sample, given the series' own past. Bounded memory.

No training, no settings per series, no assumption on its distribution. One pass, in the order of time; what was said
about a sample is never taken back.
"""

import math
import statistics
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from stanch.alerts.baseline import DAY_SECONDS, Floats

THRESHOLD = 3.0  # one sample in a thousand is as surprising as that
QUIET_SAMPLES = 60  # after a finding; an incident is told once
WORSE = 5.0  # a surprise 100,000 times rarer than the one told is told in the quiet time, too
LOCAL_SAMPLES = 300  # the local level: the median of a day at 5 minutes, of 5 minutes at a second
DAYS = (1, 2, 3)  # whose same time of day is the seasonal level; fewer while history is shorter
BUCKET_SECONDS = 30.0  # of the memory for days: 3 x 2,880 points at most, whatever the rate of samples
NEIGHBOURS = 2  # points on either side of the same time of day that are taken along
MEANS = (1, 6, 24)  # lengths over which residuals are averaged: a jump, a shift, a drift
HISTORY = 5_000  # residuals remembered a stream; 6 streams x 5,000 x 8 bytes are 240 kB
WARM_UP = 50  # samples before anything can be surprising
REFIT_SAMPLES = 20  # samples between two fits of the tails, and a hundredth of those remembered
TAIL_QUANTILE = 0.98  # above it lies the tail; 2 % of 5,000 are 100 excesses to fit
LEAST_EXCESS = 1e-4  # of the series' level: a flat line's rounding errors are no tail
STRONGEST = 3  # of the six streams that are averaged
CERTAIN = 12.0  # surprises beyond are cut: a tail fitted on 100 samples knows nothing of 10^-12


@dataclass(frozen=True, kw_only=True)
class Surprise:
    """One sample's score, -log10 of how often one so odd is expected; `anomalous` for the first of an incident."""

    at: float
    value: float
    score: float
    anomalous: bool


class _Tail:
    """The past of one stream of absolute residuals, and how far into its tail a new one lies."""

    def __init__(self) -> None:
        self._past: deque[float] = deque(maxlen=HISTORY)
        self._sorted: Floats = np.empty(0)
        self._edge = 0.0
        self._excess = 0.0
        self._since_fit = HISTORY

    def surprise(self, size: float, level: float) -> float:
        """Return -log10 of the chance of a residual of this size or more, and remember it.

        Inside the body by rank; above the 98 % quantile u by an exponential tail (peaks over threshold)::

            p = 0.02 * exp(-(size - u) / mean excess over u)

        Source: Siffer et al., Anomaly detection in streams with extreme value theory, KDD 2017, with the shape
        parameter held at 0. Worked: u = 2, mean excess 0.5, size 5: 1.70 + 6 / ln 10 = 4.3.
        """
        past = len(self._past)
        if past >= WARM_UP // 2 and self._since_fit >= max(REFIT_SAMPLES, past // 100):
            self._fit()
        self._since_fit += 1
        found = self._score(size, level) if self._sorted.size else 0.0
        self._past.append(size)
        return found

    def _fit(self) -> None:
        self._sorted = np.sort(np.fromiter(self._past, dtype=np.float64))
        self._edge = float(np.quantile(self._sorted, TAIL_QUANTILE))
        above = self._sorted[self._sorted > self._edge] - self._edge
        self._excess = float(above.mean()) if above.size else 0.05 * self._edge
        self._since_fit = 0

    def _score(self, size: float, level: float) -> float:
        if size <= self._edge:
            below = int(np.searchsorted(self._sorted, size)) / self._sorted.size
            return -math.log10(max(1e-9, 1.0 - below))
        excess = max(self._excess, LEAST_EXCESS * level)
        if excess <= 0:
            return CERTAIN
        return min(CERTAIN, (size - self._edge) / excess / math.log(10) - math.log10(1 - TAIL_QUANTILE))


class _Season:
    """The level at the same time on the days before, from medians of half-minute buckets."""

    def __init__(self) -> None:
        self._times: list[float] = []
        self._levels: list[float] = []
        self._bucket: list[float] = []
        self._bucket_at: float | None = None

    def level(self, at: float) -> float | None:
        """Return the median over the days of what was normal at this time, None before there is a day."""
        found = [level for day in DAYS if (level := self._near(at - day * DAY_SECONDS)) is not None]
        return statistics.median(found) if found else None

    def add(self, at: float, value: float) -> None:
        """Remember a sample; times must ascend."""
        if self._bucket_at is not None and at - self._bucket_at >= BUCKET_SECONDS:
            self._times.append(self._bucket_at)
            self._levels.append(statistics.median(self._bucket))
            self._bucket = []
            self._bucket_at = None
            self._forget(at)
        if self._bucket_at is None:
            self._bucket_at = at
        self._bucket.append(value)

    def _near(self, wanted: float) -> float | None:
        if not self._times or wanted < self._times[0]:
            return None
        place = bisect_left(self._times, wanted)
        if place >= len(self._times):
            return None
        some = self._levels[max(0, place - NEIGHBOURS) : place + NEIGHBOURS + 1]
        return statistics.median(some)

    def _forget(self, now: float) -> None:
        """Drop what is older than the last day asked for, an hour at a time so that it costs little."""
        oldest = now - (DAYS[-1] + 1 / 24) * DAY_SECONDS
        if self._times[0] < oldest - 3_600:
            keep = max(0, bisect_left(self._times, oldest) - NEIGHBOURS)
            del self._times[:keep], self._levels[:keep]


class AnomalyDetector:
    """Scores samples one by one. Memory is bounded: under 1 MB, whatever the length of the series."""

    def __init__(self, *, threshold: float = THRESHOLD, quiet_samples: int = QUIET_SAMPLES) -> None:
        self._threshold = threshold
        self._quiet = quiet_samples
        self._seen = 0
        self._last_found = -quiet_samples
        self._last_score = 0.0
        self._recent: deque[float] = deque()
        self._ordered: list[float] = []
        self._season = _Season()
        self._residuals = {name: deque[float](maxlen=max(MEANS)) for name in ("local", "season")}
        self._tails = {(name, length): _Tail() for name in ("local", "season") for length in MEANS}

    def add(self, at: float, value: float) -> Surprise:
        """Score the next sample; `at` is in seconds and must not go back. Not a number: a score of 0.

        score = mean of the 3 largest of six surprises: the residual against the median of the last 300 samples, and
        against the same time of the last three days, each alone and as the mean of the last 6 and 24.
        """
        if not math.isfinite(value):
            return Surprise(at=at, value=value, score=0.0, anomalous=False)
        local = self._local_level()
        season = self._season.level(at)
        size = abs(local) if local is not None else 0.0
        found = [
            *self._surprises("local", None if local is None else value - local, size),
            *self._surprises("season", None if season is None else value - season, size),
        ]
        self._remember(at, value)
        self._seen += 1
        score = sum(sorted(found, reverse=True)[:STRONGEST]) / STRONGEST if self._seen > WARM_UP else 0.0
        told_lately = self._seen - self._last_found <= self._quiet
        anomalous = score > (self._last_score + WORSE if told_lately else self._threshold)
        if anomalous:
            self._last_found, self._last_score = self._seen, score
        return Surprise(at=at, value=value, score=score, anomalous=anomalous)

    def _surprises(self, name: str, residual: float | None, level: float) -> list[float]:
        past = self._residuals[name]
        past.append(residual if residual is not None else 0.0)
        if residual is None:
            return []
        newest: Sequence[float] = tuple(past)
        return [self._tails[name, length].surprise(abs(sum(newest[-length:]) / length), level) for length in MEANS]

    def _local_level(self) -> float | None:
        """Median of the last 300 samples; None at the very first."""
        ordered = self._ordered
        if not ordered:
            return None
        middle = len(ordered) // 2
        return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2

    def _remember(self, at: float, value: float) -> None:
        self._recent.append(value)
        insort(self._ordered, value)
        if len(self._recent) > LOCAL_SAMPLES:
            del self._ordered[bisect_left(self._ordered, self._recent.popleft())]
        self._season.add(at, value)
