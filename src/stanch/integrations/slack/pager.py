"""Sends pages with `chat.postMessage` (https://docs.slack.dev/reference/methods/chat.postMessage)."""

import weakref
from typing import Final

import httpx2

from stanch.integrations.slack.api import API, LATER, NOT_US
from stanch.ports.bounded import bounds
from stanch.ports.pager import Failure, NotTaken, Page, PagerSettings, Receipt, lost, refused

KINDS: Final = frozenset({"slack"})
ANSWER: Final = "stanch/answer"
"""The action of the button that acknowledges; what it carries is a token of the page."""

_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)


class SlackPager:
    """Sends direct messages. Slack knows no key: what got no answer may have been shown."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._url = (settings.url or API).rstrip("/")
        self._client = httpx2.Client(
            timeout=_TIMEOUT, headers={"Authorization": f"Bearer {settings.secret}"}, event_hooks=bounds()
        )
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Direct messages."""
        return KINDS

    @property
    def idempotent(self) -> bool:
        """There is no key."""
        return False

    def page(self, page: Page) -> Receipt:
        """Send `page` with two buttons. They are links, which need nothing from Slack but to be opened, unless the app
        hears buttons: then the first acknowledges where it is pressed."""
        body = {"channel": page.address, "text": f"{page.subject}\n{page.text}", "blocks": _blocks(page)}
        try:
            answer = self._client.post(f"{self._url}/chat.postMessage", json=body)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        if not answer.is_success:
            raise refused(self._name, status=answer.status_code, words=answer.text, headers=answer.headers)
        try:
            said = answer.json()
        except ValueError:
            raise NotTaken(f"{self._name} answered no JSON", failure=Failure.UNKNOWN) from None
        if not isinstance(said, dict) or not said.get("ok"):
            raise self._not_ok(str(said.get("error", "")) if isinstance(said, dict) else "")
        return Receipt(reference=str(said.get("ts", "")), detail="ok")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _not_ok(self, error: str) -> NotTaken:
        said = f"{self._name} answered {error[:100]}"
        if error in ("ratelimited", "rate_limited"):
            return NotTaken(said, failure=Failure.THROTTLED)
        if error in NOT_US:
            return NotTaken(said, failure=Failure.CREDENTIALS)
        return NotTaken(said, failure=Failure.UNREACHABLE if error in LATER else Failure.REFUSED)


def _blocks(page: Page) -> list[dict[str, object]]:
    text = {"type": "plain_text", "text": f"{page.subject}\n{page.text}"[:3000]}
    buttons = []
    if page.token:
        buttons.append(_pressed("Acknowledge", page.token))
    elif page.link:
        buttons.append(_button("Acknowledge", page.link, style="primary"))
    if page.url:
        buttons.append(_button("Open", page.url))
    blocks: list[dict[str, object]] = [{"type": "section", "text": text}]
    if buttons:
        blocks.append({"type": "actions", "elements": buttons})
    return blocks


def _pressed(label: str, token: str) -> dict[str, object]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "action_id": ANSWER, "value": token, "style": "primary"}


def _button(label: str, url: str, *, style: str = "") -> dict[str, object]:
    made: dict[str, object] = {"type": "button", "text": {"type": "plain_text", "text": label}, "url": url}
    return made | ({"style": style} if style else {})
