"""The channel port: say something where people read it, and keep it current there."""

import re
from dataclasses import dataclass, field
from typing import Final, Protocol

from stanch.kernel.event import JSON
from stanch.ports.pager import Failure, NotTaken, lost, nothing_arrives, refused, retry_after

__all__ = [
    "Button",
    "Case",
    "Channel",
    "ChannelSettings",
    "Failure",
    "Message",
    "NotTaken",
    "Receipt",
    "hidden",
    "lost",
    "nothing_arrives",
    "refused",
    "retry_after",
]

_PIECE: Final = re.compile(r"[^/?&=:@\s]{8,}")


def hidden(words: str, *, secret: str) -> str:
    """Return what a far end said without any piece of `secret`, which may be a URL: some repeat what they hear."""
    for piece in sorted({secret, *_PIECE.findall(secret)} - {""}, key=len, reverse=True):
        words = words.replace(piece, "…")
    return words


@dataclass(frozen=True, kw_only=True)
class Button:
    """Something that can be done from a message: `verb` with `value`, as it would be typed; or a link to `url`."""

    label: str
    verb: str = ""
    value: str = ""
    url: str = ""
    primary: bool = False


@dataclass(frozen=True, kw_only=True)
class Case:
    """The incident that a message is about, for a channel that does more than print its words.

    `severity` is `SEV1` ... `SEV4`, `status` a word of an incident's life, `purpose` and `audience` those of the
    message. `invite` are members of this far end who belong into the room, `components` pairs of what a status page
    shows and how it is.
    """

    number: int
    key: str
    title: str
    severity: str
    status: str
    purpose: str
    audience: str
    is_open: bool = True
    topic: str = ""
    url: str = ""
    invite: tuple[str, ...] = ()
    components: tuple[tuple[str, str], ...] = ()
    buttons: tuple[Button, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that is ready to go. `id` is stable over retries and is the idempotency key.

    `text` is plain, `markdown` the same with safe markup, `blocks` the same as data of `kernel.blockdata`; a channel
    takes the richest form that it renders. `to` is one recipient, empty for whoever reads the channel.

    What is known of earlier attempts and messages is filled in just before it goes: `place` is the far end's own name
    of the incident's room, `edits` its reference of the message that this one replaces, and `again` says that this
    very message may stand there already. `pinned` says that it is the one with the facts. At `leave` the recipient ends
    what they subscribed to, with one POST. `calendar` is an iCalendar object with its method, for mail.
    """

    id: str
    room: str
    subject: str
    text: str
    markdown: str
    incident: int | None = None
    data: dict[str, JSON] = field(default_factory=dict)
    blocks: tuple[JSON, ...] = ()
    case: Case | None = None
    to: str = ""
    pinned: bool = False
    place: str = ""
    edits: str = ""
    again: bool = False
    leave: str = ""
    calendar: str = ""


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the provider said: its reference for the message and for the room it stands in, if it gave any."""

    reference: str = ""
    detail: str = ""
    place: str = ""


@dataclass(frozen=True, kw_only=True)
class ChannelSettings:
    """How a channel is configured. `secret` never stands in an error or a log, and may be a whole URL.

    With `rooms` every incident has a room of its own there; else everything goes to `target`. Where buttons post to us
    what is pressed, that is at `pressed_at`, and `proof` is what tells such a post from a forged one.
    """

    name: str
    kind: str
    target: str = ""
    url: str = ""
    account: str = ""
    sender: str = ""
    to: tuple[str, ...] = ()
    secret: str = field(default="", repr=False)
    pressed_at: str = ""
    proof: str = field(default="", repr=False)
    rooms: bool = False
    root: str = "."


class Channel(Protocol):
    """Posts messages. Raises `Unavailable(retry=...)` when the far end did not take it, best a `NotTaken`."""

    @property
    def name(self) -> str:
        """Return the configured name of this channel."""
        ...

    @property
    def idempotent(self) -> bool:
        """Tell whether sending the same `Message.id` twice, the second time with `again`, shows it once."""
        ...

    def post(self, message: Message) -> Receipt:
        """Post `message` within ten seconds, or put it in the place of the one it `edits`."""
        ...
