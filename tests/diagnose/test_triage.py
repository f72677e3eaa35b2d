"""The questions of triage, answered from what was found."""

from dataclasses import replace
from datetime import timedelta

from stanch.diagnose.triage import Answer, Tone, triage
from stanch.incidents import events as ev
from stanch.incidents.model import Impact, Severity, SeverityRuling, Status
from stanch.incidents.state import IncidentState
from stanch.ports.evidence import Finding, FindingStatus
from tests.diagnose.scene import NOW, ONSET, SHOP, failing, finding, ranked, reading

BARE = IncidentState(
    number=1,
    title="checkout error rate 45 %",
    summary="",
    source="test",
    status=Status.INVESTIGATING,
    ruling=SeverityRuling(severity=Severity.SEV2, rule="test", reason=""),
    services=("checkout",),
    declared_at=NOW,
    started_at=ONSET,
    channel="#test",
    seq=1,
    version=1,
)


def answers(*findings: Finding, state: IncidentState = BARE) -> list[Answer]:
    """Return the seven answers."""
    known = replace(state, findings={each.id: each for each in findings})
    return list(triage(known, graph=SHOP, now=NOW))


def test_every_question_is_answered() -> None:
    """Seven questions have an answer even when nothing was found."""
    assert 7 == len([answer for answer in answers() if answer.text])


def test_nothing_looked_at_is_not_well() -> None:
    """Where nobody looked the tone is "unknown", never "well"."""
    assert Tone.WELL not in {answer.tone for answer in answers()}


def test_what_is_affected_names_where_it_starts_and_the_victims() -> None:
    """Payments is named with its figures, its callers as victims."""
    found = answers(finding("f1-metrics-1", *failing()))[0]

    assert "payments: error rate 45 %, normal 0.2 %" in found.text and found.text.endswith("with it checkout, gateway")


def test_since_when_has_its_interval() -> None:
    """The onset is told with how far it may be off, and with what moved first."""
    dated = ev.OnsetEstimated(at=ONSET, low=ONSET - timedelta(seconds=5), high=ONSET, text="", first="payments first")
    state = replace(BARE, started_low=dated.low, started_high=dated.high, onset=dated)

    assert "14:30:00 (±5 s) UTC; payments first" == answers(state=state)[1].text


def test_a_start_that_was_only_told_says_so() -> None:
    """Without an estimate from the data the answer says whose word it is."""
    assert "14:30:00 UTC, as the alert dates it" == answers(state=replace(BARE, source="alert"))[1].text


def test_what_changed_is_the_verdict() -> None:
    """The verdict on the changes is the answer, with a calm tone when none explains it."""
    changes = ev.ChangesRanked(round=1, changes=(), none_explains=True, verdict="No change explains this")

    assert (Tone.WELL, "No change explains this") == (
        answers(state=replace(BARE, changes=changes))[2].tone,
        answers(state=replace(BARE, changes=changes))[2].text,
    )


def test_no_change_explains_it_only_where_everybody_could_look() -> None:
    """A source of changes that failed is named beside the verdict, and the tone is not calm."""
    changes = ev.ChangesRanked(round=1, changes=(), none_explains=True, verdict="No change explains this")
    failed = replace(finding("f1-changes-1", status=FindingStatus.FAILED), collector="changes", source="github:code")
    found = answers(failed, state=replace(BARE, changes=changes))[2]

    assert (Tone.UNKNOWN, "No change explains this; github:code could not be asked") == (found.tone, found.text)


def test_a_report_without_a_start_is_dated_by_itself() -> None:
    """That somebody reported it now does not say that it began now."""
    assert "when it was reported" in answers(state=replace(BARE, source="report", started_at=NOW))[1].text


def test_a_service_that_nobody_calls_is_no_dependency() -> None:
    """That the gateway does not answer is the trouble, and not that of something it depends on."""
    down = finding("f1-dependencies-1", reading("dependency_up", "gateway", 0, 1, target="gateway"))

    assert "nobody measures them" == answers(down)[4].text


def test_how_wide_counts_requests_and_services() -> None:
    """The measured impact is said in figures."""
    impact = Impact(at=NOW, down=("payments",), affected=("checkout",), failed_requests=1247, total_requests=2711)

    assert "1,247 of 2,711 requests failed (46 %); 2 services: payments, checkout" == (
        answers(state=replace(BARE, impact=impact))[3].text
    )


def test_a_slow_dependency_is_not_healthy() -> None:
    """A call that became slow is named with its figures."""
    slow = finding("f1-calls-1", reading("dependency_latency_p95_ms", "payments", 2300, 46, target="acquirer"))

    assert "no: payments calling acquirer: P95 latency 2,300 ms, normal 46 ms" == answers(slow)[4].text


def test_calm_dependencies_are_named() -> None:
    """Dependencies that were looked at and are well are named."""
    calm = finding("f1-calls-1", reading("dependency_latency_p95_ms", "payments", 46, 46, target="acquirer"))

    assert (Tone.WELL, "yes: acquirer") == (answers(calm)[4].tone, answers(calm)[4].text)


def test_a_full_pool_is_a_saturated_resource() -> None:
    """What is full is named with its service."""
    full = finding("f1-metrics-1", reading("saturation", "payments", 1.0, 0.1, resource="db_pool"))

    assert "yes: payments: db_pool usage 100 %, normal 10 %" == answers(full)[5].text


def test_a_workaround_follows_from_the_cause() -> None:
    """When calls to a slow dependency can be cut off, that is told as a possible workaround."""
    ranking = ranked(
        [
            finding(
                "f1-metrics-1",
                reading("latency_p95_ms", "payments", 2300, 60),
                reading("dependency_latency_p95_ms", "payments", 2250, 46, target="acquirer"),
            )
        ]
    )
    state = replace(BARE, hypotheses=ranking.hypotheses, cause_known=True)

    assert "perhaps: calls can be cut off or put off" == answers(state=state)[6].text
