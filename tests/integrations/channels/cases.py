"""How each channel is set up in tests: a far end that keeps what it is told, and how to see what stands there."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Protocol
from urllib.parse import parse_qs, unquote, urlsplit

from stanch.integrations.discord import DiscordChannel
from stanch.integrations.matrix import MatrixChannel
from stanch.integrations.mattermost import MattermostChannel
from stanch.integrations.slack import SlackChannel
from stanch.integrations.statuspage import StatuspageChannel
from stanch.integrations.teams import TeamsChannel
from stanch.integrations.webhook import WebhookChannel
from stanch.kernel.blockdata import write_blocks
from stanch.kernel.blocks import Bullets, Fields, Heading, Link, Paragraph, to_markdown, to_plain
from stanch.ports.channel import Button, Case, Channel, ChannelSettings, Message
from tests.integrations.pagers.far import SECRET, Answer, Far, Got, Place

ROOM = "incident-2026-11-21-checkout-fails"


class FarEnd:
    """A far end that keeps messages. `shown` are those that stand there, by their reference, with what they say."""

    def __init__(self) -> None:
        self.shown: dict[str, str] = {}
        self.pinned: list[str] = []
        self.rooms: dict[str, str] = {}
        self.invited: list[str] = []
        self.topics: list[str] = []

    def __call__(self, got: Got, count: int) -> Answer:
        """Answer one request."""
        raise NotImplementedError


class Workspace(FarEnd):
    """Speaks as Slack: errors come with status 200, reading takes forms, nothing has a key."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: list[dict[str, object]] = []
        self.purposes: dict[str, str] = {}
        self.archived: dict[str, str] = {}

    def __call__(self, got: Got, count: int) -> Answer:
        """Answer one method."""
        if got.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer(200, {"ok": False, "error": "invalid_auth"})
        method = got.path.rsplit("/", 1)[-1]
        form = got.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
        asked = {name: values[0] for name, values in got.form.items()} if form else got.json
        if method.endswith((".history", ".list")) and not form:
            return Answer(200, {"ok": False, "error": "invalid_arguments"})
        return Answer(200, self.answer(method, asked))

    def answer(self, method: str, asked: dict[str, object]) -> dict[str, object]:
        """Return what Slack says to one method."""
        match method:
            case "auth.test":
                return {"ok": True, "user_id": "UBOT"}
            case "conversations.create":
                return self.create(str(asked["name"]))
            case "conversations.list":
                return {"ok": True, "channels": [self.room(name) for name in self.rooms]}
            case "conversations.open":
                return {"ok": True, "channel": {"id": f"D{asked['users']}"}}
            case "conversations.history":
                return {"ok": True, "messages": [one for one in self.kept if one["channel"] == asked["channel"]][::-1]}
            case "conversations.setPurpose":
                self.purposes[str(asked["channel"])] = str(asked["purpose"])
            case "conversations.setTopic":
                if len(str(asked["topic"])) > 250:
                    return {"ok": False, "error": "too_long"}
                self.topics.append(str(asked["topic"]))
            case "conversations.invite":
                if asked["users"] in self.invited:
                    return {"ok": False, "error": "already_in_channel"}
                self.invited.append(str(asked["users"]))
            case "pins.add":
                self.pinned.append(str(asked["timestamp"]))
            case "chat.postMessage":
                return self.say(asked)
            case "chat.update":
                if asked["ts"] not in self.shown:
                    return {"ok": False, "error": "message_not_found"}
                self.shown[str(asked["ts"])] = _read_of(asked)
                return {"ok": True, "ts": asked["ts"]}
        return {"ok": True}

    def create(self, name: str) -> dict[str, object]:
        """Make a room."""
        if len(name) > 80 or name != name.lower() or " " in name:
            return {"ok": False, "error": "invalid_name_specials"}
        if name in self.rooms or name in self.archived:
            return {"ok": False, "error": "name_taken"}
        self.rooms[name] = f"C{len(self.rooms) + 1}"
        return {"ok": True, "channel": self.room(name)}

    def room(self, name: str) -> dict[str, object]:
        """Return a room as Slack shows it."""
        id = self.rooms[name]
        return {"id": id, "name": name, "creator": "UBOT", "purpose": {"value": self.purposes.get(id, "")}}

    def say(self, asked: dict[str, object]) -> dict[str, object]:
        """Show a message, unless it is beyond what Slack takes."""
        blocks = asked["blocks"]
        assert isinstance(blocks, list)
        if len(blocks) > 50 or len(json.dumps(blocks)) > 13_000 * 4 or len(str(asked["text"])) > 40_000:
            return {"ok": False, "error": "msg_blocks_too_long"}
        ts = f"17000.{len(self.kept) + 1:06d}"
        self.kept.append({"ts": ts, "channel": asked["channel"], "metadata": asked.get("metadata")})
        self.shown[ts] = _read_of(asked)
        return {"ok": True, "ts": ts, "channel": asked["channel"]}


