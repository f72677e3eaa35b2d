"""Fills the variables of a block: `{{service}}` becomes a value that stays a value. Pure.

What an alert, a label or a commit says is data. In a command each value stays inside its one argument and never
becomes an option; in SQL it becomes a literal; in PromQL it stays inside its quotes; in a URL it is encoded.
"""

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import quote

from stanch.kernel.errors import Refused
from stanch.mitigate.runbooks.markdown import commands_of
from stanch.mitigate.runbooks.model import Block, Language

_VARIABLE: Final = re.compile(r"\{\{\s*\$?(?:labels\.)?([A-Za-z_][\w.-]*)\s*\}\}")
_PLAIN: Final = re.compile(r"[\w.:/-]*", re.ASCII)
_LONGEST: Final = 1_000


def variables_of(text: str) -> tuple[str, ...]:
    """Return the names of the variables in `text`, each once, in order."""
    return tuple(dict.fromkeys(_VARIABLE.findall(text)))


def fill_commands(block: Block, values: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the argument lists of a shell block with its variables filled in.

    Raises `Refused` for a value that is missing, or that would turn an argument into an option.
    """
    return tuple(tuple(_argument(part, values) for part in argv) for argv in commands_of(block))


def fill_text(block: Block, values: Mapping[str, str]) -> str:
    """Return a block of SQL, PromQL or HTTP with its variables filled in, each as a value of its language.

    Raises `Refused` for a value that is missing or that the language has no safe way to write.
    """
    match block.language:
        case Language.SQL:
            return _outside_quotes(block.text, values)
        case Language.PROMQL:
            return _inside_quotes(block.text, values)
        case Language.HTTP:
            return _VARIABLE.sub(lambda found: quote(_value(found.group(1), values), safe=""), block.text)
        case Language.SH:
            return "\n".join(" ".join(argv) for argv in fill_commands(block, values))


def _argument(part: str, values: Mapping[str, str]) -> str:
    filled = _VARIABLE.sub(lambda found: _value(found.group(1), values), part)
    if filled.startswith("-") and not part.startswith("-"):
        raise Refused(f"{filled[:60]!r} looks like an option", reason="unsafe_argument")
    return filled


def _outside_quotes(text: str, values: Mapping[str, str]) -> str:
    def literal(found: re.Match[str]) -> str:
        if text.count("'", 0, found.start()) % 2:
            raise Refused(
                f"write {found.group()} without quotes around it: it brings its own", reason="unsafe_argument"
            )
        value = _value(found.group(1), values)
        if "\\" in value:
            # One of the two databases would read it as an escape.
            raise Refused(f"{found.group(1)} contains a backslash", reason="unsafe_argument")
        return "'" + value.replace("'", "''") + "'"

    return _VARIABLE.sub(literal, text)


def _inside_quotes(text: str, values: Mapping[str, str]) -> str:
    def escaped(found: re.Match[str]) -> str:
        value = _value(found.group(1), values)
        if text.count('"', 0, found.start()) % 2:
            return value.replace("\\", "\\\\").replace('"', '\\"')
        if not _PLAIN.fullmatch(value):
            raise Refused(f"{found.group(1)} must stand between double quotes", reason="unsafe_argument")
        return value

    return _VARIABLE.sub(escaped, text)


def _value(name: str, values: Mapping[str, str]) -> str:
    value = values.get(name, "")
    if not value:
        raise Refused(f"nothing is known of {name}", reason="missing_argument")
    if len(value) > _LONGEST or not value.isprintable():
        raise Refused(f"{name} is no plain text on one line of at most {_LONGEST} characters", reason="unsafe_argument")
    return value
