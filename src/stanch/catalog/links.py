"""Pages elsewhere, as templates of addresses: reads `[links]`, says what is wrong with one, and fills one in. Pure."""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote, urlsplit

from stanch.catalog.reader import Reader

PLACEHOLDERS: Final = (
    "from_ms",
    "to_ms",
    "from_s",
    "to_s",
    "from_iso",
    "to_iso",
    "service",
    "services",
    "version",
    "environment",
    "incident",
)
_PLACEHOLDER: Final = re.compile(r"\{([^{}]*)\}")
_MOST: Final = 12


def read_links(top: Reader) -> dict[str, str]:
    """Return the links by title, in the order of the file; complains of what is no address or no placeholder."""
    given = top.table("links")
    found: dict[str, str] = {}
    for title, address in given.items():
        if not isinstance(address, str) or not title.strip():
            top.complain("links", f"{title!r} must be the text of an address")
            continue
        trouble = complaint(address)
        if trouble:
            top.complain("links", f"{title}: {trouble}")
        found[title] = address
    if len(found) > _MOST:
        top.complain("links", f"has {len(found)} links; a page shows at most {_MOST}")
    return found


def complaint(address: str) -> str:
    """Return what is wrong with a template, empty when nothing is."""
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.netloc or "{" in parts.netloc:
        return "must be an http or https address whose host stands as it is"
    unknown = [name for name in _PLACEHOLDER.findall(address) if name not in PLACEHOLDERS]
    return f"{{{unknown[0]}}} is none of {', '.join(PLACEHOLDERS)}" if unknown else ""


def fill_link(address: str, values: Mapping[str, str]) -> str:
    """Return the address with its placeholders filled, each quoted so that it stays within its place."""
    return _PLACEHOLDER.sub(lambda match: quote(values.get(match[1], ""), safe=","), address)
