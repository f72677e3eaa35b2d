"""When a reading is an alert: errors, latency, saturation, a log. Pure: samples, normal and thresholds in; verdict out.

Every judge answers the same questions: is it so, has it been so for long enough, is it well again. What follows for
the alert (open, keep, end) is `lifecycle`'s; where the samples come from is `detect`'s.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from stanch.alerts.baseline import Baseline, Floats
from stanch.alerts.began import level_began, ratio_began
from stanch.alerts.model import Measured, Outcome, Unit
from stanch.alerts.verdict import Verdict, held_since
from stanch.alerts.words import many, thousands
from stanch.catalog.model import Thresholds
from stanch.kernel.percentage import percent

EVIDENCE_NATS: Final = 6.9
"""ln(1000): how much likelier a count must be than one just at the limit. 1 of 3, or 2 of 2, failing is too little;
3 of 3 is enough."""

WIDER: Final = (1.0, 2.0, 4.0, 8.0)
"""With little traffic the window is widened up to eight times, until it can be told from chance."""

RECENT_SHARE: Final = 0.25
"""The newest part of the window, by requests, that must show it too: what has stopped is no alert."""

LEAST_REQUESTS_FOR_P95: Final = 20
"""With fewer the 95th percentile is one request's."""

LEAST_LOOKS: Final = 3
STRONG_LOOKS: Final = 30
"""Looks of history that a deviation below the absolute threshold needs, so that normal is known well."""

LEAST_FAILURES: Final = 3
STRONG_FAILURES: Final = 10
STRONG_HOLD: Final = 2.0
STRONG_ERRORS: Final = (0.2, 10.0)
"""Below the threshold, it is also an alert at a fifth of it and ten times normal, when it holds twice as long."""

STRONG_LATENCY: Final = (0.25, 5.0)
LEAST_ERROR_RECORDS: Final = 10
USUALLY_FULL: Final = 0.9


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """Requests and failures counted between looks; `times` are seconds since 1970, oldest first."""

    times: Floats
    requests: Floats
    failed: Floats

    def since(self, start: float) -> "Traffic":
        """Return the looks after `start`."""
        keep = self.times > start
        return Traffic(times=self.times[keep], requests=self.requests[keep], failed=self.failed[keep])

    @property
    def total(self) -> float:
        """Return how many requests there were."""
        return float(self.requests.sum())

    @property
    def failures(self) -> float:
        """Return how many of them failed."""
        return float(self.failed.sum())

    @property
    def ratio(self) -> float:
        """Return the share that failed, 0 without requests."""
        return self.failures / self.total if self.total else 0.0


@dataclass(frozen=True, kw_only=True)
class Limit:
    """A limit, how long it must be exceeded, and the words for it; of requests at least `failures` must have failed."""

    value: float
    failures: int
    hold_s: float
    words: str


def judge_errors(
    traffic: Traffic, *, baseline: Baseline | None, thresholds: Thresholds, now: float, window_s: float
) -> Verdict:
    """Judge the share of requests that fail.

    It is so when the share is above the limit by more than chance: with f of n failing, r = f/n and the limit p,
    ``n (r ln(r/p) + (1-r) ln((1-r)/(1-p)))`` (Chernoff's bound, in nats) must be at least ln 1000. Worked: 9 of 20 at
    5 % give 13.8; 1 of 3 gives 1.2 and is chance. `traffic` holds at least eight windows, and all since it began.
    """
    limits = _error_limits(baseline, thresholds)
    seen = traffic.since(now - window_s)
    for widen in WIDER:
        seen = traffic.since(now - widen * window_s)
        limit = next((one for one in limits if _is_proved(seen, one)), None)
        if limit is not None:
            return _errors_found(traffic, seen, limit, baseline=baseline)
        if seen.total >= 1 / max(limits[0].value, 0.001):
            break
    measured = _measured(seen.ratio, Unit.RATIO, baseline, limits[0].value)
    if not seen.times.size:
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="requests were not counted")
    if not seen.failures:
        detail = f"none of {many(seen.total, 'request')} failed"
        return Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail=detail, measured=measured)
    counts = f"{seen.failures:.0f} of {many(seen.total, 'request')} failed"
    if seen.ratio > limits[0].value:
        outcome, detail = Outcome.TOO_FEW_SAMPLES, f"{counts}: too few to tell from chance"
    elif seen.ratio > thresholds.error_ratio:
        outcome, detail = Outcome.WITHIN_NORMAL, f"{counts}, which is not above {limits[0].words}"
    else:
        outcome, detail = Outcome.BELOW_THRESHOLD, f"{counts}, which is below {percent(thresholds.error_ratio)}"
    return Verdict(breach=False, outcome=outcome, detail=detail, measured=measured)


