"""Instants of clocks on the wall, for hand-overs: monotone, so that turns never overlap and never run backwards.

Owns local times to instants only. An hour that happens twice is taken the first time; a time that is skipped is the
moment of the skip. (RFC 5545 moves a skipped 02:30 on to 03:30, which is later than what 03:00 means on that day; two
hand-overs could then change places.)
"""

from datetime import datetime, timedelta
from functools import lru_cache

from whenever import Instant

from stanch.kernel.zone import in_zone, resolve


# A year of half-hour turns is 17,520 instants at about 150 bytes.
@lru_cache(maxsize=32_768)
def instant_of(local: datetime, zone: str) -> datetime:
    """Return the first instant (UTC) at which the clock of `zone` shows `local` or later."""
    found = resolve(local.date(), local.time(), zone)
    if not found.skipped:
        return found.at
    skip = Instant(found.at).to_tz(zone).prev_transition()
    return found.at if skip is None else skip.to_instant().to_stdlib()


def local_of(at: datetime, zone: str) -> datetime:
    """Return what the clock of `zone` shows at `at`, without a zone."""
    return in_zone(at, zone).replace(tzinfo=None, fold=0)


def local_length(start: datetime, end: datetime, zone: str) -> timedelta:
    """Return the difference of what the clock shows: 12 h for 21:00 to 09:00, also where it is really 11 or 13."""
    return local_of(end, zone) - local_of(start, zone)
