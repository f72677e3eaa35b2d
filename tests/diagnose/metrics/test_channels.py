"""Self-excess, the way between services, traffic that stops: each kind of evidence by itself."""

import pytest

from stanch.diagnose.metrics.deviation import split_at
from stanch.diagnose.metrics.evidence import EvidenceKind, strength_of
from stanch.diagnose.metrics.excess import excess_evidence, own_excesses
from stanch.diagnose.metrics.network import network_evidence
from stanch.diagnose.metrics.traffic import traffic_evidence
from tests.diagnose.metrics.shop import AT, GRAPH, QUIET, STEP, Shop, calls, clock

SPLIT = split_at(clock(), AT)


def test_excess_of_a_callee_explains_its_callers() -> None:
    """When db is slow, all of db's excess is its own, and hardly any of web's."""
    found = own_excesses(Shop(latency={"db": 30.0}).frame(), SPLIT, GRAPH, kind=EvidenceKind.LATENCY)

    assert found["db"].own == found["db"].total
    assert found["web"].own < 0.2 * found["web"].total


def test_shares_of_excess_add_up_to_at_most_one() -> None:
    """Strength is a share of the whole, so one culprit has nearly all of it."""
    found = excess_evidence(
        Shop(latency={"search": 20.0}).frame(), SPLIT, GRAPH, kind=EvidenceKind.LATENCY, services=QUIET
    )
    shares = {e.service: e.strength / strength_of(EvidenceKind.LATENCY, e.deviation) for e in found}

    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["search"] > 0.9


def test_failures_are_weighed_by_requests() -> None:
    """5 % of web's 50 requests/s outweigh 10 % of mail's 10, with nothing else failing."""
    frame = Shop(success={"web": 95.0, "mail": 90.0}).frame()
    found = own_excesses(frame, SPLIT, GRAPH, kind=EvidenceKind.FAILURES)

    assert found["web"].total == pytest.approx(2.5, rel=0.1)
    assert found["mail"].total == pytest.approx(1.0, rel=0.1)


def test_two_failures_in_a_thousand_are_noise() -> None:
    """A success share of 99.9 % has a deviation under 1."""
    found = own_excesses(Shop(success={"orders": 99.9}).frame(), SPLIT, GRAPH, kind=EvidenceKind.FAILURES)

    assert found["orders"].deviation < 1


def test_all_ways_to_a_service_are_slow() -> None:
    """A slow network in front of db shows on both of its callers, and is db's."""
    found = network_evidence(calls(slow="db"), at=AT, interval_seconds=STEP, services=QUIET)

    assert max(found, key=lambda e: e.strength).service == "db"


def test_quiet_ways_are_no_evidence() -> None:
    """Without a fault no way is worth a strength of 0.7."""
    found = network_evidence(calls(), at=AT, interval_seconds=STEP, services=QUIET)

    assert all(evidence.strength < 0.7 for evidence in found)


def test_calls_that_vanish_are_the_callers_doing() -> None:
    """Orders keeps its requests and stops calling mail: orders is to blame, and not web."""
    found = traffic_evidence(Shop(requests={"mail": 0.0}).frame(), SPLIT, GRAPH, QUIET)

    assert max(found, key=lambda e: e.strength).service == "orders"


def test_less_traffic_from_above_is_nobodys_doing() -> None:
    """When half the users leave, nobody has stopped calling anybody."""
    frame = Shop(requests=dict.fromkeys(QUIET, 0.5)).frame()

    assert all(evidence.strength < 0.7 for evidence in traffic_evidence(frame, SPLIT, GRAPH, QUIET))


def test_callee_that_fails_at_once_takes_the_blame() -> None:
    """Search answers in no time and web calls nobody else: blame passes to search."""
    frame = Shop(requests={"orders": 0.1, "search": 0.3}, latency={"search": 0.05, "db": 0.5}).frame()
    found = traffic_evidence(frame, SPLIT, GRAPH, QUIET)

    assert max(found, key=lambda e: e.strength).kind is EvidenceKind.FAILS_FAST
    assert max(found, key=lambda e: e.strength).service == "search"


@pytest.mark.parametrize(
    ("kind", "deviation", "strength"),
    [
        (EvidenceKind.CPU, 45.0, 2.77),  # ln(1 + 45 / 3)
        (EvidenceKind.MEMORY, 45.0, 1.94),  # 0.7 * ln 16
        (EvidenceKind.LOGS, 10.0, 1.10),  # ln(1 + 10 / 5)
        (EvidenceKind.CPU, -5.0, 0.0),
    ],
)
def test_strength_is_logarithmic(kind: EvidenceKind, deviation: float, strength: float) -> None:
    """Strength is weight * ln(1 + deviation / unit), and 0 below 0."""
    assert strength == pytest.approx(strength_of(kind, deviation), abs=0.01)
