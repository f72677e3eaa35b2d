"""The log source port: lines of a service's log from wherever they are kept, a journal, a cluster."""

from collections.abc import Iterator
from datetime import datetime
from typing import Protocol


class LogSource(Protocol):
    """Gives lines as they were written, oldest first."""

    @property
    def name(self) -> str:
        """Return its name in the configuration."""
        ...

    @property
    def where(self) -> str:
        """Return where the lines come from, as people may see it."""
        ...

    @property
    def services(self) -> tuple[str, ...]:
        """Return the services whose lines it has."""
        ...

    def command(self, service: str, *, start: datetime) -> str:
        """Return the command that shows the lines of `service` since `start` (UTC)."""
        ...

    def lines(
        self, service: str, *, start: datetime, end: datetime, timeout_s: float, most_bytes: int
    ) -> Iterator[bytes]:
        """Yield the lines of `service` in the window, at most `most_bytes` of them. Raises `Unavailable`, `Refused`."""
        ...
