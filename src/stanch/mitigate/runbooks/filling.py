"""Fills the variables of a block: `{{service}}` becomes a value that stays a value. Pure.

What an alert, a label or a commit says is data. In a command each value stays inside its one argument and never
becomes an option; in SQL it becomes a literal; in PromQL it stays inside its quotes; in a URL it is encoded.
"""

import re
import shlex
from collections.abc import Mapping
from typing import Final

from stanch.kernel.errors import Refused
from stanch.mitigate.code import check_filled
from stanch.mitigate.runbooks.markdown import commands_of
from stanch.mitigate.runbooks.model import Block, Language
from stanch.mitigate.runbooks.requests import fill_request, read_request, written
from stanch.mitigate.runbooks.variables import VARIABLE, value_of

_PLAIN: Final = re.compile(r"[\w.:/-]*", re.ASCII)


def fill_commands(block: Block, values: Mapping[str, str]) -> tuple[tuple[str, ...], ...]:
    """Return the argument lists of a shell block with its variables filled in.

    Raises `Refused` for a value that is missing, or that would turn an argument into an option.
    """
    found = []
    for argv in commands_of(block):
        filled = tuple(_argument(part, values) for part in argv)
        check_filled(argv, filled, tuple(values.values()))
        found.append(filled)
    return tuple(found)


def fill_text(block: Block, values: Mapping[str, str]) -> str:
    """Return a block with its variables filled in, each as a value of its language.

    Raises `Refused` for a value that is missing or that the language has no safe way to write.
    """
    match block.language:
        case Language.SQL:
            return _outside_quotes(block.text, values)
        case Language.PROMQL:
            return _inside_quotes(block.text, values)
        case Language.HTTP:
            return written(fill_request(read_request(block.text), values))
        case Language.SH:
            return "\n".join(shlex.join(argv) for argv in fill_commands(block, values))
        case Language.REDIS | Language.OWN:
            return VARIABLE.sub(lambda found: _word(found.group(1), values), block.text)


def bind_statement(block: Block, values: Mapping[str, str]) -> tuple[str, dict[str, str]]:
    """Return a SQL statement with `%(name)s` for each variable, and the values that the database is to bind to them.

    Raises `Refused` for a value that is missing, and for a variable between quotes: bound, it brings none.
    """
    bound: dict[str, str] = {}

    def placed(found: re.Match[str]) -> str:
        if block.text.count("'", 0, found.start()) % 2:
            raise Refused(f"write {found.group()} without quotes around it: it is bound", reason="unsafe_argument")
        name = re.sub(r"\W", "_", found.group(1))
        bound[name] = value_of(found.group(1), values)
        return f"%({name})s"

    parts, at = [], 0
    for found in VARIABLE.finditer(block.text):
        # What stands around them is the owner's text, in which a percent sign is only itself.
        parts += [block.text[at : found.start()].replace("%", "%%"), placed(found)]
        at = found.end()
    return "".join((*parts, block.text[at:].replace("%", "%%"))), bound


def _argument(part: str, values: Mapping[str, str]) -> str:
    filled = VARIABLE.sub(lambda found: value_of(found.group(1), values), part)
    if filled.startswith("-") and not part.startswith("-"):
        raise Refused(f"{filled[:60]!r} looks like an option", reason="unsafe_argument")
    return filled


def _outside_quotes(text: str, values: Mapping[str, str]) -> str:
    def literal(found: re.Match[str]) -> str:
        if text.count("'", 0, found.start()) % 2:
            raise Refused(
                f"write {found.group()} without quotes around it: it brings its own", reason="unsafe_argument"
            )
        value = value_of(found.group(1), values)
        if "\\" in value:
            # One of the two databases would read it as an escape.
            raise Refused(f"{found.group(1)} contains a backslash", reason="unsafe_argument")
        return "'" + value.replace("'", "''") + "'"

    return VARIABLE.sub(literal, text)


def _inside_quotes(text: str, values: Mapping[str, str]) -> str:
    def escaped(found: re.Match[str]) -> str:
        value = value_of(found.group(1), values)
        if text.count('"', 0, found.start()) % 2:
            return value.replace("\\", "\\\\").replace('"', '\\"')
        if not _PLAIN.fullmatch(value):
            raise Refused(f"{found.group(1)} must stand between double quotes", reason="unsafe_argument")
        return value

    return VARIABLE.sub(escaped, text)


def _word(name: str, values: Mapping[str, str]) -> str:
    value = value_of(name, values)
    if not _PLAIN.fullmatch(value) or value.startswith("-"):
        raise Refused(f"{name} is no plain word", reason="unsafe_argument")
    return value
