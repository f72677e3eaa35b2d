"""Severity from impact, with the rule that decided. The rules are data, tried in order; the first that holds wins."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from stanch.incidents.model import Impact, Severity, SeverityRuling
from stanch.kernel.errors import Invalid
from stanch.kernel.percentage import percent

_ALIASES: Final = {
    "critical": Severity.SEV1,
    "high": Severity.SEV2,
    "medium": Severity.SEV3,
    "low": Severity.SEV4,
}

# From nine failing requests in ten on, a service that still answers helps nobody.
OUTAGE_RATIO: Final = 0.9


@dataclass(frozen=True, kw_only=True)
class Case:
    """What a rule looks at: the impact, and the weight and tier of the services it reaches.

    `weight` is the largest business weight, 0..1, among the services down or affected; `critical` says that one of
    them is of tier 1; `total_outage` that every critical service that is measured is down; `symptom` is what a report
    in words says where nothing is measured. `told` is the severity that a sender gives its alert, in lower case, and
    `tier` the most critical tier that is reached, None where no service of the catalog is.
    """

    impact: Impact
    weight: float = 0.0
    critical: bool = False
    total_outage: bool = False
    symptom: str = ""
    told: str = ""
    tier: int | None = None


CRITICAL_WORDS: Final = frozenset({"critical", "crit", "page", "emergency", "fatal", "disaster", "p1", "sev1"})
"""What senders call their worst severity."""

ERROR_WORDS: Final = frozenset({"error", "major", "high", "urgent", "p2", "sev2"})
"""... and the one below it."""


@dataclass(frozen=True, kw_only=True)
class SeverityRule:
    """One rule: its name, the words it is shown with, and the test."""

    severity: Severity
    name: str
    words: str
    holds: Callable[[Case], bool]


def _error_ratio(case: Case) -> float:
    return case.impact.error_ratio or 0.0


def _is_unmeasured(case: Case) -> bool:
    return case.impact.error_ratio is None and case.impact.latency_p95_ms is None and not case.impact.down


def _is_told_grave(case: Case) -> bool:
    """Tell whether a sender calls it critical, or an error of a service that people notice soon (tier 1 or 2)."""
    near = case.tier is not None and case.tier <= 2
    return case.told in CRITICAL_WORDS or (near and case.told in ERROR_WORDS)


def _is_slow(case: Case, factor: float) -> bool:
    value, normal = case.impact.latency_p95_ms, case.impact.normal_latency_p95_ms
    return value is not None and normal is not None and normal > 0 and value >= factor * normal


SHIPPED_RULES: Final[tuple[SeverityRule, ...]] = (
    SeverityRule(
        severity=Severity.SEV1,
        name="security-breach",
        words="a security breach is SEV1",
        holds=lambda case: case.impact.security,
    ),
    SeverityRule(
        severity=Severity.SEV1,
        name="data-loss",
        words="loss or corruption of data is SEV1",
        holds=lambda case: case.impact.data_loss,
    ),
    SeverityRule(
        severity=Severity.SEV1,
        name="total-outage",
        words="every critical service down, or nine requests in ten failing on one, is SEV1",
        holds=lambda case: case.total_outage or (case.critical and _error_ratio(case) >= OUTAGE_RATIO),
    ),
    SeverityRule(
        severity=Severity.SEV1,
        name="critical-majority",
        words="a third or more of the requests failing on a critical path is SEV1",
        holds=lambda case: case.critical and _error_ratio(case) >= 1 / 3 and not case.impact.workaround,
    ),
    SeverityRule(
        severity=Severity.SEV2,
        name="critical-failing",
        words="5 % or more of the requests failing on a critical path is SEV2",
        holds=lambda case: case.critical and _error_ratio(case) >= 0.05,
    ),
    SeverityRule(
        severity=Severity.SEV2,
        name="critical-slow",
        words="a critical path at least five times slower than normal is SEV2",
        holds=lambda case: case.critical and _is_slow(case, 5.0),
    ),
    SeverityRule(
        severity=Severity.SEV2,
        name="critical-down",
        words="a critical service that is down is SEV2",
        holds=lambda case: case.critical and bool(case.impact.down),
    ),
    SeverityRule(
        severity=Severity.SEV2,
        name="alerted-critical",
        words="what a sender calls critical, on a critical path where nothing is measured yet, is SEV2",
        holds=lambda case: _is_unmeasured(case) and case.critical and case.told in CRITICAL_WORDS,
    ),
    SeverityRule(
        severity=Severity.SEV2,
        name="reported-failure",
        words="a report of failures with nothing measured yet is SEV2 until figures say otherwise",
        holds=lambda case: _is_unmeasured(case) and case.symptom in {"outage", "error_spike", "auth", "data"},
    ),
    SeverityRule(
        severity=Severity.SEV3,
        name="reported-strain",
        words="a report of slowness or of a full resource with nothing measured yet is SEV3",
        holds=lambda case: _is_unmeasured(case) and case.symptom in {"latency", "resource"},
    ),
    SeverityRule(
        severity=Severity.SEV3,
        name="reported-unread",
        words="a report that no rule could read is SEV3 until a person has read it",
        holds=lambda case: _is_unmeasured(case) and case.symptom == "unknown",
    ),
    SeverityRule(
        severity=Severity.SEV3,
        name="critical-strained",
        words="a critical service that runs short of something and still answers is SEV3",
        holds=lambda case: case.critical and bool(case.impact.strained),
    ),
    SeverityRule(
        severity=Severity.SEV3,
        name="partial",
        words="a service failing or down that no critical path needs is SEV3",
        holds=lambda case: bool(case.impact.down) or _error_ratio(case) >= 0.05 or _is_slow(case, 2.0),
    ),
    SeverityRule(
        severity=Severity.SEV3,
        name="alerted",
        words="what a sender calls critical, or an error of a service of tier 1 or 2, is at least SEV3",
        holds=_is_told_grave,
    ),
    SeverityRule(
        severity=Severity.SEV4,
        name="minor",
        words="anything else is SEV4",
        holds=lambda case: True,
    ),
)


def rule_severity(case: Case, rules: tuple[SeverityRule, ...] = SHIPPED_RULES) -> SeverityRuling:
    """Return the severity of `case` with the rule that decided and the figures it decided on."""
    for rule in rules:
        if rule.holds(case):
            return SeverityRuling(severity=rule.severity, rule=rule.name, reason=f"{rule.words}: {_figures(case)}")
    return SeverityRuling(severity=Severity.SEV4, rule="minor", reason=_figures(case))


def parse_severity(text: str) -> Severity:
    """Return the severity for `SEV1`, `sev-1`, `P0`, `1`, `critical` ... Raises `Invalid` otherwise.

    P0 to P3 stand for SEV1 to SEV4.
    """
    word = text.strip().lower()
    if word in _ALIASES:
        return _ALIASES[word]
    digits = word.removeprefix("sev").removeprefix("p").lstrip("- ")
    if digits.isdecimal():
        number = int(digits) + (1 if word.startswith("p") else 0)
        if 1 <= number <= len(Severity):
            return Severity(number)
    raise Invalid(
        f"{text!r} is no severity", field="severity", hint="say SEV1 to SEV4, P0 to P3, or critical, high, medium, low"
    )


def _figures(case: Case) -> str:
    impact = case.impact
    parts = []
    if impact.down:
        parts.append(f"down or failing: {', '.join(impact.down)}")
    if impact.strained:
        parts.append(f"short of something: {', '.join(impact.strained)}")
    if impact.affected:
        parts.append(f"affected: {', '.join(impact.affected)}")
    if impact.error_ratio is not None:
        parts.append(f"{percent(impact.error_ratio)} of requests failing")
    if impact.latency_p95_ms is not None:
        parts.append(f"p95 {impact.latency_p95_ms:,.0f} ms")
    if case.critical:
        parts.append("on a critical path")
    if case.told:
        parts.append(f"the sender says {case.told[:40]}")
        parts.append("no such service in the catalog" if case.tier is None else f"tier {case.tier}")
        if _is_unmeasured(case):
            parts.append("nothing measured here")
    return ", ".join(parts) or "no figures yet"
