"""The port to a text that is kept somewhere: read it with a name for what it is, replace it if it still is that."""

from dataclasses import dataclass
from typing import Protocol

from stanch.kernel.errors import StanchError


class Moved(StanchError):
    """The text is not what it was when it was read."""

    code = "conflict"


@dataclass(frozen=True, kw_only=True)
class KeptText:
    """A text as it was read; `revision` names this state of it."""

    text: str
    revision: str


class Keeping(Protocol):
    """A place that keeps one text."""

    @property
    def where(self) -> str:
        """Return where it is, for people."""
        ...

    def read(self) -> KeptText:
        """Return the text. Raises `NotFound` and `Unavailable`."""
        ...

    def replace(self, former: KeptText, text: str, *, why: str) -> None:
        """Put `text` in the place of `former`, all of it at once. Raises `Moved` when it is something else by now."""
        ...
