"""When a reading is an alert: errors, latency, saturation, a log."""

from dataclasses import replace

import numpy as np
import pytest

from stanch.alerts.baseline import Baseline, Floats, baseline_of
from stanch.alerts.model import Outcome
from stanch.alerts.rules import (
    Traffic,
    chance_nats,
    judge_error_records,
    judge_errors,
    judge_latency,
    judge_saturation,
)
from stanch.alerts.verdict import Verdict
from stanch.catalog.model import Thresholds

SHIPPED = Thresholds()
WINDOW_S = 60.0
STEP_S = 15.0


def looks(count: int) -> Floats:
    """Return the times of `count` looks, 15 s apart, the last at 0."""
    return np.arange(1 - count, 1, dtype=np.float64) * STEP_S


def normal_of(*values: float, n: int = 40) -> Baseline:
    """Return the baseline of values that repeat."""
    series = np.resize(np.array(values, dtype=np.float64), n)
    found = baseline_of(np.arange(n, dtype=np.float64), series, season_seconds=None)
    assert found is not None
    return found


QUIET = replace(normal_of(0.0, 0.0, 0.0, 0.01), median=0.002)


def errors(requests: list[float], failed: list[float], *, baseline: Baseline | None = QUIET) -> Verdict:
    """Judge looks 15 s apart, the last at 0."""
    traffic = Traffic(times=looks(len(requests)), requests=np.array(requests), failed=np.array(failed))
    return judge_errors(traffic, baseline=baseline, thresholds=SHIPPED, now=0.0, window_s=WINDOW_S)


def latency(values: list[float], *, requests: float = 50.0, baseline: Baseline | None = None) -> Verdict:
    """Judge looks 15 s apart, the last at 0, each of as many requests."""
    counts = np.full(len(values), requests)
    return judge_latency(
        looks(len(values)),
        np.array(values),
        counts,
        baseline=baseline,
        thresholds=SHIPPED,
        now=0.0,
        window_s=WINDOW_S,
    )


def saturation(values: list[float], *, baseline: Baseline | None = None, resource: str = "db pool") -> Verdict:
    """Judge looks 15 s apart, the last at 0."""
    return judge_saturation(
        looks(len(values)),
        np.array(values),
        resource=resource,
        baseline=baseline,
        thresholds=SHIPPED,
        now=0.0,
        window_s=WINDOW_S,
    )


@pytest.mark.parametrize(
    ("failed", "total", "nats"),
    [
        (9, 20, 13.8),  # 20 * (0.45 ln 9 + 0.55 ln (0.55 / 0.95))
        (1, 3, 1.2),  # 3 * (0.333 ln 6.67 + 0.667 ln (0.667 / 0.95))
        (3, 3, 9.0),  # 3 ln 20
        (1, 20, 0.0),  # exactly at the limit
        (0, 0, 0.0),
    ],
)
def test_chance(failed: float, total: float, nats: float) -> None:
    """The evidence against chance is Chernoff's bound, in nats."""
    assert nats == pytest.approx(chance_nats(failed, total, 0.05), abs=0.05)


def test_errors_for_long_enough() -> None:
    """Errors above the threshold for as long as they must hold are due."""
    verdict = errors([100] * 12, [0] * 6 + [45] * 6)

    assert (True, True) == (verdict.breach, verdict.is_due)


def test_errors_not_for_long_enough() -> None:
    """Errors that began in the last look must hold longer."""
    verdict = errors([100] * 12, [0] * 11 + [45])

    assert (True, False) == (verdict.breach, verdict.is_due)


def test_errors_start() -> None:
    """The start lies in the look in which they began, by its own share."""
    verdict = errors([100] * 12, [0] * 6 + [22.5] + [45] * 5)

    assert verdict.start is not None
    assert looks(12)[6] - STEP_S / 2 == pytest.approx(verdict.start.at, abs=0.5)


def test_errors_value_is_since_the_start() -> None:
    """The value is not thinned by what the window holds from before the start."""
    verdict = errors([100] * 12, [0] * 9 + [45] * 3)

    assert verdict.measured is not None
    assert 0.45 == pytest.approx(verdict.measured.value, abs=0.01)


@pytest.mark.parametrize(
    ("requests", "failed", "outcome"),
    [
        ([100] * 12, [0] * 12, Outcome.BELOW_THRESHOLD),
        ([100] * 12, [0] * 11 + [4], Outcome.BELOW_THRESHOLD),
        ([0] * 11 + [3], [0] * 11 + [1], Outcome.TOO_FEW_SAMPLES),
        ([0] * 11 + [2], [0] * 11 + [2], Outcome.TOO_FEW_SAMPLES),
        ([0] * 12, [0] * 12, Outcome.BELOW_THRESHOLD),
        ([], [], Outcome.NO_DATA),
        # 40 of 400 in the window, but none of the newest 100.
        ([100] * 12, [0] * 8 + [40, 0, 0, 0], Outcome.NO_LONGER_SO),
    ],
)
def test_errors_that_are_no_alert(requests: list[float], failed: list[float], outcome: Outcome) -> None:
    """What is no alert has a reason."""
    assert outcome is errors(requests, failed).outcome


def test_one_of_three_widens_the_window() -> None:
    """With little traffic the window is widened, until failures all along are told from chance."""
    # One request a look, every second fails: 2 of 4 in the window is chance, 16 of 32 in eight windows is not.
    verdict = errors([1] * 40, [0, 1] * 20)

    assert verdict.breach


def test_errors_that_are_normal() -> None:
    """Above the threshold, but not above three times normal, is normal here."""
    usual = replace(normal_of(0.08, 0.09, 0.07), median=0.08)
    verdict = errors([100] * 12, [10] * 12, baseline=usual)

    assert Outcome.WITHIN_NORMAL is verdict.outcome


