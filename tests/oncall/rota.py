"""Small configurations of on-call for tests."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path

from stanch.catalog.load import read_catalog
from stanch.catalog.model import Catalog
from stanch.oncall.model import NOTHING, Facts
from stanch.oncall.roster import shifts

PEOPLE = """
[people.alice]
zone = "Europe/Helsinki"
teams = ["commerce"]
[people.bob]
zone = "America/New_York"
teams = ["commerce"]
[people.carol]
zone = "Asia/Tokyo"
"""


def catalog_of(text: str) -> Catalog:
    """Return the catalog of a document with alice, bob and carol in it."""
    return read_catalog(tomllib.loads(PEOPLE + text), root=Path("/srv/shop"))


def rota(layers: str, *, zone: str = "UTC", more: str = "") -> Catalog:
    """Return a catalog with the schedule `shop`, of which `layers` are the inline tables."""
    return catalog_of(f'[oncall.schedules.shop]\nzone = "{zone}"\nlayers = [{layers}]\n{more}')


def utc(text: str) -> datetime:
    """Return `2026-01-05T09:00` as an instant."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def told(catalog: Catalog, start: str, end: str, *, facts: Facts = NOTHING, name: str = "shop") -> list[str]:
    """Return the shifts as lines such as `alice 01-05 09:00 - 01-12 09:00` (UTC)."""
    found = shifts(catalog, name, start=utc(start), end=utc(end), facts=facts)
    return [f"{one.person} {one.start:%m-%d %H:%M} - {one.end:%m-%d %H:%M}" for one in found]
