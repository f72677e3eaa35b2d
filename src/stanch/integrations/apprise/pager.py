"""Hands pages to Apprise, which answers yes or no and keeps no key."""

from typing import Final

from stanch.integrations.apprise.library import installed
from stanch.kernel.within import Late, within
from stanch.ports.pager import Failure, NotTaken, Page, PagerSettings, Receipt

KINDS: Final = frozenset({"apprise"})
# Its services have limits of their own, or none.
_WITHIN_S: Final = 10.0


class ApprisePager:
    """Sends through whatever service the address names."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._apprise = installed()

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Apprise's URLs."""
        return KINDS

    @property
    def idempotent(self) -> bool:
        """There is no key."""
        return False

    def page(self, page: Page) -> Receipt:
        """Send `page`. A no of Apprise's can be a time-out, so that it may have arrived."""
        apprise = self._apprise
        if apprise is None:
            # Nobody's address is wrong.
            raise NotTaken("Apprise is not installed: pip install 'stanch[apprise]'", failure=Failure.CREDENTIALS)
        far = apprise.Apprise()
        if not far.add(page.address):
            raise NotTaken("the address is no URL that Apprise knows", failure=Failure.REFUSED)
        links = "\n".join(line for line in (f"Acknowledge: {page.link}" if page.link else "", page.url) if line)
        failure, body = apprise.NotifyType.FAILURE, f"{page.text}\n{links}"
        try:
            taken = within(_WITHIN_S, lambda: far.notify(title=page.subject, body=body, notify_type=failure))
        except Late as late:
            raise NotTaken(
                f"{self._name} gave no answer: {late}; it may have arrived", failure=Failure.UNKNOWN
            ) from None
        if not taken:
            said = f"{self._name} says that it did not go out, and not why: after a time-out it may have arrived"
            raise NotTaken(said, failure=Failure.UNKNOWN)
        return Receipt(detail="handed over by Apprise")

    def close(self) -> None:
        """Hold nothing."""
