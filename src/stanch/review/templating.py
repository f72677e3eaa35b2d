"""The outline of a post-mortem: Markdown with the names of the sections that the log fills in.

Three ship; one with the same name in the folder `postmortem` of the configuration takes its place. Only names of
sections are filled: a template runs nothing.
"""

import re
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from typing import Final

from stanch.kernel.errors import Invalid

FOLDER: Final = "postmortem"
STANDARD: Final = "standard"
SECTIONS: Final = (
    "key",
    "title",
    "facts",
    "summary",
    "impact",
    "charts",
    "timeline",
    "root_cause",
    "went_well",
    "went_poorly",
    "action_items",
    "prevention",
    "to_write",
)
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
_SECTION: Final = re.compile(r"\{\{ *([^{}\n]{0,64}?) *\}\}")
_LARGEST: Final = 100_000
_GAP: Final = re.compile(r"\n{3,}")


def shipped() -> dict[str, str]:
    """Return the templates that ship, by name."""
    folder = files("stanch.review") / "templates"
    return {
        one.name.removesuffix(".md"): one.read_text(encoding="utf-8")
        for one in sorted(folder.iterdir(), key=lambda one: one.name)
        if one.name.endswith(".md")
    }


def own(root: Path) -> dict[str, str]:
    """Return the templates of a configuration's folder, by name. Raises `Invalid` for one that cannot be read."""
    found = {}
    for path in sorted((root / FOLDER).glob("*.md")):
        try:
            found[path.stem] = path.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise Invalid(f"{FOLDER}/{path.name} cannot be read: {error}", field=FOLDER) from error
    return found


def templates(root: Path) -> dict[str, str]:
    """Return every template by name, with one's own before those that ship."""
    return shipped() | own(root)


def template_named(root: Path, name: str) -> str:
    """Return one template. Raises `Invalid` naming those there are."""
    known = templates(root)
    if name not in known:
        raise Invalid(f"there is no template {name!r}: there are {', '.join(sorted(known))}", field="template")
    return known[name]


def problems_of(name: str, text: str) -> tuple[str, ...]:
    """Return what is wrong with a template; empty when nothing is."""
    found = []
    if not _NAME.fullmatch(name):
        found.append("its name may hold small letters, digits, - and _ alone")
    if len(text) > _LARGEST:
        found.append(f"it has more than {_LARGEST:,} characters")
    for number, line in enumerate(text.splitlines(), start=1):
        found += [
            f"line {number}: {match.group(1)!r} is no section: there are {', '.join(SECTIONS)}"
            for match in _SECTION.finditer(line)
            if match.group(1) not in SECTIONS
        ]
    if not any(match.group(1) in SECTIONS for match in _SECTION.finditer(text)):
        found.append("it names no section, so that nothing of the log would be in it")
    return tuple(found)


def fill(template: str, sections: Mapping[str, str]) -> str:
    """Return a template with its sections in their places, in one pass; a section that is empty leaves no gap."""
    filled = _SECTION.sub(lambda match: sections.get(match.group(1), match.group(0)).strip("\n"), template)
    return _GAP.sub("\n\n", filled).strip("\n") + "\n"
