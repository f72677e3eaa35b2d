"""The mail channel: one mail for each recipient, those about one incident in one thread.

A mail has one Message-ID however often it is sent, by which many mailboxes show it once; none promises to, so what got
no answer stays unknown.
"""

import hashlib
import re
from email.headerregistry import BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import parseaddr
from typing import Final
from urllib.parse import quote

from stanch.integrations.smtp.sending import MailServer
from stanch.kernel.blockdata import read_blocks
from stanch.kernel.blockhtml import to_html
from stanch.kernel.blocks import clean
from stanch.ports.channel import ChannelSettings, Failure, Message, NotTaken, Receipt

# What an id may not hold, or what is better not in one (RFC 5322, 3.6.4).
_NO_ID: Final = re.compile(r"[^A-Za-z0-9._-]")
_METHOD: Final = re.compile(r"^METHOD:([A-Z]+)\r?$", re.MULTILINE)


class _Verbatim(UnstructuredHeader, BaseHeader):
    """A header that programs read: ids and links stand there as they are, on one line.

    The library would encode what is longer than a line as RFC 2047 has it for words that people read, and no program
    finds the id or the link in that: mails fall out of their thread, and the button that unsubscribes is gone.
    """

    def fold(self, *, policy: Policy) -> str:
        """Return the header's line."""
        return f"{self.name}: {self}{policy.linesep}"


_HEADERS: Final = HeaderRegistry()
for _name in ("in-reply-to", "references", "list-unsubscribe"):
    _HEADERS.map_to_type(_name, _Verbatim)
_POLICY: Final = SMTP.clone(header_factory=_HEADERS)


class MailChannel:
    """Sends mail through one server, to the recipient that a message names."""

    def __init__(self, settings: ChannelSettings) -> None:
        self._settings = settings
        self._server = MailServer(
            name=settings.name, url=settings.url, account=settings.account, secret=settings.secret
        )

    @property
    def name(self) -> str:
        """Return the configured name."""
        return self._settings.name

    @property
    def idempotent(self) -> bool:
        """No server promises to drop a second message of the same id."""
        return False

    def post(self, message: Message) -> Receipt:
        """Send `message` to its recipient, or to all of the channel's where it names none."""
        addresses = (message.to,) if message.to else self._settings.to
        if not addresses:
            raise NotTaken(f"{self.name} has nobody to write to", failure=Failure.REFUSED)
        mail = mail_of(message, sender=self._settings.sender, to=addresses)
        for address in addresses:
            self._server.send(mail, address)
        return Receipt(reference=str(mail["Message-ID"]), detail="accepted for delivery")

    def close(self) -> None:
        """Hold nothing."""


def mail_of(message: Message, *, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """Return `message` as a mail: plain text and HTML, the same for the same message."""
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = ", ".join(to)
    mail["Subject"] = " ".join(clean(message.subject).split())[:500]
    address = parseaddr(sender)[1]
    domain = address.rpartition("@")[2] or "stanch"
    mail["Message-ID"] = f"<{hashlib.sha256(message.id.encode()).hexdigest()[:32]}@{domain}>"
    if message.case:
        # The thread has a root that nobody was ever sent: whoever is told late has the same one.
        root = f"<{_NO_ID.sub('-', message.room)}.{message.case.number}@{domain}>"
        mail["In-Reply-To"] = root
        mail["References"] = root
        if message.leave:
            # RFC 8058: the mail program asks there by itself when its user presses a button.
            mail["List-Unsubscribe"] = f"<{message.leave}>"
            mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        elif message.case.audience != "responders":
            # RFC 2369. Nothing acts on it by itself: a person takes the address out of the configuration.
            subject = quote(f"unsubscribe {message.to or ''}".strip())
            mail["List-Unsubscribe"] = f"<mailto:{address}?subject={subject}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text + "\n")
    html = to_html(read_blocks(message.blocks))
    if html:
        mail.add_alternative(f"<!doctype html>\n<html><body>\n{html}\n</body></html>\n", subtype="html")
    if message.calendar:
        # RFC 6047: the last of the alternatives, which a program that knows calendars takes.
        method = _METHOD.search(message.calendar)
        mail.add_alternative(
            message.calendar.encode(),
            maintype="text",
            subtype="calendar",
            cte="base64",
            params={"method": method[1] if method else "PUBLISH", "charset": "UTF-8"},
        )
    return mail
