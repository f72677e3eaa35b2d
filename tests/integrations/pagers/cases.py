"""How each provider that speaks HTTP is set up in tests: its far end, an address there, and where its key stands."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import unquote

from stanch.integrations.matrix import MatrixPager
from stanch.integrations.ntfy import NtfyPager
from stanch.integrations.slack import SlackPager
from stanch.integrations.twilio import TwilioPager
from stanch.integrations.webhook import WebhookPager
from stanch.ports.pager import Page, Pager, PagerSettings
from tests.integrations.pagers.far import SECRET, Answer, Far, Got, Place, Speak

ACCOUNT = "AC0123456789"


@dataclass(frozen=True)
class Case:
    """One provider. `page_of` returns the requests that hand a page over, `key_of` what stays the same over them."""

    name: str
    make: Callable[[PagerSettings], Pager]
    kind: str
    speak: Speak
    address: Callable[[Far | Place], str]
    key_of: Callable[[Got], str]
    hands_over: str
    reference: str

    def settings(self, far: Far | Place) -> PagerSettings:
        """Return settings for `far`."""
        return PagerSettings(
            name=self.name, kind=self.name, url=far.url, account=ACCOUNT, sender="+15005550006", secret=SECRET
        )

    def page(self, far: Far | Place, *, id: str = "page7/n3") -> Page:
        """Return a page to somebody at `far`."""
        return Page(
            id=id,
            kind=self.kind,
            address=self.address(far),
            subject="[SEV1] INC-4 Checkout fails",
            text="SEV1: INC-4 Checkout fails",
            url="https://stanch.example/i/4",
            link="https://stanch.example/a/7.3.x.y",
            answer="https://stanch.example/a/7.3.x.y",
            urgent=True,
            number=7,
            incident=4,
            callback="https://stanch.example/pager",
        )

    @contextmanager
    def opened(self, far: Far | Place) -> Iterator[Pager]:
        """Open the provider for `far`, and close it."""
        pager = self.make(self.settings(far))
        try:
            yield pager
        finally:
            pager.close()

    def handed(self, far: Far) -> list[Got]:
        """Return the requests that handed a page over."""
        return [one for one in far.got if re.search(self.hands_over, unquote(one.path))]


def ntfy(got: Got, count: int) -> Answer:
    """Speak as ntfy: a message without a topic is an error."""
    if not got.json.get("topic"):
        return Answer(400, {"code": 40009, "http": 400, "error": "invalid request: topic invalid"})
    return Answer(200, {"id": f"m{count}", "time": 1, "event": "message", "topic": got.json["topic"]})


def slack(got: Got, count: int) -> Answer:
    """Speak as Slack: errors come with status 200."""
    if got.headers.get("authorization") != f"Bearer {SECRET}":
        return Answer(200, {"ok": False, "error": "invalid_auth"})
    return Answer(200, {"ok": True, "channel": "D1", "ts": f"17.{count}"})


def twilio(got: Got, count: int) -> Answer:
    """Speak as Twilio: what is wrong comes with a code."""
    if got.login != f"{ACCOUNT}:{SECRET}":
        return Answer(401, {"code": 20003, "message": "Authenticate", "status": 401})
    if "To" not in got.form:
        return Answer(400, {"code": 21604, "message": "A 'To' phone number is required.", "status": 400})
    return Answer(201, {"sid": f"SM{count}", "status": "queued"})


class Homeserver:
    """Speaks as a Matrix homeserver: rooms, the account's direct rooms, and transactions that are taken once."""

    def __init__(self) -> None:
        self.direct: dict[str, list[str]] = {}
        self.events: dict[str, str] = {}
        self.made = 0

    def __call__(self, got: Got, count: int) -> Answer:
        """Answer a call of the client API."""
        path = unquote(got.path).removeprefix("/_matrix/client/v3")
        if got.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer(401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Unrecognised access token"})
        if path == "/account/whoami":
            return Answer(200, {"user_id": "@stanch:example.org"})
        if path.endswith("/account_data/m.direct"):
            if got.method == "PUT":
                self.direct = got.json
                return Answer(200, {})
            return Answer(200, self.direct) if self.direct else Answer(404, {"errcode": "M_NOT_FOUND"})
        if path == "/createRoom":
            self.made += 1
            return Answer(200, {"room_id": f"!room{self.made}"})
        if "/send/m.room.message/" in path:
            return Answer(200, {"event_id": self.events.setdefault(path, f"$event{len(self.events) + 1}")})
        return Answer(404, {"errcode": "M_UNRECOGNIZED", "error": path})


TO = "+15005550001"

CASES = (
    Case(
        name="ntfy",
        make=NtfyPager,
        kind="push",
        speak=ntfy,
        address=lambda far: f"{far.url}/alice-4f7d",
        key_of=lambda got: str(got.json["sequence_id"]),
        hands_over="^/$",
        reference="m1",
    ),
    Case(
        name="webhook",
        make=WebhookPager,
        kind="webhook",
        speak=lambda got, count: Answer(202),
        address=lambda far: f"{far.url}/hook/{SECRET}",
        key_of=lambda got: got.headers["idempotency-key"],
        hands_over="^/hook/",
        reference="",
    ),
    Case(
        name="slack",
        make=SlackPager,
        kind="slack",
        speak=slack,
        address=lambda far: "U1",
        key_of=lambda got: str(got.json["channel"]),
        hands_over="chat.postMessage",
        reference="17.1",
    ),
    Case(
        name="twilio",
        make=TwilioPager,
        kind="sms",
        speak=twilio,
        address=lambda far: TO,
        key_of=lambda got: got.form["To"][0],
        hands_over="Messages.json",
        reference="SM1",
    ),
    Case(
        name="voice",
        make=TwilioPager,
        kind="voice",
        speak=twilio,
        address=lambda far: TO,
        key_of=lambda got: got.form["To"][0],
        hands_over="Calls.json",
        reference="SM1",
    ),
    Case(
        name="matrix",
        make=MatrixPager,
        kind="matrix",
        speak=Homeserver(),
        address=lambda far: "!direct",
        key_of=lambda got: got.path,
        hands_over="/send/",
        reference="$event1",
    ),
)
