"""What people ask from Mattermost: slash commands, proved by the command's token
(https://developers.mattermost.com/integrate/slash-commands/custom/)."""

import hmac
import json
import weakref
from datetime import datetime
from typing import Final
from urllib.parse import parse_qsl

import httpx2

from stanch.kernel.errors import Forbidden, Invalid, Unavailable
from stanch.kernel.event import JSON
from stanch.ports.bounded import bounds
from stanch.ports.chat import Asked, AskedBy, HeardChat, Reply
from stanch.ports.signals import Inbound

_TEXT: Final = 15_000
_MOST_FIELDS: Final = 200
_TIMEOUT_S: Final = 5.0


class MattermostChat:
    """Understands one command of one server. `secret` is its token, or several with blanks between them."""

    def __init__(self, *, name: str, secret: str) -> None:
        self._name = name
        self._tokens = secret.split()
        self._client = httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def kind(self) -> str:
        """Mattermost's."""
        return "mattermost"

    def hear(self, inbound: Inbound, *, now: datetime) -> HeardChat:
        """Return what a request with the command's token says."""
        try:
            form = dict(parse_qsl(inbound.body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        except ValueError as error:
            raise Invalid(f"this is no form: {error}", field="body") from error
        given = inbound.headers.get("authorization", "").removeprefix("Token ").strip() or form.get("token", "")
        if not any(hmac.compare_digest(given.encode(), token.encode()) for token in self._tokens):
            raise Forbidden("the token is not that of the command", reason="bad_signature")
        asked = Asked(
            by=AskedBy.COMMAND,
            user=form.get("user_id", ""),
            place=form.get("channel_id", ""),
            text=form.get("text", ""),
            reply_to=form.get("response_url", ""),
        )
        return HeardChat(asked=asked)

    def complete(self, asked: Asked) -> Asked:
        """Fetch nothing: a command comes whole."""
        return asked

    def answer(self, reply: Reply) -> JSON:
        """Return what answers a slash command."""
        text = reply.text[:_TEXT].replace("```", "'''")
        return {"response_type": "ephemeral" if reply.private else "in_channel", "text": f"```\n{text}\n```"}

    def send(self, asked: Asked, reply: Reply) -> None:
        """Post to the URL that came with the command."""
        try:
            answer = self._client.post(asked.reply_to, content=json.dumps(self.answer(reply)))
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self._name} did not take the answer: {type(error).__name__}", retry=True) from None
        if not answer.is_success:
            raise Unavailable(f"{self._name} answered {answer.status_code}", retry=True)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
