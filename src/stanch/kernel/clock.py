"""The clock. Rules are given `now`; only the outermost code asks a clock for it."""

from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """Tells the time."""

    def now(self) -> datetime:
        """Return the present instant, timezone-aware, in UTC."""
        ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """Return the present instant in UTC."""
        return datetime.now(UTC)


class ManualClock:
    """A clock that stands still until it is moved by hand: for tests and game days."""

    def __init__(self, start: datetime) -> None:
        self._now = start.astimezone(UTC)

    def now(self) -> datetime:
        """Return the instant the clock was last moved to."""
        return self._now

    def advance(self, by: timedelta) -> datetime:
        """Move the clock forward by `by` and return the new instant."""
        self._now += by
        return self._now

    def set(self, to: datetime) -> datetime:
        """Move the clock to `to`, backwards too, and return it."""
        self._now = to.astimezone(UTC)
        return self._now
