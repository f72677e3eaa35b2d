"""Regular expressions that take time in proportion to the text, whatever they say: RE2, as Prometheus has it.

Whatever is matched comes from outside, and some expressions do too. Python's own engine goes back and tries again, so
that `(a+)+b` on forty letters would hold up the whole process. Look-ahead and references back do not exist here.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import re2  # type: ignore[import-untyped]  # it ships no types

_LONGEST_SAID: Final = 200


class Found:
    """What an expression found."""

    def __init__(self, texts: tuple[str | None, ...], named: Mapping[str, str]) -> None:
        self.groups = texts
        self.named = named

    @property
    def first(self) -> str:
        """Return the first group, or everything that was found where the expression has none."""
        return (self.groups[1] if len(self.groups) > 1 else self.groups[0]) or ""


class Pattern:
    """One expression, compiled."""

    def __init__(self, text: str, *, ignore_case: bool = False) -> None:
        """Compile `text`. Raises `ValueError` saying what is wrong with it."""
        options = re2.Options()
        options.log_errors = False
        options.case_sensitive = not ignore_case
        try:
            self._compiled = re2.compile(_bytes(text), options)
        except re2.error as error:
            said = error.args[0] if error.args else b""
            words = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            raise ValueError(words[:_LONGEST_SAID]) from None
        self.names = frozenset(_text(name) or "" for name in self._compiled.groupindex)

    def fits(self, text: str) -> bool:
        """Tell whether the whole of `text` is matched."""
        return self._compiled.fullmatch(_bytes(text)) is not None

    def is_in(self, text: str) -> bool:
        """Tell whether something in `text` is matched."""
        return self._compiled.search(_bytes(text)) is not None

    def find(self, text: str) -> Found | None:
        """Return the first thing in `text` that is matched, with its groups; None when there is nothing."""
        found = self._compiled.search(_bytes(text))
        if found is None:
            return None
        texts = tuple(_text(one) for one in (found.group(0), *found.groups()))
        named = {_text(name) or "": value for name, one in found.groupdict().items() if (value := _text(one))}
        return Found(texts, named)

    def replaced(self, text: str, *, by: str) -> str:
        """Return `text` with everything that is matched replaced; in `by` a group is `$1` or `${name}`.

        Raises `ValueError` for a group that there is none of.
        """
        escaped = re.sub(r"\$(?:\{(\w+)\}|(\w+))", r"\\g<\1\2>", by.replace("\\", "\\\\"))
        try:
            return str(self._compiled.sub(escaped, text))
        except (re2.error, IndexError, KeyError) as error:
            raise ValueError(f"{by!r} names a group that there is not") from error


@lru_cache(maxsize=2048)
def pattern(text: str, *, ignore_case: bool = False) -> Pattern:
    """Return the expression `text`, compiled once. Raises `ValueError` saying what is wrong with it."""
    return Pattern(text, ignore_case=ignore_case)


def _bytes(text: str) -> bytes:
    # A lone surrogate is no character; what is left of it must not stop anything.
    return text.encode("utf-8", "replace")


def _text(found: bytes | str | None) -> str | None:
    return found.decode("utf-8", "replace") if isinstance(found, bytes) else found
