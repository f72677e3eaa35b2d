"""Blocks that read Stanch's own figures: what is now beside what was normal before the onset."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from stanch.alerts.samples.tables import store_samples
from stanch.operations.runbooks.views import CheckView
from stanch.ports.sampler import Sample
from tests.operations.desk import Desk

RUNBOOK = """# Own figures
## Checks
```stanch expect="normal"
latency_p95_ms {{service}}
```
```stanch expect="is 0"
restarts {{service}}
```
```stanch expect="below 0.8"
saturation {{service}} resource=db_pool
```
```stanch expect="normal"
memory_bytes {{service}}
```
"""


@pytest.fixture
def desk(desk: Desk, tmp_path: Path) -> Desk:
    """Give a desk with a runbook on own figures, and an hour in which checkout took 40 ms."""
    (tmp_path / "runbooks").mkdir()
    (tmp_path / "runbooks" / "own.md").write_text(RUNBOOK)
    found = replace(desk, world=replace(desk.world, catalog=replace(desk.world.catalog, root=str(tmp_path))))
    for _ in range(40):
        measure(found, "latency_p95_ms", 40.0)
        found.pass_time(seconds=10)
    return found


def measure(desk: Desk, metric: str, value: float, **labels: str) -> None:
    """Measure checkout now."""
    sample = Sample(
        service="checkout", metric=metric, value=value, at=desk.clock.now(), labels=tuple(sorted(labels.items()))
    )
    with desk.world.store.writing() as tx:
        store_samples(tx.connection, [sample])


def checked(desk: Desk, number: int, block: int) -> CheckView:
    """Run one check."""
    found = desk.ask("runbook.check", incident=number, runbook="own", block=block)
    assert isinstance(found, tuple) and isinstance(found[0], CheckView)
    return found[0]


@pytest.mark.parametrize(("now", "outcome"), [(42.0, "as_expected"), (400.0, "not_as_expected")])
def test_normal_is_what_was_so_before_the_onset(desk: Desk, now: float, outcome: str) -> None:
    """Ten times slower than before is not, a little is."""
    number = desk.declare()
    desk.pass_time(minutes=2)
    measure(desk, "latency_p95_ms", now)

    assert (outcome, f"checkout P95 latency {now:.0f} ms, normal 40 ms", "stanch") == (
        (one := checked(desk, number, 1)).outcome,
        one.answer,
        one.on,
    )


def test_restarts_are_counted(desk: Desk) -> None:
    """Two among thirty looks without any are two, and not the middle of them."""
    number = desk.declare()
    for look in range(30):
        measure(desk, "restarts", 1.0 if look in (7, 19) else 0.0)
        desk.pass_time(seconds=1)

    assert ("not_as_expected", "checkout restarts 2") == (
        (one := checked(desk, number, 2)).outcome,
        one.answer,
    )


def test_labels_choose_one_of_several_series(desk: Desk) -> None:
    """A full thread pool says nothing of the connections."""
    number = desk.declare()
    measure(desk, "saturation", 1.0, resource="threads")
    measure(desk, "saturation", 0.3, resource="db_pool")

    assert "as_expected" == checked(desk, number, 3).outcome


def test_what_is_not_measured_is_told(desk: Desk) -> None:
    """Nothing seen is neither well nor wrong."""
    number = desk.declare()
    desk.clock.advance(timedelta(hours=1))

    assert ("failed", "checkout P95 latency is not measured") == (
        (one := checked(desk, number, 1)).outcome,
        one.answer,
    )


@pytest.mark.parametrize(("looks", "outcome"), [(7, "told"), (20, "as_expected")])
def test_nothing_is_abnormal_where_normal_is_not_known(desk: Desk, looks: int, outcome: str) -> None:
    """Seven looks before the onset are too few to say what is normal: it is told, and judged neither way."""
    for _ in range(looks):
        measure(desk, "memory_bytes", 24e6)
        desk.pass_time(seconds=10)
    number = desk.declare()
    desk.pass_time(seconds=10)
    measure(desk, "memory_bytes", 24e6)

    one = checked(desk, number, 4)

    assert (outcome, outcome == "told") == (one.outcome, "what is normal is not known" in one.answer)
