"""The Discord channel: a webhook's messages (https://docs.discord.com/developers/resources/webhook). It keeps no key
and shows its history to nobody, so a lost answer stays unknown; what it posted it can change."""

import weakref
from typing import Final
from urllib.parse import quote, urlsplit

import httpx2

from stanch.kernel.blocks import clean
from stanch.ports.bounded import bounds
from stanch.ports.channel import ChannelSettings, Failure, Message, NotTaken, Receipt, hidden, lost, refused

_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
_CONTENT: Final = 1_900
_DESCRIPTION: Final = 3_900
_TITLE: Final = 250
_COLOURS: Final = {"SEV1": 0xC0392B, "SEV2": 0xD98200, "SEV3": 0x2471A3, "SEV4": 0x7F8C8D}


class DiscordChannel:
    """Posts into the webhook's channel."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._url = urlsplit(settings.secret)
        self._client = httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """There is no key."""
        return False

    def post(self, message: Message) -> Receipt:
        """Post `message`, or change the one it edits."""
        path = f"/messages/{quote(message.edits, safe='')}" if message.edits else ""
        url = self._url._replace(path=self._url.path.rstrip("/") + path, query="wait=true").geturl()
        try:
            answer = self._client.request("PATCH" if message.edits else "POST", url, json=_body(message))
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self.name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self.name, error, begun=not message.edits) from None
        try:
            said = answer.json()
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        if not answer.is_success:
            raise self._refused(answer, said)
        return Receipt(reference=str(said.get("id", "")), detail="posted")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _refused(self, answer: httpx2.Response, said: dict[str, object]) -> NotTaken:
        words = str(said.get("message", ""))
        trouble = refused(
            self.name,
            status=answer.status_code,
            words=hidden(words, secret=self._settings.secret),
            headers=answer.headers,
        )
        wait_s = said.get("retry_after")
        if trouble.failure is Failure.THROTTLED and isinstance(wait_s, int | float):
            return NotTaken(trouble.message, failure=Failure.THROTTLED, retry_after_s=float(wait_s))
        return trouble


def _body(message: Message) -> dict[str, object]:
    case, subject = message.case, clean(message.subject)
    embed: dict[str, object] = {
        "title": subject[:_TITLE],
        "description": message.markdown.partition("\n")[2].strip()[:_DESCRIPTION] or clean(message.text)[:_DESCRIPTION],
    }
    if case:
        embed["color"] = _COLOURS.get(case.severity, _COLOURS["SEV4"])
        if case.url:
            embed["url"] = case.url
    # Nobody is called by what stands in a message, whatever stands there.
    return {"content": subject[:_CONTENT], "embeds": [embed], "allowed_mentions": {"parse": []}}
