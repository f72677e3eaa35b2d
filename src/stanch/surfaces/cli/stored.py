"""The user's own settings: `config.toml` in the folder of settings. A flag or the environment goes before it."""

import tomllib
from pathlib import Path
from typing import Final

from stanch.kernel.errors import Invalid, Problem

KEYS: Final = {
    "server": "the server to talk to; none for the embedded store",
    "actor": "who you are",
    "data": "where the embedded store is kept",
    "color": "auto, always or never",
}
_COLOURS: Final = ("auto", "always", "never")


def stored_settings(file: Path) -> dict[str, str]:
    """Return what stands in `file`. Raises `Invalid` naming everything that is wrong with it."""
    try:
        found = tomllib.loads(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise Invalid(f"cannot be read: {error}", field=str(file)) from error
    known = ", ".join(KEYS)
    problems = [Problem(field=name, message=f"is no setting; there are {known}") for name in found if name not in KEYS]
    problems += [
        Problem(field=name, message="must be a text")
        for name, value in found.items()
        if name in KEYS and not isinstance(value, str)
    ]
    if found.get("color", "auto") not in _COLOURS:
        problems.append(Problem(field="color", message=f"must be one of {', '.join(_COLOURS)}"))
    if problems:
        raise Invalid(f"{file} is not valid", problems=problems)
    return {name: str(value) for name, value in found.items()}
