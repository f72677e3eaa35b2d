"""The pager port: reach one person by one method, and understand what the far end says about it afterwards."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol, runtime_checkable

from stanch.kernel.errors import Unavailable
from stanch.ports.signals import Inbound


@dataclass(frozen=True, kw_only=True)
class Page:
    """What one person is told through one method. `id` is stable over retries and is the idempotency key.

    `text` is plain and short enough for a text message when `link` is added to it. `link` is a page that confirms an
    acknowledgement and `answer` takes it by a POST; both work without logging in, and are empty where there is nothing
    to acknowledge. `urgent` says that it should break through what the person's device keeps quiet. `callback` is where
    the far end reports to, without a final slash. `reply_to` is the address at which a reply by mail is understood, and
    `token` what a button carries whose press reaches us through a chat; empty where none does.
    """

    id: str
    kind: str
    address: str
    subject: str
    text: str
    url: str = ""
    link: str = ""
    answer: str = ""
    urgent: bool = False
    number: int = 0
    incident: int | None = None
    callback: str = ""
    reply_to: str = ""
    token: str = ""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the far end said when it took a page over: its own reference, and words for the record."""

    reference: str = ""
    detail: str = ""


class Failure(StrEnum):
    """Why a page was not taken over, or what is not known about it.

    Refused is said of the address; credentials means that the far end does not accept us, whomever the page is for.
    """

    REFUSED = "refused"
    CREDENTIALS = "credentials"
    THROTTLED = "throttled"
    UNREACHABLE = "unreachable"
    UNKNOWN = "unknown"


_FOR_GOOD = frozenset({Failure.REFUSED, Failure.CREDENTIALS})


class NotTaken(Unavailable):
    """The far end did not take the page over, or did not say so.

    `UNKNOWN` means that it may have arrived. `retry_after_s` is what the far end asked for, in seconds.
    """

    def __init__(self, message: str, *, failure: Failure, retry_after_s: float | None = None) -> None:
        super().__init__(message, retry=failure not in _FOR_GOOD)
        self.failure = failure
        self.retry_after_s = retry_after_s


@runtime_checkable
class Pager(Protocol):
    """Hands pages over to one provider. Raises `NotTaken`."""

    @property
    def name(self) -> str:
        """Return the configured name of this provider."""
        ...

    @property
    def kinds(self) -> frozenset[str]:
        """Return the kinds of contact methods that it serves."""
        ...

    @property
    def idempotent(self) -> bool:
        """Tell whether handing over the same `Page.id` twice shows it once."""
        ...

    def page(self, page: Page) -> Receipt:
        """Hand `page` over within ten seconds."""
        ...

    def close(self) -> None:
        """Give connections back; nothing is handed over after it."""
        ...


class NewsKind(StrEnum):
    """What a far end says later about a page that it took over.

    Failed is said of an address that does not work; unanswered of one that does, where nobody took it.
    """

    DELIVERED = "delivered"
    SEEN = "seen"
    FAILED = "failed"
    UNANSWERED = "unanswered"
    ACKNOWLEDGED = "acknowledged"


@dataclass(frozen=True, kw_only=True)
class News:
    """One thing that a far end says. `page` is the `Page.id`, or empty where only the `address` is known, as in a
    reply; `number` is then the page that the reply names, 0 for none."""

    kind: NewsKind
    page: str = ""
    address: str = ""
    number: int = 0
    detail: str = ""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """What a request from a far end says, with the answers it gets: `reply` when the news held, `sorry` when not."""

    news: tuple[News, ...] = ()
    reply: str = ""
    sorry: str = ""
    media_type: str = "text/plain"


@runtime_checkable
class Listens(Protocol):
    """A pager whose far end calls back."""

    def hear(self, inbound: Inbound, *, url: str) -> Heard:
        """Return what `inbound` says; `url` is the public URL that it was sent to, with its query.

        Raises `Forbidden` when it is not signed by the far end and `Invalid` when it makes no sense.
        """
        ...


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return what a `Retry-After` header asks for in seconds, None where it says none; dates are not read."""
    value = headers.get("retry-after", "").strip()
    return float(value) if value.isdecimal() and len(value) < 6 else None


@dataclass(frozen=True, kw_only=True)
class PagerSettings:
    """How a provider is configured. `secret` never stands in an error or a log; `account` and `sender` are its words
    for who sends: a Twilio account and number, a mail account and address."""

    name: str
    kind: str
    url: str = ""
    account: str = ""
    sender: str = ""
    secret: str = field(default="", repr=False)
    kinds: tuple[str, ...] = ()
    root: str = "."


# The far end's own far end did not answer in time: what became of it, nobody says.
_UNSAID = frozenset({502, 504})
_NOT_US = frozenset({401, 403, 407})
_LATER = frozenset({408, 425, 500, 503})
_WORDS = 300


def refused(name: str, *, status: int, words: str, headers: Mapping[str, str]) -> NotTaken:
    """Return what an HTTP answer that is no success means for a page; `name` is the provider's, `words` its own."""
    said = f"{name} answered {status} {words[:_WORDS]}".strip()
    if status == 429:
        return NotTaken(said, failure=Failure.THROTTLED, retry_after_s=retry_after(headers))
    if status in _NOT_US:
        return NotTaken(said, failure=Failure.CREDENTIALS)
    if status in _UNSAID:
        return NotTaken(said, failure=Failure.UNKNOWN)
    if status in _LATER or status > 504:
        return NotTaken(said, failure=Failure.UNREACHABLE, retry_after_s=retry_after(headers))
    return NotTaken(said, failure=Failure.REFUSED)


def lost(name: str, error: Exception, *, begun: bool) -> NotTaken:
    """Return what a broken connection means for a page: `begun` says that the far end may have read it."""
    said = f"{name} did not answer: {type(error).__name__}"
    return NotTaken(said, failure=Failure.UNKNOWN if begun else Failure.UNREACHABLE)


@contextmanager
def nothing_arrives() -> Iterator[None]:
    """Wrap what may be asked again without harm: a far end that gave no answer is then one that was not reached."""
    try:
        yield
    except NotTaken as trouble:
        if trouble.failure is Failure.UNKNOWN:
            raise NotTaken(trouble.message, failure=Failure.UNREACHABLE) from None
        raise
