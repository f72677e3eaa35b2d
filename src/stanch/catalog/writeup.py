"""How post-mortems are written and reviewed, `[postmortem]`. Records, keys, reading."""

from dataclasses import dataclass
from typing import Final

from stanch.catalog.key import Key, Type
from stanch.catalog.reader import Reader
from stanch.kernel.errors import Problem

_SEVERITIES: Final = 4


@dataclass(frozen=True, kw_only=True)
class WriteUp:
    """Which outline a post-mortem has, SEV1 first, and how many people besides its author must agree to publish it."""

    templates: tuple[str, ...] = ("standard", "standard", "standard", "brief")
    reviews: int = 0


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
)


def read_writeup(top: Reader, problems: list[Problem]) -> dict[str, object]:
    """Return `[postmortem]` as data, and note what is wrong with it."""
    reader = Reader(top.table("postmortem"), at="postmortem", keys=POSTMORTEM, problems=problems)
    given = reader.given()
    names = reader.texts("templates")
    if "templates" in given and len(names) != _SEVERITIES:
        reader.complain("templates", f"must name {_SEVERITIES} outlines, the one for SEV1 first")
    return given
