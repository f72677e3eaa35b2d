"""Instants as customers read them: in the page's time zone, with UTC beside it. Pure."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo


def local(at: datetime, zone: str) -> datetime:
    """Return an instant by the clocks of `zone`, an IANA name."""
    return at.astimezone(ZoneInfo(zone))


def in_zone(at: datetime, zone: str, *, today: datetime | None = None) -> str:
    """Return an instant to the minute: `2026-11-21 15:30 CET (14:30 UTC)`, without its date on the day of `today`.

    Where the two differ in the date, both have one; where the zone's clocks show UTC, it stands alone.
    """
    here, utc = local(at, zone), at.astimezone(UTC)
    is_today = today is not None and local(today, zone).date() == here.date()
    shown = f"{here:%H:%M}" if is_today else f"{here:%Y-%m-%d %H:%M}"
    if here.utcoffset() == timedelta(0):
        return f"{shown} UTC"
    beside = f"{utc:%H:%M} UTC" if utc.date() == here.date() else f"{utc:%Y-%m-%d %H:%M} UTC"
    return f"{shown} {_name(here)} ({beside})"


def _name(here: datetime) -> str:
    """Return what a zone is called at an instant; where it has no letters, its distance from UTC."""
    name = here.tzname() or ""
    return name if name.isalpha() else f"UTC{here.isoformat()[-6:]}"
