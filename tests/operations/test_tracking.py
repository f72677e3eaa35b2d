"""Trackers through the door: the overview asks them when it is told to, and what they tell is without its secrets."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from stanch.app.world import open_world
from stanch.catalog.model import Catalog, Service
from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry import SentryTracker
from stanch.kernel.actor import Actor, ActorKind, Via
from stanch.kernel.clock import ManualClock
from stanch.kernel.errors import Invalid, NotFound
from stanch.operations.incident import LookAround, show_overview
from stanch.operations.tracking import AskTracker, LookAtErrors, LookAtService, errors, query, releases
from stanch.operations.world import Call, World
from stanch.ports.query import SystemSpec
from tests.support.sentry import TOKEN, Issue, Release, every
from tests.support.sentryorg import Requests, SentryOrganization, sentry_organization

NOW = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
ONSET = NOW - timedelta(minutes=23)
DAY = NOW - timedelta(hours=26)
ALICE = Actor(id="alice", kind=ActorKind.PERSON)


@pytest.fixture
def sentry() -> Iterator[SentryOrganization]:
    """Give an organization whose payments fail since 23 minutes."""
    with sentry_organization() as found:
        found.issues.append(
            Issue(id="1", title="AuthError: password=hunter2hunter2 was refused", seen=every(1.1, start=ONSET, end=NOW))
        )
        found.requests += [
            Requests(start=DAY, end=ONSET, per_s=2, failing=0.002, p95_ms=120),
            Requests(start=ONSET, end=NOW, per_s=2, failing=0.45, p95_ms=140),
        ]
        found.releases.append(Release(version="payments@3.2.1", deployed_at=ONSET - timedelta(minutes=2)))
        yield found


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """Give a world without any tracker."""
    catalog = Catalog(root=str(tmp_path), services={"payments": Service(name="payments", tier=1)})
    found = open_world(catalog=catalog, database=tmp_path / "stanch.db", clock=ManualClock(NOW))
    yield found
    found.store.close()


def call(world: World, sentry: SentryOrganization, *, secret: str = TOKEN) -> Call:
    """Return a call in a world that has the organization as its tracker."""
    spec = SystemSpec(
        name="sentry",
        kind="sentry",
        url=sentry.url,
        secret=secret,
        settings={"organization": "shop"},
        timeout_s=30.0,
    )
    trackers = (SentryTracker(spec, fetch=HttpGet()),)
    return Call(world=replace(world, trackers=trackers), actor=ALICE, via=Via.CLI)


def test_the_overview_asks_nobody_outside_by_itself(world: World, sentry: SentryOrganization) -> None:
    """The page that everybody has open would else ask all day."""
    show_overview(call(world, sentry), LookAround())

    assert [] == sentry.paths


def test_the_overview_has_what_a_tracker_sees(world: World, sentry: SentryOrganization) -> None:
    """Kind, severity, start, and the release that fits."""
    seen = show_overview(call(world, sentry), LookAround(outside=True)).seen[0]

    assert ("error-spike", "SEV1", ONSET, "payments@3.2.1") == (
        seen.kind,
        seen.severity,
        seen.started_at,
        seen.release.version if seen.release else "",
    )


def test_one_kind_of_trouble_can_be_asked_for(world: World, sentry: SentryOrganization) -> None:
    """What is of another kind is left out."""
    found = show_overview(call(world, sentry), LookAround(outside=True, type="performance-degradation"))

    assert () == found.seen


def test_a_tracker_that_does_not_tell_is_said(world: World, sentry: SentryOrganization) -> None:
    """The overview comes all the same."""
    found = show_overview(call(world, sentry, secret="wrong"), LookAround(outside=True))

    hint = "how it is connected, and what the token may: stanch sentry status"

    assert [f"Sentry answered 401: the token is not accepted: Invalid token ({hint})"] == [
        one.problem for one in found.asked
    ]


def test_no_secret_in_an_errors_title_comes_through(world: World, sentry: SentryOrganization) -> None:
    """It is somebody's text."""
    found = errors(call(world, sentry), LookAtErrors(service="payments"))

    assert [False] == ["hunter2hunter2" in one.issue.title for one in found.errors]


def test_a_release_is_told_with_what_it_brought(world: World, sentry: SentryOrganization) -> None:
    """In a sentence, and by the keys of the errors."""
    found = releases(call(world, sentry), LookAtService(service="payments"))

    assert ("1 error began after payments@3.2.1, the first 2 minutes after it.", ("PAYMENTS-1",)) == (
        found.verdict,
        found.releases[0].brought,
    )


def test_without_a_tracker_it_says_where_to_begin(world: World) -> None:
    """And asks nothing."""
    with pytest.raises(NotFound) as missing:
        errors(Call(world=world, actor=ALICE, via=Via.CLI), LookAtErrors())

    assert "connect Sentry: docs/sentry.md" == missing.value.hint


def test_a_dataset_that_there_is_not_is_refused(world: World, sentry: SentryOrganization) -> None:
    """Before anything is asked."""
    with pytest.raises(Invalid):
        query(call(world, sentry), AskTracker(dataset="secrets"))

    assert [] == sentry.paths
