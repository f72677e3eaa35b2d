"""How post-mortems are written and reviewed, `[postmortem]`. Records, keys, reading."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from stanch.catalog.channels import SEVERITIES
from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader, complain_of_zone, did_you_mean
from stanch.kernel.errors import Problem

_OUTLINES: Final = len(SEVERITIES)
_PLACE: Final = re.compile(r"[A-Z]{2}(-[A-Z0-9]{1,3})?|(https?|webcal)://\S+|[^\x00-\x1f]+\.ics")


@dataclass(frozen=True, kw_only=True)
class WriteUp:
    """Which outline a post-mortem has, SEV1 first, and how many people besides its author must agree to publish it.

    The meeting on it is `meeting_after_days` working days after the end, at `meeting_at` in `meeting_zone`, empty for
    the installation's, and takes `meeting_s` seconds; `meeting_channel` is one of kind email, empty for the first.
    `holidays` are no working days: dates such as `2026-12-24`, countries such as `DE-BY`, iCalendar files or URLs.
    """

    templates: tuple[str, ...] = ("standard", "standard", "standard", "brief")
    reviews: int = 0
    meetings: bool = True
    meeting_severity: str = "SEV4"
    meeting_after_days: int = 2
    meeting_at: str = "10:00"
    meeting_zone: str = ""
    meeting_s: float = 3600.0
    meeting_place: str = ""
    meeting_channel: str = ""
    holidays: tuple[str, ...] = ()

    @property
    def days_off(self) -> frozenset[date]:
        """Return those of `holidays` that are dates."""
        return frozenset(day for one in self.holidays if (day := _day(one)) is not None)

    @property
    def holiday_calendars(self) -> tuple[str, ...]:
        """Return those of `holidays` that somebody else keeps: countries and calendars."""
        return tuple(one for one in self.holidays if _day(one) is None)


POSTMORTEM: Final = (
    Key(
        name="templates",
        type=Type.TEXTS,
        doc="Four outlines, SEV1 first: `standard`, `brief`, `questions`, or one of yours in the folder `postmortem`.",
    ),
    Key(
        name="reviews",
        type=Type.INTEGER,
        doc="How many people besides the author must agree before one is published.",
        low=0,
        high=5,
    ),
    Key(
        name="meetings",
        type=Type.BOOLEAN,
        doc="Whether those who took part are invited to a meeting when an incident is resolved.",
    ),
    Key(
        name="meeting_severity",
        type=Type.TEXT,
        doc="From which severity on, this one and worse.",
        words=SEVERITIES,
    ),
    Key(
        name="meeting_after_days",
        type=Type.INTEGER,
        doc="How many working days after the end it is.",
        low=1,
        high=30,
    ),
    Key(name="meeting_at", type=Type.CLOCK, doc="When on that day."),
    Key(name="meeting_zone", type=Type.TEXT, doc="In which time zone; by default the installation's."),
    Key(name="meeting_s", type=Type.SECONDS, doc="How long it takes.", low=300, high=86_400),
    Key(name="meeting_place", type=Type.TEXT, doc="Where it is, e.g. a call; by default the `war_room`."),
    Key(
        name="meeting_channel",
        type=Type.TEXT,
        doc="The channel of kind `email` that invitations go through; by default the first.",
    ),
    Key(
        name="holidays",
        type=Type.TEXTS,
        doc="No working days: dates (`2026-12-24`), countries (`FI`, `DE-BY`), iCalendar files or their URLs.",
    ),
)


def read_writeup(top: Reader, problems: list[Problem], *, channels: Mapping[str, str]) -> dict[str, object]:
    """Return `[postmortem]` as data, and note what is wrong with it; `channels` are kinds by name."""
    reader = Reader(top.table("postmortem"), at="postmortem", keys=POSTMORTEM, problems=problems)
    given = reader.given()
    names = reader.texts("templates")
    if "templates" in given and len(names) != _OUTLINES:
        reader.complain("templates", f"must name {_OUTLINES} outlines, the one for SEV1 first")
    complain_of_zone(reader, "meeting_zone")
    for one in reader.texts("holidays"):
        if _day(one) is None and not _PLACE.fullmatch(one):
            reader.complain("holidays", f"{one!r} is no date, no country such as FI or DE-BY, and no iCalendar file")
    channel = reader.text("meeting_channel")
    if channel and channels.get(channel) != "email":
        mails = tuple(name for name, kind in channels.items() if kind == "email")
        reader.complain("meeting_channel", f"names no channel of kind email: {channel!r}{did_you_mean(channel, mails)}")
    return given


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
