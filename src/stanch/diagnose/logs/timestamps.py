"""Reads the time a log line begins with, in the formats that common programs write. Never reads a clock.

A time without a zone is taken in `zone`. A time without a year (syslog, klog) or without a date takes the year or the
day that brings it closest to `reference`; without a reference it can not be resolved.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone, tzinfo

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_CLOCK = r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)(?:[.,:](?P<fraction>\d{1,9}))?"
_ZONE = r"(?: ?(?P<zone>Z|UTC|GMT|[+-]\d\d:?\d\d)(?![\w:]))?"
_MONTH = r"(?P<month>Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"

# Tried in this order: the first two cover nearly every program written in the last ten years.
_FORMATS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        # ISO 8601, Python logging, log4j, Go's log and nginx's error log: 2026-06-20T13:53:00.123Z, 2026/06/20 13:53:00
        r"(?P<year>\d{4})[-/.](?P<monthnum>\d\d?)[-/.](?P<day>\d\d?)[T ]" + _CLOCK + _ZONE,
        # klog: I0620 13:53:00.123456
        r"[IWEFD](?P<monthnum>\d\d)(?P<day>\d\d) " + _CLOCK,
        # syslog (RFC 3164): Jun 20 13:53:00, Jun  2 13:53:00
        _MONTH + r" {1,2}(?P<day>\d\d?) " + _CLOCK,
        # Common log format: 20/Jun/2026:13:53:00 +0000
        r"(?P<day>\d\d)/" + _MONTH + r"/(?P<year>\d{4}):" + _CLOCK + _ZONE,
        # Apache's error log and ctime: Thu Jun 09 06:07:04.12 2005
        r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) " + _MONTH + r" {1,2}(?P<day>\d\d?) " + _CLOCK + r" (?P<year>\d{4})",
        # RFC 2822 without its day name, and java.util.logging: 20 Jun 2026 13:53:00
        r"(?P<day>\d\d?) " + _MONTH + r" (?P<year>\d{4}) " + _CLOCK + _ZONE,
        # Compact: 20260620T135300Z, 20260620-13:53:00:123
        r"(?P<year>\d{4})(?P<monthnum>\d\d)(?P<day>\d\d)[T-](?P<hour>\d\d?):?(?P<minute>\d\d?):?(?P<second>\d\d?)"
        r"(?:[.,:](?P<fraction>\d{1,9}))?" + _ZONE,
        # Two-digit year first, as Spark and Hadoop shells write: 17/06/09 20:10:40
        r"(?P<shortyear>\d\d)/(?P<monthnum>\d\d)/(?P<day>\d\d) " + _CLOCK,
        # The clock alone, as logback writes by default: 13:53:00.123
        r"(?P<hour>\d\d):(?P<minute>\d\d):(?P<second>\d\d)[.,](?P<fraction>\d{3,9})(?=[\s\]])",
    )
)
_EPOCH = re.compile(r"(1\d{9})(?:\.(\d{1,9})|(\d{3})|(\d{6})|(\d{9}))?(?!\d)", re.ASCII)


def parse_time(
    text: str, *, start: int = 0, reference: datetime | None = None, zone: tzinfo = UTC
) -> tuple[datetime | None, int] | None:
    """Read a time at `start` of `text`.

    Returns the instant in UTC and the index after it; (None, index) for a time whose year can not be resolved; None
    where there is no time at all.
    """
    for pattern in _FORMATS:
        found = pattern.match(text, start)
        if found is not None:
            return _instant(found, reference=reference, zone=zone), found.end()
    found = _EPOCH.match(text, start)
    if found is not None:
        return from_epoch(float(found.group(0)) if found.group(2) else int(found.group(0))), found.end()
    return None


def from_epoch(value: float) -> datetime | None:
    """Turn an epoch in seconds, milliseconds, microseconds or nanoseconds into an instant; None outside 2001 to 2099.

    The unit follows from the size: 1.8e9 is seconds, 1.8e12 milliseconds, and so on, a thousand apart.
    """
    for scale in (1.0, 1e3, 1e6, 1e9):
        seconds = value / scale
        if 978_307_200 <= seconds < 4_102_444_800:
            return datetime.fromtimestamp(seconds, UTC)
    return None


def _instant(found: re.Match[str], *, reference: datetime | None, zone: tzinfo) -> datetime | None:
    part = found.groupdict()
    if not part.get("day"):
        return None if reference is None else _nearest_day(part, reference, zone)
    month = int(part["monthnum"]) if part.get("monthnum") else _MONTHS[(part.get("month") or "jan").lower()]
    fraction = part.get("fraction")
    microsecond = int(fraction[:6].ljust(6, "0")) if fraction else 0
    where = _zone(part.get("zone")) or zone
    try:
        moment = datetime(
            2000,  # a leap year, so that 29 February can be held until the year is known
            month,
            int(part["day"]),
            int(part["hour"]),
            int(part["minute"]),
            min(int(part["second"]), 59),  # a leap second is the last one of its minute
            microsecond,
            tzinfo=where,
        )
        if part.get("year"):
            return moment.replace(year=int(part["year"])).astimezone(UTC)
        if part.get("shortyear"):
            return moment.replace(year=2000 + int(part["shortyear"])).astimezone(UTC)
        return None if reference is None else _nearest_year(moment, reference)
    except (ValueError, OverflowError):  # 31 February, year 0000, an instant outside the calendar
        return None


def _nearest_year(moment: datetime, reference: datetime) -> datetime | None:
    candidates = []
    for year in (reference.year - 1, reference.year, reference.year + 1):
        try:
            candidates.append(moment.replace(year=year).astimezone(UTC))
        except (ValueError, OverflowError):  # 29 February in a common year
            continue
    return min(candidates, key=lambda candidate: abs(candidate - reference), default=None)


def _nearest_day(part: Mapping[str, str | None], reference: datetime, zone: tzinfo) -> datetime | None:
    try:
        today = reference.astimezone(zone).replace(
            hour=int(part["hour"] or 0),
            minute=int(part["minute"] or 0),
            second=min(int(part["second"] or 0), 59),
            microsecond=int((part["fraction"] or "0")[:6].ljust(6, "0")),
        )
        candidates = [today + timedelta(days=days) for days in (-1, 0, 1)]
    except (ValueError, OverflowError):  # hour 25, or a reference at the end of the calendar
        return None
    return min(candidates, key=lambda candidate: abs(candidate - reference)).astimezone(UTC)


def _zone(text: str | None) -> tzinfo | None:
    if not text:
        return None
    if text in ("Z", "UTC", "GMT"):
        return UTC
    digits = text[1:].replace(":", "")
    offset = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
    if offset >= timedelta(hours=24):
        return UTC
    return timezone(-offset if text[0] == "-" else offset)
