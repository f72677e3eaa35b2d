"""What all series say together, from stored samples."""

from dataclasses import replace
from datetime import timedelta

import pytest

from stanch.alerts.samples.tables import store_samples
from stanch.engine.collectors import RootCauseCollector
from stanch.operations.world import World
from stanch.ports.evidence import Finding, FindingStatus, Question
from stanch.ports.sampler import Sample
from tests.engine.crew import START, shop

ONSET = START - timedelta(seconds=60)
LATE = {"payments": 0, "checkout": 20}


def looked(world: World, *, failing: bool = True, silent: str = "") -> Finding:
    """Measure ten minutes of two services, of which payments fails first and checkout 20 s later, and look."""
    found = []
    for second in range(0, 600, 2):
        at = START - timedelta(seconds=600 - second)
        for service, late_s in LATE.items():
            since = (at - ONSET).total_seconds() - late_s
            if service == silent and since > 0:
                continue
            failed = 8.0 if failing and since >= 0 else 0.0
            figures = {"requests": 20.0, "failed_requests": failed, "error_ratio": failed / 20, "request_rate": 10.0}
            found += [Sample(service=service, metric=name, value=value, at=at) for name, value in figures.items()]
    question = Question(incident=1, services=tuple(LATE), start=START - timedelta(seconds=600), end=START, onset=ONSET)
    with world.store.writing() as tx:
        store_samples(tx.connection, found)
    (told,) = RootCauseCollector(replace(world, catalog=shop())).collect(question)
    return told


def test_what_stands_out_is_named(world: World) -> None:
    """Payments fails and checkout because of it: payments is the first suspect."""
    suspects = [one for one in looked(world).signals if one.name == "suspect"]

    assert ("payments", True) == (suspects[0].service, suspects[0].data["raised"])


def test_what_moved_first_is_told_with_the_distance(world: World) -> None:
    """The sentence names the service, what moved, and how long before the next."""
    (first,) = [one for one in looked(world).signals if one.name == "moved_first"]

    assert ("payments", "payments' error rate moved first, 20s before checkout") == (first.service, first.text)


def test_quiet_series_name_nobody(world: World) -> None:
    """Where nothing moved no service stands out, and none moved first."""
    told = looked(world, failing=False)

    assert [] == [one for one in told.signals if one.data.get("raised")]


@pytest.mark.parametrize("silent", ["payments"])
def test_a_service_that_went_silent_makes_the_ranking_unsure(world: World, silent: str) -> None:
    """What is not measured any more cannot stand out, so the one that still is is not blamed for that."""
    told = looked(world, silent=silent)

    assert [] == [one for one in told.signals if one.name == "suspect" and one.data["raised"]]


def test_nothing_measured_is_no_data(world: World) -> None:
    """Without a sample the finding says that there is none."""
    question = Question(incident=1, services=("payments",), start=ONSET, end=START, onset=ONSET)
    (told,) = RootCauseCollector(replace(world, catalog=shop())).collect(question)

    assert FindingStatus.NO_DATA is told.status