def judge_latency(
    times: Floats,
    values: Floats,
    requests: Floats,
    *,
    baseline: Baseline | None,
    thresholds: Thresholds,
    now: float,
    window_s: float,
) -> Verdict:
    """Judge the 95th percentile in milliseconds: the median of the looks in the window, weighted by requests.

    Fewer than 20 requests are enough only when every look is above the limit.
    """
    limits = _latency_limits(baseline, thresholds)
    keep = times > now - window_s
    for widen in WIDER:
        keep = times > now - widen * window_s
        if keep.sum() >= LEAST_LOOKS and requests[keep].sum() >= LEAST_REQUESTS_FOR_P95:
            break
    if not keep.any():
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="no requests were timed")
    value = weighted_median(values[keep], requests[keep])
    newest = weighted_median(values[keep][-LEAST_LOOKS:], requests[keep][-LEAST_LOOKS:])
    measured = _measured(value, Unit.MILLISECONDS, baseline, limits[0].value)
    limit = next((one for one in limits if value > one.value), None)
    if limit is None:
        is_normal = value > thresholds.latency_p95_ms
        outcome = Outcome.WITHIN_NORMAL if is_normal else Outcome.BELOW_THRESHOLD
        detail = f"P95 {thousands(value)} ms is not above {limits[0].words}"
        return Verdict(breach=False, outcome=outcome, detail=detail, measured=measured)
    few = requests[keep].sum() < LEAST_REQUESTS_FOR_P95 and not (values[keep] > limit.value).all()
    if few or keep.sum() < LEAST_LOOKS:
        detail = f"P95 {thousands(value)} ms, but of {many(float(requests[keep].sum()), 'request')} only"
        return Verdict(breach=False, outcome=Outcome.TOO_FEW_SAMPLES, detail=detail, measured=measured)
    if newest <= limit.value:
        detail = f"P95 was {thousands(value)} ms and is {thousands(newest)} ms again"
        return Verdict(breach=False, outcome=Outcome.NO_LONGER_SO, detail=detail, measured=measured)
    normal = baseline.median if baseline else limit.value / 2
    # Latencies vary by factors, so the start is looked for in their logarithm.
    logs = np.log(np.maximum(values, 0.1))
    middle, present = float(np.log(max(normal, 0.1))), float(np.log(value))
    start = level_began(times, logs, normal=middle, present=present, spread=0.25)
    bad = times[values > limit.value]
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=f"P95 {thousands(value)} ms is above {limit.words}",
        measured=_measured(value, Unit.MILLISECONDS, baseline, limit.value),
        start=start,
        held_s=held_since(start, bad),
        hold_s=limit.hold_s,
    )


