"""Instants that lie ahead, as people say them: `in 4h`, `18:00`, `2026-12-25T03:00`. What lies behind is `shared`'s."""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Final

from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Invalid
from stanch.kernel.moment import read_moment
from stanch.kernel.zone import in_zone, resolve
from stanch.surfaces.cli.shared import local_zone
from stanch.surfaces.cli.telling import hint

_CLOCK: Final = re.compile(r"([01]?[0-9]|2[0-3]):([0-5][0-9])")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d")
_LENGTH: Final = re.compile(r"(?:in |\+)?(\d.*)")


def ahead(text: str, *, zone: str, field: str) -> str | None:
    """Return the instant that `text` says, as RFC 3339, and echo how it was read; None for an empty text.

    `18:00` is the next time a clock shows it, a date alone its beginning. Raises `Invalid` on `field`.
    """
    if not text:
        return None
    place = zone or local_zone()
    found = _read(text.strip(), now=datetime.now(UTC), zone=place)
    if found is None:
        raise Invalid(f"{text!r} is no time", field=field, hint="say it like 18:00, in 4h, 2026-12-25T03:00")
    local = in_zone(found, place)
    hint(f"{text} is {local:%Y-%m-%d %H:%M} {place} ({found:%Y-%m-%d %H:%M} UTC)")
    return found.isoformat()


def _read(text: str, *, now: datetime, zone: str) -> datetime | None:
    clock = _CLOCK.fullmatch(text)
    if clock:
        today = in_zone(now, zone).date()
        at = resolve(today, time(int(clock[1]), int(clock[2])), zone).at
        return at if at > now else resolve(today + timedelta(days=1), time(int(clock[1]), int(clock[2])), zone).at
    if _DATE.fullmatch(text):
        try:
            return resolve(date.fromisoformat(text), time(), zone).at
        except ValueError:
            return None
    length = _LENGTH.fullmatch(text)
    if length and not re.match(r"\d{4}-", text):
        try:
            return (now + parse_duration(length[1])).replace(microsecond=0)
        except Invalid:
            pass
    moment = read_moment(text, now=now, zone=zone)
    return moment.at.astimezone(UTC) if moment else None
