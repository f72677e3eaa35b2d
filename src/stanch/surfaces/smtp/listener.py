"""Takes mail by SMTP (RFC 5321): who may send, to whom, how much; then hands it on, and answers after that.

A mail that can never be taken is refused with 5xx. Where something is wrong on this side the answer is 451, and the
sending server tries again.
"""

import asyncio
import functools
import hmac
import re
import socket
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Final

import structlog
from aiosmtpd.smtp import SMTP, Envelope, Session

from stanch.kernel.errors import Forbidden, Invalid, StanchError

log = structlog.get_logger(__name__)

MAILBOX: Final = "alerts"
"""The part before the `@` that alerts go to, with `+TOKEN` where tokens are asked for."""

_RECIPIENT: Final = re.compile(rf"{MAILBOX}(?:\+(?P<token>[A-Za-z0-9._=-]{{1,200}}))?@[^@\s]+", re.IGNORECASE)
_TIMEOUT_S: Final = 60
# Commands of a kind in one conversation: more mails than that need another one.
_MOST_AT_ONCE: Final = 50
_WORKERS: Final = 2
_STARTED_WITHIN_S: Final = 10.0
_OK: Final = "250 OK"
_NOT_HERE: Final = "550 5.1.1 nobody takes mail under this address"

Take = Callable[[bytes], str]
"""Stores one mail and returns what is said about it; raises `StanchError` when it cannot."""

Answer = Callable[[str, bytes, str], str]
"""Takes a reply to a page: its token, the mail, who sent it; returns what is said about it. Raises as `Take`."""

Complain = Callable[[StanchError], None]
"""Counts a mail that was not taken, and why."""


@dataclass(frozen=True, kw_only=True)
class Admission:
    """Who may send: `senders` are addresses or `@domain`, `tokens` stand in the recipient. Empty asks for nothing."""

    senders: Sequence[str] = ()
    tokens: Sequence[str] = field(default=(), repr=False)

    def takes_from(self, address: str) -> bool:
        """Tell whether `address` may send."""
        named = address.lower()
        domain = f"@{named.rpartition('@')[2]}"
        return not self.senders or any(one.lower() in (named, domain) for one in self.senders)

    def takes_for(self, address: str) -> bool:
        """Tell whether mail to `address` is taken: the mailbox, with a token that fits where there are any."""
        found = _RECIPIENT.fullmatch(address)
        if found is None:
            return False
        given = (found["token"] or "").encode()
        return not self.tokens or any(hmac.compare_digest(given, one.encode()) for one in self.tokens)


@dataclass(frozen=True, kw_only=True)
class Replies:
    """Replies to pages: they go to `<mailbox>+TOKEN@...`, and the token says whose they are, whoever sends them."""

    mailbox: str
    answer: Answer

    def token_in(self, address: str) -> str:
        """Return the token that a recipient carries, empty where it is no address for replies."""
        name, _, domain = address.rpartition("@")
        mailbox, plus, token = name.partition("+")
        return token if domain and plus and mailbox.lower() == self.mailbox.lower() else ""


