"""Sentry's own MCP server, as it is released, between Stanch and the small Sentry of the tests."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from stanch.integrations.sentry.mcptracker import McpTracker
from stanch.integrations.sentry.throughmcp import McpCollector, McpDesk
from stanch.kernel.errors import Refused
from stanch.ports.evidence import FindingStatus, Question
from stanch.ports.issues import Act, Stage, Writing
from stanch.ports.tracker import FreeQuery, Period
from tests.support.sentry import TOKEN, Issue, Release, Spans, every
from tests.support.sentry_behind import SentryBehind, real_server, sentry_behind
from tests.support.sentry_writing import blocks
from tests.support.sentryorg import Requests

pytestmark = pytest.mark.slow

WRITING = {"write_back": "status assign note", "seer": "true"}


@pytest.fixture
def now() -> datetime:
    """Give the present: the server's periods end by its own clock."""
    return datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def sentry(now: datetime) -> Iterator[SentryBehind]:
    """Give a Sentry in which payments fails since 20 minutes, since a release, and has an older error."""
    onset = now - timedelta(minutes=20)
    with sentry_behind() as found:
        found.issues += [
            Issue(id="4400", seen=every(2, start=onset, end=now)),
            Issue(id="7", title="DeprecationWarning", seen=every(600, start=now - timedelta(hours=30), end=now)),
        ]
        found.requests += [
            Requests(start=now - timedelta(hours=40), end=onset, per_s=2, failing=0.001, p95_ms=120),
            Requests(start=onset, end=now + timedelta(hours=1), per_s=2, failing=0.45, p95_ms=140),
        ]
        found.releases += [
            Release(version="3.2.1", deployed_at=onset - timedelta(minutes=2)),
            Release(version="3.2.0", deployed_at=onset - timedelta(days=3)),
        ]
        found.spans.append(Spans(start=now - timedelta(hours=1), end=now, ms=90))
        yield found


def question(now: datetime) -> Question:
    """Ask about payments, 20 minutes after the onset."""
    onset = now - timedelta(minutes=20, seconds=5)
    return Question(incident=1, services=("payments",), start=onset - timedelta(hours=1), end=now, onset=onset)


def note(*, again: bool = False) -> Writing:
    """Return a note on the issue."""
    return Writing(id="w", act=Act.NOTE, issue="PAYMENTS-4400", value="d", text="INC-1\nmark", mark="mark", again=again)


def period(now: datetime) -> Period:
    """Return the newest half hour."""
    return Period(start=now - timedelta(minutes=30), end=now)


def test_the_collector_reads_issues(sentry: SentryBehind, now: datetime) -> None:
    """The issue that is new since the onset stands out, with what the server counts in a day."""
    [found] = McpCollector(real_server(sentry)).collect(question(now))

    expected = (
        "payments: TypeError: 'NoneType' object is not subscriptable, new since the onset, 600 times in the last 24h; "
        "600 users met it; at card_of"
    )
    assert (FindingStatus.OK, expected) == (found.status, found.summary)
    assert [("sentry/PAYMENTS-4400", True), ("sentry/PAYMENTS-7", False)] == [
        (one.data["fingerprint"], one.data["raised"]) for one in found.signals
    ]


def test_a_project_that_is_not_there(sentry: SentryBehind, now: datetime) -> None:
    """It has no data, in the words of the server."""
    [found] = McpCollector(real_server(sentry, project="nothing")).collect(question(now))

    assert FindingStatus.NO_DATA == found.status


def test_a_token_that_may_not(sentry: SentryBehind, now: datetime) -> None:
    """What Sentry refuses to the server is a finding that was refused."""
    sentry.answers = 403
    [found] = McpCollector(real_server(sentry)).collect(question(now))

    expected = "payments: Sentry answered 403 to its MCP server: You do not have permission to perform this action."
    assert (FindingStatus.REFUSED, expected) == (found.status, found.summary)


@pytest.mark.parametrize("issue", ["4400", "PAYMENTS-4400"])
def test_a_status_is_written(sentry: SentryBehind, issue: str) -> None:
    """An issue is named by its number or by its short name."""
    desk = McpDesk(real_server(sentry, **WRITING))
    desk.write(Writing(id="w", act=Act.STATUS, issue=issue, value="resolved"))
    desk.write(Writing(id="w", act=Act.ASSIGN, issue=issue, value="pay"))

    assert {"status": "resolved", "assignedTo": "team:pay"} == sentry.written.issue


def test_a_note_is_written_once(sentry: SentryBehind) -> None:
    """The server has its tools for notes behind another; a note that stands there is found."""
    desk = McpDesk(real_server(sentry, **WRITING))
    said = [desk.write(note()), desk.write(note(again=True))]

    assert (["note written", "the note stands there"], ["INC-1\nmark"]) == (said, sentry.written.notes)


def test_a_skill_that_is_not_granted(sentry: SentryBehind) -> None:
    """The refusal names the skill."""
    with pytest.raises(Refused, match="its skill triage is not granted"):
        McpDesk(real_server(sentry, "--skills=inspect", **WRITING)).write(
            Writing(id="w", act=Act.STATUS, issue="4400", value="resolved")
        )


