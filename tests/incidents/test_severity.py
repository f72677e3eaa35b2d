"""The severity rules, one by one: what they see, what they say, and the rule that is shown."""

import pytest

from stanch.incidents.model import Impact, Severity
from stanch.incidents.severity import SHIPPED_RULES, Case, parse_severity, rule_severity
from stanch.kernel.errors import Invalid
from tests.incidents.lives import NOW


def case(
    *,
    weight: float = 0.0,
    critical: bool = False,
    total: bool = False,
    symptom: str = "",
    told: str = "",
    tier: int | None = None,
    **impact: object,
) -> Case:
    """Return what a rule looks at."""
    return Case(
        impact=Impact(at=NOW, **impact),  # type: ignore[arg-type]  # the table below holds fields of Impact by name
        weight=weight,
        critical=critical,
        total_outage=total,
        symptom=symptom,
        told=told,
        tier=tier,
    )


TABLE = [
    (case(security=True), "SEV1", "security-breach"),
    (case(security=True, workaround=True), "SEV1", "security-breach"),
    (case(data_loss=True), "SEV1", "data-loss"),
    (case(critical=True, total=True, down=("a", "b")), "SEV1", "total-outage"),
    (case(critical=True, error_ratio=0.9), "SEV1", "total-outage"),
    (case(critical=True, error_ratio=0.899), "SEV1", "critical-majority"),
    (case(critical=True, error_ratio=1 / 3), "SEV1", "critical-majority"),
    (case(critical=True, error_ratio=0.5, workaround=True), "SEV2", "critical-failing"),
    (case(critical=True, error_ratio=0.33), "SEV2", "critical-failing"),
    (case(critical=True, error_ratio=0.05), "SEV2", "critical-failing"),
    (case(critical=True, error_ratio=0.049), "SEV4", "minor"),
    (case(critical=True, latency_p95_ms=500.0, normal_latency_p95_ms=100.0), "SEV2", "critical-slow"),
    (case(critical=True, latency_p95_ms=499.0, normal_latency_p95_ms=100.0), "SEV3", "partial"),
    (case(critical=True, latency_p95_ms=199.0, normal_latency_p95_ms=100.0), "SEV4", "minor"),
    (case(critical=True, down=("checkout",)), "SEV2", "critical-down"),
    (case(critical=True, strained=("checkout",)), "SEV3", "critical-strained"),
    (case(strained=("search",)), "SEV4", "minor"),
    (case(critical=True, strained=("checkout",), down=("checkout",)), "SEV2", "critical-down"),
    (case(symptom="outage"), "SEV2", "reported-failure"),
    (case(symptom="error_spike"), "SEV2", "reported-failure"),
    (case(symptom="error_spike", error_ratio=0.0), "SEV4", "minor"),
    (case(symptom="latency"), "SEV3", "reported-strain"),
    (case(symptom="resource"), "SEV3", "reported-strain"),
    (case(symptom="unknown"), "SEV3", "reported-unread"),
    (case(symptom="unknown", error_ratio=0.0), "SEV4", "minor"),
    (case(told="critical", critical=True, tier=1), "SEV2", "alerted-critical"),
    (case(told="critical", critical=True, tier=1, error_ratio=0.0), "SEV3", "alerted"),
    (case(told="page", tier=3), "SEV3", "alerted"),
    (case(told="error", critical=True, tier=1), "SEV3", "alerted"),
    (case(told="error", tier=2), "SEV3", "alerted"),
    (case(told="error", tier=3), "SEV4", "minor"),
    (case(told="warning", critical=True, tier=1), "SEV4", "minor"),
    (case(told="critical", critical=True, tier=1, error_ratio=0.5), "SEV1", "critical-majority"),
    (case(down=("search",)), "SEV3", "partial"),
    (case(error_ratio=0.95), "SEV3", "partial"),
    (case(latency_p95_ms=200.0, normal_latency_p95_ms=100.0), "SEV3", "partial"),
    (case(latency_p95_ms=9000.0), "SEV4", "minor"),
    (case(), "SEV4", "minor"),
]


@pytest.mark.parametrize(("seen", "severity", "rule"), TABLE)
def test_the_first_rule_that_holds_decides(seen: Case, severity: str, rule: str) -> None:
    """The severity comes with the name of the rule that decided."""
    ruling = rule_severity(seen)

    assert (severity, rule) == (ruling.severity.label, ruling.rule)


def test_every_rule_is_in_the_table() -> None:
    """A rule that no case reaches would be one that nobody knows."""
    assert {rule.name for rule in SHIPPED_RULES} == {rule for _, _, rule in TABLE}


def test_the_reason_is_the_rule_and_its_figures() -> None:
    """Whoever reads the reason can check it."""
    seen = case(critical=True, error_ratio=0.45, down=("checkout",), affected=("gateway",))

    assert (
        "a third or more of the requests failing on a critical path is SEV1: "
        "down or failing: checkout, affected: gateway, 45 % of requests failing, on a critical path"
    ) == rule_severity(seen).reason


def test_without_figures_the_reason_says_so() -> None:
    """No figures are not good figures."""
    assert rule_severity(case()).reason.endswith("no figures yet")


@pytest.mark.parametrize(
    ("text", "severity"),
    [
        ("SEV1", Severity.SEV1),
        ("sev-2", Severity.SEV2),
        (" sev 3 ", Severity.SEV3),
        ("4", Severity.SEV4),
        ("P0", Severity.SEV1),
        ("p3", Severity.SEV4),
        ("Critical", Severity.SEV1),
        ("low", Severity.SEV4),
    ],
)
def test_a_severity_is_read_as_people_write_it(text: str, severity: Severity) -> None:
    """SEV1 and P0 are the same, and so are the words."""
    assert severity is parse_severity(text)


@pytest.mark.parametrize("text", ["", "SEV0", "SEV5", "P4", "sev", "one", "²"])
def test_what_is_no_severity_is_refused(text: str) -> None:
    """The message repeats what was said."""
    with pytest.raises(Invalid, match="is no severity"):
        parse_severity(text)
