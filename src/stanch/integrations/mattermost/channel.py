"""The Mattermost channel, by the API of version 4 (https://developers.mattermost.com/api-documentation/).

The server forgets the keys of posts after a while, so every post carries its id as a property, and one that may stand
there already is looked for first.
"""

import threading
import weakref
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.integrations.mattermost.signing import proof
from stanch.ports.bounded import bounds
from stanch.ports.channel import (
    Button,
    Case,
    ChannelSettings,
    Failure,
    Message,
    NotTaken,
    Receipt,
    hidden,
    lost,
    nothing_arrives,
    refused,
)

_TIMEOUT: Final = httpx2.Timeout(5.0, connect=3.0)
_API: Final = "/api/v4"
# A post has at most 16,383 characters.
_TEXT: Final = 16_000
_NAME: Final = 64
_HEADER: Final = 1_024
_BUTTON: Final = 75
_PROPERTY: Final = "stanch_id"
_EXISTS: Final = "exists"


class MattermostError(NotTaken):
    """The server said no; `word` is its own name of the reason."""

    def __init__(self, trouble: NotTaken, *, word: str) -> None:
        super().__init__(trouble.message, failure=trouble.failure, retry_after_s=trouble.retry_after_s)
        self.word = word


class MattermostChannel:
    """Posts into one channel, or into one of its own for every incident."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._base = settings.url.rstrip("/") + _API
        self._client = httpx2.Client(
            timeout=_TIMEOUT, headers={"Authorization": f"Bearer {settings.secret}"}, event_hooks=bounds()
        )
        weakref.finalize(self, self._client.close)
        self._invited: dict[str, frozenset[str]] = {}
        self._headers: dict[str, str] = {}
        self._lock = threading.Lock()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """What may stand there is looked for before it is said again."""
        return True

    def post(self, message: Message) -> Receipt:
        """Post `message`, or change the one it edits; make the incident's channel where there is none yet."""
        with self._lock:
            room = self._room(message)
            post = message.edits or (self._said_already(room, message) if message.again else "")
            if message.edits:
                body = {"message": _text(message), "props": self._properties(message)}
                self._certain("PUT", f"/posts/{quote(post, safe='')}/patch", body)
            elif not post:
                body = {"channel_id": room, "message": _text(message), "props": self._properties(message)}
                post = str(self._ask("POST", "/posts", body).get("id", ""))
            if message.pinned and not message.edits:
                self._certain("POST", f"/posts/{quote(post, safe='')}/pin", {})
            if message.case and not message.to and self._settings.rooms:
                self._keep_room(room, message.case)
            return Receipt(reference=post, detail="posted", place="" if message.to else room)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _properties(self, message: Message) -> dict[str, object]:
        """Return what goes with the words: what it is found again by, and the buttons."""
        buttons = [one for one in message.case.buttons if one.verb] if message.case else []
        made: dict[str, object] = {_PROPERTY: message.id}
        tokens = self._settings.proof.split()
        if not (buttons and self._settings.pressed_at and tokens):
            return made
        actions = [self._action(one, number, token=tokens[0]) for number, one in enumerate(buttons)]
        return made | {"attachments": [{"fallback": "", "actions": actions}]}

    def _action(self, one: Button, number: int, *, token: str) -> dict[str, object]:
        """Return a button; the server keeps its context from everybody who reads the post."""
        asks = f"{one.verb} {one.value}".strip()
        context = {"asks": asks, "proof": proof(asks, channel=self.name, token=token)}
        return {
            # Its id may have letters and digits alone.
            "id": f"stanch{number}",
            "type": "button",
            "name": _unmentioned(one.label)[:_BUTTON],
            "style": "primary" if one.primary else "default",
            "integration": {"url": self._settings.pressed_at, "context": context},
        }

    def _room(self, message: Message) -> str:
        if message.to:
            return message.to
        if message.place:
            return message.place
        if not self._settings.rooms or message.case is None:
            if not self._settings.target:
                raise NotTaken(f"{self.name} has no channel for what is about no incident", failure=Failure.REFUSED)
            return self._settings.target
        # The number keeps two incidents of one name apart.
        ending = f"-{message.case.number}"
        return self._open(message.room[: _NAME - len(ending)] + ending, message.case)

    def _open(self, name: str, case: Case) -> str:
        team = self._settings.account
        wanted = {
            "team_id": team,
            "name": name,
            "display_name": f"{case.key} {case.title}"[:_NAME],
            "type": "O",
            "purpose": f"{case.key} in Stanch",
        }
        try:
            return str(self._certain("POST", "/channels", wanted).get("id", ""))
        except MattermostError as trouble:
            if _EXISTS not in trouble.word:
                raise
        found = self._certain("GET", f"/teams/{quote(team, safe='')}/channels/name/{quote(name, safe='')}")
        return str(found.get("id", ""))

    def _said_already(self, room: str, message: Message) -> str:
        posts = self._certain("GET", f"/channels/{quote(room, safe='')}/posts?per_page=100").get("posts")
        for id, post in posts.items() if isinstance(posts, dict) else ():
            properties = post.get("props") if isinstance(post, dict) else None
            if isinstance(properties, dict) and properties.get(_PROPERTY) == message.id:
                return str(id)
        return ""

    def _keep_room(self, room: str, case: Case) -> None:
        """Keep the channel's header current and add who belongs into it."""
        place = f"/channels/{quote(room, safe='')}"
        if case.topic and self._headers.get(room) != case.topic:
            self._harmless("PUT", f"{place}/patch", {"header": _unmentioned(case.topic)[:_HEADER]})
            self._headers[room] = case.topic
        for member in case.invite:
            if member not in self._invited.get(room, frozenset()):
                self._harmless("POST", f"{place}/members", {"user_id": member})
        self._invited[room] = self._invited.get(room, frozenset()) | set(case.invite)

    def _harmless(self, method: str, path: str, body: object) -> None:
        try:
            self._certain(method, path, body)
        except NotTaken as trouble:
            if trouble.failure not in (Failure.REFUSED, Failure.CREDENTIALS):
                raise

    def _certain(self, method: str, path: str, body: object = None) -> dict[str, object]:
        """Ask for what can be asked again without harm: that there was no answer then says no more than that."""
        with nothing_arrives():
            return self._ask(method, path, body)

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, object]:
        try:
            answer = self._client.request(method, self._base + path, json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self.name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self.name, error, begun=True) from None
        try:
            said = answer.json()
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        if answer.is_success:
            return said
        words = str(said.get("message", "")) or answer.text
        trouble = refused(
            self.name,
            status=answer.status_code,
            words=hidden(words, secret=self._settings.secret),
            headers=answer.headers,
        )
        word = str(said.get("id", ""))
        raise MattermostError(trouble, word=word) if word else trouble


def _text(message: Message) -> str:
    return _unmentioned(message.markdown)[:_TEXT]


def _unmentioned(text: str) -> str:
    """Return `text` such that it calls nobody: the server looks for `@all` before it reads the markup."""
    return text.replace("\\@", "@\u200b").replace("@here", "@\u200bhere").replace("@all", "@\u200ball")
