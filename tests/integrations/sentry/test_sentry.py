"""Sentry's issues, spans and deploys as evidence, by its API as a small server speaks it."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry import SentryCollector, SentryDeploys
from stanch.kernel.errors import Unavailable
from stanch.ports.evidence import Finding, FindingStatus, Question, Signal
from stanch.ports.query import SystemSpec
from tests.integrations.systems.far import dripping, flooding, hanging, lying
from tests.support.sentry import TOKEN, FakeSentry, Issue, Release, Spans, every, fake_sentry
from tests.support.servers import free_port

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=2)
START = ONSET - timedelta(hours=1)
ABOUT = Question(incident=1, services=("payments", "acquirer"), start=START, end=NOW, onset=ONSET)
LIMIT_S = 0.8


@pytest.fixture
def sentry() -> Iterator[FakeSentry]:
    """Give a Sentry in which payments fails since the onset, and the acquirer answers slowly."""
    with fake_sentry() as found:
        found.issues += [
            Issue(id="1", seen=every(1, start=ONSET, end=NOW), releases=("payments@3.2.1",)),
            Issue(id="2", title="Timeout: as ever", seen=every(10, start=START, end=NOW)),
        ]
        found.spans += [
            Spans(start=START, end=ONSET, ms=120.0),
            Spans(start=ONSET, end=NOW, ms=2_400.0),
            Spans(start=START, end=NOW, ms=8.0, op="db", description="SELECT * FROM cards", domain="cards"),
        ]
        yield found


def spec(
    url: str, *, secret: str = TOKEN, services: tuple[str, ...] = ("payments",), timeout_s: float = 20.0
) -> SystemSpec:
    """Return a Sentry as a configured system."""
    settings = {"organization": "shop"}
    return SystemSpec(
        name="sentry", kind="sentry", url=url, secret=secret, services=services, settings=settings, timeout_s=timeout_s
    )


def collect(url: str, *, secret: str = TOKEN, timeout_s: float = 20.0) -> dict[str, Finding]:
    """Return what is found about payments, by what was asked."""
    found = SentryCollector(spec(url, secret=secret, timeout_s=timeout_s), fetch=HttpGet()).collect(ABOUT)
    return {one.id.split("/")[1]: one for one in found}


def signals(finding: Finding, name: str) -> list[Signal]:
    """Return the signals of that name."""
    return [one for one in finding.signals if one.name == name]


def test_new_issues_stand_first(sentry: FakeSentry) -> None:
    """An issue that began with the trouble stands before one that is as frequent as ever."""
    found = signals(collect(sentry.url)["issues"], "error_group")

    assert [
        ("TypeError: 'NoneType' object is not subscriptable", 120.0, 0.0, True),
        ("Timeout: as ever", 12.0, 12.0),
    ] == [
        (found[0].text, found[0].value, found[0].normal, found[0].data["raised"]),
        (found[1].text, found[1].value, found[1].normal),
    ]


def test_the_trace_says_where(sentry: FakeSentry) -> None:
    """The last frame of the application is where it was raised; the release is the version without its package."""
    sentry.issues[0] = Issue(
        id="1",
        seen=every(1, start=ONSET, end=NOW),
        frames=(
            ("payments/api.py", 12, "pay"),
            ("payments/validation.py", 31, "card_of"),
            ("site-packages/x.py", 1, "x"),
        ),
        releases=("payments@3.2.1",),
    )
    data = signals(collect(sentry.url)["issues"], "error_group")[0].data

    assert ("payments/validation.py:31 in card_of", ["payments/api.py", "payments/validation.py"], ["3.2.1"]) == (
        data["culprit"],
        data["files"],
        data["versions"],
    )


def test_the_sentence_holds_what_matters(sentry: FakeSentry) -> None:
    """What, how often, whom, in which release, where: in one sentence."""
    assert (
        "payments: TypeError: 'NoneType' object is not subscriptable, 120 times since the onset, never before; "
        "120 users met it; only in release 3.2.1; at payments/validation.py:31 in card_of"
    ) == collect(sentry.url)["issues"].summary


def test_slow_calls_are_told_by_their_target(sentry: FakeSentry) -> None:
    """Spans of calls to a host that is a service speak of that dependency, beside their normal."""
    (found,) = signals(collect(sentry.url)["spans"], "dependency_latency_p95_ms")

    assert ("payments", "acquirer", 2_400.0, 120.0, True) == (
        found.service,
        found.data["target"],
        found.value,
        found.normal,
        found.data["raised"],
    )


def test_what_is_as_ever_is_said_to_be(sentry: FakeSentry) -> None:
    """Without a slower span the finding says how many were looked at."""
    sentry.spans[:2] = []

    assert "payments: no kind of span takes longer than before (1 looked at)" == collect(sentry.url)["spans"].summary


def test_slower_queries_are_long_queries(sentry: FakeSentry) -> None:
    """A query of the database that got slower speaks for slow queries."""
    sentry.spans.append(Spans(start=START, end=ONSET, ms=30.0, op="db.query", description="SELECT 2", domain=""))
    sentry.spans.append(Spans(start=ONSET, end=NOW, ms=900.0, op="db.query", description="SELECT 2", domain=""))
    (found,) = signals(collect(sentry.url)["spans"], "long_queries")

    assert (1.0, "db.query SELECT 2: P95 900 ms, normal 30 ms") == (found.value, found.text)


def test_nothing_found_is_no_comfort(sentry: FakeSentry) -> None:
    """A project without errors is `no_data`."""
    sentry.issues.clear()

    assert FindingStatus.NO_DATA is collect(sentry.url)["issues"].status


def test_a_token_without_the_right_is_refused(sentry: FakeSentry) -> None:
    """A wrong token is refused in words, without the token."""
    found = collect(sentry.url, secret="sntrys_wrong")

    assert ({FindingStatus.REFUSED}, False) == ({one.status for one in found.values()}, "sntrys_" in repr(found))


def test_a_limit_that_is_over_is_asked_again(sentry: FakeSentry) -> None:
    """After an answer 429 that ends now the call is made again."""
    sentry.limited, sentry.reset_at = 1, time.time()
    found = collect(sentry.url)

    assert {FindingStatus.OK} == {one.status for one in found.values()}


def test_a_limit_holds_back_every_call(sentry: FakeSentry) -> None:
    """While the limit lasts nothing more is sent, and the finding says how long it lasts."""
    sentry.limited, sentry.reset_at = 1_000, time.time() + 120
    collector = SentryCollector(spec(sentry.url), fetch=HttpGet())
    first = collector.collect(ABOUT)
    asked = len(sentry.site.asked)
    second = collector.collect(ABOUT)

    assert (True, asked, {FindingStatus.FAILED}) == (
        "limit of calls is reached" in second[0].summary,
        len(sentry.site.asked),
        {one.status for one in (*first, *second)},
    )


def test_services_of_others_are_not_asked_about(sentry: FakeSentry) -> None:
    """With `services` no other project is looked at."""
    collect(sentry.url)

    assert 0 == sum("project=acquirer" in one.path for one in sentry.site.asked)


def test_the_command_repeats_the_question(sentry: FakeSentry) -> None:
    """The command names the call and holds no token."""
    found = collect(sentry.url)["issues"]

    assert (True, False) == (f"{sentry.url}/api/0/organizations/shop/issues/" in found.command, TOKEN in repr(found))


@pytest.mark.parametrize(
    "far", [hanging, lambda: lying(http=True), lambda: flooding(http=True), lambda: dripping(http=True)]
)
def test_a_far_end_that_misbehaves_costs_its_time(far: object) -> None:
    """What hangs, lies, floods or drips is two failed findings within the time."""
    assert callable(far)
    with far() as port:
        began = time.monotonic()
        found = collect(f"http://127.0.0.1:{port}", timeout_s=LIMIT_S)
        took_s = time.monotonic() - began

    assert ({FindingStatus.FAILED}, True) == ({one.status for one in found.values()}, took_s < LIMIT_S + 10)


def test_nobody_there_is_told() -> None:
    """A port with nobody is a failed finding."""
    found = collect(f"http://127.0.0.1:{free_port()}")

    assert {FindingStatus.FAILED} == {one.status for one in found.values()}


def test_a_deploy_names_what_ran_before_it(sentry: FakeSentry) -> None:
    """The deploy before it of the same service, to the same environment: what a roll back goes to."""
    sentry.releases += [
        Release(version="payments@3.2.1", deployed_at=ONSET),
        Release(version="payments@3.2.2", deployed_at=ONSET - timedelta(minutes=1), environment="staging"),
        Release(version="payments@3.2.0", deployed_at=ONSET - timedelta(hours=9)),
    ]
    deploys = SentryDeploys(spec(sentry.url), fetch=HttpGet())

    assert [("3.2.2", ""), ("3.2.1", "3.2.0")] == [
        (one.version, one.previous) for one in deploys.changes(services=(), start=START, end=NOW)
    ]


def test_deploys_are_changes(sentry: FakeSentry) -> None:
    """The newest deploy of a release is a deploy of the project's service, under the id that a posted one has."""
    at = ONSET - timedelta(seconds=30)
    sentry.releases += [Release(version="payments@3.2.1", deployed_at=at), Release(version="payments@3.2.2")]
    (found,) = SentryDeploys(spec(sentry.url), fetch=HttpGet()).changes(services=(), start=START, end=NOW)

    assert ("payments", "3.2.1", at, f"sentry/deploy/payments/payments@3.2.1/production/{at.isoformat()}") == (
        found.service,
        found.version,
        found.at,
        found.id,
    )


def test_deploys_that_cannot_be_read_are_unavailable(sentry: FakeSentry) -> None:
    """A wrong token is no "nothing changed"."""
    with pytest.raises(Unavailable, match="the token is not accepted"):
        SentryDeploys(spec(sentry.url, secret="x"), fetch=HttpGet()).changes(services=(), start=START, end=NOW)
