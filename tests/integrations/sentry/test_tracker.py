"""Sentry as a tracker: how everything stands in few calls, the close looks, page by page, within its limits."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry import SentryTracker
from stanch.integrations.sentry.api import SentryApi, next_cursor
from stanch.kernel.errors import Invalid, Refused, Unavailable
from stanch.ports.query import SystemSpec
from stanch.ports.tracker import FreeQuery, Period
from tests.support.sentry import TOKEN, Issue, Release, Spans, every
from tests.support.sentryorg import Requests, SentryOrganization, metric_incident, sentry_organization, suspect

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=23)
DAY = NOW - timedelta(hours=26)
LAST_HOUR = Period(start=NOW - timedelta(hours=1), end=NOW)
TIMEOUT_S = 30.0


@pytest.fixture
def sentry() -> Iterator[SentryOrganization]:
    """Give an organization whose payments fail since 23 minutes, 2 minutes after a deploy."""
    with sentry_organization() as found:
        found.issues += [
            Issue(id="1", seen=every(1.1, start=ONSET, end=NOW), releases=("payments@3.2.1",)),
            Issue(id="2", title="Timeout: as ever", seen=every(60, start=DAY, end=NOW)),
        ]
        found.requests += [
            Requests(start=DAY, end=ONSET, per_s=2, failing=0.002, p95_ms=120),
            Requests(start=ONSET, end=NOW, per_s=2, failing=0.45, p95_ms=140),
        ]
        found.releases += [
            Release(version="payments@3.2.1", deployed_at=ONSET - timedelta(minutes=2)),
            Release(version="payments@3.2.0", deployed_at=ONSET - timedelta(hours=20)),
        ]
        found.incidents.append(metric_incident(started_at=ONSET))
        found.suspects["payments"] = [suspect()]
        found.teams += ["payments", "platform"]
        found.crashed = {"payments@3.2.1": (900, 100), "payments@3.2.0": (1_000, 0)}
        yield found


def tracker(sentry: SentryOrganization, *, secret: str = TOKEN, services: tuple[str, ...] = ()) -> SentryTracker:
    """Return the organization as a tracker."""
    spec = SystemSpec(
        name="sentry",
        kind="sentry",
        url=sentry.url,
        secret=secret,
        services=services,
        settings={"organization": "shop"},
        timeout_s=TIMEOUT_S,
    )
    return SentryTracker(spec, fetch=HttpGet())


def api(sentry: SentryOrganization) -> SentryApi:
    """Return the organization's API."""
    spec = SystemSpec(name="sentry", kind="sentry", url=sentry.url, secret=TOKEN, settings={"organization": "shop"})
    return SentryApi(spec, fetch=HttpGet())


def test_how_everything_stands_is_seven_calls(sentry: SentryOrganization) -> None:
    """For the whole organization; asked again at once, there is none."""
    found = tracker(sentry)
    found.standing(now=NOW)
    found.standing(now=NOW)

    assert ["events/"] * 4 + ["incidents/", "issues/", "releases/"] == sorted(sentry.paths)


def test_the_error_rate_stands_beside_the_day_before(sentry: SentryOrganization) -> None:
    """The newest quarter of an hour; normal is a day that ended before the two hours in which errors are listed."""
    ratio = tracker(sentry).standing(now=NOW).services[0].error_ratio

    assert (0.45, 0.002, 15 * 60, 24 * 3_600) == (
        ratio.value,
        ratio.normal,
        ratio.period.length_s,
        ratio.normal_period.length_s if ratio.normal_period else None,
    )


def test_an_issue_says_which_period_it_was_counted_in(sentry: SentryOrganization) -> None:
    """1,255 events in 23 minutes; the buckets cover the two hours."""
    issue = tracker(sentry).standing(now=NOW).issues[0]

    assert (1_254, 2 * 3_600, 24) == (issue.events, issue.period.length_s, len(issue.buckets))


def test_what_is_refused_is_said_and_costs_the_others_nothing(sentry: SentryOrganization) -> None:
    """A token without a right sees the rest."""
    sentry.denied = ("incidents",)
    found = tracker(sentry).standing(now=NOW)

    said = "Sentry answered 403: the token may not read this: You do not have permission to perform this action."

    assert ((f"metric alerts: {said}",), 2) == (found.lacking, len(found.issues))


def test_without_traces_it_says_that_no_error_rate_is_known(sentry: SentryOrganization) -> None:
    """That there is no figure is not that all is well."""
    sentry.requests.clear()

    assert ("no traces are sent, so no error rate and no latency is known",) == tracker(sentry).standing(
        now=NOW
    ).lacking


def test_where_nothing_at_all_is_answered_it_is_an_error(sentry: SentryOrganization) -> None:
    """A wrong token is not a quiet day."""
    with pytest.raises(Refused):
        tracker(sentry, secret="wrong").standing(now=NOW)


def test_an_error_is_looked_into(sentry: SentryOrganization) -> None:
    """Where it was raised, in which release, which commit is suspected, how often before."""
    first = tracker(sentry).errors(service="payments", period=LAST_HOUR)[0]

    assert ("payments/validation.py:31 in card_of", ("3.2.1",), "take the card's country", 0) == (
        first.at,
        first.releases,
        first.suspects[0].title,
        first.events_before,
    )


def test_one_error_is_found_by_its_key(sentry: SentryOrganization) -> None:
    """As people name it."""
    found = tracker(sentry).errors(service="", period=LAST_HOUR, issue="PAYMENTS-2")

    assert ["Timeout: as ever"] == [one.title for one in found]


