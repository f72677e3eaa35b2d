"""Which errors stand out since an instant: their counts, their trend, and the one to show first."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

import numpy as np

from stanch.alerts.baseline import baseline_of
from stanch.alerts.errors.tables import BUCKET_S, bucket_of, counts_of_errors, find_errors
from stanch.alerts.model import ErrorGroup
from stanch.alerts.shape import shape_of
from stanch.store import Connection

HISTORY: Final = timedelta(minutes=10)
"""What an error did before is looked up this far back; 60 buckets make its normal."""

CLOSE: Final = 0.5
"""An error with half of the excess of the strongest may still be the one to show."""

STANDS_OUT_NATS: Final = math.log(17)
LEAST_EXPECTED: Final = 0.5

NEW: Final = timedelta(seconds=30)
"""An error first seen within this before the onset counts as new: the onset is an estimate."""


def errors_since(
    connection: Connection, *, services: Sequence[str], since: datetime, now: datetime
) -> list[ErrorGroup]:
    """Return the errors of `services` seen since `since`, with counts and trend, the most excess first."""
    found = find_errors(connection, services=services, since=since)
    start = min(since, now) - HISTORY
    counts = counts_of_errors(connection, services=services, start=start, end=now)
    groups = [_counted(one, counts.get((one.service, one.fingerprint), {}), since=since, now=now) for one in found]
    return sorted((one for one in groups if one.recent), key=lambda one: (-_excess(one, since, now), one.fingerprint))


def primary_error(
    connection: Connection, *, services: Sequence[str], since: datetime, now: datetime
) -> ErrorGroup | None:
    """Return the error of `services` that stands out since `since`, None when none does.

    With k errors since then where its rate before makes L (at least 0.5), one stands out when ``k ln(k/L) - (k - L)``
    (Poisson, in nats) is at least ln 17: three where none were before do, two do not. Of those with at least half of
    the strongest's excess, new ones come first, then those that do not merely pass on the failure of another service
    in the list (their title names it, and it has such errors of its own).
    """
    errors = errors_since(connection, services=services, since=since, now=now)
    found = [one for one in errors if _nats(one, since, now) >= STANDS_OUT_NATS]
    if not found:
        return None
    strongest = _excess(found[0], since, now)
    close = [one for one in found if _excess(one, since, now) >= CLOSE * strongest]
    with_own = {one.service for one in close}
    return min(
        close,
        key=lambda one: (
            any(name != one.service and _names(one.title, name) for name in with_own),
            one.first_seen < since - NEW,
            -_excess(one, since, now),
        ),
    )


def _counted(group: ErrorGroup, counts: Mapping[datetime, int], *, since: datetime, now: datetime) -> ErrorGroup:
    first = bucket_of(since)
    buckets = np.arange((bucket_of(since) - HISTORY).timestamp(), now.timestamp(), BUCKET_S)
    by_start = {at.timestamp(): count for at, count in counts.items()}
    values = np.array([by_start.get(float(at), 0) for at in buckets], dtype=np.float64)
    normal = baseline_of(buckets, values, before=first.timestamp(), season_seconds=None)
    return replace(
        group,
        recent=sum(count for at, count in counts.items() if at >= first),
        before=sum(count for at, count in counts.items() if first - HISTORY <= at < first),
        trend=shape_of(buckets, values, normal).value,
    )


def _expected(group: ErrorGroup, since: datetime, now: datetime) -> float:
    """Return how many there would have been since `since` at the rate before."""
    elapsed = max((now - since).total_seconds(), float(BUCKET_S))
    return group.before * elapsed / HISTORY.total_seconds()


def _excess(group: ErrorGroup, since: datetime, now: datetime) -> float:
    return group.recent - _expected(group, since, now)


def _nats(group: ErrorGroup, since: datetime, now: datetime) -> float:
    """Return how many nats speak against chance, 0 where there are not more than expected."""
    expected = max(_expected(group, since, now), LEAST_EXPECTED)
    count = float(group.recent)
    return count * math.log(count / expected) - (count - expected) if count > expected else 0.0


def _names(title: str, service: str) -> bool:
    """Tell whether `title` holds the name of `service` as a word."""
    position = title.find(service)
    while position >= 0:
        around = (title[position - 1 : position], title[position + len(service) : position + len(service) + 1])
        if not any(one.isalnum() or one == "_" for one in around):
            return True
        position = title.find(service, position + 1)
    return False
