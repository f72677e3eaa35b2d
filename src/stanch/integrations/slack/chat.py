"""What people ask from Slack: slash commands, buttons, the shortcut on a message, and reactions that mark one
(https://docs.slack.dev/interactivity). All come to one URL, or down a socket.

The app needs the slash command `/incident`, interactivity with a message shortcut of the callback id `stanch_log`, and
the event `reaction_added` with the scope `reactions:read`.
"""

import json
import weakref
from dataclasses import replace
from datetime import datetime
from typing import Final

import httpx2

from stanch.integrations.slack.api import SlackApi
from stanch.integrations.slack.blocks import escaped
from stanch.integrations.slack.hearing import event, interaction
from stanch.integrations.slack.signing import verify
from stanch.kernel.errors import Invalid, Unavailable
from stanch.kernel.event import JSON
from stanch.kernel.jsontext import read_object
from stanch.ports.bounded import bounds
from stanch.ports.chat import Asked, AskedBy, HeardChat, Reply, answer_of, command_of, read_form
from stanch.ports.signals import Inbound

_TEXT: Final = 3_500
_TIMEOUT_S: Final = 5.0


class SlackChat:
    """Understands one workspace. `token` is the bot's, `secret` what requests are signed with."""

    def __init__(self, *, name: str, token: str, secret: str, url: str = "") -> None:
        self._name = name
        self._secret = secret
        self._api = SlackApi(name=name, token=token, url=url)
        self._client = httpx2.Client(timeout=_TIMEOUT_S, follow_redirects=False, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def kind(self) -> str:
        """Slack's."""
        return "slack"

    def hear(self, inbound: Inbound, *, now: datetime) -> HeardChat:
        """Return what a signed request says."""
        verify(inbound.body, inbound.headers, secret=self._secret, now=now)
        if inbound.headers.get("content-type", "").startswith("application/json"):
            return event(read_object(inbound.body).data)
        form = read_form(inbound.body)
        if "payload" in form:
            return interaction(read_object(form["payload"].encode()).data)
        if "command" not in form:
            raise Invalid("neither a command nor an interaction", field="body")
        return HeardChat(asked=command_of(form), at_once=True)

    def complete(self, asked: Asked) -> Asked:
        """Fetch what a marked message says: a reaction comes without it."""
        if asked.by is not AskedBy.MARK or not asked.at:
            return asked
        stamp = f"{asked.at.timestamp():.6f}"
        text, author = asked.text, asked.author
        if not text:
            wanted = {"channel": asked.place, "latest": stamp, "oldest": stamp, "inclusive": "true", "limit": "1"}
            messages = self._api.read("conversations.history", wanted).get("messages")
            first = messages[0] if isinstance(messages, list) and messages else {}
            text, author = str(first.get("text", "")), str(first.get("user", "") or author)
        link = self._api.read("chat.getPermalink", {"channel": asked.place, "message_ts": stamp}).get("permalink")
        return replace(asked, text=_plain(text), author=author, link=str(link or ""))

    def answer(self, asked: Asked, reply: Reply) -> JSON:
        """Return what answers a slash command."""
        return dict(answer_of(reply, _fenced(reply)))

    def send(self, asked: Asked, reply: Reply) -> None:
        """Post to the URL that came with the request; where none did, to who asked, in the room."""
        if not asked.reply_to:
            said = {"channel": asked.place, "user": asked.user, "text": _fenced(reply)}
            self._api.call("chat.postEphemeral", said)
            return
        body = {**answer_of(reply, _fenced(reply)), "replace_original": reply.replaces}
        try:
            answer = self._client.post(asked.reply_to, content=json.dumps(body))
        except httpx2.HTTPError as error:
            raise Unavailable(f"{self._name} did not take the answer: {type(error).__name__}", retry=True) from None
        if not answer.is_success:
            raise Unavailable(f"{self._name} answered {answer.status_code}", retry=True)

    def close(self) -> None:
        """Close the connections."""
        self._api.close()
        self._client.close()


def _fenced(reply: Reply) -> str:
    return f"```{escaped(reply.text)[:_TEXT]}```"


def _plain(text: str) -> str:
    """Return a message's text as it reads: Slack escapes three signs, and writes mentions and links in two."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