class Handler:
    """What is done at each step of a conversation; the names and answers are those the library asks for."""

    def __init__(
        self,
        admission: Admission,
        take: Take,
        complain: Complain,
        workers: ThreadPoolExecutor,
        replies: Replies | None = None,
    ) -> None:
        self._replies = replies
        self._admission = admission
        self._take = take
        self._complain = complain
        self._workers = workers

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer who it is from."""
        # Whoever was paged may reply; who it is for is said only after this.
        if self._replies is None and not self._admission.takes_from(address):
            return self._stranger(address)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return _OK

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Answer who it is for."""
        if self._token_in(address):
            if envelope.rcpt_tos:
                return "452 4.5.3 a reply goes to one address"
            envelope.rcpt_tos.append(address)
            return _OK
        if not self._admission.takes_from(envelope.mail_from or ""):
            return self._stranger(envelope.mail_from or "")
        if any(self._token_in(one) for one in envelope.rcpt_tos):
            return "452 4.5.3 a reply goes to one address"
        if not self._admission.takes_for(address):
            # The address is not told: it may be a token with a slip of the finger.
            self._workers.submit(self._complain, Forbidden(f"a mail of {envelope.mail_from or 'nobody'} to no mailbox"))
            return _NOT_HERE
        envelope.rcpt_tos.append(address)
        return _OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        """Store the mail and answer; 250 means that it is on the disk."""
        raw = envelope.content
        if not isinstance(raw, bytes):
            return "451 4.3.0 try again later"
        loop = asyncio.get_running_loop()
        try:
            token = next((found for one in envelope.rcpt_tos if (found := self._token_in(one))), "")
            if token and self._replies is not None:
                work = functools.partial(self._replies.answer, token, raw, envelope.mail_from or "")
            else:
                work = functools.partial(self._take, raw)
            remark = await loop.run_in_executor(self._workers, work)
        except Invalid as error:
            self._workers.submit(self._complain, error)
            return f"550 5.6.0 {_one_line('; '.join(one.message for one in error.problems) or error.message)}"
        except Forbidden as error:
            self._workers.submit(self._complain, error)
            return f"550 5.7.1 {_one_line(error.message)}"
        except StanchError as error:
            log.warning("mail.not_taken", why=error.message)
            return f"451 4.3.0 {_one_line(error.message)}"
        except Exception as error:  # the surface's outermost frame: the sender keeps the mail and tries again
            log.exception("mail.bug", error=str(error))
            return "451 4.3.0 an unexpected error; try again later"
        return f"250 2.0.0 {_one_line(remark) or 'it is on record'}"

    def _token_in(self, address: str) -> str:
        return self._replies.token_in(address) if self._replies is not None else ""

    def _stranger(self, address: str) -> str:
        self._workers.submit(self._complain, Forbidden(f"{address[:200] or 'nobody'} is not among the senders"))
        return "550 5.7.1 this sender is not on the list"


class Listener:
    """A running server on a socket that listens. `start` returns when it answers, `stop` when it is gone."""

    def __init__(
        self,
        listener: socket.socket,
        *,
        admission: Admission,
        take: Take,
        largest_bytes: int,
        complain: Complain = lambda error: None,
        replies: Replies | None = None,
    ) -> None:
        self._socket = listener
        self._workers = ThreadPoolExecutor(_WORKERS, thread_name_prefix="stanch-mail")
        self._handler = Handler(admission, take, complain, self._workers, replies)
        self._largest = largest_bytes
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stanch-smtp", daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Return the host and the port it listens on."""
        found = self._socket.getsockname()
        return found[0], found[1]

    def start(self) -> None:
        """Take mail from now on."""
        self._thread.start()
        self._ready.wait(_STARTED_WITHIN_S)

    def stop(self) -> None:
        """Stop, after what is being stored is stored."""
        self._workers.shutdown(wait=True)
        if self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(_STARTED_WITHIN_S)
        self._socket.close()

    def _protocol(self) -> SMTP:
        return SMTP(
            self._handler,
            data_size_limit=self._largest,
            enable_SMTPUTF8=True,
            hostname="stanch",
            ident="Stanch",
            loop=self._loop,
            timeout=_TIMEOUT_S,
            command_call_limit=_MOST_AT_ONCE,
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(self._loop.create_server(self._protocol, sock=self._socket))
        self._loop.call_soon(self._ready.set)
        try:
            self._loop.run_forever()
        finally:
            server.close()
            for task in asyncio.all_tasks(self._loop):
                task.cancel()
            self._loop.run_until_complete(asyncio.sleep(0))
            self._loop.close()


def _one_line(text: str) -> str:
    # A reply is one line of ASCII (RFC 5321, 4.2).
    return " ".join(text.encode("ascii", "replace").decode().split())[:300]
