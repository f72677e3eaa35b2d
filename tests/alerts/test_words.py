"""How readings and alerts are worded."""

from datetime import timedelta

import pytest

from stanch.alerts.model import Measured, Metric, Unit
from stanch.alerts.words import ended_summary_of, many, summary_of, thousands, title_of
from stanch.kernel.percentage import percent


@pytest.mark.parametrize(
    ("ratio", "words"),
    [
        (0.45, "45 %"),
        (0.002, "0.2 %"),
        (0.052, "5.2 %"),
        (0.05, "5 %"),
        (0.0004, "0.04 %"),
        (0.0, "0 %"),
        (1.0, "100 %"),
        (0.00001, "under 0.01 %"),
        (0.0996, "10 %"),
    ],
)
def test_percent(ratio: float, words: str) -> None:
    """A share has as many digits as matter."""
    assert words == percent(ratio)


@pytest.mark.parametrize(("value", "words"), [(4200.4, "4,200"), (3.25, "3.2"), (7.0, "7"), (9.99, "10")])
def test_thousands(value: float, words: str) -> None:
    """A number has commas, and a decimal only where it is small."""
    assert words == thousands(value)


@pytest.mark.parametrize(("count", "words"), [(1, "1 look"), (1204, "1,204 looks"), (0, "0 looks")])
def test_many(count: float, words: str) -> None:
    """A count comes with its noun."""
    assert words == many(count, "look")


@pytest.mark.parametrize(
    ("metric", "labels", "measured", "words"),
    [
        (
            Metric.ERROR_RATIO,
            {},
            Measured(value=0.45, unit=Unit.RATIO, normal=0.002),
            "checkout error rate 45 %, normal 0.2 %",
        ),
        (Metric.ERROR_RATIO, {}, Measured(value=0.45, unit=Unit.RATIO), "checkout error rate 45 %"),
        (
            Metric.LATENCY_P95_MS,
            {},
            Measured(value=4200, unit=Unit.MILLISECONDS, normal=800),
            "checkout P95 4,200 ms, normal 800 ms",
        ),
        (
            Metric.SATURATION,
            {"resource": "db_pool"},
            Measured(value=0.95, unit=Unit.RATIO, normal=0.2),
            "checkout db pool 95 % in use, normal 20 %",
        ),
        (Metric.UP, {}, Measured(value=0), "checkout is down: why"),
        (Metric.BLIND, {}, Measured(value=3), "cannot see checkout: why"),
        (Metric.RESTARTS, {}, Measured(value=3), "checkout keeps restarting: why"),
    ],
)
def test_summary(metric: Metric, labels: dict[str, str], measured: Measured, words: str) -> None:
    """An alert is one line, with what is normal beside it."""
    assert words == summary_of("checkout", metric, labels, measured, detail="why")


@pytest.mark.parametrize("metric", list(Metric))
def test_every_metric_has_words(metric: Metric) -> None:
    """Every metric has a title and an end."""
    ended = ended_summary_of("checkout", metric, {}, Measured(value=1.0), lasted=timedelta(seconds=90))

    assert "checkout" in title_of("checkout", metric, {})
    assert ended.endswith("after 1m 30s")
