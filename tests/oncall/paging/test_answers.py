"""Links, buttons and provider callbacks over HTTP: what they may do without a login, and what they may not."""

import re
from collections.abc import Iterator
from urllib.parse import urlencode, urlsplit

import httpx2
import pytest

from stanch.integrations.twilio import TwilioPager
from stanch.integrations.twilio.callbacks import signature
from stanch.oncall.escalation.model import NoticeState, PageStatus
from stanch.ports.pager import PagerSettings
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.web import answers
from tests.oncall.paging.exchange import Exchange, Provider, catalog_of, somebody
from tests.surfaces.serving import serving

TOKEN = "twilio-auth-token"
FROM_AFAR = {"host": "stanch.example", "x-forwarded-for": "203.0.113.9", "origin": "https://ntfy.example"}
BROWSER = {"accept": "text/html"}


@pytest.fixture
def exchange(sqlite_url: str) -> Iterator[Exchange]:
    """Give an exchange where alice has been paged about an incident, and Twilio could call back."""
    crew = (somebody("alice", "push", "sms"), somebody("bob"), somebody("carol"))
    made = Exchange(sqlite_url, Provider(kinds=frozenset({"push", "sms"})), catalog=catalog_of(*crew))
    settings = PagerSettings(name="twilio", kind="twilio", account="AC1", sender="+1", secret=TOKEN, kinds=("voice",))
    made.world.pagers["twilio"] = TwilioPager(settings)
    made.declare()
    yield made
    made.close()


@pytest.fixture
def client(exchange: Exchange) -> Iterator[httpx2.Client]:
    """Give a client from another machine."""
    front = Front.of(exchange.world, {})
    app = application(front, routes=answers.routes(front), checks_itself=answers.answers_itself)
    with serving(app, front) as address, httpx2.Client(base_url=address, headers=FROM_AFAR) as opened:
        yield opened


def path_of(exchange: Exchange, index: int = 0) -> str:
    """Return the path of the link in a page that was sent."""
    return urlsplit(exchange.took[index].link).path


def twilio(client: httpx2.Client, exchange: Exchange, what: str, *, token: str = TOKEN, **form: str) -> httpx2.Response:
    """Post a signed callback."""
    path = f"/pager/twilio/{what}"
    signed = signature(token, f"{exchange.world.url}{path}", list(form.items()))
    headers = {"x-twilio-signature": signed, "content-type": "application/x-www-form-urlencoded"}
    return client.post(path, content=urlencode(form), headers=headers)


def test_opening_a_link_changes_nothing(client: httpx2.Client, exchange: Exchange) -> None:
    """A mail program that opens the link to show what is behind it acknowledges nothing."""
    answer = client.get(path_of(exchange))

    assert (200, True) == (answer.status_code, exchange.page().is_paging)


def test_the_link_shows_a_form(client: httpx2.Client, exchange: Exchange) -> None:
    """Whoever opens the link sees what it is about and one button."""
    answer = client.get(path_of(exchange))

    assert ["Acknowledge"] == re.findall(r"<button[^>]*>(.*?)</button>", answer.text)


def test_the_form_takes_it_on(client: httpx2.Client, exchange: Exchange) -> None:
    """Posting acknowledges as the person to whom the link was sent."""
    client.post(path_of(exchange), headers=BROWSER)

    assert (PageStatus.ACKNOWLEDGED, "alice") == (exchange.page().status, exchange.page().acknowledged_by)


def test_the_notice_says_that_it_was_answered(client: httpx2.Client, exchange: Exchange) -> None:
    """The ledger says which notice was answered."""
    client.post(path_of(exchange))

    assert NoticeState.ACKNOWLEDGED is exchange.page().notices[0].state


def test_the_incident_is_taken_on_too(client: httpx2.Client, exchange: Exchange) -> None:
    """An answered page acknowledges its incident, and makes who answered its commander."""
    client.post(path_of(exchange))
    with exchange.world.store.reading() as view:
        kinds = [event.kind for event in view.events(stream="incident/1")]

    assert {"incident.acknowledged", "incident.role_assigned"} <= set(kinds)


