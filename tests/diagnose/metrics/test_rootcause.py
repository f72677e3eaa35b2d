"""Root cause on the shop: every kind of fault finds its culprit, and what must not change the answer."""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.diagnose.metrics.evidence import EvidenceKind
from stanch.diagnose.metrics.frame import Graph, MetricFrame, SeriesKey, role_of
from stanch.diagnose.metrics.rootcause import Ranking, rank_causes
from tests.diagnose.metrics.shop import (
    AT,
    GRAPH,
    ONSET,
    QUIET,
    ROWS,
    STEP,
    Shop,
    calls,
    lines,
    permuted,
    renamed,
    with_column,
)

FAULTS = {
    "cpu of search": (Shop(cpu={"search": 3.0}, latency={"search": 1.5}), "search", EvidenceKind.CPU),
    "memory of mail": (Shop(memory={"mail": 4.0}), "mail", EvidenceKind.MEMORY),
    "slow db": (Shop(latency={"db": 30.0}), "db", EvidenceKind.LATENCY),
    "failing orders": (Shop(success={"orders": 70.0, "web": 94.0}), "orders", EvidenceKind.FAILURES),
    "orders stops calling mail": (Shop(requests={"mail": 0.0}), "orders", EvidenceKind.CALLS_VANISHED),
}
ALERT = SeriesKey("web", "latency_avg")


def first(ranking: Ranking) -> str:
    """The first suspect."""
    return ranking.causes[0].service


def ask(frame: MetricFrame, *, at: float = AT, graph: Graph = GRAPH) -> Ranking:
    """Rank with time and graph."""
    return rank_causes(frame, at=at, graph=graph)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_finds_its_culprit(fault: str) -> None:
    """The first suspect is the faulty service, and the strongest evidence of the right kind."""
    shop, culprit, kind = FAULTS[fault]

    ranking = ask(shop.frame())

    assert (culprit, kind) == (first(ranking), ranking.causes[0].evidence[0].kind)


def test_network_fault_is_where_the_way_is_slow() -> None:
    """With quiet metrics, the gap between client and server names the service behind it."""
    ranking = rank_causes(Shop().frame(), at=AT, graph=GRAPH, edges=calls(slow="search"))

    assert (first(ranking), ranking.causes[0].evidence[0].kind) == ("search", EvidenceKind.NETWORK)


def test_code_fault_is_where_the_lines_changed() -> None:
    """With quiet metrics, the service whose lines changed is first."""
    ranking = rank_causes(Shop().frame(), at=AT, graph=GRAPH, logs=lines(changed="orders"))

    assert (first(ranking), ranking.causes[0].evidence[0].kind) == ("orders", EvidenceKind.LOGS)


@pytest.mark.parametrize("late", [-1, 0, 1])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_sample_late_or_early_does_not_matter(fault: str, late: int) -> None:
    """A time one sample off names the same first suspect."""
    shop, culprit, _ = FAULTS[fault]

    assert culprit == first(ask(shop.frame(), at=AT + late * STEP))


def test_quiet_system_does_not_stand_out() -> None:
    """When nothing happened, nothing stands out."""
    assert not rank_causes(Shop().frame(), at=AT, graph=GRAPH, logs=lines()).stands_out


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_stands_out(fault: str) -> None:
    """Every fault stands out."""
    assert ask(FAULTS[fault][0].frame()).stands_out


def test_without_graph_the_resource_still_names_the_culprit() -> None:
    """No graph: CPU is enough."""
    assert first(rank_causes(FAULTS["cpu of search"][0].frame(), at=AT)) == "search"


def test_without_time_the_onset_is_estimated() -> None:
    """No time: the onset is found in the series, and the culprit after it."""
    ranking = rank_causes(FAULTS["slow db"][0].frame(), graph=GRAPH)

    assert (AT, "db") == (ranking.at, first(ranking))


def test_quiet_system_without_time_has_no_suspects() -> None:
    """No time and nothing that moved: an empty ranking without an onset."""
    ranking = rank_causes(Shop().frame(), graph=GRAPH)

    assert (None, ()) == (ranking.at, ranking.causes)


def test_alerting_service_is_not_blamed_for_what_it_calls() -> None:
    """The alert is about web, the slowness comes from db: db is first."""
    ranking = rank_causes(FAULTS["slow db"][0].frame(), at=AT, graph=GRAPH, alert=ALERT)

    assert first(ranking) == "db"


def test_alerting_service_is_blamed_for_its_own_slowness() -> None:
    """The alert is about web and web itself is slow: web is first."""
    ranking = rank_causes(Shop(latency={"web": 20.0}).frame(), at=AT, graph=GRAPH, alert=ALERT)

    assert first(ranking) == "web"


def test_incident_that_is_over_is_not_diluted() -> None:
    """With an alert, three bad rows out of ten are enough."""
    frame = Shop(latency={"db": 10.0}).frame()
    healed = Shop().frame()
    values = frame.values.copy()
    values[ONSET + 3 :] = healed.values[ONSET + 3 :]

    ranking = rank_causes(replace(frame, values=values), at=AT, graph=GRAPH, alert=ALERT)

    assert first(ranking) == "db"


