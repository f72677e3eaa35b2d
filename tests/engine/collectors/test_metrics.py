"""What Stanch measured itself, as findings: services and calls, before the onset and since."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import msgspec
import pytest

from stanch.alerts.samples.tables import store_samples
from stanch.catalog.checks import Check
from stanch.engine.collectors import CallsCollector, MetricsCollector
from stanch.kernel.event import JSON
from stanch.operations.diagnosing import question_of
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal
from stanch.ports.sampler import KindOfRequest, Look, Sample
from tests.engine.crew import ONSET, START, declare, shop, state_of

EVERY_S = 5
BEFORE_S = 300
Level = Callable[[float], float]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """What a chart of a finding needs."""

    times: list[float]
    values: list[float]


def store(world: World, service: str, metric: str, level: Level, **labels: str) -> None:
    """Store five minutes before the onset and the time since: `level` of the seconds since the onset."""
    found = [
        Sample(
            service=service,
            metric=metric,
            value=level(float(second)),
            at=ONSET + timedelta(seconds=second),
            labels=tuple(sorted(labels.items())),
        )
        for second in range(-BEFORE_S, int((START - ONSET).total_seconds()) + 1, EVERY_S)
    ]
    with world.store.writing() as tx:
        store_samples(tx.connection, found)


def step(before: float, after: float) -> Level:
    """Return a level that jumps at the onset."""
    return lambda second: after if second > 0 else before


def ramp(start_s: float, end_s: float, high: float) -> Level:
    """Return a level that rises from 0 to `high` between two instants."""
    return lambda second: high * min(1.0, max(0.0, (second - start_s) / (end_s - start_s)))


@pytest.fixture
def shop_world(world: World) -> World:
    """Give a world that knows the shop."""
    return replace(world, catalog=shop())


def question(world: World) -> Question:
    """Return what an incident of checkout asks."""
    number = declare(world)
    return question_of(state_of(world, number), world, now=START)


def of_service(world: World, service: str) -> Finding:
    """Return the finding on one service."""
    return next(each for each in MetricsCollector(world).collect(question(world)) if each.services == (service,))


def signal(finding: Finding, name: str) -> Signal:
    """Return one signal of a finding."""
    return next(each for each in finding.signals if each.name == name)


def fail_payments(world: World) -> None:
    """Let 46 of 100 requests of payments fail since the onset, 0.2 before."""
    store(world, "payments", "error_ratio", step(0.002, 0.46))
    store(world, "payments", "requests", lambda second: 100.0)
    store(world, "payments", "failed_requests", step(0.2, 46.0))


def test_a_jump_is_raised_beside_its_normal(shop_world: World) -> None:
    """An error ratio of 0.46 is told with its normal of 0.002, and as raised."""
    fail_payments(shop_world)
    found = signal(of_service(shop_world, "payments"), "error_ratio")

    assert (0.46, 0.002, True) == (found.value, round(found.normal or 0, 4), found.data["raised"])


def test_the_sentence_says_what_and_how_many(shop_world: World) -> None:
    """What people read has the rate, the normal one, and the failed requests."""
    fail_payments(shop_world)
    summary = of_service(shop_world, "payments").summary

    assert "payments: error rate 46 %, normal 0.2 %" in summary and "1,104 of 2,400 requests failed" in summary


def test_what_is_as_ever_is_told_and_not_raised(shop_world: World) -> None:
    """A request rate that did not move is a signal too: absence of change is evidence."""
    store(shop_world, "payments", "request_rate", lambda second: 20.0 + second % 3)
    found = signal(of_service(shop_world, "payments"), "request_rate")

    assert (False, 21.0, 21.0) == (found.data["raised"], found.value, found.normal)


def test_a_slope_says_how_long_it_took(shop_world: World) -> None:
    """A pool that fills over a hundred seconds carries its rise and when it began."""
    store(shop_world, "payments", "saturation", ramp(-60, 40, 1.0), resource="db_pool")
    found = signal(of_service(shop_world, "payments"), "saturation")

    assert (80.0, True, "db_pool") == (found.data["rise_s"], found.data["raised"], found.data["resource"])


def test_a_full_pool_is_told_after_it_was_emptied(shop_world: World) -> None:
    """What was full and is empty after a restart was full."""
    store(shop_world, "payments", "saturation", lambda second: 1.0 if 10 < second < 60 else 0.1, resource="db_pool")

    assert 1.0 == signal(of_service(shop_world, "payments"), "saturation").value


def test_restarts_are_counted(shop_world: World) -> None:
    """Restarts since the onset are added up."""
    store(shop_world, "payments", "restarts", lambda second: float(second in (20, 40, 60)))

    assert 3.0 == signal(of_service(shop_world, "payments"), "restarts").value


def test_nothing_measured_is_no_data(shop_world: World) -> None:
    """A service that no check sees is "no data", and the sentence says so."""
    found = of_service(shop_world, "payments")

    assert (FindingStatus.NO_DATA, (), True) == (found.status, found.signals, "no check has measured" in found.summary)


def test_external_services_are_not_asked(shop_world: World) -> None:
    """Somebody else's service has no checks of ours, so it has no finding."""
    found = MetricsCollector(shop_world).collect(question(shop_world))

    assert ("acquirer",) not in [each.services for each in found]