def test_an_analysis_is_read(sentry: SentryBehind) -> None:
    """An analysis is read out of the text that the server makes of it."""
    sentry.written.seer = blocks()
    found = McpDesk(real_server(sentry, **WRITING)).analysis("PAYMENTS-4400", started=True)

    assert (Stage.COMPLETED, "12345") == (found.stage, found.run)
    assert "The form sends no amount when the cart is empty." == found.cause
    assert ("the amount is read from the first line", "an empty cart has none") == found.whys
    assert ("Check the cart: before the amount is read",) == found.steps


def test_an_analysis_that_cannot_be_read(sentry: SentryBehind) -> None:
    """One that the server has no text of has failed, says where it stands, and nothing waits for it."""
    sentry.written.seer = {"run_id": 1, "status": "completed", "blocks": []}
    found = McpDesk(real_server(sentry, **WRITING)).analysis("PAYMENTS-4400", started=True)

    assert (Stage.FAILED, True) == (found.stage, found.detail.endswith("it stands in Sentry"))


def test_an_analysis_that_failed(sentry: SentryBehind) -> None:
    """Seer's end without a result is one."""
    sentry.written.seer = {"run_id": 1, "status": "error", "blocks": []}
    found = McpDesk(real_server(sentry, **WRITING)).analysis("PAYMENTS-4400", started=True)

    assert (Stage.FAILED, "Seer's analysis ended as: Failed") == (found.stage, found.detail)


def test_no_seer(sentry: SentryBehind) -> None:
    """An organization without Seer says so, in Sentry's words."""
    sentry.written.seer_on = False
    with pytest.raises(Refused, match="AI Autofix is not enabled") as raised:
        McpDesk(real_server(sentry, **WRITING)).analyse("PAYMENTS-4400", context="")

    assert "not_enabled" == raised.value.reason


def test_how_everything_stands(sentry: SentryBehind, now: datetime) -> None:
    """Figures with their normal, errors with their first event, and releases come in one session."""
    found = McpTracker(real_server(sentry)).standing(now=now)

    [figures] = found.services
    assert (0.45, 0.001) == (figures.error_ratio.value, figures.error_ratio.normal)
    assert (140, 120) == (figures.latency_p95.value, figures.latency_p95.normal)
    assert [("PAYMENTS-4400", 600, True), ("PAYMENTS-7", 12, False)] == [
        (one.key, one.events, one.first_seen is not None) for one in found.issues
    ]
    assert [("3.2.1", "payments"), ("3.2.0", "payments")] == [(one.version, one.service) for one in found.releases]


def test_what_cannot_be_told(sentry: SentryBehind, now: datetime) -> None:
    """What no tool tells is said, beside what they do tell."""
    found = McpTracker(real_server(sentry, "--skills=triage,seer")).standing(now=now)

    assert (
        "metric alerts: Sentry's MCP server has no tool for them",
        "releases: Sentry's MCP server has no find_releases: its skill inspect is not granted",
        "trends of errors: Sentry's MCP server counts them over a whole period",
    ) == found.lacking


def test_close_looks(sentry: SentryBehind, now: datetime) -> None:
    """Errors beside the stretch before, steps and free queries are answered over the period that was asked about."""
    tracker = McpTracker(real_server(sentry))
    errors = tracker.errors(service="payments", period=period(now))
    steps = tracker.steps(service="payments", period=period(now), normal=Period(start=now, end=now))
    table = tracker.query(FreeQuery(dataset="errors", text="", fields=("project", "count()")), period=period(now))

    assert [("PAYMENTS-4400", 600, 0), ("PAYMENTS-7", 3, 3)] == [
        (one.key, one.events, one.events_before) for one in errors
    ]
    assert ["http.client POST /charge"] == [one.name for one in steps]
    assert ({"project": "payments", "count()": 603},) == table.rows


def test_a_query_that_does_not_count(sentry: SentryBehind, now: datetime) -> None:
    """Single events would come as text for reading: refused, and nothing is asked."""
    with pytest.raises(Refused, match="has to count"):
        McpTracker(real_server(sentry)).query(
            FreeQuery(dataset="errors", text="", fields=("title",)), period=period(now)
        )

    assert [] == sentry.site.asked


def test_how_it_is_connected(sentry: SentryBehind) -> None:
    """A connection names the skills that the server has, and no token."""
    found = McpTracker(real_server(sentry, "--skills=inspect,seer")).connection()

    assert (("skill:inspect", "skill:seer"), ()) == (found.scopes, found.missing)
    assert TOKEN not in str(found)


def test_a_connection_that_is_worth_nothing(sentry: SentryBehind) -> None:
    """A token that Sentry does not know shows when one looks how it is connected."""
    sentry.answers = 401
    with pytest.raises(Refused, match="does not take the token"):
        McpTracker(real_server(sentry)).connection()
