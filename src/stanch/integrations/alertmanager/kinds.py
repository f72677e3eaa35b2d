"""The kinds of receiver there are, by the word before `_configs`, and what `global` says for each."""

from collections.abc import Callable, Mapping
from typing import Final

from stanch.integrations.alertmanager.chats import CHATS
from stanch.integrations.alertmanager.email import EmailNotifier, read_email
from stanch.integrations.alertmanager.pagers import PAGERS
from stanch.integrations.alertmanager.posting import Posting
from stanch.integrations.alertmanager.settings import check_webhook
from stanch.integrations.alertmanager.shape import read
from stanch.integrations.alertmanager.webhook import WebhookNotifier
from stanch.integrations.alertmanager.wording import Words
from stanch.ports.notifier import Notifier

_POSTED: Final = {**CHATS, **PAGERS}
KINDS: Final = ("webhook", "email", *_POSTED)

SENDS_RESOLVED: Final[Mapping[str, bool]] = {"email": False, "slack": False}
"""Whether the end of an alert is told where `send_resolved` is not given; true for every other kind."""

_SMTP: Final = ("smarthost", "from", "hello", "auth_username", "auth_identity", "require_tls", "tls_config")

GLOBALS: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "email": {name: (f"smtp_{name}",) for name in _SMTP}
    | {name: (f"smtp_{name}", f"smtp_{name}_file") for name in ("auth_password", "auth_secret")},
    "slack": {"api_url": ("slack_api_url", "slack_api_url_file")},
    "pagerduty": {"url": ("pagerduty_url",)},
    "opsgenie": {"api_url": ("opsgenie_api_url",), "api_key": ("opsgenie_api_key", "opsgenie_api_key_file")},
    "telegram": {"api_url": ("telegram_api_url",), "bot_token": ("telegram_bot_token", "telegram_bot_token_file")},
}
"""Keys of a receiver by kind, with the keys of `global` that stand in for them: the value, then the name of a file."""


class Receivers:
    """Checks and makes receivers, with the templates that were read last."""

    def __init__(self) -> None:
        self.words = Words()

    def checks(self) -> dict[str, Callable[[Mapping[str, object]], None]]:
        """Return what checks the settings of each kind; it raises `Invalid`."""
        return {kind: self._check(kind) for kind in KINDS}

    def make(self, kind: str, settings: Mapping[str, object]) -> Notifier:
        """Return what tells one receiver. Raises `Invalid` for settings that were not checked."""
        match kind:
            case "webhook":
                return WebhookNotifier(settings)
            case "email":
                return EmailNotifier(settings, self.words)
            case _:
                return Posting(_POSTED[kind], settings, self.words)

    def _check(self, kind: str) -> Callable[[Mapping[str, object]], None]:
        def check(settings: Mapping[str, object]) -> None:
            match kind:
                case "webhook":
                    check_webhook(settings)
                case "email":
                    read_email(settings, self.words)
                case _:
                    read(_POSTED[kind].shape, settings, self.words)

        return check
