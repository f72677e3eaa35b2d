"""What would have told sooner, from a fault to the rule in the configuration that then tells sooner."""

import tomllib
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Final

from stanch.alerts.model import Metric
from stanch.alerts.samples.tables import store_samples
from stanch.catalog.load import read_catalog
from stanch.kernel.actor import Actor, Via, person
from stanch.kernel.clock import ManualClock
from stanch.operations import registry
from stanch.operations.all import all_operations
from stanch.operations.postmortem import Postmortem
from stanch.operations.prevention import Prevention
from stanch.operations.world import Call, World
from stanch.ports.sampler import Sample
from tests.engine.watched import Found, Watch

ALICE: Final[Actor] = person("alice", name="Alice")
OPERATIONS: Final = all_operations()
SHOP: Final = """
[services.checkout]
metrics = "http://127.0.0.1:9/metrics"
check_every_s = 10
team = "commerce"
[services.payments]
external = true
"""


def page(*, calls_ms: float, failed: float = 0.0) -> list[Found]:
    """Return what a look at checkout's metrics page says: 100 requests, and how long its calls to payments take."""
    return [
        (Metric.REQUESTS, 100.0, (), ""),
        (Metric.FAILED_REQUESTS, failed, (), ""),
        (Metric.ERROR_RATIO, failed / 100, (), ""),
        (Metric.DEPENDENCY_ERROR_RATIO, 0.0, (("target", "payments"),), ""),
        (Metric.DEPENDENCY_LATENCY_P95_MS, calls_ms, (("target", "payments"),), ""),
    ]


def an_hour(world: World, clock: ManualClock) -> None:
    """Keep what an hour of looks would have brought in which all was well."""
    start = clock.now()
    clock.advance(timedelta(hours=1))
    with world.store.writing() as tx:
        for look in range(0, 3600, 10):
            found = page(calls_ms=95.0 + look % 30 / 3)
            at = start + timedelta(seconds=look)
            samples = [
                Sample(service="checkout", metric=metric, value=value, at=at, labels=labels)
                for metric, value, labels, _ in found
            ]
            store_samples(tx.connection, samples)


def fault(world: World, clock: ManualClock, config: str = SHOP) -> Watch:
    """Let an hour pass, then payments turn slow; three minutes later checkout fails, and an alert declares it."""
    watch = Watch.over(world, clock, config)
    an_hour(world, clock)
    watch.say("metrics", *page(calls_ms=100.0))
    watch.run(30, step=10)
    watch.say("metrics", *page(calls_ms=420.0))
    watch.run(180, step=10)
    watch.say("metrics", *page(calls_ms=420.0, failed=40.0))
    watch.run(120, step=10)
    return watch


def ask(world: World, name: str, **body: object) -> object:
    """Ask an operation as a person does."""
    entry = OPERATIONS[name]
    return registry.call(entry, Call(world=world, actor=ALICE, via=Via.CLI), registry.decode(entry, body))


def prevention(watch: Watch) -> Prevention:
    """Return what would have told of the first incident sooner."""
    answer = ask(watch.world, "incident.prevent", incident=1)
    assert isinstance(answer, Prevention)
    return answer


def test_calls_that_turned_slow_would_have_told(world: World, clock: ManualClock) -> None:
    """Nothing judged them, and they were slow three minutes before checkout failed."""
    (one,) = prevention(fault(world, clock)).monitors

    assert ("dependency_latency_p95_ms", {"target": "payments"}, 0, True, "warning") == (
        one.measure,
        one.labels,
        one.false_alarms,
        120 <= one.earlier_s <= 240,
        one.severity,
    )


def test_the_rule_fires_when_it_was_said(world: World, clock: ManualClock) -> None:
    """Added to the configuration as it is proposed, it opens its alert at that look of the same fault."""
    first = clock.now()
    (one,) = prevention(fault(world, clock)).monitors
    again = clock.now()
    watch = fault(world, clock, SHOP + one.toml)
    (alert,) = [alert for alert in watch.alerts(firing=False) if alert.metric is Metric.RULE]

    assert one.fired_at - first == alert.detected_at - again


def test_what_is_judged_already_is_not_proposed_again(world: World, clock: ManualClock) -> None:
    """A rule that is there needs no other."""
    (one,) = prevention(fault(world, clock)).monitors
    catalog = read_catalog(tomllib.loads(SHOP + one.toml), root=Path("/srv"))
    answer = ask(replace(world, catalog=catalog), "incident.prevent", incident=1)
    assert isinstance(answer, Prevention)

    assert () == answer.monitors


def test_what_was_missing_names_its_source(world: World, clock: ManualClock) -> None:
    """Nobody is paged, the team has no schedule, and checkout's calls to payments are not declared."""
    gaps = prevention(fault(world, clock)).gaps

    assert [
        ("route", "configuration: services.checkout.policy, oncall.policy"),
        ("schedule", "configuration: oncall.schedules"),
        ("dependency", "samples: dependency_error_ratio of checkout with target payments"),
    ] == [(one.kind, one.source) for one in gaps if one.kind != "runbook"]


def test_the_post_mortem_says_what_would_have_told(world: World, clock: ManualClock) -> None:
    """Its draft has the check, when it would have fired, and a link to the page that has the lines to add."""
    watch = fault(world, clock)
    (one,) = prevention(watch).monitors
    answer = ask(watch.world, "postmortem.draft", incident=1)
    assert isinstance(answer, Postmortem)
    said = [line for line in answer.markdown.splitlines() if one.gain in line]

    assert [True] == ["/i/1#prevent" in line for line in said]


def test_without_samples_it_says_so(world: World, clock: ManualClock) -> None:
    """An incident that a person declared on a service nobody looks at has nothing to derive a limit from."""
    watch = Watch.over(world, clock, "[services.search]\n")
    ask(watch.world, "incident.declare", title="Search is slow", services=["search"])
    found = prevention(watch)

    assert ("nothing was measured of these services then, or it is not kept any more", True) == (
        found.note,
        "check" in [one.kind for one in found.gaps],
    )
