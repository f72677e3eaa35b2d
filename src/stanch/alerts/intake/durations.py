"""Lengths of time as Prometheus writes them: `5m`, `1h30m`, `4900ms`, `1d`, `2w`, `1y`."""

import re
from datetime import timedelta
from typing import Final

# https://prometheus.io/docs/prometheus/latest/configuration/configuration/ (duration): units in falling order.
_DURATION: Final = re.compile(
    r"(?:(\d{1,9})y)?(?:(\d{1,9})w)?(?:(\d{1,9})d)?(?:(\d{1,9})h)?(?:(\d{1,9})m(?!s))?(?:(\d{1,12})s)?(?:(\d{1,15})ms)?"
)
_UNITS: Final = (
    timedelta(days=365),
    timedelta(weeks=1),
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=1),
    timedelta(seconds=1),
    timedelta(milliseconds=1),
)
_LONGEST: Final = timedelta(days=36_525)


def parse_length(text: str) -> timedelta:
    """Return the length of time that `text` says. Raises `ValueError` with what is wrong."""
    if text == "0":
        return timedelta(0)
    found = _DURATION.fullmatch(text) if text else None
    if found is None:
        raise ValueError(f"must be a length of time such as 30s, 5m or 1h30m, not {text[:40]!r}")
    try:
        length = sum(
            (int(count) * unit for count, unit in zip(found.groups(), _UNITS, strict=True) if count), timedelta()
        )
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError("must be at most a century")
    return length
