"""Hands a mail to one server, a connection for each, and says how far that came."""

import smtplib
import ssl
import threading
from email.message import EmailMessage
from typing import Final
from urllib.parse import urlsplit

from stanch.kernel.within import Late, within
from stanch.ports.pager import Failure, NotTaken

# Of one step; all of them together have the other.
_TIMEOUT_S: Final = 8.0
WITHIN_S: Final = 10.0
# "Service not available", "mailbox busy", "out of room for now": RFC 5321 section 4.2.3; anything else with 4 too.
_LATER: Final = range(400, 500)


class _Handing:
    """How far one hand-over has come. Whoever gives it up keeps its text from being sent later."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._given_up = False
        self.given = False

    def give(self) -> bool:
        """Begin to send the text; False when it was given up."""
        with self._lock:
            self.given = not self._given_up
            return self.given

    def give_up(self) -> bool:
        """Keep the text from being sent; True when it may have been already."""
        with self._lock:
            self._given_up = True
            return self.given


class MailServer:
    """One server: `smtp://host:587` (with STARTTLS where it is offered) or `smtps://host:465`. `name` is what it is
    called in messages; with account and secret it is logged in there."""

    def __init__(self, *, name: str, url: str, account: str = "", secret: str = "", within_s: float = WITHIN_S) -> None:
        self._name = name
        self._within_s = within_s
        self._account = account
        self._secret = secret
        self._where = urlsplit(url or "smtp://127.0.0.1:25")

    @property
    def host(self) -> str:
        """Return the server's name."""
        return self._where.hostname or "127.0.0.1"

    def send(self, message: EmailMessage, address: str) -> None:
        """Hand `message` over for `address`. Raises `NotTaken`: what breaks off after the text may have been taken."""
        handing = _Handing()
        try:
            within(self._within_s, lambda: self._hand_over(message, address, handing))
        except Late as late:
            given = handing.give_up()
            broken = f"{self._name} gave no answer: {late}{'; it may have arrived' if given else ''}"
            raise NotTaken(broken, failure=Failure.UNKNOWN if given else Failure.UNREACHABLE) from None
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise self._answered(code, said) from None
        except smtplib.SMTPResponseException as error:
            # Before the text, and but for the recipient's, a no is about us: a log-in, a sender.
            about_us = not handing.given or isinstance(error, smtplib.SMTPSenderRefused)
            raise self._answered(error.smtp_code, error.smtp_error, about_us=about_us) from None
        except smtplib.SMTPNotSupportedError as error:
            # No log-in is offered; or, later, no address beyond ASCII is taken.
            no = Failure.REFUSED if handing.given else Failure.CREDENTIALS
            raise NotTaken(f"{self._name}: {error}", failure=no) from None
        except (OSError, smtplib.SMTPException) as error:
            broken = f"{self._name} broke off: {type(error).__name__}"
            raise NotTaken(broken, failure=Failure.UNKNOWN if handing.given else Failure.UNREACHABLE) from None

    def _hand_over(self, message: EmailMessage, address: str, handing: _Handing) -> None:
        with self._connect() as server:
            server.ehlo_or_helo_if_needed()
            if self._where.scheme == "smtp" and server.has_extn("starttls"):
                server.starttls(context=ssl.create_default_context())
            if self._account and self._secret:
                server.login(self._account, self._secret)
            if handing.give():
                server.send_message(message, to_addrs=[address])

    def _connect(self) -> smtplib.SMTP:
        host, port = self._where.hostname or "127.0.0.1", self._where.port
        if self._where.scheme == "smtps":
            return smtplib.SMTP_SSL(host, port or 465, timeout=_TIMEOUT_S, context=ssl.create_default_context())
        return smtplib.SMTP(host, port or 25, timeout=_TIMEOUT_S)

    def _answered(self, code: int, said: bytes | str, *, about_us: bool = False) -> NotTaken:
        words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
        text = f"{self._name} answered {code} {' '.join(words.split())[:300]}"
        if code == 421 or code == 450:
            return NotTaken(text, failure=Failure.THROTTLED)
        # "Authentication required" (RFC 4954 section 6), whenever it is said.
        no = Failure.CREDENTIALS if about_us or code in (530, 535) else Failure.REFUSED
        return NotTaken(text, failure=Failure.UNREACHABLE if code in _LATER else no)