def test_charts_are_thinned(shop_world: World) -> None:
    """A finding carries at most 120 points a series, the newest among them."""
    samples = [
        Sample(service="payments", metric="up", value=1.0, at=START - timedelta(milliseconds=500 * step))
        for step in range(1000)
    ]
    with shop_world.store.writing() as tx:
        store_samples(tx.connection, samples)
    charts = msgspec.convert(of_service(shop_world, "payments").data["series"], list[Chart])
    times = charts[0].times

    assert (True, START) == (len(times) <= 120, datetime.fromtimestamp(times[-1], START.tzinfo))


def test_calls_are_told_by_caller_and_target(shop_world: World) -> None:
    """A slow dependency is a finding about the pair, with both in its services."""
    store(shop_world, "payments", "dependency_latency_p95_ms", step(46, 2300), target="acquirer")
    (found,) = CallsCollector(shop_world).collect(question(shop_world))

    assert (("payments", "acquirer"), "payments calling acquirer: P95 latency 2,300 ms, normal 46 ms") == (
        found.services,
        found.summary.split(", since")[0],
    )


def test_no_measured_call_is_no_finding(shop_world: World) -> None:
    """Where no caller measures its calls there is nothing to tell."""
    assert [] == CallsCollector(shop_world).collect(question(shop_world))


@dataclass(frozen=True, kw_only=True)
class Telling:
    """A sampler that knows which requests failed since the onset."""

    kinds: tuple[KindOfRequest, ...]
    kind: str = "openmetrics"

    def look(self, *, service: str, target: str, cursor: dict[str, JSON], now: datetime) -> Look:
        """See nothing."""
        return Look()

    def kinds_since(self, target: str, start: datetime) -> tuple[KindOfRequest, ...]:
        """Return what it knows."""
        return self.kinds


def test_labels_of_metrics_say_whom_it_meets(world: World) -> None:
    """Without an access log the labels of the metrics page tell what the failures have in common."""
    check = Check(sampler="openmetrics", target="http://127.0.0.1:1/metrics", every_s=5.0)
    payments = replace(shop().services["payments"], checks=(check,))
    kinds = tuple(
        KindOfRequest(labels={"route": "/pay", "region": region}, requests=100.0, failed=failed)
        for region, failed in (("eu", 90.0), ("us", 0.0), ("ap", 0.0))
    )
    asked = replace(world, catalog=shop(payments=payments), samplers={check.reader: Telling(kinds=kinds)})
    number = declare(asked, services=("payments",))
    question = question_of(state_of(asked, number), asked, now=START)
    found = next(one for one in MetricsCollector(asked).collect(question) if one.services == ("payments",))
    (who,) = [one for one in found.signals if one.name == "failure_slice"]

    assert ("all failures are region=eu, which is 33 % of the requests", ["eu"]) == (who.text, who.data["regions"])