def test_change_from_before_the_incident_is_not_blamed() -> None:
    """Memory that doubled ten rows earlier has not caused what began now."""
    frame = FAULTS["cpu of search"][0].frame()
    values = frame.values.copy()
    values[ONSET - 10 :, frame.columns[SeriesKey("mail", "memory_bytes")]] *= 4

    assert first(ask(replace(frame, values=values))) == "search"


def test_work_that_came_with_requests_is_not_blamed() -> None:
    """A service whose CPU rose as its requests did is no suspect for it."""
    shop = Shop(requests={"search": 3.0}, cpu={"search": 3.0})
    evidence = [e for cause in ask(shop.frame()).causes for e in cause.evidence]

    assert "search" not in {e.service for e in evidence if e.kind is EvidenceKind.CPU and e.strength > 0.3}


def test_observer_is_never_a_suspect() -> None:
    """What observes from outside is no cause."""
    frame = with_column(Shop().frame(), SeriesKey("probe", "cpu_pct"), np.repeat([1.0, 90.0], [ONSET, ROWS - ONSET]))

    assert "probe" not in {cause.service for cause in rank_causes(frame, at=AT, outside=["probe"]).causes}


def test_metrics_of_the_first_suspect_come_first() -> None:
    """The metric that caused it leads the list, before the latency that followed."""
    score = ask(FAULTS["cpu of search"][0].frame()).metrics[0]

    assert (score.service, score.metric) == ("search", "cpu_pct")


def test_sentence_tells_the_levels() -> None:
    """Evidence can be said: the metric, before, after, and by how much it is unusual."""
    sentence = ask(FAULTS["cpu of search"][0].frame()).causes[0].evidence[0].sentence

    assert sentence.startswith("CPU or saturation: cpu_pct: 30")


@settings(max_examples=15, deadline=None)
@given(fault=st.sampled_from(sorted(FAULTS)), order=st.permutations(range(len(Shop().frame().keys))))
def test_order_of_columns_does_not_matter(fault: str, order: list[int]) -> None:
    """Permuting the columns changes no score."""
    frame = FAULTS[fault][0].frame()

    assert ask(frame).causes == ask(permuted(frame, order)).causes


@settings(max_examples=15, deadline=None)
@given(fault=st.sampled_from(sorted(FAULTS)), names=st.permutations(sorted(QUIET)))
def test_names_of_services_do_not_matter(fault: str, names: list[str]) -> None:
    """With the names dealt anew the culprit's new name is first."""
    shop, culprit, _ = FAULTS[fault]
    dealt = dict(zip(sorted(QUIET), names, strict=True))
    graph = Graph.of((dealt[caller], dealt[callee]) for caller, callee in GRAPH.edges)

    assert dealt[culprit] == first(ask(renamed(shop.frame(), dealt), graph=graph))


@settings(max_examples=15, deadline=None)
@given(fault=st.sampled_from(sorted(FAULTS)), factor=st.floats(min_value=1e-4, max_value=1e4))
def test_units_do_not_matter(fault: str, factor: float) -> None:
    """Seconds or milliseconds, bytes or mebibytes: scaling a metric on all services changes no score."""
    frame = FAULTS[fault][0].frame()
    scales = {metric: factor ** (i + 1) for i, metric in enumerate(("latency_avg", "cpu_pct", "memory_bytes"))}
    scaled = frame.values * np.array([scales.get(key.metric, 1.0) for key in frame.keys])

    plain, other = ask(frame), ask(replace(frame, values=scaled))

    assert [cause.service for cause in plain.causes] == [cause.service for cause in other.causes]
    assert [cause.score for cause in plain.causes] == pytest.approx([cause.score for cause in other.causes])


@settings(max_examples=15, deadline=None)
@given(
    fault=st.sampled_from(sorted(FAULTS)),
    metric=st.sampled_from(["cpu_pct", "latency_avg", "memory_bytes", "temperature"]),
    level=st.sampled_from([0.0, 1.0, 1e6]),
    noise=st.sampled_from([0.0, 0.05]),
    seed=st.integers(min_value=0, max_value=50),
)
def test_unrelated_column_does_not_change_the_first(
    fault: str, metric: str, level: float, noise: float, seed: int
) -> None:
    """A constant or noise on a service that has nothing to do with it leaves the first suspect and its score."""
    frame = FAULTS[fault][0].frame()
    series = level * (1 + noise * np.random.default_rng(seed).standard_normal(ROWS))

    plain, more = ask(frame).causes[0], ask(with_column(frame, SeriesKey("elsewhere", metric), series)).causes[0]

    assert plain.service == more.service
    assert plain.score == pytest.approx(more.score)


def test_roles_are_read_from_names() -> None:
    """Names as exporters write them tell what a metric is."""
    names = {
        "latency_p90": "latency",
        "http_request_duration_seconds": "latency",
        "availability_avg": "success",
        "request_errors": "failure",
        "requests_sum": "load",
        "workload_ops": "load",
        "syscall_read": "other",
        "container_cpu_usage": "cpu",
        "jvm_heap_used": "memory",
        "db_connections": "saturation",
        "node_cpu_pct": "host",
        "temperature": "other",
    }

    assert names == {name: role_of(name).value for name in names}