def _read_of(asked: dict[str, object]) -> str:
    return f"{asked['text']}\n{json.dumps(asked['blocks'], ensure_ascii=False)}"


class Homeserver(FarEnd):
    """Speaks as a Matrix homeserver: transactions are taken once, aliases belong to one room."""

    def __init__(self) -> None:
        super().__init__()
        self.taken: dict[str, str] = {}
        self.pins: list[str] = []

    def __call__(self, got: Got, count: int) -> Answer:
        """Answer a call of the client API."""
        path = unquote(urlsplit(got.path).path).removeprefix("/_matrix/client/v3")
        if got.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer(401, {"errcode": "M_UNKNOWN_TOKEN", "error": "Unrecognised access token"})
        if path == "/account/whoami":
            return Answer(200, {"user_id": "@stanch:example.org"})
        if path == "/createRoom":
            alias = f"#{got.json['room_alias_name']}:example.org"
            if alias in self.rooms:
                return Answer(400, {"errcode": "M_ROOM_IN_USE", "error": "Room alias already taken"})
            self.rooms[alias] = f"!room{len(self.rooms) + 1}"
            self.topics.append(got.json["topic"])
            return Answer(200, {"room_id": self.rooms[alias]})
        if path.startswith("/directory/room/"):
            return Answer(200, {"room_id": self.rooms[path.removeprefix("/directory/room/")]})
        if path.endswith("/invite"):
            self.invited.append(got.json["user_id"])
            return Answer(200, {})
        if path.endswith("/m.room.topic/"):
            self.topics.append(got.json["topic"])
            return Answer(200, {"event_id": "$topic"})
        if path.endswith("/m.room.pinned_events/"):
            if got.method == "PUT":
                self.pinned = got.json["pinned"]
            return Answer(200, {"pinned": self.pinned}) if self.pinned else Answer(404, {"errcode": "M_NOT_FOUND"})
        if "/send/m.room.message/" in path:
            return self.send(path, got)
        return Answer(404, {"errcode": "M_UNRECOGNIZED", "error": path})

    def send(self, path: str, got: Got) -> Answer:
        """Take an event once, and show it or change the one it replaces."""
        if len(got.body) > 65_536:
            return Answer(413, {"errcode": "M_TOO_LARGE", "error": "event too large"})
        if path not in self.taken:
            self.taken[path] = f"$event{len(self.taken) + 1}"
            replaced = got.json.get("m.relates_to", {}).get("event_id")
            self.shown[replaced or self.taken[path]] = json.dumps(got.json, ensure_ascii=False)
        return Answer(200, {"event_id": self.taken[path]})


