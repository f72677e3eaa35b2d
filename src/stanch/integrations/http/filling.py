"""Fills `${name}` and `${env.NAME}` in the texts of a request, and keeps what was filled in out of what is told."""

import re
from collections.abc import Mapping
from typing import Final

_VARIABLE: Final = re.compile(r"\$\{([^}]*)\}")
_LEAST_SECRET: Final = 4
"""A shorter text would take ordinary words out of what is told."""


class NotSet(Exception):
    """An environment variable is not there; the message names it."""


class Filling:
    """What stands for the names in one look; `secrets` are the values that must not be told."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment
        self._saved: dict[str, str] = {}
        self._secrets: set[str] = set()

    def save(self, name: str, value: str) -> None:
        """Keep a value for later requests: what a far end hands out may be a token, so it counts as secret."""
        self._saved[name] = value
        self._hide(value)

    def fill(self, text: str) -> str:
        """Return `text` with its names filled in. Raises `NotSet` for an environment variable that is not there."""
        return _VARIABLE.sub(lambda found: self._value(found[1]), text)

    def fill_all(self, texts: Mapping[str, str]) -> dict[str, str]:
        """Return the values filled in."""
        return {name: self.fill(value) for name, value in texts.items()}

    def clean(self, text: str) -> str:
        """Return `text` without anything that was filled in."""
        for secret in sorted(self._secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def _value(self, name: str) -> str:
        if not name.startswith("env."):
            return self._saved.get(name, "")
        value = self._environment.get(name.removeprefix("env."))
        if value is None:
            raise NotSet(f"the environment variable {name.removeprefix('env.')} is not set on this machine")
        self._hide(value)
        return value

    def _hide(self, value: str) -> None:
        if len(value) >= _LEAST_SECRET:
            self._secrets.add(value)
