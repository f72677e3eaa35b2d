"""A tracker's analysis on the page of an incident: its button, how far it is, what it claims; and how Sentry stands."""

from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest

from stanch.app.systems import open_systems
from stanch.catalog.load import read_catalog
from stanch.incidents import events as ev
from stanch.incidents.recorded.tracker import AnalysisOutcome
from stanch.integrations.fetching import HttpGet
from stanch.integrations.sentry import SentryDesk
from stanch.ports.evidence import Finding, FindingStatus
from stanch.ports.query import SystemSpec
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.http import api
from stanch.surfaces.web import pages
from tests.support.sentry import TOKEN
from tests.support.sentryorg import SentryOrganization, sentry_organization
from tests.surfaces.serving import PATIENT_S, serving
from tests.surfaces.web.story import OPERATIONS, START, Story
from tests.surfaces.web.test_comms import text_of

BUTTON = "Analyse issue 4400"


@pytest.fixture
def sentry() -> Iterator[SentryOrganization]:
    """Give a Sentry that may be asked how it is connected."""
    with sentry_organization() as running:
        yield running


@pytest.fixture
def story(story: Story, sentry: SentryOrganization, tmp_path_factory: pytest.TempPathFactory) -> Story:
    """Give a story in whose world Sentry is configured, with its Seer."""
    table = {"kind": "sentry", "url": sentry.url, "organization": "shop", "secret_env": "THE_TOKEN", "seer": True}
    document = {"services": {"payments": {}}, "systems": {"sentry": table}}
    found = read_catalog(document, root=tmp_path_factory.mktemp("sentry"))
    made = open_systems(found, environment={"THE_TOKEN": TOKEN})
    catalog = replace(story.world.catalog, systems=found.systems)
    story.world = replace(story.world, catalog=catalog, desks=made.desks, trackers=made.trackers)
    return story


@pytest.fixture
def client(story: Story) -> Iterator[httpx2.Client]:
    """Give a browser of Alice's on the pages of that world."""
    front = Front.of(story.world, OPERATIONS)
    routes = [*api.routes(front), *pages.routes(front)]
    with (
        serving(application(front, routes=routes, page_error=pages.page_error(front)), front) as address,
        httpx2.Client(
            base_url=address, cookies={"stanch_person": "alice"}, headers={"accept": "text/html"}, timeout=PATIENT_S
        ) as opened,
    ):
        yield opened


def with_issue(story: Story) -> None:
    """Declare the incident, and attach an alert of Sentry's with its issue."""
    story.declare()
    labels = {"alertname": "SentryIssue", "issue_id": "4400", "service": "payments"}
    story.say(
        ev.AlertAttached(
            alert="sentry/4400", summary="TypeError", reading=None, starts_at=START, labels=labels, source="sentry"
        )
    )


def claim() -> ev.FindingRecorded:
    """Return what an analysis claims as the cause, as it is kept."""
    return ev.FindingRecorded(
        round=1,
        finding=Finding(
            id="a1-cause",
            collector="sentry:analysis",
            source="analysis of issue 4400 by sentry",
            command="",
            status=FindingStatus.OK,
            summary="An analysis claims",
            start=START,
            end=START,
            data={"untrusted": True, "claim": "<b>An empty cart</b> has no amount."},
        ),
    )


def test_no_tracker_no_word(story: Story, client: httpx2.Client) -> None:
    """Where none is configured, or no issue is known, there is no button."""
    story.declare()
    shown = text_of(client.get("/i/1"))

    assert (False, True) == (
        "Analyse issue" in shown,
        "No issue of sentry is known to belong to this incident" in shown,
    )


def test_it_is_asked_with_one_press(story: Story, client: httpx2.Client) -> None:
    """The button says which issue; then the page says how far it is, and there is no second button."""
    with_issue(story)
    before = text_of(client.get("/i/1"))
    origin = {"origin": str(client.base_url).rstrip("/")}
    client.post("/do/investigate/analyse", data={"incident": "1", "back": "/i/1"}, headers=origin)
    after = text_of(client.get("/i/1"))

    assert (True, "0 of 1 for this incident are used" in before) == (BUTTON in before, True)
    assert (False, True) == (BUTTON in after, "about to start" in after)


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (None, "◌ running"),
        (AnalysisOutcome.COMPLETED, "✓ answered"),
        (AnalysisOutcome.NOT_ENABLED, "✗ not enabled"),
        (AnalysisOutcome.TIMED_OUT, "✗ no answer in time"),
        (AnalysisOutcome.FAILED, "✗ failed"),
    ],
)
def test_how_far_it_is(story: Story, client: httpx2.Client, outcome: AnalysisOutcome | None, words: str) -> None:
    """Each end has its own words, beside what the far end said."""
    with_issue(story)
    story.say(ev.AnalysisAsked(analysis="a1", desk="sentry", issue="4400", service="payments"))
    story.say(ev.AnalysisStarted(analysis="a1", run="12345"))
    if outcome is not None:
        story.say(ev.AnalysisEnded(analysis="a1", outcome=outcome, detail="in its own words"))
    shown = text_of(client.get("/i/1"))

    assert (True, outcome is not None) == (words in shown, "in its own words" in shown)


def test_what_it_claims(story: Story, client: httpx2.Client) -> None:
    """As a claim, and as text that is no markup."""
    with_issue(story)
    story.say(ev.AnalysisAsked(analysis="a1", desk="sentry", issue="4400", service="payments"), claim())
    story.say(ev.AnalysisEnded(analysis="a1", outcome=AnalysisOutcome.COMPLETED))
    page = client.get("/i/1").text

    assert "It claims as the cause: <bdi>&lt;b&gt;An empty cart&lt;/b&gt; has no amount.</bdi>" in page


def test_where_it_is_off(story: Story, client: httpx2.Client) -> None:
    """Where analyses are not switched on the page says how they are, and has no button."""
    spec = SystemSpec(name="sentry", kind="sentry", url="http://127.0.0.1:9", settings={"organization": "shop"})
    desks = {"sentry": SentryDesk(spec, fetch=HttpGet())}
    with_issue(story)
    front = Front.of(replace(story.world, desks=desks), OPERATIONS)
    with serving(application(front, routes=pages.routes(front)), front) as address:
        shown = text_of(httpx2.get(f"{address}/i/1", headers={"accept": "text/html"}, timeout=PATIENT_S))

    assert (False, True) == (BUTTON in shown, "Not enabled: seer = true in the system's table" in shown)


def test_sentry_is_shown_among_the_sources(client: httpx2.Client, sentry: SentryOrganization) -> None:
    """That it is configured; it is asked nothing before a person looks."""
    shown = text_of(client.get("/sources"))

    assert ("sentry sentry, organization shop" in shown, []) == (True, sentry.site.asked)


def test_how_sentry_is_connected(client: httpx2.Client, sentry: SentryOrganization) -> None:
    """By which token, with which rights; never the token."""
    answer = client.get("/sources?look=1")
    shown = text_of(answer)

    assert "connected by token from the environment; may event:read, org:read, project:read" in shown
    assert TOKEN not in answer.text


def test_what_sentry_lacks(client: httpx2.Client, sentry: SentryOrganization) -> None:
    """A right that is missing is named."""
    sentry.scopes = ("event:read", "org:read")
    shown = text_of(client.get("/sources?look=1"))

    assert "✗ refuses" in shown
    assert "these rights are missing: project:read" in shown
