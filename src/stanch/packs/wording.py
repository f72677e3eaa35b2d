"""Rows in words: a sentence filled from columns, each said in the unit that the column's name ends with. Pure."""

import math
from collections.abc import Mapping
from typing import Final

from stanch.kernel.event import JSON

_LONGEST: Final = 120
_IDS: Final = frozenset({"pid", "blocker", "revision", "port", "id", "last_exit"})
"""Numbers that name something; a comma in one would be in the way of whoever copies it."""


class _Words(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return "?"


def sentence(template: str, row: Mapping[str, JSON]) -> str:
    """Return `template` filled from `row`; a column that is not there is a question mark.

    `_bytes` are sizes, `_share` percent, `_s` and `_ms` lengths of time: `{used_bytes}` of 1.2e9 is `1.2 GB`.
    """
    return template.format_map(_Words({name: said(name, value) for name, value in row.items()}))


def said(column: str, value: JSON) -> str:
    """Return one value as people read it."""
    if value is None:
        return "unknown"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return _number(column, float(value))
    text = " ".join(str(value).split())
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _number(column: str, value: float) -> str:
    if not math.isfinite(value):
        return "unknown"
    if column in _IDS:
        return f"{value:.0f}"
    if column.endswith("share") and 0 < value < 0.0005:
        return "under 0.1 %"
    if column.endswith("_share") or column == "share":
        return f"{value:.1%}".replace(".0%", "%").replace("%", " %")
    if column.endswith("_bytes"):
        return size(value)
    if column.endswith("_ms"):
        return f"{value:,.0f} ms"
    if column.endswith("_s"):
        return length(value)
    return f"{value:,.0f}" if value == round(value) or abs(value) >= 100 else f"{value:,.2f}"


def size(value: float) -> str:
    """Return bytes in decimal units: `1.2 GB`."""
    for unit, bytes in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(value) >= bytes:
            return f"{value / bytes:.1f} {unit}"
    return f"{value:.0f} B"


def length(seconds: float) -> str:
    """Return a length of time: `0.4 s`, `12 s`, `3 min`, `2.5 h`, `4 d`."""
    for unit, least in (("d", 86_400.0), ("h", 3_600.0), ("min", 60.0)):
        if abs(seconds) >= 2 * least:
            return f"{seconds / least:.1f} {unit}".replace(".0 ", " ")
    return f"{seconds:.1f} s".replace(".0 ", " ")
