"""Requests by the labels of a metrics page: what the failures have in common since an instant."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from stanch.integrations.openmetrics import OpenMetricsSampler
from stanch.integrations.openmetrics.kinds import MOST_KINDS
from stanch.kernel.event import JSON
from stanch.ports.sampler import KindOfRequest
from tests.support.farend import Asked, Reply, site

ONSET = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
Key = tuple[str, str, str]


@dataclass
class Page:
    """A metrics page whose counters a test moves, and a sampler that looks at it."""

    url: str = ""
    counts: dict[Key, int] = field(default_factory=dict)
    sampler: OpenMetricsSampler = field(default_factory=OpenMetricsSampler)
    cursor: dict[str, JSON] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Reply:
        """Give the page."""
        lines = [
            f'http_requests_total{{route="{route}",region="{region}",status="{status}"}} {count}'
            for (route, region, status), count in self.counts.items()
        ]
        return Reply(body="\n".join(lines) + "\n")

    def add(self, route: str, region: str, *, ok: int, failed: int) -> None:
        """Count requests."""
        for status, count in (("200", ok), ("500", failed)):
            key = (route, region, status)
            self.counts[key] = self.counts.get(key, 0) + count

    def look(self, *, seconds: float) -> None:
        """Look at the page this long after the onset."""
        now = ONSET + timedelta(seconds=seconds)
        self.cursor = self.sampler.look(service="payments", target=self.url, cursor=self.cursor, now=now).cursor

    def since_onset(self) -> dict[tuple[str, str], tuple[float, float]]:
        """Return requests and failures since the onset, by route and region."""
        found = self.sampler.kinds_since(self.url, ONSET)
        return {(one.labels["route"], one.labels["region"]): (one.requests, one.failed) for one in found}


@pytest.fixture
def page() -> Iterator[Page]:
    """Give a page that has counted for a while."""
    found = Page()
    with site(found.answer) as running:
        found.url = f"{running.url}/metrics"
        found.add("/pay", "eu", ok=1_000, failed=3)
        found.add("/pay", "us", ok=1_000, failed=0)
        yield found


def test_requests_are_told_apart_by_their_labels(page: Page) -> None:
    """Since the look before the onset, with what failed beside it, whatever was counted earlier."""
    page.look(seconds=-5)
    page.add("/pay", "eu", ok=2, failed=40)
    page.add("/pay", "us", ok=60, failed=0)
    page.look(seconds=30)

    assert {("/pay", "eu"): (42.0, 40.0), ("/pay", "us"): (60.0, 0.0)} == page.since_onset()


def test_without_a_look_before_nothing_is_told(page: Page) -> None:
    """Of a process that began to watch after the onset nothing is known of the time before."""
    page.look(seconds=5)
    page.add("/pay", "eu", ok=0, failed=40)
    page.look(seconds=30)

    assert {} == page.since_onset()


def test_a_counter_that_began_anew_counts_from_nothing(page: Page) -> None:
    """A restart between two looks loses what was counted before it, and nothing else."""
    page.look(seconds=-5)
    page.counts.clear()
    page.add("/pay", "eu", ok=1, failed=7)
    page.look(seconds=30)

    assert {("/pay", "eu"): (8.0, 7.0)} == page.since_onset()


def test_too_many_label_sets_are_none(page: Page) -> None:
    """A label with a value for each user tells no kinds of requests apart."""
    for number in range(MOST_KINDS + 1):
        page.add(f"/users/{number}", "eu", ok=1, failed=1)
    page.look(seconds=-5)
    page.look(seconds=30)

    assert () == page.sampler.kinds_since(page.url, ONSET)


def test_the_status_is_no_label_of_a_kind(page: Page) -> None:
    """How a request ended is what is to be explained."""
    page.look(seconds=-5)
    page.add("/pay", "eu", ok=1, failed=1)
    page.look(seconds=30)
    (found,) = page.sampler.kinds_since(page.url, ONSET)

    assert KindOfRequest(labels={"route": "/pay", "region": "eu"}, requests=2.0, failed=1.0) == found
