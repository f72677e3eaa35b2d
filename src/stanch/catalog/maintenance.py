"""Maintenance windows as `stanch.toml` declares them: the record, its keys, and how they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, complain_of_zone, did_you_mean
from stanch.kernel.recurrence import EARLIEST_YEAR, check_rule


@dataclass(frozen=True, kw_only=True)
class MaintenanceSpec:
    """A window, `[maintenance.<name>]`. One-off it has `starts_at` and `ends_at`, recurring `rrule` and `first`.

    The times are local, in `zone`. `lasts_s` or `until` says how long each lasts. With `dependants` it covers also
    everything that needs `services`. `public` is what the public status page says of it, where it is to say anything.
    """

    name: str
    why: str = ""
    public: str = ""
    services: tuple[str, ...] = ()
    dependants: bool = False
    matchers: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    rrule: str = ""
    first: datetime | None = None
    lasts_s: float | None = None
    until: str = ""
    zone: str = ""


MAINTENANCE: Final = (
    Key(name="why", type=Type.TEXT, doc="What is done then; it stands on every alert that is held back."),
    Key(name="public", type=Type.TEXT, doc="What the public status page says of it; without it, nothing."),
    Key(name="services", type=Type.TEXTS, doc='The services it covers; `["*"]` for all.'),
    Key(name="dependants", type=Type.BOOLEAN, doc="It covers everything that needs these services too."),
    Key(name="matchers", type=Type.TEXT, doc='Only alerts with such labels: `team="db", severity!="critical"`.'),
    Key(name="starts_at", type=Type.LOCAL, doc="One-off: when it starts, in its zone."),
    Key(name="ends_at", type=Type.LOCAL, doc="One-off: when it ends, in its zone."),
    Key(name="rrule", type=Type.TEXT, doc="Recurring: a rule of RFC 5545, such as `FREQ=WEEKLY;BYDAY=SU`."),
    Key(name="first", type=Type.LOCAL, doc="Recurring: when the first one starts, in its zone."),
    Key(name="lasts_s", type=Type.SECONDS, doc="Recurring: how long each lasts.", low=1, high=2_678_400),
    Key(name="until", type=Type.CLOCK, doc="Recurring, instead: until which time of day."),
    Key(name="zone", type=Type.TEXT, doc="Time zone of its times; by default the installation's."),
)


def read_maintenance(reader: Reader, *, name: str, services: Sequence[str]) -> dict[str, object]:
    """Return one window as data, and note what its keys mean together that makes no sense."""
    for service in reader.texts("services"):
        if service != "*" and service not in services:
            reader.complain("services", f"names no service: {service!r}{did_you_mean(service, services)}")
    if not reader.texts("services") and not reader.text("matchers"):
        reader.complain("services", 'is missing: name services, or matchers, or all: ["*"]')
    complain_of_zone(reader, "zone")
    if reader.text("rrule"):
        _complain_of_recurrence(reader)
    else:
        start, end = reader.local("starts_at"), reader.local("ends_at")
        if start is None or end is None:
            reader.complain("starts_at", "and ends_at say when it is; or rrule and first how it recurs")
        elif end <= start:
            reader.complain("ends_at", "must be after its start")
    return {**reader.given(), "name": name}


def _complain_of_recurrence(reader: Reader) -> None:
    if wrong := check_rule(reader.text("rrule")):
        reader.complain("rrule", wrong)
    for key in ("starts_at", "ends_at"):
        if reader.local(key) is not None:
            reader.complain(key, "is for a window that does not recur: say first, and lasts_s or until")
    if (first := reader.local("first")) is None or first.year < EARLIEST_YEAR:
        reader.complain("first", "is missing: the local time of the first one, such as 2026-01-04T02:00")
    if bool(reader.text("until")) == (reader.number("lasts_s", default=0) > 0):
        reader.complain("lasts_s", "is missing: say how long each lasts, or until which time of day, and not both")
