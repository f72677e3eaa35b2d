"""Where trouble starts: the deepest service whose trouble its callees do not explain."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stanch.diagnose.model import Graph, graph_of
from stanch.diagnose.origin import explained_share, origins, own_errors, troubles
from stanch.diagnose.picture import Picture, is_raised, picture_of
from stanch.ports.evidence import Finding, FindingStatus, Signal
from tests.diagnose.scene import NOW, ONSET, SHOP, error, failing, finding, reading, upstream_errors
from tests.engine.crew import shop


def picture(*findings: Finding, graph: Graph = SHOP) -> Picture:
    """Return the picture of some findings."""
    return picture_of(findings, changes=(), onset=ONSET, graph=graph, now=NOW)


def starts(*signals: Signal, graph: Graph = SHOP) -> list[str]:
    """Return where trouble starts, worst first."""
    return [origin.service for origin in origins(picture(finding("f1-metrics-1", *signals), graph=graph))]


def test_the_callee_that_fails_is_where_it_starts() -> None:
    """Payments fails, and its callers because of it: it starts in payments."""
    assert ["payments"] == starts(*failing())


def test_the_share_is_that_of_the_failing_calls() -> None:
    """Checkout fails 45.0 % more often and its calls to payments 44.9 %: 99.8 % of it is explained."""
    seen = picture(finding("f1-metrics-1", *failing()))

    share, by = explained_share(seen, "checkout", troubles(seen))

    assert (True, "payments") == (0.99 <= share <= 1.0, by)


def test_a_caller_with_failures_of_its_own_is_an_origin_too() -> None:
    """Checkout fails in half of all requests, its calls in a tenth: most of it is its own."""
    signals = [
        reading("error_ratio", "checkout", 0.5, 0.0),
        reading("error_ratio", "payments", 0.1, 0.0),
        reading("dependency_error_ratio", "checkout", 0.1, 0.0, target="payments"),
    ]

    assert ["checkout", "payments"] == starts(*signals)


def test_an_external_service_can_be_the_origin() -> None:
    """A slow call that explains its caller's latency makes the far end the origin."""
    signals = [
        reading("latency_p95_ms", "payments", 2300, 60),
        reading("dependency_latency_p95_ms", "payments", 2250, 46, target="acquirer"),
    ]

    assert ["acquirer"] == starts(*signals)


def test_a_service_that_restarts_is_an_origin() -> None:
    """What keeps dying is in trouble by itself, whatever its callers see."""
    signals = [
        reading("restarts", "payments", 4, 0),
        reading("error_ratio", "checkout", 0.5, 0.0),
        reading("dependency_error_ratio", "checkout", 0.5, 0.0, target="payments"),
    ]

    assert ["payments"] == starts(*signals)


def test_errors_in_logs_point_without_metrics() -> None:
    """Where nothing is measured, errors that name a callee make the callee the origin."""
    assert ["payments"] == starts(error("payments", "TypeError: no", 900), *upstream_errors())


def test_errors_about_a_troubled_callee_are_not_its_own() -> None:
    """Of the errors of checkout those about payments are left out."""
    logs = finding("f1-logs-1", error("payments", "TypeError: no", 900), *upstream_errors())

    assert [] == own_errors(picture(logs), "checkout")


def test_a_cycle_of_calls_ends() -> None:
    """Two services that call each other are both looked at, once."""
    graph = Graph(depends_on={"a": ("b",), "b": ("a",)})
    signals = [reading("error_ratio", "a", 0.5, 0.0), reading("error_ratio", "b", 0.2, 0.0)]

    assert "a" in starts(*signals, graph=graph)


def test_no_trouble_has_no_origin() -> None:
    """Calm figures start nowhere."""
    assert [] == starts(reading("error_ratio", "payments", 0.002, 0.002), reading("latency_p95_ms", "payments", 61, 60))


def test_a_minor_notice_alone_is_no_trouble() -> None:
    """A status page that reports something minor, with no call affected, is no origin."""
    assert [] == starts(Signal(name="status_page", text="minor", data={"target": "acquirer"}))


def test_the_catalog_gives_the_graph() -> None:
    """Dependencies and external services are those of the catalog."""
    graph = graph_of(shop())

    assert (("payments",), frozenset({"acquirer"}), frozenset({"payments", "acquirer"})) == (
        graph.callees("checkout"),
        graph.external,
        graph.downstream("checkout"),
    )


@pytest.mark.parametrize(
    ("signal", "expected"),
    [
        (reading("error_ratio", "s", 0.05, 0.002), True),
        (reading("error_ratio", "s", 0.015, 0.002), False),
        (reading("latency_p95_ms", "s", 120, 60), True),
        (reading("latency_p95_ms", "s", 12, 6), False),
        (reading("latency_p95_ms", "s", 5000), False),
        (reading("memory_bytes", "s", 38e6, 28e6), False),
        (reading("memory_bytes", "s", 380e6, 200e6), True),
        (reading("request_rate", "s", 31, 20), True),
        (reading("request_rate", "s", 5, 20), False),
        (reading("error_group", "s", 3, 0), True),
        (reading("error_group", "s", 2, 0), False),
        (reading("error_group", "s", 1, 0, level="fatal"), True),
        (reading("error_group", "s", 30, 20), False),
        (reading("saturation", "s", 0.9, 0.1, raised=False), False),
    ],
    ids=lambda value: f"{value.name} {value.value}" if isinstance(value, Signal) else str(value),
)
def test_what_is_raised(signal: Signal, expected: bool) -> None:
    """Where nobody judged it, plain rules decide whether a signal lies outside its normal."""
    assert expected is is_raised(signal)


def test_a_failed_look_takes_nothing_away() -> None:
    """What an earlier round found stays when a later look fails."""
    failed = finding("f2-metrics-1", status=FindingStatus.FAILED)

    assert ["payments"] == [each.service for each in origins(picture(finding("f1-metrics-1", *failing()), failed))]


@settings(max_examples=40, deadline=None)
@given(st.permutations(failing()))
def test_the_order_of_signals_changes_nothing(signals: list[Signal]) -> None:
    """Where it starts does not depend on the order in which figures came in."""
    assert ["payments"] == starts(*signals)


@settings(max_examples=40, deadline=None)
@given(st.floats(min_value=0.05, max_value=1.0))
def test_how_bad_it_is_changes_nothing(ratio: float) -> None:
    """The origin of a cascade is the same at five per cent and at all of it."""
    assert ["payments"] == starts(*failing(ratio))


def test_a_check_that_fails_is_trouble() -> None:
    """Where nothing but a declared check sees it, it starts in the service of the check, in the alert's words."""
    told = reading("check_failed", "payments", 0.0, 1.0, resource="journey buy", raised=True)
    said = Signal(**{**vars(told), "text": "payments: the journey buy fails at step 2: answered 500"})
    found = origins(picture(finding("f1-alerts-1", said)))

    assert [("payments", True)] == [(one.service, "fails at step 2" in one.text) for one in found]
