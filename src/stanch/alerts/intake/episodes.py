"""How what is said about an alert now goes together with what was said before. Pure; instants are microseconds.

An alert is one episode after the other, each from its start to its end. What overlaps belongs to one episode, what
does not begins another.
"""

from typing import NamedTuple


class Episode(NamedTuple):
    """One stretch of an alert, in microseconds since 1970. `assumed`: nobody named the end, it is the time-out's."""

    starts_at: int
    ends_at: int
    assumed: bool

    def is_over(self, now: int) -> bool:
        """Tell whether the alert has resolved by `now`."""
        return self.ends_at <= now


def merged(old: Episode, new: Episode, *, now: int) -> Episode:
    """Return the episode that holds after `new` was said about an alert whose episode was `old`.

    The earliest start wins. Of several ends in the past the latest wins; of several in the future, the latest that
    somebody named.
    """
    if not _overlap(old, new):
        return new
    starts_at = min(old.starts_at, new.starts_at)
    if old.ends_at > new.ends_at:
        longer = old.is_over(now) if new.is_over(now) else not old.assumed
        if longer:
            return Episode(starts_at, old.ends_at, new.assumed)
    return Episode(starts_at, new.ends_at, new.assumed)


def _overlap(old: Episode, new: Episode) -> bool:
    return (old.starts_at < new.ends_at < old.ends_at) or (old.starts_at < new.starts_at < old.ends_at)