def test_small_share_far_from_normal() -> None:
    """Below the threshold it is an alert when it is ten times a normal that is known well, for twice as long."""
    verdict = errors([1000] * 12, [1] * 2 + [30] * 10, baseline=replace(normal_of(0.001, 0.0011, 0.0009), median=0.001))

    assert (True, 2 * SHIPPED.for_s) == (verdict.is_due, verdict.hold_s)


def test_small_share_with_little_history() -> None:
    """Below the threshold a short history is not enough."""
    short = replace(normal_of(0.001, 0.0011, 0.0009, n=10), median=0.001)

    assert not errors([1000] * 12, [1] * 2 + [30] * 10, baseline=short).breach


def test_slow_for_long_enough() -> None:
    """A P95 above the threshold and above twice normal, for as long as it must hold, is due."""
    assert latency([80.0] * 6 + [4200.0] * 6, baseline=normal_of(80.0, 85.0, 75.0)).is_due


def test_one_slow_look() -> None:
    """A single slow look does not move the median of the window."""
    assert Outcome.BELOW_THRESHOLD is latency([80.0] * 11 + [4200.0]).outcome


def test_slow_again_fast() -> None:
    """What is fast again in the newest looks is no alert, although the window still is slow."""
    values = [4200.0] * 39 + [90.0] * 3
    verdict = judge_latency(
        looks(42),
        np.array(values),
        np.array([50.0] * 39 + [1.0] * 3),
        baseline=None,
        thresholds=SHIPPED,
        now=0.0,
        window_s=WINDOW_S,
    )

    assert Outcome.NO_LONGER_SO is verdict.outcome


def test_slow_but_normal() -> None:
    """A service that is always that slow is not slow."""
    assert Outcome.WITHIN_NORMAL is latency([1500.0] * 12, baseline=normal_of(1400.0, 1450.0, 1500.0)).outcome


def test_slow_with_few_requests() -> None:
    """A P95 of a handful of requests counts only when every look is slow."""
    assert Outcome.TOO_FEW_SAMPLES is latency([80.0] * 12 + [4200.0] * 20, requests=0.5).outcome


def test_ten_times_slower_below_the_threshold() -> None:
    """Below the threshold it is an alert when it is five times a normal that is known well, for twice as long."""
    verdict = latency([40.0] * 2 + [400.0] * 12, baseline=normal_of(40.0, 42.0, 38.0))

    assert (True, 2 * SHIPPED.for_s) == (verdict.is_due, verdict.hold_s)


def test_pool_is_full() -> None:
    """A pool above the limit for long enough is due."""
    assert saturation([0.2] * 6 + [0.95] * 6, baseline=normal_of(0.2, 0.25)).is_due


def test_pool_is_always_full() -> None:
    """A pool that is always that full is normal."""
    assert Outcome.WITHIN_NORMAL is saturation([0.95] * 12, baseline=normal_of(0.94, 0.95, 0.96)).outcome


def test_leak_fills_its_own_baseline() -> None:
    """A leak is told although its climb is in the baseline."""
    climb = normal_of(*np.linspace(0.0, 0.9, 40))

    assert saturation([0.8, 0.85, 0.9, 0.95, 1.0, 1.0, 1.0, 1.0], baseline=climb).breach


def test_disk_has_its_own_limit() -> None:
    """A disk is full from 90 % on, a pool from 80 %."""
    full = [0.85] * 12

    assert (False, True) == (saturation(full, resource="disk").breach, saturation(full).breach)


def records(counts: list[float], *, baseline: Baseline | None = None) -> Verdict:
    """Judge counts of errors, looks 15 s apart, the last at 0."""
    return judge_error_records(
        looks(len(counts)), np.array(counts), baseline=baseline, thresholds=SHIPPED, now=0.0, window_s=WINDOW_S
    )


def test_errors_in_the_log() -> None:
    """Many errors where there were none, for long enough, are due."""
    assert records([0] * 6 + [20] * 6, baseline=normal_of(0.0)).is_due


def test_few_errors_in_the_log() -> None:
    """A few errors in the log are no alert."""
    assert Outcome.BELOW_THRESHOLD is records([0] * 8 + [2] * 4, baseline=normal_of(0.0)).outcome


def test_usual_errors_in_the_log() -> None:
    """A log that always holds that many errors is normal."""
    assert Outcome.WITHIN_NORMAL is records([20] * 12, baseline=normal_of(19.0, 20.0, 21.0)).outcome


def test_quiet_hours_raise_nothing() -> None:
    """A thousand windows at 0.2 % of failures, from 1 to 300 requests a look, raise nothing."""
    chance = np.random.default_rng(7)
    due = 0
    for rate in (1, 3, 10, 60, 300):
        requests = chance.poisson(rate, 232).astype(float)
        failed = chance.binomial(requests.astype(int), 0.002).astype(float)
        for end in range(32, 232):
            due += errors(list(requests[end - 32 : end]), list(failed[end - 32 : end])).is_due

    assert 0 == due


def test_jittery_latency_raises_nothing() -> None:
    """A thousand windows of a P95 that jumps by factors around 60 ms raise nothing."""
    chance = np.random.default_rng(7)
    values = 60.0 * np.exp(chance.normal(0.0, 0.5, 1032))
    usual = baseline_of(np.arange(200, dtype=np.float64), values[:200], season_seconds=None)
    due = sum(latency(list(values[end - 32 : end]), baseline=usual).is_due for end in range(32, 1032))

    assert 0 == due