class MattermostServer(FarEnd):
    """Speaks as Mattermost, which has forgotten every post's key."""

    def __init__(self) -> None:
        super().__init__()
        self.posts: dict[str, dict[str, object]] = {}

    def __call__(self, got: Got, count: int) -> Answer:
        """Answer a call of the API."""
        path = urlsplit(got.path).path.removeprefix("/api/v4")
        if got.headers.get("authorization") != f"Bearer {SECRET}":
            return Answer(401, {"id": "api.context.session_expired.app_error", "message": "Invalid session"})
        parts = path.strip("/").split("/")
        match got.method, parts:
            case "POST", ["channels"]:
                name = got.json["name"]
                if name in self.rooms:
                    return Answer(400, {"id": "store.sql_channel.save_channel.exists.app_error", "message": "exists"})
                self.rooms[name] = f"room{len(self.rooms) + 1}"
                return Answer(201, {"id": self.rooms[name]})
            case "GET", ["teams", _, "channels", "name", name]:
                return Answer(200, {"id": self.rooms[name]})
            case "GET", ["channels", _, "posts"]:
                return Answer(200, {"order": list(self.posts), "posts": self.posts})
            case "PUT", ["channels", _, "patch"]:
                self.topics.append(got.json["header"])
            case "POST", ["channels", _, "members"]:
                self.invited.append(got.json["user_id"])
            case "POST", ["posts"]:
                if len(got.json["message"]) > 16_383:
                    return Answer(400, {"id": "model.post.is_valid.message_length.app_error", "message": "too long"})
                id = f"post{len(self.posts) + 1}"
                self.posts[id] = got.json
                self.shown[id] = got.json["message"]
                return Answer(201, {"id": id})
            case "PUT", ["posts", id, "patch"]:
                self.shown[id] = got.json["message"]
            case "POST", ["posts", id, "pin"]:
                self.pinned.append(id)
        return Answer(200, {})


class Workflow(FarEnd):
    """Speaks as a Teams workflow: it takes a card and says nothing more."""

    def __call__(self, got: Got, count: int) -> Answer:
        """Take a card."""
        [card] = got.json["attachments"]
        assert card["contentType"] == "application/vnd.microsoft.card.adaptive"
        if len(got.body) > 28 * 1024:
            return Answer(413, {"error": {"code": "RequestEntityTooLarge"}})
        self.shown[str(count)] = json.dumps(card["content"], ensure_ascii=False)
        return Answer(202, "")


class DiscordHook(FarEnd):
    """Speaks as a webhook of Discord."""

    def __call__(self, got: Got, count: int) -> Answer:
        """Show a message, or change one."""
        where = urlsplit(got.path)
        body = got.json
        [embed] = body["embeds"]
        if len(body["content"]) > 2000 or len(embed["description"]) > 4096 or len(embed["title"]) > 256:
            return Answer(400, {"code": 50035, "message": "Invalid Form Body"})
        assert body["allowed_mentions"] == {"parse": []}
        edited = where.path.partition("/messages/")[2]
        id = edited or str(len(self.shown) + 1)
        self.shown[id] = f"{body['content']}\n{embed['description']}"
        # Without this it answers 204 and no id.
        return Answer(200, {"id": id}) if parse_qs(where.query).get("wait") == ["true"] else Answer(204, "")


class StatusPage(FarEnd):
    """Speaks as Statuspage: one incident, updates that are appended, metadata that is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.incidents: dict[str, dict[str, object]] = {}
        self.components: dict[str, str] = {}

    def __call__(self, got: Got, count: int) -> Answer:
        """Answer a call about the page's incidents."""
        if got.headers.get("authorization") != f"OAuth {SECRET}":
            return Answer(401, {"error": "Could not authenticate"})
        rest = got.path.partition("/pages/p1/incidents")[2].strip("/")
        if got.method == "GET":
            if rest != "unresolved":
                return Answer(200, self.incidents[rest])
            return Answer(200, [one for one in self.incidents.values() if one["status"] != "resolved"])
        asked = got.json["incident"]
        if len(asked.get("name", "")) > 255 or len(asked["body"]) > 25_000:
            return Answer(422, {"error": ["too long"]})
        id = rest or f"i{len(self.incidents) + 1}"
        self.incidents[id] = self.incidents.get(id, {}) | asked | {"id": id}
        self.components |= asked.get("components", {})
        self.shown[f"u{len(self.shown) + 1}"] = asked["body"] + asked.get("name", "")
        return Answer(200 if rest else 201, self.incidents[id])


