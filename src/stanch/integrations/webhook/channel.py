"""The webhook channel: one POST per message, with the message's id in `Idempotency-Key`."""

import weakref
from dataclasses import replace
from typing import Final

import httpx2

from stanch.kernel.codec import to_data
from stanch.ports.bounded import bounds
from stanch.ports.channel import Message, Receipt, hidden, lost, refused

_TIMEOUT_S: Final = 10.0
_LONGEST_ANSWER: Final = 200


class WebhookChannel:
    """Posts messages to one URL. The URL may hold a secret and is never shown in an error."""

    def __init__(self, *, name: str, url: str) -> None:
        self._name = name
        self._url = url
        self._client = httpx2.Client(timeout=_TIMEOUT_S, event_hooks=bounds())
        weakref.finalize(self, self._client.close)

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def idempotent(self) -> bool:
        """The receiver is told the key, and is taken at its word."""
        return True

    def post(self, message: Message) -> Receipt:
        """Post `message`. 5xx, 408, 425 and 429 are tried again; another refusal is final."""
        # Whoever has the key already must be able to see that it is the same message.
        body = to_data(replace(message, again=False))
        try:
            answer = self._client.post(
                self._url, json=body, headers={"Idempotency-Key": message.id}, follow_redirects=False
            )
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        words = hidden(answer.text[:_LONGEST_ANSWER], secret=self._url)
        if answer.is_success:
            return Receipt(detail=f"{answer.status_code} {words}".strip())
        raise refused(self._name, status=answer.status_code, words=words, headers=answer.headers)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()