def judge_saturation(
    times: Floats,
    values: Floats,
    *,
    resource: str,
    baseline: Baseline | None,
    thresholds: Thresholds,
    now: float,
    window_s: float,
) -> Verdict:
    """Judge how full a resource is: the median of the window above the limit, unless it usually is that full."""
    limit = {"memory": thresholds.memory, "disk": thresholds.disk}.get(resource, thresholds.saturation)
    keep = times > now - window_s
    if keep.sum() < LEAST_LOOKS:
        keep = times > now - WIDER[1] * window_s
    if not keep.any():
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail=f"{resource} was not measured")
    value = float(np.median(values[keep]))
    measured = _measured(value, Unit.RATIO, baseline, limit)
    if value <= limit:
        detail = f"{percent(value)} in use is not above {percent(limit)}"
        return Verdict(breach=False, outcome=Outcome.BELOW_THRESHOLD, detail=detail, measured=measured)
    # A leak fills its own baseline while it grows, so only what is habitually that full is normal.
    if baseline is not None and baseline.median > USUALLY_FULL * limit and value <= max(baseline.high, baseline.median):
        detail = f"{percent(value)} in use is what it usually is ({percent(baseline.median)})"
        return Verdict(breach=False, outcome=Outcome.WITHIN_NORMAL, detail=detail, measured=measured)
    if keep.sum() < LEAST_LOOKS:
        detail = f"{percent(value)} in use, seen {many(float(keep.sum()), 'time')}"
        return Verdict(breach=False, outcome=Outcome.TOO_FEW_SAMPLES, detail=detail, measured=measured)
    normal, spread = (baseline.median, baseline.spread) if baseline else (limit / 2, limit / 8)
    start = level_began(times, values, normal=normal, present=value, spread=spread)
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=f"{percent(value)} in use is above {percent(limit)}",
        measured=measured,
        start=start,
        held_s=held_since(start, times[values > limit]),
        hold_s=thresholds.for_s,
    )


def judge_error_records(
    times: Floats, counts: Floats, *, baseline: Baseline | None, thresholds: Thresholds, now: float, window_s: float
) -> Verdict:
    """Judge errors in a log, for a service whose requests nobody counts.

    It is so with at least ten in the window, and more than chance makes of `error_factor` times normal: with k errors
    where L are expected, ``k ln(k/L) - (k - L)`` (Poisson) must be at least ln 1000.
    """
    keep = times > now - window_s
    if not times.size:
        return Verdict(breach=False, outcome=Outcome.NO_DATA, detail="its log was not read")
    count = float(counts[keep].sum())
    looks = int(keep.sum())
    normal = baseline.median * looks if baseline else 0.0
    expected = max(thresholds.error_factor * normal, LEAST_ERROR_RECORDS / 5)
    measured = Measured(value=count, normal=normal if baseline else None, limit=max(expected, LEAST_ERROR_RECORDS))
    nats = count * float(np.log(count / expected)) - (count - expected) if count > expected else 0.0
    detail = f"{many(count, 'error')} in the log within {window_s:.0f} s"
    if count < LEAST_ERROR_RECORDS or nats < EVIDENCE_NATS:
        few = Outcome.BELOW_THRESHOLD if count < LEAST_ERROR_RECORDS else Outcome.WITHIN_NORMAL
        return Verdict(breach=False, outcome=few, detail=detail, measured=measured)
    present = count / looks
    before = baseline.median if baseline else 0.0
    start = level_began(times, counts, normal=before, present=present, spread=present / 2)
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=detail,
        measured=measured,
        start=start,
        held_s=held_since(start, times[counts > before]),
        hold_s=thresholds.for_s,
    )


def chance_nats(failed: float, total: float, limit: float) -> float:
    """Return how many nats speak against the share being `limit` or less; 0 when it is not above it."""
    if total <= 0 or failed / total <= limit:
        return 0.0
    ratio, limit = failed / total, min(max(limit, 1e-9), 1 - 1e-9)
    against = ratio * float(np.log(ratio / limit))
    if ratio < 1:
        against += (1 - ratio) * float(np.log((1 - ratio) / (1 - limit)))
    return total * against


def _is_proved(traffic: Traffic, limit: Limit) -> bool:
    if traffic.failures < limit.failures:
        return False
    return chance_nats(traffic.failures, traffic.total, limit.value) >= EVIDENCE_NATS


