"""Publishes pages to ntfy topics as JSON (https://docs.ntfy.sh/publish/#publish-as-json)."""

import hashlib
import weakref
from typing import Final
from urllib.parse import urlsplit

import httpx2

from stanch.ports.bounded import bounds
from stanch.ports.pager import Failure, NotTaken, Page, PagerSettings, Receipt, lost, refused

KINDS: Final = frozenset({"push"})
_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
# The highest priority rings through "do not disturb" on Android where the user allowed it.
_PRIORITIES: Final = {True: 5, False: 3}


class NtfyPager:
    """Publishes to the topic that is the method's address."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._headers = {"Authorization": f"Bearer {settings.secret}"} if settings.secret else {}
        # A token goes to the server it is for, and to no other that somebody's address names; without one, to none.
        self._server = _server(settings.url) if settings.url else ""
        self._client = httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Push messages."""
        return KINDS

    @property
    def idempotent(self) -> bool:
        """A message of the same sequence takes the place of the first."""
        return True

    def page(self, page: Page) -> Receipt:
        """Publish `page`."""
        server, topic = _split(page.address)
        body: dict[str, object] = {
            "topic": topic,
            "title": page.subject,
            "message": page.text,
            "priority": _PRIORITIES[page.urgent],
            "tags": ["rotating_light"] if page.urgent else ["bell"],
            "sequence_id": hashlib.sha256(page.id.encode()).hexdigest()[:32],
        }
        if page.url:
            body["click"] = page.url
        if page.answer:
            button = {"action": "http", "label": "Acknowledge", "url": page.answer, "method": "POST", "clear": True}
            body["actions"] = [button, {"action": "view", "label": "Open", "url": page.url or page.link}]
        headers = self._headers if self._server and server.lower() == self._server else {}
        try:
            answer = self._client.post(server, json=body, headers=headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        if not answer.is_success:
            raise refused(self._name, status=answer.status_code, words=_said(answer), headers=answer.headers)
        return Receipt(reference=_id(answer), detail=str(answer.status_code))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def _split(address: str) -> tuple[str, str]:
    parts = urlsplit(address)
    topic = parts.path.strip("/")
    if not parts.netloc or not topic or "/" in topic:
        raise NotTaken("the address is no URL of a topic: https://server/topic", failure=Failure.REFUSED)
    return f"{parts.scheme}://{parts.netloc}", topic


def _server(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}".lower()


def _said(answer: httpx2.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return answer.text
    return str(body.get("error", "")) if isinstance(body, dict) else answer.text


def _id(answer: httpx2.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        return ""
    return str(body.get("id", "")) if isinstance(body, dict) else ""
