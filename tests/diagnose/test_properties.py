"""What must not matter to a ranking of causes: the order of findings, the names of services, what has nothing to do."""

from dataclasses import replace
from typing import Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.diagnose.dating import date_of
from stanch.diagnose.measure import Track
from stanch.diagnose.metric_causes import rank_tracks
from stanch.diagnose.model import Graph
from stanch.incidents.events import HypothesesRanked
from stanch.ports.changes import ChangeKind
from stanch.ports.evidence import Finding, Signal
from tests.diagnose.scene import SHOP, change, error, failing, finding, ranked, reading
from tests.diagnose.test_dating import BEGAN, clock, counted, filling, latency

DEPLOY: Final = change(ChangeKind.DEPLOY, "payments", "v3.2.1", 40)
SLOW: Final = (
    reading("latency_p95_ms", "payments", 2300, 60),
    reading("dependency_latency_p95_ms", "payments", 2250, 46, target="acquirer"),
    reading("error_ratio", "payments", 0.0, 0.0),
)
SCENES: Final = {
    "deploy": (*failing(), error("payments", "KeyError: 'card'", 120, versions=["v3.2.1"])),
    "slow": SLOW,
}
QUIET: Final = (reading("error_ratio", "mailer", 0.0, 0.0), reading("latency_p95_ms", "mailer", 51, 50))
TRACKS: Final = (
    *counted("payments"),
    *counted("checkout", after_s=30),
    latency("gateway", after_s=30),
    filling(from_s=0),
)


def told(signals: tuple[Signal, ...], *, graph: Graph = SHOP) -> HypothesesRanked:
    """Rank a scene, a finding a signal."""
    return ranked([finding(f"f1-metrics-{place}", one) for place, one in enumerate(signals)], [DEPLOY], graph=graph)


def gist(ranking: HypothesesRanked) -> list[tuple[str, float]]:
    """Return what counts of a ranking."""
    return [(one.id, one.score) for one in ranking.hypotheses]


@pytest.mark.parametrize("scene", list(SCENES))
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_the_order_of_findings_does_not_matter(scene: str, data: st.DataObject) -> None:
    """Collectors come back in any order: the ranking is the same."""
    shuffled = tuple(data.draw(st.permutations(SCENES[scene])))

    assert gist(told(SCENES[scene])) == gist(told(shuffled))


@pytest.mark.parametrize("scene", list(SCENES))
def test_a_service_that_has_nothing_to_do_with_it_changes_nothing(scene: str) -> None:
    """A quiet service beside the others leaves the first cause and its score."""
    assert gist(told(SCENES[scene]))[0] == gist(told((*SCENES[scene], *QUIET)))[0]


@pytest.mark.parametrize("scene", list(SCENES))
@pytest.mark.parametrize("value", [0.0, 1.0, 1e9])
def test_an_unrelated_constant_changes_nothing(scene: str, value: float) -> None:
    """A metric that is as ever, whatever its value, leaves the first cause and its score."""
    constant = reading("queue_length", "mailer", value, value)

    assert gist(told(SCENES[scene]))[0] == gist(told((*SCENES[scene], constant)))[0]


def test_the_names_of_services_do_not_matter() -> None:
    """With every service called otherwise the same kind of cause is found, with the same score."""
    new = {"gateway": "s1", "checkout": "s2", "payments": "s3", "acquirer": "s4", "mailer": "s5"}
    graph = Graph(
        depends_on={new[name]: tuple(new[one] for one in called) for name, called in SHOP.depends_on.items()},
        external=frozenset(new[name] for name in SHOP.external),
    )
    renamed = tuple(
        replace(
            one,
            service=new[one.service],
            data={key: new.get(str(value), value) if key == "target" else value for key, value in one.data.items()},
        )
        for one in SLOW
    )
    told_so = [Finding(**vars(finding("f1-metrics-1", *renamed)))]
    found = ranked(told_so, graph=graph, services=("s2",)).hypotheses[0]
    plain = ranked([finding("f1-metrics-1", *SLOW)]).hypotheses[0]

    assert (plain.kind, plain.score, "s4") == (found.kind, found.score, found.target)


@settings(max_examples=15, deadline=None)
@given(order=st.permutations(range(len(TRACKS))))
def test_the_order_of_series_does_not_matter(order: list[int]) -> None:
    """Series in any order give the same start and the same ranking."""
    mixed = [TRACKS[place] for place in order]
    at = BEGAN.timestamp()
    first, second = (rank_tracks(tracks, at=at, graph=SHOP) for tracks in (TRACKS, mixed))

    assert date_of(TRACKS, told=BEGAN) == date_of(mixed, told=BEGAN)
    assert first is not None and second is not None and first.causes == second.causes


@settings(max_examples=15, deadline=None)
@given(level=st.floats(min_value=-1e6, max_value=1e6), service=st.sampled_from(["mailer", "search"]))
def test_a_constant_series_changes_no_start(level: float, service: str) -> None:
    """A series that does not move has no say."""
    constant = Track(service=service, metric="latency_p95_ms", times=clock(), values=[level] * len(clock()))

    assert date_of(TRACKS, told=BEGAN) == date_of([*TRACKS, constant], told=BEGAN)


@settings(max_examples=10, deadline=None)
@given(shift=st.integers(min_value=-1_000_000, max_value=1_000_000))
def test_the_clock_does_not_matter(shift: int) -> None:
    """The same series at another time of the century have the same start, as much later."""
    later = [replace(one, times=[at + shift for at in one.times]) for one in TRACKS]
    plain = date_of(TRACKS, told=BEGAN)
    moved = date_of(later, told=BEGAN.fromtimestamp(BEGAN.timestamp() + shift, BEGAN.tzinfo))

    assert plain is not None and moved is not None
    assert abs((moved.at - plain.at).total_seconds() - shift) < 1e-3
