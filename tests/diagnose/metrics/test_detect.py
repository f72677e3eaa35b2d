"""Has the system left its normal of late, and since when."""

from dataclasses import replace

import pytest

from stanch.diagnose.metrics.detect import Detection, detect_anomaly
from stanch.diagnose.metrics.frame import MetricFrame
from tests.diagnose.metrics.shop import AT, ONSET, STEP, Shop


def newest(shop: Shop, *, rows: int) -> Detection:
    """Look at the window that ends so many rows after the onset."""
    frame = shop.frame()
    seen = ONSET + rows
    return detect_anomaly(
        MetricFrame(times=frame.times[:seen], keys=frame.keys, values=frame.values[:seen]), outside=["web"]
    )


@pytest.mark.parametrize("rows", [3, 5, 7])
def test_slow_database_is_dated(rows: int) -> None:
    """A slow database is told, with its start, three to seven rows later."""
    found = newest(Shop(latency={"db": 30.0}), rows=rows)

    assert found.anomalous
    assert found.at == pytest.approx(AT, abs=STEP)


@pytest.mark.parametrize("seed", range(4))
def test_quiet_windows_are_quiet(seed: int) -> None:
    """Windows without a fault are not told."""
    found = newest(Shop(seed=seed), rows=6)

    assert (found.anomalous, found.at) == (False, None)


def test_traffic_that_stops_counts() -> None:
    """Three services that are no longer called, with the failures seen outside, are told."""
    assert newest(Shop(requests={"orders": 0.0, "db": 0.2, "mail": 0.0}, success={"web": 60.0}), rows=5).anomalous


def test_incident_of_long_ago_is_another_question() -> None:
    """What was over ten rows before the end is not told."""
    frame, healed = Shop(latency={"db": 30.0}).frame(), Shop(requests={}).frame()
    values = healed.values.copy()
    values[40:44] = frame.values[ONSET : ONSET + 4]

    assert not detect_anomaly(replace(healed, values=values), outside=["web"]).anomalous


def test_few_rows_are_not_anomalous() -> None:
    """Under ten rows there is no normal to leave."""
    frame = Shop().frame()

    assert not detect_anomaly(MetricFrame(times=frame.times[:6], keys=frame.keys, values=frame.values[:6])).anomalous
