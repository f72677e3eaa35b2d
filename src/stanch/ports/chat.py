"""The chat port: what people ask from a chat, and how they are answered there; and what slash commands look like, which
Slack and those who took after it have alike."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable
from urllib.parse import parse_qsl

from stanch.kernel.errors import Invalid
from stanch.kernel.event import JSON
from stanch.ports.signals import Inbound

_MOST_FIELDS: Final = 200


class AskedBy(StrEnum):
    """How something was asked."""

    COMMAND = "command"
    BUTTON = "button"
    MARK = "mark"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """What somebody asked. `user` is who they are at the far end and `place` the room, both by its ids.

    A command or a button has `text` as it would be typed: `ack INC-1`. A mark is about a message: its `text`, its
    `author`, its `link`, and when it was written.
    """

    by: AskedBy
    user: str
    place: str = ""
    text: str = ""
    author: str = ""
    link: str = ""
    at: datetime | None = None
    reply_to: str = ""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What is answered. A `private` one is for who asked alone; one that `replaces` takes the place of the message
    with the button."""

    text: str
    private: bool = True
    replaces: bool = False


@dataclass(frozen=True, kw_only=True)
class HeardChat:
    """What a request from a chat says: what was asked, or, where nothing was, what the far end waits for.

    With `at_once` the far end waits for what was asked, and shows what it is answered.
    """

    asked: Asked | None = None
    answer: JSON = None
    at_once: bool = False


@dataclass(frozen=True, kw_only=True)
class Listened:
    """How it stands with a chat that is listened to: since when it is heard, or what is in the way."""

    since: datetime | None = None
    trouble: str = ""


@runtime_checkable
class Chat(Protocol):
    """Understands the requests of one chat, and answers them."""

    @property
    def kind(self) -> str:
        """Return whose protocol it speaks, by which people's names there are known."""
        ...

    def hear(self, inbound: Inbound, *, now: datetime) -> HeardChat:
        """Return what `inbound` says. Raises `Forbidden` when the far end did not sign it, `Invalid` for nonsense."""
        ...

    def complete(self, asked: Asked) -> Asked:
        """Return `asked` with what has to be fetched first, such as the words of a marked message. May be slow."""
        ...

    def answer(self, asked: Asked, reply: Reply) -> JSON:
        """Return the body of the answer to the request itself; None where that would not be shown to whom it is for,
        so that it has to be sent."""
        ...

    def send(self, asked: Asked, reply: Reply) -> None:
        """Answer later, where the request itself can not be answered. Raises `Unavailable`."""
        ...


def read_form(body: bytes) -> dict[str, str]:
    """Return the fields of a form, of several with one name the last. Raises `Invalid`."""
    try:
        return dict(parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS))
    except ValueError as error:
        raise Invalid(f"this is no form: {error}", field="body") from error


def command_of(form: Mapping[str, JSON]) -> Asked:
    """Return what a slash command asks."""
    return Asked(
        by=AskedBy.COMMAND,
        user=str(form.get("user_id", "")),
        place=str(form.get("channel_id", "")),
        text=str(form.get("text", "")),
        reply_to=str(form.get("response_url", "")),
    )


def answer_of(reply: Reply, text: str) -> dict[str, JSON]:
    """Return the body that answers a slash command with `text`: to who asked alone, or to the room."""
    return {"response_type": "ephemeral" if reply.private else "in_channel", "text": text}
