"""What people ask from Mattermost: slash commands, proved by the command's token, and buttons, proved by a signature of
it (https://developers.mattermost.com/integrate/slash-commands/custom/,
https://developers.mattermost.com/integrate/plugins/interactive-messages/).

Nothing tells us of reactions, so a message is put into the log by its link: `/incident log LINK`.
"""

import hmac
import json
import re
import weakref
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

import httpx2

from stanch.integrations.mattermost.signing import proof
from stanch.kernel.errors import Forbidden, NotFound, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_object
from stanch.ports.bounded import bounds
from stanch.ports.chat import Asked, AskedBy, HeardChat, Reply, answer_of, command_of, read_form
from stanch.ports.signals import Inbound

_API: Final = "/api/v4"
_TEXT: Final = 15_000
_TIMEOUT_S: Final = 5.0
# What `Copy Link` of a message gives: its id has 26 letters and digits.
_MARKED: Final = re.compile(r"log\s+(\S*/pl/([a-z0-9]{26}))\s*")


class MattermostChat:
    """Understands one command of one server. `secret` is its token, or several with blanks between them; `token` the
    bot's, by which messages are read and answers to buttons are posted."""

    def __init__(self, *, name: str, secret: str, token: str = "", url: str = "") -> None:
        self._name = name
        self._tokens = secret.split()
        self._client = httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False, event_hooks=bounds())
        self._base = url.rstrip("/") + _API
        self._as_bot = {"Authorization": f"Bearer {token}"}
        weakref.finalize(self, self._client.close)

    @property
    def kind(self) -> str:
        """Mattermost's."""
        return "mattermost"

    def hear(self, inbound: Inbound, *, now: datetime) -> HeardChat:
        """Return what a request with the command's token says, or a button with its proof."""
        if inbound.headers.get("content-type", "").startswith("application/json"):
            return self._pressed(read_object(inbound.body).data)
        form = read_form(inbound.body)
        given = inbound.headers.get("authorization", "").removeprefix("Token ").strip() or form.get("token", "")
        if not any(hmac.compare_digest(given.encode(), token.encode()) for token in self._tokens):
            raise Forbidden("the token is not that of the command", reason="bad_signature")
        asked = command_of(form)
        marked = _MARKED.fullmatch(asked.text.strip())
        return HeardChat(asked=replace(asked, by=AskedBy.MARK, link=marked[1]) if marked else asked, at_once=True)

    def complete(self, asked: Asked) -> Asked:
        """Fetch what a marked message says. Raises `NotFound` for one of another room, or that the bot can not read."""
        marked = _MARKED.fullmatch(asked.text.strip())
        if asked.by is not AskedBy.MARK or marked is None:
            return asked
        post = self._ask("GET", f"/posts/{quote(marked[2], safe='')}")
        # Whoever may ask here need not be in the room that the message stands in.
        if post is None or post.get("channel_id") != asked.place:
            raise NotFound("no message of this room has that link", hint="copy the link of a message that stands here")
        written = post.get("create_at")
        return replace(
            asked,
            text=str(post.get("message", "")),
            author=str(post.get("user_id", "")),
            at=datetime.fromtimestamp(written / 1000, UTC) if isinstance(written, int | float) else None,
        )

    def answer(self, asked: Asked, reply: Reply) -> JSON:
        """Return what answers a command, or who pressed a button; what all are to read is posted for a button."""
        text = _fenced(reply.text)
        if asked.by is not AskedBy.BUTTON:
            return dict(answer_of(reply, text))
        return {"ephemeral_text": text} if reply.private else None

    def send(self, asked: Asked, reply: Reply) -> None:
        """Post into the room."""
        if self._ask("POST", "/posts", {"channel_id": asked.place, "message": _fenced(reply.text)}) is None:
            raise Unavailable(f"{self._name} did not take the answer", retry=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _pressed(self, body: Mapping[str, JSON]) -> HeardChat:
        context = body.get("context")
        given = context if isinstance(context, dict) else {}
        asks, shown = str(given.get("asks", "")), str(given.get("proof", ""))
        proofs = (proof(asks, channel=self._name, token=token) for token in self._tokens)
        if not any(hmac.compare_digest(shown.encode(), one.encode()) for one in proofs):
            raise Forbidden("the button is none of ours", reason="bad_signature")
        asked = Asked(
            by=AskedBy.BUTTON, user=str(body.get("user_id", "")), place=str(body.get("channel_id", "")), text=asks
        )
        return HeardChat(asked=asked, at_once=True)

    def _ask(self, method: str, path: str, body: object = None) -> dict[str, JSON] | None:
        """Return what the server answers to the bot, None for its no. Raises `Unavailable` when it does not."""
        content = None if body is None else json.dumps(body)
        try:
            answer = self._client.request(method, self._base + path, content=content, headers=self._as_bot)
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise Unavailable(f"{self._name} did not answer: {type(error).__name__}", retry=True) from None
        if answer.status_code >= 500 or answer.status_code == 429:
            raise Unavailable(f"{self._name} answered {answer.status_code}", retry=True)
        return dict(read_object(answer.content).data) if answer.is_success else None


def _fenced(text: str) -> str:
    return "```\n{}\n```".format(text[:_TEXT].replace("```", "'''"))