def _errors_found(traffic: Traffic, seen: Traffic, limit: Limit, *, baseline: Baseline | None) -> Verdict:
    words = f"{seen.failures:.0f} of {many(seen.total, 'request')} failed"
    measured = _measured(seen.ratio, Unit.RATIO, baseline, limit.value)
    newest = _newest(seen, share=RECENT_SHARE)
    if newest <= limit.value:
        detail = f"{words}, but of the newest only {percent(newest)}"
        return Verdict(breach=False, outcome=Outcome.NO_LONGER_SO, detail=detail, measured=measured)
    normal = baseline.median if baseline else limit.value / 5
    start = ratio_began(traffic.times, traffic.requests, traffic.failed, normal=normal, present=seen.ratio)
    # What the window holds from before the start would make it look better than it is.
    now = seen.since(start.at).ratio if start is not None else 0.0
    return Verdict(
        breach=True,
        outcome=Outcome.HELD_TOO_SHORT,
        detail=f"{words}: {percent(seen.ratio)} is above {limit.words}",
        measured=replace(measured, value=max(now, seen.ratio)),
        start=start,
        held_s=held_since(start, traffic.times[traffic.failed > limit.value * traffic.requests]),
        hold_s=limit.hold_s,
    )


def _newest(traffic: Traffic, *, share: float) -> float:
    """Return the share of failures among the newest looks that together hold `share` of the requests."""
    requests, failed = traffic.requests[::-1].cumsum(), traffic.failed[::-1].cumsum()
    enough = int(np.argmax(requests >= max(1.0, share * traffic.total)))
    return float(failed[enough] / requests[enough]) if requests[enough] else 0.0


def _error_limits(baseline: Baseline | None, thresholds: Thresholds) -> tuple[Limit, ...]:
    least, factor = STRONG_ERRORS
    return _limits(
        baseline,
        (thresholds.error_ratio, thresholds.error_factor),
        (least * thresholds.error_ratio, factor),
        for_s=thresholds.for_s,
        words=percent,
    )


def _latency_limits(baseline: Baseline | None, thresholds: Thresholds) -> tuple[Limit, ...]:
    least, factor = STRONG_LATENCY
    return _limits(
        baseline,
        (thresholds.latency_p95_ms, thresholds.latency_factor),
        (least * thresholds.latency_p95_ms, factor),
        for_s=thresholds.for_s,
        words=lambda value: f"{thousands(value)} ms",
    )


def _limits(
    baseline: Baseline | None,
    plain: tuple[float, float],
    strong: tuple[float, float],
    *,
    for_s: float,
    words: Callable[[float], str],
) -> tuple[Limit, ...]:
    """Return the limit of the thresholds, and a lower one for a strong deviation where normal is known well."""
    least, factor = plain
    if baseline is None:
        return (Limit(value=least, failures=LEAST_FAILURES, hold_s=for_s, words=words(least)),)
    normal = baseline.median
    said = words(least) if least >= factor * normal else f"{factor:g} times the normal {words(normal)}"
    found = [Limit(value=max(least, factor * normal), failures=LEAST_FAILURES, hold_s=for_s, words=said)]
    if baseline.n >= STRONG_LOOKS:
        least, factor = strong
        value = max(least, factor * normal, baseline.high)
        if value < found[0].value:
            said = f"{words(value)}, far from the normal {words(normal)}"
            found.append(Limit(value=value, failures=STRONG_FAILURES, hold_s=STRONG_HOLD * for_s, words=said))
    return tuple(found)


def _measured(value: float, unit: Unit, baseline: Baseline | None, limit: float) -> Measured:
    if baseline is None:
        return Measured(value=value, unit=unit, limit=limit)
    return Measured(value=value, unit=unit, normal=baseline.median, low=baseline.low, high=baseline.high, limit=limit)


def weighted_median(values: Floats, weights: Floats) -> float:
    """Return the value at which half of the weight is reached; weights are never negative."""
    order = np.argsort(values)
    sums = np.cumsum(np.maximum(weights[order], 1e-9))
    return float(values[order][int(np.searchsorted(sums, sums[-1] / 2))])
