"""When somebody is reminded of an action item. Pure: days are those of the installation's zone."""

from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

# Before it is due, on the day, and then once a week.
_BEFORE: Final = timedelta(days=3)
_EVERY: Final = timedelta(days=7)
_AT: Final = time(9, 0)


def next_reminder(due_on: date, *, now: datetime, zone: ZoneInfo) -> datetime:
    """Return the instant (UTC-aware) of the first reminder after `now`: three days before, on the day, then weekly.

    Always at nine in the morning of `zone`.
    """
    days = [due_on - _BEFORE, due_on]
    last = days[-1]
    while True:
        for day in days:
            at = datetime.combine(day, _AT, tzinfo=zone)
            if at > now:
                return at
        behind = max(1, (now.astimezone(zone).date() - last) // _EVERY)
        last += _EVERY * behind
        days = [last, last + _EVERY]


def overdue_days(due_on: date | None, *, now: datetime, zone: ZoneInfo) -> int:
    """Return for how many days an item has been overdue, 0 when it is not."""
    return max(0, (now.astimezone(zone).date() - due_on).days) if due_on else 0
