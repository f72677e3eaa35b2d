"""When an alert that comes and goes is flapping, and until when. Pure; instants are microseconds.

An opening is two changes: it was over, and it fires again. While an alert flaps it counts as firing, so that it is told
once, as flapping, and not at each turn.
"""

from dataclasses import dataclass
from typing import Final

MOST_KEPT: Final = 32


@dataclass(frozen=True, kw_only=True)
class Turns:
    """When an alert opened again lately, oldest first. While `until` lies ahead it flaps, and has since `since`."""

    openings: tuple[int, ...] = ()
    since: int = 0
    until: int = 0

    def flaps(self, now: int) -> bool:
        """Tell whether it flaps."""
        return self.until > now


def turned(old: Turns, *, at: int, changes: int, window: int) -> Turns:
    """Return how it stands after it opened again at `at`; `changes` within `window` are flapping, 0 never.

    With 10 changes in 15 minutes the fifth opening in that time begins it, and each further one prolongs it by 15
    minutes.
    """
    openings = (*(one for one in old.openings if at - one < window), at)[-MOST_KEPT:]
    if old.flaps(at):
        return Turns(openings=openings, since=old.since, until=at + window)
    if changes and 2 * len(openings) >= changes:
        return Turns(openings=openings, since=at, until=at + window)
    return Turns(openings=openings)