class Receiver(FarEnd):
    """A receiver of webhooks that keeps every key once."""

    def __call__(self, got: Got, count: int) -> Answer:
        """Take a message once."""
        self.shown.setdefault(got.headers["idempotency-key"], json.dumps(got.json, ensure_ascii=False))
        return Answer(200, "ok")


class Closable(Channel, Protocol):
    """A channel that holds connections."""

    def close(self) -> None:
        """Give them back."""


@dataclass(frozen=True)
class ChannelCase:
    """One channel. `edits` says that it can change what it posted, `rooms` that an incident has one of its own."""

    name: str
    make: Callable[[ChannelSettings], "Closable"]
    speaks: Callable[[], FarEnd]
    edits: bool = True
    rooms: bool = False
    secret: Callable[[Far | Place], str] = field(default=lambda far: SECRET)

    @contextmanager
    def opened(self, far: Far | Place, *, rooms: bool | None = None) -> Iterator[Channel]:
        """Open the channel for `far`, and close it."""
        made = self.make(self.settings(far, rooms=rooms))
        try:
            yield made
        finally:
            made.close()

    def settings(self, far: Far | Place, *, rooms: bool | None = None) -> ChannelSettings:
        """Return settings for `far`."""
        with_rooms = self.rooms if rooms is None else rooms
        return ChannelSettings(
            name="chat",
            kind=self.name,
            target="p1" if self.name == "statuspage" else "" if with_rooms else "ROOM",
            url=far.url,
            account="team1",
            secret=self.secret(far),
            rooms=with_rooms,
        )


def url_is_secret(far: Far | Place) -> str:
    """Return a URL that holds the secret."""
    return f"{far.url}/hooks/{SECRET}"


CASES = (
    ChannelCase(name="slack", make=SlackChannel, speaks=Workspace, rooms=True),
    ChannelCase(name="matrix", make=MatrixChannel, speaks=Homeserver, rooms=True),
    ChannelCase(name="mattermost", make=MattermostChannel, speaks=MattermostServer, rooms=True),
    ChannelCase(name="teams", make=TeamsChannel, speaks=Workflow, edits=False, secret=url_is_secret),
    ChannelCase(name="discord", make=DiscordChannel, speaks=DiscordHook, secret=url_is_secret),
    ChannelCase(name="statuspage", make=StatuspageChannel, speaks=StatusPage, edits=False),
    ChannelCase(
        name="webhook",
        make=lambda one: WebhookChannel(name=one.name, url=one.secret),
        speaks=Receiver,
        edits=False,
        secret=url_is_secret,
    ),
)


def message(
    id: str = "inc7/update/1/chat/responders",
    *,
    title: str = "Checkout fails",
    words: str = "We look into it.",
    **more: object,
) -> Message:
    """Return a message about INC-7."""
    subject = f"[SEV2] INC-7 update: {title}"
    blocks = (
        Heading(subject),
        Fields((("Status", "Investigating"), ("Impact", "45 % of requests fail"))),
        Paragraph(words),
        Bullets(("Likely cause: bad deploy",)),
        Link("https://stanch.example/i/7", "INC-7 in Stanch"),
    )
    case = Case(
        number=7,
        key="INC-7",
        title=title,
        severity="SEV2",
        status="investigating",
        purpose="update",
        audience="responders",
        topic="SEV2 · investigating · commander: alice",
        url="https://stanch.example/i/7",
        invite=("U1", "U2"),
        components=(("c1", "partial_outage"),),
        buttons=(Button(label="Acknowledge", verb="ack", value="INC-7", primary=True),),
    )
    made = Message(
        id=id,
        room=ROOM,
        subject=subject,
        text=to_plain(blocks),
        markdown=to_markdown(blocks),
        incident=7,
        blocks=write_blocks(blocks),
        case=case,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # fields of a message by name
