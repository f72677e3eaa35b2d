"""How services are read for the pages: all at once, and the same as one by one, on both databases."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final

import pytest
from sqlalchemy import event

from stanch.alerts.looks.tables import save_cursor
from stanch.alerts.model import Metric, Seeing
from stanch.alerts.samples.tables import find_labels, newest_labels, read_samples, store_samples
from stanch.alerts.series import recent_value, service_readings
from stanch.catalog.model import Catalog, Service
from stanch.ports.sampler import Sample
from stanch.store import Store

NOW: Final = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
SERVICES: Final = ("gateway", "payments", "search")


@pytest.fixture
def store(database_url: str) -> Iterator[Store]:
    """Give an empty store."""
    opened = Store.open(database_url)
    yield opened
    opened.close()


CATALOG: Final = Catalog(services={name: Service(name=name) for name in SERVICES})


def sample(service: str, metric: str, value: float, *, ago_s: float, **labels: str) -> Sample:
    """Return a number that was measured so many seconds ago."""
    at = NOW - timedelta(seconds=ago_s)
    return Sample(service=service, metric=metric, value=value, at=at, labels=tuple(labels.items()))


def measure(store: Store) -> None:
    """Store a minute of looks at every service, other figures for each, and a day of older ones."""
    found = []
    for number, name in enumerate(SERVICES, start=1):
        for ago_s in (*range(0, 60, 2), 7_200, 80_000):
            found += [
                sample(name, Metric.REQUESTS, 100.0 + ago_s, ago_s=ago_s),
                sample(name, Metric.FAILED_REQUESTS, float(number * (ago_s % 7)), ago_s=ago_s),
                sample(name, Metric.LATENCY_P95_MS, 40.0 * number + ago_s, ago_s=ago_s),
                sample(name, Metric.LATENCY_P95_MS, 55.0 * number, ago_s=ago_s, path="/pay"),
                sample(name, Metric.REQUEST_RATE, 10.0 * number + ago_s % 5, ago_s=ago_s),
                sample(name, Metric.BUILD_INFO, 1.0, ago_s=ago_s + 600, version="1.0"),
            ]
        found.append(sample(name, Metric.BUILD_INFO, 1.0, ago_s=5, version=f"1.{number}"))
    with store.writing() as tx:
        store_samples(tx.connection, found)
        for name in SERVICES:
            save_cursor(tx.connection, seeing(name), {})


def seeing(service: str) -> Seeing:
    """Return a check that saw the service a second ago."""
    seen_at = NOW - timedelta(seconds=1)
    return Seeing(
        check=f"check/{service}/1",
        service=service,
        sampler="http",
        target="http://localhost",
        looked_at=seen_at,
        seen_at=seen_at,
        trouble="",
        troubled_since=None,
        troubles=0,
    )


@pytest.mark.parametrize(
    ("metric", "figure"),
    [
        (Metric.ERROR_RATIO, "error_ratio"),
        (Metric.LATENCY_P95_MS, "latency_p95_ms"),
        (Metric.REQUEST_RATE, "request_rate"),
    ],
)
def test_together_they_read_the_same(store: Store, metric: Metric, figure: str) -> None:
    """A figure of a service is the same, whether all services are read at once or it alone."""
    measure(store)
    with store.reading() as view:
        found = service_readings(view.connection, CATALOG, now=NOW)
        window_s = CATALOG.timing.detect_window_s
        alone = {
            name: recent_value(view.connection, service=name, metric=metric, now=NOW, window_s=window_s)
            for name in SERVICES
        }

    assert alone == {name: getattr(reading, figure) for name, reading in found.items()}


def test_every_figure_is_there(store: Store) -> None:
    """What was measured of a service is in its reading."""
    measure(store)
    with store.reading() as view:
        found = service_readings(view.connection, CATALOG, now=NOW)

    assert not any(None in (one.error_ratio, one.latency_p95_ms, one.request_rate) for one in found.values())


def test_the_version_is_the_newest(store: Store) -> None:
    """The version of a service is that of the build that was seen last."""
    measure(store)
    with store.reading() as view:
        found = service_readings(view.connection, CATALOG, now=NOW)

    assert {"gateway": "1.1", "payments": "1.2", "search": "1.3"} == {n: one.version for n, one in found.items()}


def test_without_anything_measured_nothing_is_known(store: Store) -> None:
    """A service that no look has seen has no figures, and its state is unknown."""
    with store.reading() as view:
        found = service_readings(view.connection, CATALOG, now=NOW)

    assert {("unknown", None)} == {(one.state, one.error_ratio) for one in found.values()}


def test_many_services_take_as_many_statements_as_few(store: Store) -> None:
    """Reading all services takes the same number of statements, however many there are."""
    measure(store)
    counts = []
    for names in (SERVICES[:1], SERVICES):
        seen: list[str] = []
        with store.reading() as view:
            event.listen(view.connection, "before_cursor_execute", lambda *given, seen=seen: seen.append(given[2]))
            some = Catalog(services={name: CATALOG.services[name] for name in names})
            service_readings(view.connection, some, now=NOW)
        counts.append(len(seen))

    assert counts[0] == counts[1]


def test_without_labels_it_is_the_largest(store: Store) -> None:
    """Of a metric with several label sets the largest value at each instant is read."""
    measure(store)
    with store.reading() as view:
        _, values = read_samples(
            view.connection,
            service="gateway",
            metric=Metric.LATENCY_P95_MS,
            start=NOW - timedelta(seconds=30),
            end=NOW,
        )

    # 40 + the age in seconds, but at least 55: at 28, 26 ... 16 the first, from 14 on the second.
    assert [68.0, 66.0, 64.0, 62.0, 60.0, 58.0, 56.0, *[55.0] * 8] == values.tolist()


def test_label_sets_are_those_of_the_window(store: Store) -> None:
    """Only label sets with a sample in the window are found."""
    measure(store)
    with store.reading() as view:
        found = find_labels(
            view.connection,
            service="gateway",
            metric=Metric.BUILD_INFO,
            start=NOW - timedelta(seconds=60),
            end=NOW,
        )

    assert [{"version": "1.1"}] == found


def test_what_is_older_is_not_the_newest(store: Store) -> None:
    """Labels of samples before the window are not returned."""
    measure(store)
    with store.reading() as view:
        found = newest_labels(
            view.connection, metric=Metric.BUILD_INFO, start=NOW - timedelta(seconds=3), end=NOW, services=SERVICES
        )

    assert {} == found
