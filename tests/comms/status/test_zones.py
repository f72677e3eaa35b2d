"""Instants on the status page: in its time zone, with UTC beside it."""

from datetime import UTC, datetime

import pytest

from stanch.comms.status.zones import in_zone

AT = datetime(2026, 11, 21, 14, 30, tzinfo=UTC)
LATE = datetime(2026, 7, 21, 23, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("at", "zone", "shown"),
    [
        (AT, "UTC", "2026-11-21 14:30 UTC"),
        (AT, "Europe/London", "2026-11-21 14:30 UTC"),
        (AT, "Europe/Berlin", "2026-11-21 15:30 CET (14:30 UTC)"),
        # Summer time, and the next day there.
        (LATE, "Europe/Berlin", "2026-07-22 01:30 CEST (2026-07-21 23:30 UTC)"),
        # A zone whose name has no letters.
        (AT, "Asia/Kathmandu", "2026-11-21 20:15 UTC+05:45 (14:30 UTC)"),
        (AT, "America/Sao_Paulo", "2026-11-21 11:30 UTC-03:00 (14:30 UTC)"),
    ],
)
def test_an_instant_is_told_in_both(at: datetime, zone: str, shown: str) -> None:
    """The zone's own name where it has one; a second date where they differ."""
    assert shown == in_zone(at, zone)


def test_on_the_day_itself_the_time_is_enough() -> None:
    """The day is that of the zone."""
    assert "15:30 CET (14:30 UTC)" == in_zone(AT, "Europe/Berlin", today=AT)
