"""docs/configuration.md against the list of keys and the records."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from stanch.catalog.keys import MODELS, SECTIONS, default_of

PAGE = (Path(__file__).parents[2] / "docs/configuration.md").read_text()
# Filled in by the reader from the table's own name.
NAMED_BY_THE_TABLE = {
    "services.<name>": {"name"},
    # What the keys of the kind, and the rules of the service, become.
    "services.<name>.checks": {"settings", "rules"},
    "people.<id>": {"id"},
    "channels.<name>": {"name"},
    "stakeholders.<name>": {"name"},
    "sources.<name>": {"name"},
    "systems.<name>": {"name"},
    "maintenance.<name>": {"name"},
    "status.components.<service>": {"service"},
    "pagers.<name>": {"name"},
    "trackers.<name>": {"name"},
    "heartbeats.<name>": {"name"},
    "oncall.schedules.<name>": {"name"},
    "oncall.policies.<name>": {"name"},
    "oncall.severities.<severity>": {"severity"},
}
SHORTHANDS = {"services.<name>": {"health", "metrics", "check_every_s", "rules"}}


def rows_of(section: str) -> dict[str, tuple[str, str, str]]:
    """Return type, default and meaning of every key that the page lists for a section."""
    part = PAGE.split(f"### `{section or 'top level'}`\n")[1].split("\n### ")[0]
    rows = re.findall(r"^\| `(\w+)` \| (.*?) \| (.*?) ?\| (.*) \|$", part, re.MULTILINE)
    return {name: (kind, default, doc) for name, kind, default, doc in rows}


def shown(value: object) -> str:
    """Return a default as the page shows it."""
    match value:
        case None | "" | ():
            return ""
        case bool():
            return f"`{str(value).lower()}`"
        case int() | float():
            return f"`{value:g}`"
        case tuple():
            return "`[" + ", ".join(f'"{one}"' if isinstance(one, str) else f"{one:g}" for one in value) + "]`"
    return f'`"{value}"`'


@pytest.mark.parametrize("section", list(SECTIONS))
def test_keys_are_documented(section: str) -> None:
    """The page lists the keys of the code in their order, with their type, default and meaning."""
    expected = {
        key.name: (key.type.value, "required" if key.required else shown(default_of(section, key.name)), key.doc)
        for key in SECTIONS[section]
    }

    assert expected == rows_of(section)


@pytest.mark.parametrize("section", list(SECTIONS))
def test_keys_are_the_records_fields(section: str) -> None:
    """Every field of a record can be configured, and every key reaches one."""
    expected = {field.name for field in fields(MODELS[section])} - NAMED_BY_THE_TABLE.get(section, set())

    assert expected == {key.name for key in SECTIONS[section]} - SHORTHANDS.get(section, set())
