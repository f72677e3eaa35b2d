"""Reads query packs: the shipped files, then those of the installation, which replace and add by name.

A pack is a TOML file: `pack`, `title`, `language`, and `[[query]]` tables. Everything that is wrong is said at once.
"""

import re
import string
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import fields, replace
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Final

import msgspec

from stanch.kernel.errors import Invalid, Problem, Refused
from stanch.kernel.readonly import check_program, check_redis, check_sql
from stanch.packs.model import Language, Packs, Query, Take

_TOP: Final = frozenset({"pack", "title", "language", "query"})
_KEYS: Final = frozenset({field.name for field in fields(Query)} - {"pack", "source"} | {"disabled"})
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{0,40}")
_PATH: Final = re.compile(r"/[\w./%?=&*-]{0,300}")
_PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
_LONGEST: Final = 5_000
PLACEHOLDERS: Final = (
    "namespace",
    "selector",
    "context",
    "pid",
    "unit",
    "vhost",
    "database",
    "metric",
    "match",
    "window",
)
"""What a query's text may leave to the system it is put to."""


@cache
def shipped_packs() -> Packs:
    """Return the packs that come with the product."""
    found: dict[str, Query] = {}
    problems: list[Problem] = []
    for entry in sorted(resources.files("stanch.packs").iterdir(), key=lambda entry: entry.name):
        if entry.name.endswith(".toml"):
            _read(entry.read_text(encoding="utf-8"), where=entry.name, found=found, problems=problems)
    if problems:
        raise Invalid(problems=problems)
    return Packs(queries=found)


def read_packs(folder: Path | None) -> Packs:
    """Return the shipped packs with those of `folder` over them; a folder that is not there holds none.

    Raises `Invalid` naming file, query and key for everything that is wrong.
    """
    shipped = shipped_packs()
    if folder is None or not folder.is_dir():
        return shipped
    found = dict(shipped.queries)
    problems: list[Problem] = []
    for file in sorted(folder.glob("*.toml")):
        try:
            text = file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(field=str(file), message=f"cannot be read: {error}"))
            continue
        _read(text, where=str(file), found=found, problems=problems)
    if problems:
        raise Invalid(problems=problems, hint="docs/collectors.md says how a query pack is written")
    return Packs(queries=found)


class _Shipped(Mapping[str, Query]):
    """The shipped queries, read when the first of them is looked at: most commands need none."""

    def __getitem__(self, name: str) -> Query:
        return shipped_packs().queries[name]

    def __iter__(self) -> Iterator[str]:
        return iter(shipped_packs().queries)

    def __len__(self) -> int:
        return len(shipped_packs().queries)


def open_packs(folder: Path) -> Packs:
    """Return what `read_packs` does; without a folder of own packs nothing is read before it is needed."""
    return read_packs(folder) if folder.is_dir() else Packs(queries=_Shipped())


def fill(text: str, settings: Mapping[str, str]) -> str:
    """Return a query's text with the placeholders filled that `settings` know; other braces stay (PromQL has some)."""
    return _PLACEHOLDER.sub(lambda found: settings.get(found.group(1), found.group(0)), text)


def _read(text: str, *, where: str, found: dict[str, Query], problems: list[Problem]) -> None:
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        problems.append(Problem(field=where, message=f"is not TOML: {error}"))
        return
    problems += [Problem(field=f"{where}: {key}", message="is not a key here") for key in document if key not in _TOP]
    pack, language = document.get("pack", ""), document.get("language", document.get("pack", ""))
    tables = document.get("query", [])
    if not isinstance(pack, str) or not _NAME.fullmatch(pack) or not isinstance(tables, list):
        problems.append(Problem(field=where, message='needs `pack = "name"` and [[query]] tables'))
        return
    for number, table in enumerate(tables):
        if not isinstance(table, dict):
            problems.append(Problem(field=f"{where}: query.{number}", message="must be a table"))
            continue
        name = f"{pack}.{table.get('name', number)}"
        if table.get("disabled") is True:
            found.pop(name, None)
            continue
        given = {"language": language, **table}
        # A file of one's own may change a threshold and leave the rest as it is.
        before = found.get(name)
        try:
            found[name] = _query(given if before is None else table, before=before, pack=pack, where=where)
        except (ValueError, Refused) as error:
            problems.append(Problem(field=f"{where}: {name}", message=str(error)))


def _query(table: Mapping[str, object], *, before: Query | None, pack: str, where: str) -> Query:
    """Return the query of one table. Raises `ValueError` or `Refused` with what is wrong."""
    unknown = sorted(set(table) - _KEYS)
    if unknown:
        raise ValueError(f"{unknown[0]} is not a key of a query; those are {', '.join(sorted(_KEYS))}")
    given = {name: value for name, value in table.items() if name != "disabled"}
    try:
        if before is not None:
            base = msgspec.to_builtins(before)
            query = msgspec.convert({**base, **given, "pack": pack, "source": where}, type=Query)
        else:
            query = msgspec.convert({**given, "pack": pack, "source": where}, type=Query)
    except msgspec.ValidationError as error:
        raise ValueError(str(error)) from error
    query = replace(query, text=query.text.strip())
    _check(query)
    return query


def _check(query: Query) -> None:
    if not _NAME.fullmatch(query.name):
        raise ValueError("its name must be small letters, digits and underscores, at most 41")
    if not query.text or len(query.text) > _LONGEST:
        raise ValueError(f"its text must have 1 to {_LONGEST} characters")
    if not query.title.strip() or not query.meaning.strip():
        raise ValueError("it must have a title and say what its answer means")
    if not 0 < query.timeout_s <= 15:
        raise ValueError("timeout_s must be above 0 and at most 15")
    needs_value = query.language is not Language.PROMQL and query.take is not Take.COUNT
    if query.threshold is not None and not query.value and needs_value:
        raise ValueError("a threshold needs a value, the column that is compared with it")
    for key in ("pattern", "needs"):
        try:
            re.compile(getattr(query, key))
        except re.error as error:
            raise ValueError(f"{key} is no regular expression: {error}") from error
    for key in ("says", "none"):
        names = [name for _, name, _, _ in string.Formatter().parse(getattr(query, key)) if name is not None]
        if not all(name.isidentifier() for name in names):
            raise ValueError(f"{key} may hold names of columns in braces, and nothing else")
    check_text(query)


def check_text(query: Query) -> None:
    """Raise `Refused` unless the text of a query only reads, in its language."""
    words = query.text.split()
    match query.language:
        case Language.POSTGRESQL | Language.MYSQL | Language.SQLITE:
            check_sql(query.text)
        case Language.REDIS:
            check_redis(words)
        case Language.KUBECTL:
            check_program(["kubectl", *words])
        case Language.PROGRAM:
            check_program([fill(word, {"pid": "1"}) for word in words])
        case Language.RABBITMQ | Language.NGINX:
            if not _PATH.fullmatch(fill(query.text, {"vhost": "x"})) or ".." in query.text:
                raise Refused("this is not a read-only query: it must be a path", reason="not_read_only")
        case Language.PROMQL:
            pass  # the language has no way to write
