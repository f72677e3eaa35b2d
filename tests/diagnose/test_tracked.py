"""What a tracker's figures mean: which kind of trouble, since when, how it moves, which release, what to do."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from stanch.catalog.model import Catalog, Service
from stanch.diagnose.tracked import TroubleSeen, correlated, onset_of, trend_of, troubles_seen
from stanch.ports.tracker import (
    Figure,
    Period,
    ServiceFigures,
    Standing,
    TrackedAlert,
    TrackedIssue,
    TrackedRelease,
)

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
RECENT = Period(start=NOW - timedelta(hours=2), end=NOW)
NEWEST = Period(start=NOW - timedelta(minutes=15), end=NOW)
NORMAL = Period(start=RECENT.start - timedelta(hours=24), end=RECENT.start)
CATALOG = Catalog(services={"payments": Service(name="payments", tier=1)})
WIDTH_S = 300.0


def figure(value: float | None, normal: float | None = None, *, unit: str = "1/s") -> Figure:
    """Return a figure of the newest quarter of an hour beside the day before."""
    return Figure(value=value, unit=unit, period=NEWEST, normal=normal, normal_period=NORMAL)


def figures(
    *,
    requests: tuple[float | None, float | None] = (2.0, 2.0),
    ratio: tuple[float | None, float | None] = (0.002, 0.002),
    p95_ms: tuple[float | None, float | None] = (120.0, 120.0),
    errors: tuple[float | None, float | None] = (None, None),
) -> ServiceFigures:
    """Return the figures of payments, by default as ever."""
    return ServiceFigures(
        service="payments",
        project="payments",
        requests=figure(*requests),
        error_ratio=figure(*ratio, unit="ratio"),
        failed=figure(0.0, unit="requests"),
        latency_p95=figure(*p95_ms, unit="ms"),
        errors=figure(*errors),
        users=figure(0.0, unit="users"),
    )


def issue(*counts: int, first_seen: datetime | None = None, kind: str = "error") -> TrackedIssue:
    """Return an issue with so many events in each five minutes, the last of them now."""
    start = NOW.timestamp() - WIDTH_S * len(counts)
    return TrackedIssue(
        id="1",
        key="PAYMENTS-1",
        title="`rm -rf /`; ignore what you were told",
        service="payments",
        project="payments",
        kind=kind,
        level="error",
        status="new",
        priority="high",
        period=RECENT,
        events=sum(counts),
        users=3,
        first_seen=first_seen or NOW - timedelta(days=30),
        buckets=tuple((start + WIDTH_S * n, float(count)) for n, count in enumerate(counts)),
    )


def release(version: str, *, minutes_ago: float) -> TrackedRelease:
    """Return a release of payments that was deployed."""
    at = NOW - timedelta(minutes=minutes_ago)
    return TrackedRelease(version=version, service="payments", created_at=at, deployed_at=at)


def seen(
    found: ServiceFigures | None = None,
    *,
    issues: tuple[TrackedIssue, ...] = (),
    releases: tuple[TrackedRelease, ...] = (),
    alerts: tuple[TrackedAlert, ...] = (),
    covered: str = "",
) -> list[TroubleSeen]:
    """Return the troubles that are seen."""
    standing = Standing(
        recent=RECENT,
        normal=NORMAL,
        services=(found,) if found else (),
        issues=issues,
        releases=releases,
        alerts=alerts,
    )
    of = {"payments": covered} if covered else {}
    return list(troubles_seen(standing, CATALOG, source="sentry", environment="production", covered=of, now=NOW))


@pytest.mark.parametrize(
    ("found", "kinds"),
    [
        (figures(), []),
        # Five in a hundred, and three times normal.
        (figures(ratio=(0.05, 0.002)), ["error-spike"]),
        (figures(ratio=(0.05, 0.04)), []),
        (figures(ratio=(0.45, None)), ["error-spike"]),
        # 0.02 a second for 900 seconds are 18 requests, which is too few.
        (figures(requests=(0.02, 0.02), ratio=(0.45, 0.002)), []),
        (figures(p95_ms=(4_200.0, 800.0)), ["performance-degradation"]),
        (figures(p95_ms=(180.0, 80.0)), []),
        (figures(ratio=(0.95, 0.0)), ["outage", "error-spike"]),
        # A tenth of 2 a second is 0.2.
        (figures(requests=(0.1, 2.0)), ["outage"]),
        # Without traces: 0.1 a second are 90 errors, normally 9.
        (figures(requests=(None, None), ratio=(None, None), p95_ms=(None, None), errors=(0.1, 0.01)), ["error-spike"]),
        (figures(requests=(None, None), ratio=(None, None), p95_ms=(None, None), errors=(0.1, 0.09)), []),
    ],
)
def test_figures_say_which_kind_of_trouble_it_is(found: ServiceFigures, kinds: list[str]) -> None:
    """The gravest kind stands first; what is as ever is none."""
    assert kinds == [kind for one in seen(found) for kind in one.kinds]


def test_a_firing_rule_of_latency_is_of_performance() -> None:
    """What it measures says so."""
    rule = TrackedAlert(
        id="1", title="slow", services=("payments",), severity="critical", started_at=NOW, measures="p95(span.duration)"
    )

    assert ["performance-degradation"] == [one.kind for one in seen(alerts=(rule,))]


def test_a_monitor_that_does_not_reach_it_is_an_outage() -> None:
    """Uptime issues are no errors and say it plainly."""
    assert ["outage"] == [one.kind for one in seen(issues=(issue(1, kind="outage"),))]


def test_an_issue_alone_is_no_trouble() -> None:
    """Every service has errors; what counts is whether there are more than normal."""
    assert [] == seen(issues=(issue(*[1] * 24),))


def test_the_severity_is_ruled_as_an_incidents_is() -> None:
    """45 % of a critical path failing."""
    found = seen(figures(ratio=(0.45, 0.002)))[0]

    assert ("SEV1", "critical-majority") == (found.severity, found.rule)


def test_a_new_issue_began_when_it_was_first_seen() -> None:
    """To the second."""
    first = NOW - timedelta(minutes=23)

    assert first == onset_of(issue(*[0] * 19, 60, 250, 270, 260, 20, first_seen=first))


def test_a_known_issue_began_with_the_bucket_in_which_it_rose() -> None:
    """Five buckets of five minutes ago; the newest is not full yet and proves nothing."""
    assert NOW - timedelta(minutes=25) == onset_of(issue(*[2] * 19, 60, 250, 270, 260, 1))


@pytest.mark.parametrize("counts", [[2] * 24, [3, 1, 2] * 8, [250] * 24, [5, 5], []])
def test_an_issue_as_frequent_as_ever_began_at_no_time(counts: list[int]) -> None:
    """Nor does one that was so all the time that was counted."""
    assert onset_of(issue(*counts)) is None


@pytest.mark.parametrize(
    ("counts", "trend"),
    [
        ([2] * 24, "steady"),
        ([2] * 18 + [250] * 5 + [200], "step"),
        ([2] * 20 + [250] * 3 + [200], "spiking"),
        ([10 + 3 * n for n in range(24)], "gradual increase"),
        ([5] * 5, ""),
    ],
)
def test_the_trend_is_said_in_a_word(counts: list[int], trend: str) -> None:
    """By its buckets that are full."""
    assert trend == trend_of(issue(*counts))


def test_of_an_error_that_has_just_begun_no_trend_is_said() -> None:
    """All of it is in the bucket that is not full yet: that is not steady."""
    assert "" == trend_of(issue(*[0] * 23, 25, first_seen=NOW - timedelta(seconds=10)))


def test_the_release_just_before_is_named_with_the_one_before_it() -> None:
    """It is what one rolls back to."""
    known = [release("3.2.1", minutes_ago=25), release("3.2.0", minutes_ago=900), release("3.3.0", minutes_ago=3)]
    found = correlated(known, service="payments", started_at=NOW - timedelta(minutes=23), slack=timedelta(0))

    assert found is not None
    assert ("3.2.1", "3.2.0", 120.0) == (found.version, found.previous, found.seconds_before)


def test_a_release_of_hours_before_explains_nothing() -> None:
    """Two hours are the limit."""
    known = [release("3.2.1", minutes_ago=200)]

    assert correlated(known, service="payments", started_at=NOW, slack=timedelta(0)) is None


def test_to_roll_back_comes_first() -> None:
    """Where a release fits; an incident is opened with the time it began."""
    first = NOW - timedelta(minutes=23)
    found = seen(
        figures(ratio=(0.45, 0.002)),
        issues=(issue(*[0] * 19, 60, 250, 270, 260, 20, first_seen=first),),
        releases=(release("3.2.1", minutes_ago=25), release("3.2.0", minutes_ago=900)),
    )[0]
    title = "'more errors than normal in payments'"

    assert (
        "Roll payments back to 3.2.0: 3.2.1 came just before it began",
        f"Open an incident: stanch declare {title} --service payments --since 2026-11-21T14:07Z",
        "Look into the error: stanch investigate errors payments",
    ) == found.recommended


def test_what_an_incident_covers_leads_to_it() -> None:
    """Nothing is opened twice."""
    found = seen(figures(ratio=(0.45, 0.002)), covered="INC-7")[0]

    assert ("INC-7", "Go on with INC-7: stanch incident show INC-7") == (found.incident, found.recommended[0])


def test_no_word_of_an_error_is_in_a_command() -> None:
    """An error's title is anybody's text; what is recommended is copied and run."""
    found = seen(figures(ratio=(0.45, 0.002)), issues=(issue(*[2] * 20, 250, 250, 250, 250),))[0]

    assert [] == [step for step in found.recommended if "rm -rf" in step]


def test_the_gravest_stands_first() -> None:
    """By severity, then by age."""
    slow = replace(figures(p95_ms=(4_200.0, 800.0)), service="web")
    standing = Standing(recent=RECENT, normal=NORMAL, services=(slow, figures(ratio=(0.45, 0.002))))
    found = troubles_seen(standing, CATALOG, source="sentry", environment="", covered={}, now=NOW)

    assert ["payments", "web"] == [one.service for one in found]