@pytest.mark.parametrize(("period", "events"), [(LAST_HOUR, 60), (Period(start=NOW, end=NOW + timedelta(hours=1)), 0)])
def test_one_error_is_found_by_its_number(sentry: SentryOrganization, period: Period, events: int) -> None:
    """With its events of the period that was asked about, not of all time: none where it did not come."""
    found = tracker(sentry).errors(service="", period=period, issue="2")

    assert [("PAYMENTS-2", events)] == [(one.key, one.events) for one in found]


@pytest.mark.parametrize("issue", [".", ".."])
def test_a_key_that_climbs_is_none(sentry: SentryOrganization, issue: str) -> None:
    """It would ask for the organization itself, whoever gave it."""
    with pytest.raises(Invalid):
        tracker(sentry).errors(service="", period=LAST_HOUR, issue=issue)


def test_releases_come_with_their_health(sentry: SentryOrganization) -> None:
    """The share of sessions without a crash, over the period that was asked about."""
    found = tracker(sentry).releases(service="payments", period=LAST_HOUR)

    assert [("payments@3.2.1", 0.9, 1_000), ("payments@3.2.0", 1.0, 1_000)] == [
        (one.version, one.crash_free, one.sessions) for one in found
    ]


def test_steps_stand_beside_the_day_before(sentry: SentryOrganization) -> None:
    """A call that takes twenty times as long is slower."""
    sentry.spans += [Spans(start=DAY, end=ONSET, ms=120.0), Spans(start=LAST_HOUR.start, end=NOW, ms=2_400.0)]
    normal = Period(start=LAST_HOUR.start - timedelta(hours=24), end=LAST_HOUR.start)
    step = tracker(sentry).steps(service="payments", period=LAST_HOUR, normal=normal)[0]

    assert ("http.client POST /charge", 2_400.0, 120.0, True) == (
        step.name,
        step.latency_p95.value,
        step.latency_p95.normal,
        step.slower,
    )


def test_a_free_query_gives_rows(sentry: SentryOrganization) -> None:
    """With the command that repeats it, which holds no token."""
    asked = FreeQuery(dataset="errors", text="level:error", fields=("project", "count()"))
    table = tracker(sentry).query(asked, period=LAST_HOUR)

    assert ([{"project": "payments", "count()": 1_254 + 60}], True, False) == (
        [{name: row[name] for name in ("project", "count()")} for row in table.rows],
        "$SENTRY_TOKEN" in table.command,
        TOKEN in table.command,
    )


def test_a_free_query_gives_a_series(sentry: SentryOrganization) -> None:
    """In Unix seconds, a value every ten minutes."""
    asked = FreeQuery(dataset="errors", text="", fields=("count()",), every_s=600)
    points = tracker(sentry).query(asked, period=LAST_HOUR).series["count()"]

    assert [(LAST_HOUR.start.timestamp() + 600 * n, float(n)) for n in range(6)] == list(points)


def test_a_list_is_read_page_by_page(sentry: SentryOrganization) -> None:
    """Until the header says that there is no next page, although it always names one."""
    sentry.page_of = 1
    found = [one.slug for one in tracker(sentry).teams()]

    assert (["payments", "platform"], 2) == (found, len(sentry.paths))


def test_no_more_is_read_than_is_wanted(sentry: SentryOrganization) -> None:
    """And it says that there was more."""
    sentry.page_of = 1
    rows, more = api(sentry).pages("teams", timeout_s=TIMEOUT_S, most=1)

    assert (1, True, 1) == (len(rows), more, len(sentry.paths))


@pytest.mark.parametrize(
    ("link", "cursor"),
    [
        ('<https://s/x>; rel="previous"; results="true"; cursor="0:0:1"', ""),
        ('<https://s/x?a=1,2>; rel="next"; results="true"; cursor="0:100:0"', "0:100:0"),
        ('<https://s/x>; rel="next"; results="false"; cursor="0:100:0"', ""),
        ("nonsense", ""),
        ("", ""),
    ],
)
def test_the_next_page_is_there_only_where_it_says_so(link: str, cursor: str) -> None:
    """A link without results is where the list ends."""
    assert cursor == next_cursor(link)


def test_nothing_is_asked_until_the_limit_is_over(sentry: SentryOrganization) -> None:
    """An answer 429 that names the second closes every further call until then."""
    sentry.limited, sentry.reset_at = 1, time.time() + 600
    found = api(sentry)
    for _ in range(2):
        with pytest.raises(Unavailable):
            found.objects("teams", timeout_s=TIMEOUT_S)

    assert 1 == len(sentry.paths)


def test_the_rights_of_a_token_are_known(sentry: SentryOrganization) -> None:
    """What it lacks is named."""
    sentry.scopes = ("event:read", "project:releases")

    assert ("org:read",) == tracker(sentry).connection().missing


def test_where_a_token_does_not_say_its_rights_each_is_tried(sentry: SentryOrganization) -> None:
    """By a call that needs it."""
    sentry.says_scopes, sentry.denied = False, ("releases",)

    assert ("project:read",) == tracker(sentry).connection().missing


def test_a_wrong_token_is_no_missing_right(sentry: SentryOrganization) -> None:
    """It is refused, with the reason."""
    with pytest.raises(Refused):
        tracker(sentry, secret="wrong").connection()
