"""The channel port: say something where people read it."""

from dataclasses import dataclass, field
from typing import Protocol

from stanch.kernel.event import JSON


@dataclass(frozen=True, kw_only=True)
class Message:
    """A message that is ready to go. `id` is stable over retries and is the idempotency key.

    `text` is plain, `markdown` the same with safe markup; a channel takes the richest form that it renders.
    """

    id: str
    room: str
    subject: str
    text: str
    markdown: str
    incident: int | None = None
    data: dict[str, JSON] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Receipt:
    """What the provider said: its reference for the message, if it gave one."""

    reference: str = ""
    detail: str = ""


class Channel(Protocol):
    """Posts messages. Raises `Unavailable(retry=...)` when the far end did not take it."""

    @property
    def name(self) -> str:
        """Return the configured name of this channel."""
        ...

    @property
    def idempotent(self) -> bool:
        """Tell whether sending the same `Message.id` twice shows it once."""
        ...

    def post(self, message: Message) -> Receipt:
        """Post `message` within ten seconds."""
        ...
