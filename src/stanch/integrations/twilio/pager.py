"""Sends texts and calls (https://www.twilio.com/docs/messaging/api/message-resource, .../voice/api/call-resource)."""

import weakref
from typing import Final
from urllib.parse import quote, urlencode
from xml.sax.saxutils import escape, quoteattr

import httpx2

from stanch.integrations.twilio.callbacks import hear
from stanch.ports.bounded import bounds
from stanch.ports.pager import Failure, Heard, NotTaken, Page, PagerSettings, Receipt, lost, refused
from stanch.ports.signals import Inbound

KINDS: Final = frozenset({"sms", "voice"})
_API: Final = "https://api.twilio.com"
_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
# Three segments of the GSM alphabet; a longer text costs more and says no more.
_LONGEST_SMS: Final = 459
_CALL_EVENTS: Final = ("initiated", "answered", "completed")


class TwilioPager:
    """Sends texts and calls from one number. Twilio knows no key: what got no answer may have been sent."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._settings = settings
        self._kinds = frozenset(settings.kinds) & KINDS if settings.kinds else KINDS
        base = (settings.url or _API).rstrip("/")
        self._base = f"{base}/2010-04-01/Accounts/{quote(settings.account, safe='')}"
        self._client = httpx2.Client(timeout=_TIMEOUT, auth=(settings.account, settings.secret), event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Texts and calls, or the one of them that is configured."""
        return self._kinds

    @property
    def idempotent(self) -> bool:
        """There is no key."""
        return False

    def page(self, page: Page) -> Receipt:
        """Send `page`; how it goes on is told by callbacks."""
        form = self._call(page) if page.kind == "voice" else self._text(page)
        what = "Calls" if page.kind == "voice" else "Messages"
        try:
            answer = self._client.post(f"{self._base}/{what}.json", data=form)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        try:
            said = answer.json()
        except ValueError:
            said = {}
        said = said if isinstance(said, dict) else {}
        if answer.is_success:
            if not said.get("sid"):
                raise NotTaken(f"{self._name} answered without a SID", failure=Failure.UNKNOWN)
            return Receipt(reference=str(said["sid"]), detail=str(said.get("status", "")))
        words = f"{said.get('code', '')} {said.get('message', '')}".strip()
        raise refused(self._name, status=answer.status_code, words=words, headers=answer.headers)

    def hear(self, inbound: Inbound, *, url: str) -> Heard:
        """Return what a callback says. Raises `Forbidden` when Twilio has not signed it."""
        return hear(inbound, url=url, token=self._settings.secret)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _text(self, page: Page) -> dict[str, object]:
        answers = f" Ack: {page.link} or reply ack {page.number}" if page.link else ""
        said = page.text[: _LONGEST_SMS - len(answers)] + answers
        form: dict[str, object] = {"From": self._settings.sender, "To": page.address, "Body": said}
        if page.callback:
            form["StatusCallback"] = self._back(page, "status")
        return form

    def _call(self, page: Page) -> dict[str, object]:
        form: dict[str, object] = {
            "From": self._settings.sender,
            "To": page.address,
            "Twiml": _spoken(page, action=self._back(page, "gather")),
        }
        if page.callback:
            form["StatusCallback"] = self._back(page, "status")
            form["StatusCallbackEvent"] = list(_CALL_EVENTS)
        return form

    def _back(self, page: Page, what: str) -> str:
        return f"{page.callback}/{quote(self._name)}/{what}?{urlencode({'page': page.id})}"


def _spoken(page: Page, *, action: str) -> str:
    """Return what a call says, twice as one may pick up late, and the key that it waits for."""
    said = f"<Say>{escape(page.text)}.</Say>"
    ask = "<Say>Press 4 to acknowledge.</Say><Pause length='2'/>"
    if not page.link or not page.callback:
        return f"<Response>{said}{said}</Response>"
    attribute = quoteattr(action)
    gather = f'<Gather input="dtmf" numDigits="1" timeout="15" action={attribute}>{said}{ask}{said}{ask}</Gather>'
    return f"<Response>{gather}<Say>No key was pressed. Goodbye.</Say></Response>"
