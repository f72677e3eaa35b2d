"""When it began and what moved first, from series of several services."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from stanch.diagnose.dating import Dated, date_of, first_by_service
from stanch.diagnose.measure import Track

BEGAN = datetime(2026, 11, 21, 3, 12, 40, tzinfo=UTC)
EPOCH = BEGAN.timestamp() - 600
STEP = 10.0
ROWS = 72


def clock() -> list[float]:
    """A look every ten seconds, from ten minutes before until two minutes after."""
    return [EPOCH + STEP * row for row in range(ROWS)]


def latency(service: str, *, after_s: float = 0.0, level: float = 2_000.0) -> Track:
    """A P95 of 80 ms with noise that rises this long after the start."""
    random = np.random.default_rng(len(service))
    values = [80 + 4 * random.standard_normal() for _ in range(ROWS)]
    late = [level if at >= BEGAN.timestamp() + after_s else value for at, value in zip(clock(), values, strict=True)]
    return Track(service=service, metric="latency_p95_ms", times=clock(), values=late)


def counted(service: str, *, after_s: float = 0.0, share: float = 0.4) -> list[Track]:
    """Hundred requests a look, of which a share fails from this long after the start."""
    failed = [100 * share if at >= BEGAN.timestamp() + after_s else 0.0 for at in clock()]
    return [
        Track(service=service, metric="requests", times=clock(), values=[100.0] * ROWS),
        Track(service=service, metric="failed_requests", times=clock(), values=failed),
        Track(service=service, metric="error_ratio", times=clock(), values=[one / 100 for one in failed]),
    ]


def filling(*, from_s: float) -> Track:
    """A pool that loses a fiftieth of itself a look."""
    values = [min(1.0, max(0.0, (at - BEGAN.timestamp() - from_s) / STEP / 50)) for at in clock()]
    return Track(service="payments", metric="saturation", times=clock(), values=values, labels={"resource": "db_pool"})


def dated(tracks: Sequence[Track], *, told_after_s: float = 40.0) -> Dated:
    """Return the start, told somewhat late."""
    found = date_of(tracks, told=BEGAN + timedelta(seconds=told_after_s))
    assert found is not None
    return found


@pytest.mark.parametrize("tracks", [[latency("checkout")], counted("checkout"), [latency("a"), *counted("b")]])
def test_the_start_is_found_although_it_was_told_late(tracks: list[Track]) -> None:
    """An alert that comes forty seconds late does not date the incident: the series do, to a look."""
    assert abs((dated(tracks).at - BEGAN).total_seconds()) <= STEP


def test_the_interval_holds_the_start() -> None:
    """The true start lies within the interval that is told."""
    found = dated([latency("checkout"), *counted("payments")])

    assert found.low <= BEGAN <= found.high


def test_first_requests_that_are_slow_began_earlier() -> None:
    """A request is timed when it ends, so with 20 s of latency the interval reaches back as far."""
    found = dated([latency("checkout", level=20_000.0)])

    assert found.at - found.low >= timedelta(seconds=20)


def test_services_stand_in_the_order_in_which_they_moved() -> None:
    """Payments fails at once and its caller half a minute later."""
    found = dated([*counted("payments"), *counted("checkout", after_s=30)])

    assert ["payments", "checkout"] == [one.service for one in first_by_service(found.moved)]


def test_nothing_moved_has_no_start() -> None:
    """Quiet series date nothing."""
    assert date_of([latency("checkout", level=81.0)], told=BEGAN) is None


def test_a_pool_that_alerts_dates_its_incident() -> None:
    """Where the alert is about a pool, it began when the pool began to fill, not when requests began to fail."""
    tracks = [filling(from_s=-200), *counted("payments")]
    found = date_of(tracks, told=BEGAN - timedelta(seconds=100), alerted={("payments", "saturation")})

    assert found is not None and found.low <= BEGAN - timedelta(seconds=200) <= found.high + timedelta(seconds=STEP)


def test_a_pool_without_an_alert_does_not() -> None:
    """What fills up beside the symptoms is told, and dates nothing."""
    found = dated([filling(from_s=-200), *counted("payments")])

    assert abs((found.at - BEGAN).total_seconds()) <= STEP


def test_a_missed_health_check_is_not_what_moved_first() -> None:
    """The gateway was released just before, harmlessly, and missed its checks; payments is what moved first."""
    values = [0.0 if -20 <= at - BEGAN.timestamp() < 0 else 1.0 for at in clock()]
    checks = Track(service="gateway", metric="up", times=clock(), values=values)
    found = dated([checks, *counted("payments")])

    assert ["payments"] == [one.service for one in first_by_service(found.moved)]


def probed(*, fails: float = 1.0, missed: int = ROWS) -> Track:
    """A health check that passes, and from the start on fails every time, or every 1 / `fails` times."""
    values = []
    for at in clock():
        since = round((at - BEGAN.timestamp()) / STEP)
        values.append(0.0 if 0 <= since < missed and since % round(1 / fails) == 0 else 1.0)
    return Track(service="payments", metric="up", times=clock(), values=values)


def test_a_health_check_alone_dates_an_outage() -> None:
    """It began between the last look that passed and the first that did not."""
    found = dated([probed()])

    assert (True, True) == (
        timedelta(seconds=-STEP) <= found.at - BEGAN <= timedelta(0),
        found.low <= BEGAN <= found.high,
    )


def test_a_health_check_that_flaps_dates_it_too() -> None:
    """Where every second look fails, the share of failures is what rose."""
    found = dated([probed(fails=0.5)])

    assert abs(found.at - BEGAN) <= timedelta(seconds=2 * STEP)


def test_one_missed_health_check_dates_nothing() -> None:
    """Any release misses one."""
    assert date_of([probed(missed=1)], told=BEGAN + timedelta(seconds=5)) is None


def test_a_dead_service_moved_first() -> None:
    """Where only the health check sees it, it counts among what moved; a single miss does not."""
    first = first_by_service(dated([probed(), latency("checkout", after_s=40)]).moved)

    assert ["payments", "checkout"] == [one.service for one in first]


@pytest.mark.parametrize("looks", [3, 30])
def test_an_outage_after_an_hour_of_health_is_dated(looks: int) -> None:
    """Three failed looks among three thousand are enough."""
    times = [BEGAN.timestamp() + second for second in range(-3_600, looks)]
    track = Track(service="payments", metric="up", times=times, values=[1.0] * 3_600 + [0.0] * looks)
    found = date_of([track], told=BEGAN + timedelta(seconds=1))

    assert found is not None
    assert abs(found.at - BEGAN) <= timedelta(seconds=1)
