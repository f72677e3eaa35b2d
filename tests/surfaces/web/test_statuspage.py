"""The status pages over HTTP: what customers see without a login, and what they do not."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx2
import pytest
from playwright.sync_api import Page, expect
from starlette.types import ASGIApp

from stanch.app.world import PROJECTORS
from stanch.catalog.status import ComponentSpec, StatusSpec
from stanch.kernel.clock import ManualClock
from stanch.operations.all import all_operations
from stanch.operations.statuspage import subscribing
from stanch.operations.statuspage.telling import ASKING, MAIL, WEBHOOK
from stanch.store import Store
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.asgi.trust import Trust
from stanch.surfaces.http import api
from stanch.surfaces.web import pages, statuspage
from tests.operations.desk import START, Desk, Listener
from tests.support.hostile import read_html
from tests.surfaces.serving import PATIENT_S, serving

SPEC = StatusSpec(
    title="Shop",
    public=True,
    severity="SEV4",
    publish="automatic",
    mail="mail",
    webhooks=True,
    components={"checkout": ComponentSpec(service="checkout", title="Buying")},
)
TOKEN = "t" * 40


@pytest.fixture
def desk(database_url: str) -> Iterator[Desk]:
    """Give a desk with an open status page, once on each database."""
    clock = ManualClock(START)
    store = Store.open(database_url, clock=clock, projectors=PROJECTORS)
    bare = Desk.open(store, clock)
    told = {name: Listener(name) for name in (MAIL, WEBHOOK, ASKING)}
    world = replace(
        bare.world, catalog=replace(bare.world.catalog, status=SPEC), channels={**bare.world.channels, **told}
    )
    yield replace(bare, world=world, channels={**bare.channels, **told})
    store.close()


def served(desk: Desk) -> tuple[ASGIApp, Front]:
    """Return the application as the server has it, for other machines with a token."""
    front = Front.of(desk.world, all_operations())
    trust = Trust(token=TOKEN)
    app = application(
        front,
        routes=[*api.routes(front), *pages.routes(front, trust=trust)],
        trust=trust,
        page_error=pages.page_error(front),
        checks_itself=lambda path: statuspage.answers_itself(desk.world, path),
    )
    return app, front


@pytest.fixture
def stranger(desk: Desk) -> Iterator[httpx2.Client]:
    """Give a browser of somebody outside, who comes through the proxy of this machine and has no token."""
    app, front = served(desk)
    with (
        serving(app, front) as address,
        httpx2.Client(
            base_url=address, headers={"x-forwarded-for": "203.0.113.7", "accept": "text/html"}, timeout=PATIENT_S
        ) as client,
    ):
        yield client


@pytest.fixture
def insider(desk: Desk) -> Iterator[httpx2.Client]:
    """Give Alice's browser."""
    app, front = served(desk)
    with (
        serving(app, front) as address,
        httpx2.Client(base_url=address, cookies={"stanch_person": "alice"}, timeout=PATIENT_S) as client,
    ):
        yield client


def test_a_stranger_sees_the_public_page_alone(desk: Desk, stranger: httpx2.Client) -> None:
    """The internal one, the first page and the API ask for a token."""
    paths = ("/status", "/status/history", "/status/feed.atom", "/status/internal", "/", "/api/v1/statuspage/show")

    assert [200, 200, 200, 401, 401, 401] == [stranger.get(path).status_code for path in paths]


def test_the_page_asks_a_stranger_for_a_token_unless_it_is_open(desk: Desk) -> None:
    """Without `public` it is for who works here, but links of subscribers are for who holds them."""
    closed = replace(desk.world, catalog=replace(desk.world.catalog, status=replace(SPEC, public=False)))

    assert (False, True) == (
        statuspage.answers_itself(closed, "/status"),
        statuspage.answers_itself(closed, "/status/leave/x"),
    )


def test_the_page_needs_no_script_and_says_its_state_in_words(desk: Desk, stranger: httpx2.Client) -> None:
    """Component, state and update stand there as text."""
    desk.declare()
    shown = stranger.get("/status").text
    words = read_html(shown).text

    assert (False, True, True, True) == (
        "<script" in shown,
        "Problems with Buying" in words,
        "Degraded" in words,
        "Investigating" in words,
    )


def test_an_incident_has_its_address(desk: Desk, stranger: httpx2.Client) -> None:
    """What is not on the page has none, whatever is asked for."""
    number = desk.declare()
    desk.declare("inside", services=["gateway"])
    known = (f"/status/incidents/{number}", f"/status/incidents/{number}.html", "/status/history.html")
    asked = (*known, f"/status/incidents/{number + 1}", "/status/incidents/x", "/status/nothing")

    assert [200, 200, 200, 404, 404, 404] == [stranger.get(path).status_code for path in asked]


@pytest.mark.parametrize(
    ("path", "key"),
    [
        ("summary.json", "scheduled_maintenances"),
        ("status.json", "status"),
        ("components.json", "components"),
        ("incidents.json", "incidents"),
        ("incidents/unresolved.json", "incidents"),
        ("scheduled-maintenances/active.json", "scheduled_maintenances"),
    ],
)
def test_programs_read_it_as_they_read_any(desk: Desk, stranger: httpx2.Client, path: str, key: str) -> None:
    """The documents of version 2, for every origin."""
    desk.declare()
    answer = stranger.get(f"/status/api/v2/{path}")

    assert (True, "*") == (key in json.loads(answer.text), answer.headers["access-control-allow-origin"])


