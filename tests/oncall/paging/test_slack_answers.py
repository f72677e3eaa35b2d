"""A page in Slack is acknowledged where it stands: a signed press of its button, and the message says who has it."""

import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import httpx2
import pytest

from stanch.app.chat import chat_desk
from stanch.catalog.channels import ChannelSpec
from stanch.integrations.slack import SlackPager
from stanch.integrations.slack.chat import SlackChat
from stanch.oncall.escalation.model import PageStatus
from stanch.ports.pager import PagerSettings
from stanch.surfaces.asgi.front import Front
from stanch.surfaces.asgi.server import application
from stanch.surfaces.chat.routes import Chats
from tests.integrations.pagers.far import SECRET, Answer, Far, Got, far_end
from tests.oncall.paging.exchange import Exchange, Provider, catalog_of, somebody
from tests.support.servers import until
from tests.surfaces.serving import serving

SIGNING = "8f742231b10e8888abcd99yyyzzz85a5"
_PRESSES = itertools.count(1)


@dataclass
class Slack:
    """An exchange that pages in Slack, what Slack was told, and a line by which it posts back."""

    exchange: Exchange
    far: Far
    line: httpx2.Client

    @property
    def button(self) -> dict[str, str]:
        """Return the first button of the message that the newest page is."""
        with closing(SlackPager(PagerSettings(name="slack", kind="slack", url=self.far.url, secret=SECRET))) as pager:
            pager.page(self.exchange.took[-1])
        (actions,) = (one for one in self.far.got[-1].json["blocks"] if one["type"] == "actions")
        button: dict[str, str] = actions["elements"][0]
        return button

    def press(self, button: dict[str, str], *, age_s: int = 0) -> int:
        """Press a button as Slack tells of it, so many seconds ago, and return what that is answered."""
        payload = {
            "type": "block_actions",
            "trigger_id": f"t-{next(_PRESSES)}",
            "user": {"id": "UALICE"},
            "channel": {"id": "D1"},
            "response_url": f"{self.far.url}/response",
            "actions": [{"action_id": button["action_id"], "value": button["value"], "type": "button"}],
        }
        body = urlencode({"payload": json.dumps(payload)})
        stamp = str(int(self.exchange.clock.now().timestamp()) - age_s)
        digest = hmac.new(SIGNING.encode(), f"v0:{stamp}:{body}".encode(), hashlib.sha256).hexdigest()
        headers = {
            "content-type": "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": f"v0={digest}",
        }
        return self.line.post("/chat/ops", content=body.encode(), headers=headers).status_code

    def said(self) -> dict[str, object]:
        """Return what was posted to the response URL, as soon as it is there."""
        until(lambda: any(got.path == "/response" for got in self.far.got))
        found: dict[str, object] = next(got.json for got in reversed(self.far.got) if got.path == "/response")
        return found


@pytest.fixture
def slack(sqlite_url: str) -> Iterator[Slack]:
    """Give an exchange whose Slack app hears buttons."""
    crew = (somebody("alice", "slack"), somebody("bob", "slack"), somebody("carol", "slack"))
    channel = ChannelSpec(name="ops", kind="slack", target="C1", signing_env="SLACK_SIGNING")
    catalog = replace(catalog_of(*crew), channels={"ops": channel})
    exchange = Exchange(sqlite_url, Provider(kinds=frozenset({"slack"})), catalog=catalog)

    def fine(got: Got, number: int) -> Answer:
        return Answer(body={"ok": True, "ts": "1.2"})

    with far_end(fine) as far, closing(SlackChat(name="ops", token=SECRET, secret=SIGNING, url=far.url)) as chat:
        chats = Chats(chat_desk(exchange.world), {"ops": chat})
        front = Front.of(exchange.world)
        app = application(front, routes=chats.routes(), checks_itself=chats.answers)
        with serving(app, front) as url, httpx2.Client(base_url=url) as line:
            yield Slack(exchange, far, line)
    exchange.close()


def test_a_press_acknowledges(slack: Slack) -> None:
    """The page is hers, nobody else is paged, and the message is replaced by one that says so."""
    slack.exchange.declare()
    status = slack.press(slack.button)
    said = slack.said()
    slack.exchange.after(400)
    page = slack.exchange.page()

    assert (200, True, True, PageStatus.ACKNOWLEDGED, "alice", ["alice"]) == (
        status,
        said["replace_original"],
        "You have it" in str(said["text"]),
        page.status,
        page.acknowledged_by,
        slack.exchange.people,
    )


def test_a_press_that_comes_second_says_who_has_it(slack: Slack) -> None:
    """Who presses after somebody else took it reads who that is."""
    slack.exchange.declare()
    button = slack.button
    slack.exchange.call("incident.acknowledge", by="bob", incident=1)
    slack.press(button)

    assert "bob has it since 03:00 UTC" in str(slack.said()["text"])


def test_a_press_from_six_minutes_ago_is_refused(slack: Slack) -> None:
    """A request that is older than five minutes is refused, however well it is signed."""
    slack.exchange.declare()

    assert (403, True) == (slack.press(slack.button, age_s=301), slack.exchange.page().is_paging)


def test_a_forged_token_takes_nothing(slack: Slack) -> None:
    """A signed press with the token of another page acknowledges nothing, and says that it is none of ours."""
    slack.exchange.declare()
    button = slack.button
    slack.press({**button, "value": "2" + button["value"][1:]})

    assert (True, True) == ("no link of ours" in str(slack.said()["text"]), slack.exchange.page().is_paging)


def test_without_a_listening_app_the_button_is_a_link(sqlite_url: str) -> None:
    """Where no request of Slack's can be proved, the page carries a link alone."""
    exchange = Exchange(
        sqlite_url,
        Provider(kinds=frozenset({"slack"})),
        catalog=catalog_of(somebody("alice", "slack"), somebody("bob")),
    )
    exchange.declare()
    page = exchange.took[-1]
    exchange.close()

    assert ("", True) == (page.token, bool(page.link))
