"""Sends pages as mail. One page has one Message-ID, by which many mailboxes show it once; none promises to."""

import hashlib
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final

from stanch.integrations.smtp.sending import WITHIN_S, MailServer
from stanch.ports.pager import Page, PagerSettings, Receipt

KINDS: Final = frozenset({"email"})


class SmtpPager:
    """Sends mail through one server, a connection for each page."""

    def __init__(self, settings: PagerSettings, *, within_s: float = WITHIN_S) -> None:
        self._name = settings.name
        self._sender = settings.sender
        self._server = MailServer(
            name=settings.name,
            url=settings.url,
            account=settings.account,
            secret=settings.secret,
            within_s=within_s,
        )

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._name

    @property
    def kinds(self) -> frozenset[str]:
        """Mail."""
        return KINDS

    @property
    def idempotent(self) -> bool:
        """No server promises to drop a second message of the same id."""
        return False

    def page(self, page: Page) -> Receipt:
        """Send `page`; what breaks off after the text was sent may have been taken."""
        message = message_of(page, sender=self._sender or f"stanch@{self._server.host}")
        self._server.send(message, page.address)
        return Receipt(reference=str(message["Message-ID"]), detail="accepted for delivery")

    def close(self) -> None:
        """Hold nothing."""


def message_of(page: Page, *, sender: str) -> EmailMessage:
    """Return `page` as a mail: the same bytes for the same page, but for nothing."""
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = page.address
    message["Subject"] = " ".join(page.subject.split())
    domain = sender.rpartition("@")[2].strip(">") or "stanch"
    message["Message-ID"] = f"<{hashlib.sha256(page.id.encode()).hexdigest()[:32]}@{domain}>"
    if page.incident is not None:
        # Mail about one incident stands together.
        message["References"] = f"<incident-{page.incident}@{domain}>"
    if page.reply_to:
        message["Reply-To"] = page.reply_to
    message["Auto-Submitted"] = "auto-generated"
    if page.urgent:
        message["Importance"] = "high"
    lines = [page.text, ""]
    if page.link:
        lines += [f"Acknowledge: {page.link}", ""]
    if page.reply_to:
        lines += ["Or reply with one of these words alone in the first line: ack, escalate, snooze 30.", ""]
    if page.url:
        lines += [f"Everything about it: {page.url}", ""]
    message.set_content("\n".join(lines))
    return message