def test_a_form_from_elsewhere_is_refused(desk: Desk, stranger: httpx2.Client) -> None:
    """Another page may not subscribe people."""
    said = {"kind": "email", "address": "carol@customers.example"}
    answer = stranger.post("/status/subscribe", data=said, headers={"origin": "https://evil.example"})

    assert 403 == answer.status_code


def test_one_subscribes_confirms_and_leaves(desk: Desk, stranger: httpx2.Client) -> None:
    """Every step is a press; the mail program's own post leaves from anywhere."""
    said = {"kind": "email", "address": "carol@customers.example", "website": ""}
    asked = stranger.post("/status/subscribe", data=said)
    desk.work()
    link = desk.channels[MAIL].heard[-1].text.split("http://stanch.example")[1].split()[0]
    shown, pressed = stranger.get(link), stranger.post(link)
    desk.declare()
    desk.work()
    leave = desk.channels[MAIL].heard[-1].leave.removeprefix("http://stanch.example")
    left = stranger.post(leave, data={"List-Unsubscribe": "One-Click"}, headers={"origin": "null"})
    texts = [asked.text, shown.text, pressed.text, left.text]

    assert ([200] * 4, [False] * 4, True) == (
        [one.status_code for one in (asked, shown, pressed, left)],
        ["carol@" in text for text in texts],
        "You get the updates" in pressed.text,
    )
    assert () == desk.ask("statuspage.subscribers")


def test_a_known_address_is_answered_alike(desk: Desk, stranger: httpx2.Client) -> None:
    """Nobody learns here who subscribed."""
    said = {"kind": "email", "address": "carol@customers.example"}

    assert stranger.post("/status/subscribe", data=said).text == stranger.post("/status/subscribe", data=said).text


def test_who_asks_too_often_is_told_to_wait(desk: Desk, stranger: httpx2.Client) -> None:
    """The sixth of ten minutes gets 429."""
    codes = [
        stranger.post("/status/subscribe", data={"kind": "email", "address": f"u{n}@customers.example"}).status_code
        for n in range(6)
    ]

    assert [200] * 5 + [429] == codes


def test_a_program_that_fills_in_everything_subscribes_nobody(desk: Desk, stranger: httpx2.Client) -> None:
    """The field that people do not see is looked at."""
    said = {"kind": "email", "address": "carol@customers.example", "website": "http://spam.example"}
    stranger.post("/status/subscribe", data=said)

    assert () == desk.ask("statuspage.subscribers")


def test_a_webhook_confirms_itself(desk: Desk, stranger: httpx2.Client) -> None:
    """It is sent where to post, and then the incident in Statuspage's shape with where to leave."""
    stranger.post("/status/subscribe", data={"kind": "webhook", "address": "https://hooks.example/x"})
    desk.work()
    meta = desk.channels[ASKING].heard[-1].data["meta"]
    assert isinstance(meta, dict)
    stranger.post(str(meta["confirm"]).removeprefix("http://stanch.example"))
    desk.declare()
    desk.work()
    data = desk.channels[WEBHOOK].heard[-1].data
    meta, incident = data["meta"], data["incident"]
    assert isinstance(meta, dict) and isinstance(incident, dict)

    assert ("Problems with Buying", True) == (incident["name"], "/status/leave/" in str(meta["unsubscribe"]))


def test_a_bad_link_is_no_page_of_ours(desk: Desk, stranger: httpx2.Client) -> None:
    """It says so, and not what would be right."""
    assert [403, 403] == [stranger.get(f"/status/{what}/nonsense").status_code for what in ("confirm", "leave")]


def test_an_insider_publishes_from_the_internal_page(desk: Desk, insider: httpx2.Client) -> None:
    """Without a script: the form has what is to be published, and one press does it."""
    asking = replace(SPEC, publish="ask")
    object.__setattr__(desk.world.catalog, "status", asking)
    desk.declare()
    shown = insider.get("/status/internal").text
    digest = shown.split('name="digest" value="')[1].split('"')[0]
    said = {"incident": "1", "number": "1", "digest": digest, "text": "Some orders fail.", "back": "/status/internal"}
    insider.post("/do/statuspage/publish", data=said)

    assert "Some orders fail." in insider.get("/status").text


def test_kinds_that_are_not_configured_are_not_offered(desk: Desk) -> None:
    """Without a mail channel there is no form for mail."""
    bare = replace(desk.world, catalog=replace(desk.world.catalog, status=replace(SPEC, mail="")))

    assert ("webhook",) == subscribing.kinds_of(bare)


@pytest.mark.browser
def test_words_stay_with_the_update_they_were_written_for(desk: Desk, chromium: Page) -> None:
    """Somebody publishes the first while the page is open: the second takes its place with words of its own."""
    ask = replace(
        desk, world=replace(desk.world, catalog=replace(desk.world.catalog, status=replace(SPEC, publish="ask")))
    )
    ask.declare("One")
    ask.declare("Two")
    first = ask.ask("statuspage.waiting")[0]
    app, front = served(ask)
    with serving(app, front) as address:
        chromium.context.add_cookies([{"name": "stanch_person", "value": "alice", "url": address}])
        chromium.goto(f"{address}/status/internal")
        cards = chromium.locator("article.card")
        cards.nth(0).locator("textarea").fill("only of the first")
        cards.nth(1).locator("textarea").fill("only of the second")
        ask.ask("statuspage.publish", incident=first.incident, number=first.number, digest=first.digest)
        expect(cards).to_have_count(1, timeout=30_000)
        left = cards.locator("h3").inner_text().partition(" ")[0], cards.locator("textarea").input_value()
        chromium.goto("about:blank")

    assert ("INC-2", "only of the second") == left
