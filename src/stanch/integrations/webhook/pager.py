"""The webhook pager: one signed POST per page, with the page's id in `Idempotency-Key`.

`Stanch-Signature: t=<unix seconds>,v1=<hex>`: HMAC-SHA256 with the secret over `<t>.<body>`. A receiver checks it on
the bytes as they came, and refuses what is older than five minutes.
"""

import hashlib
import hmac
import time
import weakref
from typing import Final

import httpx2
import msgspec

from stanch.ports.bounded import bounds
from stanch.ports.pager import Page, PagerSettings, Receipt, lost, refused

KINDS: Final = frozenset({"webhook"})
_TIMEOUT: Final = httpx2.Timeout(8.0, connect=3.0)
_LONGEST_ANSWER: Final = 200


class WebhookPager:
    """Posts pages to the URL that is the method's address. The URL may hold a secret and is never shown."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._secret = settings.secret
        self._client = httpx2.Client(timeout=_TIMEOUT, follow_redirects=False, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Webhooks only."""
        return KINDS

    @property
    def idempotent(self) -> bool:
        """The receiver is told the key, and is taken at its word."""
        return True

    def page(self, page: Page) -> Receipt:
        """Post `page`."""
        body = msgspec.json.encode(page)
        headers = {"Content-Type": "application/json", "Idempotency-Key": page.id}
        if self._secret:
            headers["Stanch-Signature"] = signature(self._secret, body, at=int(time.time()))
        try:
            answer = self._client.post(page.address, content=body, headers=headers)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        if answer.is_success:
            return Receipt(detail=f"{answer.status_code} {answer.text[:_LONGEST_ANSWER]}".strip())
        raise refused(self._name, status=answer.status_code, words=answer.text, headers=answer.headers)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def signature(secret: str, body: bytes, *, at: int) -> str:
    """Return the header that proves who sent `body` at `at` (Unix seconds)."""
    digest = hmac.new(secret.encode(), f"{at}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at},v1={digest}"
