"""Mail: one message for each address and notice, handed to the server that the configuration names.

One notice has one Message-ID, by which many mailboxes show a repetition once; none promises to.
"""

import hashlib
import smtplib
import ssl
from collections.abc import Mapping
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import getaddresses
from typing import Final

from stanch.integrations.alertmanager.facts import text_of_notice, title_of
from stanch.integrations.alertmanager.http import is_true, read_tls, tls_context
from stanch.integrations.alertmanager.shape import Given, Shape, read
from stanch.integrations.alertmanager.wording import Words
from stanch.kernel.errors import Invalid, Problem, Unavailable
from stanch.kernel.within import Late, within
from stanch.ports.notifier import Notice

SHAPE: Final = Shape(
    texts=("to", "from", "headers", "text"),
    markup=("html",),
    optional_secrets=("auth_password", "auth_secret"),
    plain=("smarthost", "hello", "auth_username", "auth_identity", "require_tls", "force_implicit_tls"),
    needed=("to", "from", "smarthost"),
    over_http=False,
)
_IMPLICIT_TLS: Final = 465
_PORTS: Final = {"smtp": 25, "smtps": 465, "submission": 587}
_LOOPBACK: Final = ("localhost", "127.0.0.1", "::1")


class EmailNotifier:
    """Sends notices as mail, a connection for each."""

    def __init__(self, settings: Mapping[str, object], words: Words) -> None:
        self._given = read_email(settings, words)
        self._host, self._port = _place(self._given.plain("smarthost"))
        self._tls = read_tls(settings, [])

    def notify(self, notice: Notice) -> str:
        """Send `notice` to every address of `to`; one that the server does not take is in the answer."""
        try:
            return within(notice.seconds, lambda: self._send(notice))
        except Late as late:
            raise Unavailable(f"the mail server gave no answer: {late}", retry=True) from None
        except smtplib.SMTPRecipientsRefused as error:
            code, said = next(iter(error.recipients.values()))
            raise _answered(code, said) from None
        except smtplib.SMTPResponseException as error:
            raise _answered(error.smtp_code, error.smtp_error) from None
        except smtplib.SMTPNotSupportedError as error:
            raise Unavailable(f"the mail server: {error}", retry=False) from None
        except (MessageError, ValueError) as error:
            raise Unavailable(f"this is no mail: {error}", retry=False) from None
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable(f"the mail server broke off: {type(error).__name__}", retry=True) from None

    def close(self) -> None:
        """Hold nothing."""

    def _send(self, notice: Notice) -> str:
        message = message_of(self._given, notice)
        addresses = [address for _, address in getaddresses([str(message["To"])])]
        with self._connect(notice.seconds) as server:
            server.ehlo(self._given.plain("hello"))
            self._secure(server)
            username = self._given.plain("auth_username")
            if username:
                server.login(username, self._given.secret("auth_password") or self._given.secret("auth_secret"))
            refused = server.send_message(message, to_addrs=addresses)
        told = f"taken for {len(addresses) - len(refused)} of {len(addresses)}"
        return told + "".join(f"; {address}: {code}" for address, (code, _) in refused.items())

    def _connect(self, seconds: float) -> smtplib.SMTP:
        if self._port == _IMPLICIT_TLS or is_true(self._given.plain("force_implicit_tls")):
            return smtplib.SMTP_SSL(self._host, self._port, timeout=seconds, context=tls_context(self._tls))
        return smtplib.SMTP(self._host, self._port, timeout=seconds)

    def _secure(self, server: smtplib.SMTP) -> None:
        if isinstance(server.sock, ssl.SSLSocket):
            return
        wanted = is_true(self._given.plain("require_tls", "true"))
        if server.has_extn("starttls") and (wanted or self._tls):
            server.starttls(context=tls_context(self._tls))
            server.ehlo(self._given.plain("hello"))
        elif wanted:
            raise smtplib.SMTPNotSupportedError("it offers no STARTTLS, which require_tls: true wants")
        elif self._given.plain("auth_username") and self._host not in _LOOPBACK:
            raise smtplib.SMTPNotSupportedError("a password is not sent without TLS")


def read_email(settings: Mapping[str, object], words: Words) -> Given:
    """Return the settings, checked. Raises `Invalid` with one problem per mistake."""
    problems: list[Problem] = []
    read_tls(settings, problems)
    if settings.get("smarthost"):
        try:
            _place(str(settings["smarthost"]))
        except ValueError:
            problems.append(Problem(field="smarthost", message="must be host:port, such as mail.example.com:587"))
    try:
        given = read(SHAPE, settings, words)
    except Invalid as error:
        raise Invalid("", problems=[*problems, *error.problems]) from None
    if problems:
        raise Invalid("", problems=problems)
    return given


def message_of(given: Given, notice: Notice) -> EmailMessage:
    """Return `notice` as a mail: the same bytes for the same notice. Raises `ValueError` for a header that is none."""
    message = EmailMessage(policy=SMTP)
    headers = {name.title(): value for name, value in given.pairs("headers", notice).items()}
    sender = given.text("from", notice)
    message["From"] = headers.pop("From", sender)
    message["To"] = headers.pop("To", given.text("to", notice))
    message["Subject"] = " ".join(headers.pop("Subject", title_of(notice)).split())
    domain = sender.rpartition("@")[2].strip("> ") or "stanch"
    message["Message-Id"] = headers.pop("Message-Id", f"<{_digest(notice.id)}@{domain}>")
    # Mail about one group stands together.
    message["References"] = headers.pop("References", f"<{_digest(notice.group_key)}@{domain}>")
    message["Auto-Submitted"] = "auto-generated"
    for name, value in headers.items():
        message[name] = " ".join(value.split())
    markup = given.text("html", notice)
    ours = text_of_notice(notice) if not markup else title_of(notice)
    message.set_content(given.text("text", notice) or ours)
    if markup:
        message.add_alternative(markup, subtype="html")
    return message


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _place(smarthost: str) -> tuple[str, int]:
    """Return host and port. Raises `ValueError`."""
    host, colon, port = smarthost.rpartition(":")
    number = int(port) if port.isdecimal() else _PORTS.get(port, 0)
    if not colon or not host or not 0 < number < 65_536:
        raise ValueError(smarthost)
    return host.strip("[]"), number


def _answered(code: int, said: bytes | str) -> Unavailable:
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else said
    return Unavailable(f"the mail server answered {code} {' '.join(words.split())[:300]}", retry=400 <= code < 500)
