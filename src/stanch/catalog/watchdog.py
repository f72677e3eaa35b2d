"""What watches Stanch itself: a ping outwards, a synthetic page, a weekly word on readiness. Record and keys."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader

WATCHDOG: Final = (
    Key(
        name="ping_url",
        type=Type.TEXT,
        doc="A URL asked for again and again while Stanch works: a dead man's switch.",
    ),
    Key(name="ping_every_s", type=Type.SECONDS, doc="How often.", low=5, high=86_400),
    Key(name="synthetic", type=Type.TEXTS, doc="Whom the synthetic page goes to: targets such as `person:robot`."),
    Key(name="synthetic_every_s", type=Type.SECONDS, doc="How often it goes the whole way.", low=60, high=2_592_000),
    Key(
        name="synthetic_within_s",
        type=Type.SECONDS,
        doc="When it has not been handed over by then, that is an alarm, and no ping goes out.",
        low=5,
        high=86_400,
    ),
    Key(name="service", type=Type.TEXT, doc="The service that the alarm about a missing synthetic page is about."),
    Key(
        name="weekly",
        type=Type.BOOLEAN,
        doc="Tell the responders' channels on Mondays at 9 who could not be reached.",
    ),
)


@dataclass(frozen=True, kw_only=True)
class Watchdog:
    """What watches Stanch itself. `ping_url` may hold a secret and is never shown."""

    ping_url: str = ""
    ping_every_s: float = 60.0
    synthetic: tuple[str, ...] = ()
    synthetic_every_s: float = 86400.0
    synthetic_within_s: float = 120.0
    service: str = ""
    weekly: bool = True


def read_watchdog(reader: Reader) -> dict[str, object]:
    """Return the fields of the table; complain of what makes no sense."""
    url = reader.text("ping_url")
    if url and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).netloc):
        reader.complain("ping_url", "is no URL of HTTP")
    for target in reader.texts("synthetic"):
        if target.partition(":")[0] not in ("person", "schedule", "team"):
            reader.complain("synthetic", f"{target!r} is no target: write person:robot, schedule:checkout or team:ops")
    return reader.given()
