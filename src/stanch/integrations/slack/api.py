"""Calls of Slack's Web API, and what its answers mean (https://docs.slack.dev/apis/web-api). Errors come with status
200 and a word."""

import weakref
from collections.abc import Mapping
from typing import Final

import httpx2

from stanch.ports.bounded import bounds
from stanch.ports.channel import hidden
from stanch.ports.pager import Failure, NotTaken, lost, nothing_arrives, refused

API: Final = "https://slack.com/api"
# A message takes two or three calls, and has ten seconds for all of them.
_TIMEOUT: Final = httpx2.Timeout(5.0, connect=3.0)
# Slack's words for a token that it does not take: https://docs.slack.dev/reference/methods/chat.postMessage#errors
NOT_US: Final = frozenset(
    {
        "access_denied",
        "account_inactive",
        "enterprise_is_restricted",
        "invalid_auth",
        "missing_scope",
        "no_permission",
        "not_allowed_token_type",
        "not_authed",
        "org_login_required",
        "team_access_not_granted",
        "token_expired",
        "token_revoked",
    }
)
LATER: Final = frozenset({"internal_error", "fatal_error", "service_unavailable", "request_timeout"})
_THROTTLED: Final = frozenset({"ratelimited", "rate_limited", "message_limit_exceeded"})

Answer = dict[str, object]


class SlackError(NotTaken):
    """Slack said no; `word` is its own."""

    def __init__(self, name: str, word: str) -> None:
        super().__init__(f"{name} answered {word[:100]}", failure=_failure(word))
        self.word = word


class SlackApi:
    """One workspace, by a bot's token. `name` is what the provider is called in messages; the token is in none."""

    def __init__(self, *, name: str, token: str, url: str = "") -> None:
        self._name = name
        self._token = token
        self._url = (url or API).rstrip("/")
        self._client = httpx2.Client(
            timeout=_TIMEOUT, headers={"Authorization": f"Bearer {token}"}, event_hooks=bounds()
        )
        weakref.finalize(self, self._client.close)

    def call(self, method: str, body: Mapping[str, object]) -> Answer:
        """Call `method` with a JSON body. Raises `SlackError` for its no, `NotTaken` where it did not say."""
        return self._answered(method, json=dict(body))

    def read(self, method: str, form: Mapping[str, str]) -> Answer:
        """Call a method that changes nothing; those take forms alone. Nothing can have arrived by it."""
        with nothing_arrives():
            return self._answered(method, data=dict(form))

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _answered(
        self, method: str, *, json: dict[str, object] | None = None, data: dict[str, str] | None = None
    ) -> Answer:
        try:
            answer = self._client.post(f"{self._url}/{method}", json=json, data=data)
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.UnsupportedProtocol, httpx2.InvalidURL) as error:
            raise lost(self._name, error, begun=False) from None
        except httpx2.HTTPError as error:
            raise lost(self._name, error, begun=True) from None
        if not answer.is_success:
            words = hidden(answer.text, secret=self._token)
            raise refused(self._name, status=answer.status_code, words=words, headers=answer.headers)
        try:
            said = answer.json()
        except ValueError:
            raise NotTaken(f"{self._name} answered no JSON", failure=Failure.UNKNOWN) from None
        if not isinstance(said, dict) or not said.get("ok"):
            raise SlackError(self._name, str(said.get("error", "")) if isinstance(said, dict) else "")
        return said


def _failure(word: str) -> Failure:
    if word in _THROTTLED:
        return Failure.THROTTLED
    if word in NOT_US:
        return Failure.CREDENTIALS
    return Failure.UNREACHABLE if word in LATER else Failure.REFUSED