def test_a_link_counts_once(client: httpx2.Client, exchange: Exchange) -> None:
    """A link that was used does nothing when paging has started over."""
    client.post(path_of(exchange))
    exchange.after(1801)
    client.post(path_of(exchange))

    assert exchange.page().is_paging


def test_a_new_link_counts_again(client: httpx2.Client, exchange: Exchange) -> None:
    """When paging has started over, the new notice's link acknowledges."""
    client.post(path_of(exchange))
    exchange.after(1801)
    client.post(path_of(exchange, -1))

    assert not exchange.page().is_paging


@pytest.mark.parametrize(
    "change", [lambda token: token[:-1] + ("A" if token[-1] != "A" else "B"), lambda token: "x" + token]
)
def test_a_changed_link_is_none(client: httpx2.Client, exchange: Exchange, change: object) -> None:
    """A token with one other character is refused."""
    assert callable(change)
    path = path_of(exchange)
    answer = client.post(f"/a/{change(path.removeprefix('/a/'))}")

    assert (403, True) == (answer.status_code, exchange.page().is_paging)


def test_a_link_of_somebody_who_is_gone(client: httpx2.Client, exchange: Exchange) -> None:
    """Who is not in the configuration any more answers nothing, and is told why."""
    path = path_of(exchange)
    del exchange.world.catalog.people["alice"]
    answer = client.post(path, headers=BROWSER)

    assert (403, True, True) == (
        answer.status_code,
        "alice is not among the people here any more" in answer.text,
        exchange.page().is_paging,
    )


def test_an_old_link_leaves_newer_pages_alone(client: httpx2.Client, exchange: Exchange) -> None:
    """A link of a page that is over does not take on the page of the incident that was opened again."""
    path = path_of(exchange)
    exchange.call("incident.resolve", incident=1, force_reason="a test")
    exchange.call("incident.reopen", incident=1, reason="it is back")
    exchange.settle()
    client.post(path)

    assert ["paging", "ended"] == [page.status.value for page in exchange.pages()]


def test_the_second_to_answer_is_told_who_has_it(client: httpx2.Client, exchange: Exchange) -> None:
    """Who answers what another has already is told so, and their answer is on record."""
    exchange.after(300)
    links = {page.address: urlsplit(page.link).path for page in exchange.took}
    client.post(links["alice"])
    answer = client.post(links["bob"])

    assert ("alice has it since 03:05 UTC.\n", "alice", "page.answered_too") == (
        answer.text,
        exchange.page().acknowledged_by,
        exchange.kinds()[-1],
    )


def test_a_link_expires(client: httpx2.Client, exchange: Exchange) -> None:
    """After a day a link does nothing."""
    path = path_of(exchange)
    exchange.after(25 * 3600, step_s=3600)
    answer = client.post(path)

    assert 403 == answer.status_code


def test_an_unsigned_callback_is_refused(client: httpx2.Client, exchange: Exchange) -> None:
    """Whoever does not know the auth token can report nothing."""
    answer = twilio(client, exchange, "reply", token="guessed", From="alice", Body="ack")

    assert (403, True) == (answer.status_code, exchange.page().is_paging)


def test_a_reply_acknowledges(client: httpx2.Client, exchange: Exchange) -> None:
    """A text message from the person's own number takes on the page they were told of."""
    twilio(client, exchange, "reply", From="alice", Body="Ack")

    assert "alice" == exchange.page().acknowledged_by


def test_a_reply_of_a_stranger_does_not(client: httpx2.Client, exchange: Exchange) -> None:
    """A number that belongs to nobody who was paged acknowledges nothing, and is told so."""
    answer = twilio(client, exchange, "reply", From="+4912345", Body="ack 1")

    assert ("There is no open page" in answer.text, True) == (True, exchange.page().is_paging)


def test_a_reply_to_another_page_does_not(client: httpx2.Client, exchange: Exchange) -> None:
    """A reply that names another page's number leaves this one alone."""
    twilio(client, exchange, "reply", From="alice", Body="ack 17")

    assert exchange.page().is_paging
