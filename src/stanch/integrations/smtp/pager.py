"""Sends pages as mail. One page has one Message-ID, by which many mailboxes show it once; none promises to."""

import hashlib
import smtplib
import ssl
from email.message import EmailMessage
from email.policy import SMTP
from typing import Final
from urllib.parse import urlsplit

from stanch.ports.pager import Failure, NotTaken, Page, PagerSettings, Receipt

KINDS: Final = frozenset({"email"})
_TIMEOUT_S: Final = 8.0
# "Service not available", "mailbox busy", "out of room for now": RFC 5321 section 4.2.3; anything else with 4 too.
_LATER: Final = range(400, 500)


class SmtpPager:
    """Sends mail through one server, a connection for each page."""

    def __init__(self, settings: PagerSettings) -> None:
        self._name = settings.name
        self._settings = settings
        self._where = urlsplit(settings.url or "smtp://127.0.0.1:25")

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
        message = message_of(page, sender=self._settings.sender or f"stanch@{self._where.hostname}")
        given = False
        try:
            with self._connect() as server:
                server.ehlo_or_helo_if_needed()
                if self._where.scheme == "smtp" and server.has_extn("starttls"):
                    server.starttls(context=ssl.create_default_context())
                if self._settings.account and self._settings.secret:
                    server.login(self._settings.account, self._settings.secret)
                given = True
                server.send_message(message, to_addrs=[page.address])
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise self._answered(code, said) from None
        except smtplib.SMTPResponseException as error:
            raise self._answered(error.smtp_code, error.smtp_error) from None
        except (OSError, smtplib.SMTPException) as error:
            broken = f"{self._name} broke off: {type(error).__name__}"
            raise NotTaken(broken, failure=Failure.UNKNOWN if given else Failure.UNREACHABLE) from None
        return Receipt(reference=str(message["Message-ID"]), detail="accepted for delivery")

    def close(self) -> None:
        """Hold nothing."""

    def _connect(self) -> smtplib.SMTP:
        host, port = self._where.hostname or "127.0.0.1", self._where.port
        if self._where.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port or 465, timeout=_TIMEOUT_S, context=ssl.create_default_context())
        return smtplib.SMTP(host, port or 25, timeout=_TIMEOUT_S)

    def _answered(self, code: int, said: bytes | str) -> NotTaken:
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        text = f"{self._name} answered {code} {' '.join(words.split())[:300]}"
        if code == 421 or code == 450:
            return NotTaken(text, failure=Failure.THROTTLED)
        return NotTaken(text, failure=Failure.UNREACHABLE if code in _LATER else Failure.REFUSED)


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
    message["Auto-Submitted"] = "auto-generated"
    if page.urgent:
        message["Importance"] = "high"
    lines = [page.text, ""]
    if page.link:
        lines += [f"Acknowledge: {page.link}", ""]
    if page.url:
        lines += [f"Everything about it: {page.url}", ""]
    message.set_content("\n".join(lines))
    return message
