"""Hands messages to Apprise, which answers yes or no and keeps no key: for whatever has no channel of its own here."""

from typing import Final

from stanch.integrations.apprise.library import installed
from stanch.kernel.within import Late, within
from stanch.ports.channel import ChannelSettings, Failure, Message, NotTaken, Receipt

_WITHIN_S: Final = 10.0


class AppriseChannel:
    """Sends through the services whose URLs are the secret, separated by spaces."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._apprise = installed()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """There is no key."""
        return False

    def post(self, message: Message) -> Receipt:
        """Send `message`. A no of Apprise's can be a time-out, so that it may have arrived."""
        apprise = self._apprise
        if apprise is None:
            raise NotTaken("Apprise is not installed: pip install 'stanch[apprise]'", failure=Failure.CREDENTIALS)
        far = apprise.Apprise()
        urls = (message.to,) if message.to else self._settings.secret.split()
        if not urls or not all(far.add(url) for url in urls):
            raise NotTaken(f"{self.name} names no URL that Apprise knows", failure=Failure.REFUSED)
        kind = apprise.NotifyType.INFO
        try:
            taken = within(_WITHIN_S, lambda: far.notify(title=message.subject, body=message.text, notify_type=kind))
        except Late as late:
            raise NotTaken(f"{self.name} gave no answer: {late}", failure=Failure.UNKNOWN) from None
        if not taken:
            raise NotTaken(f"{self.name} says that it did not go out, and not why", failure=Failure.UNKNOWN)
        return Receipt(detail="handed over by Apprise")

    def close(self) -> None:
        """Hold nothing."""
