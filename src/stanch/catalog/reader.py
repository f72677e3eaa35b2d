"""Reads one table of a configuration file by its list of keys and collects everything that is wrong with it.

Owns types, bounds and the words of complaints. What the values mean together is `load`'s.
"""

import difflib
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from stanch.catalog.key import Key, Type
from stanch.kernel.duration import parse_duration
from stanch.kernel.errors import Invalid, Problem

_CLOCK: Final = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")
NOTHING_BELOW: Final[Mapping[str, Sequence[Key]]] = MappingProxyType({})
_LOCAL: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(?:[T ][0-9]{2}:[0-9]{2}(?::[0-9]{2})?)?")


class Reader:
    """One table. A value that is wrong is reported once and then counts as not given; `written` are all names there.

    `below` are the keys of tables inside this one, by the key of such a table: a name that is unknown here may be meant
    to stand there.
    """

    def __init__(
        self,
        table: Mapping[str, object],
        *,
        at: str,
        keys: Sequence[Key],
        problems: list[Problem],
        below: Mapping[str, Sequence[Key]] = NOTHING_BELOW,
    ) -> None:
        self._table = table
        self._at = at
        self._problems = problems
        known = {key.name: key for key in keys}
        for name in table:
            if name not in known:
                self.complain(name, f"is not a key here{_did_you_mean(name, known) or _below(name, below)}")
        self.written = frozenset(table)
        self._values: dict[str, object] = {}
        for key in keys:
            if key.name in table:
                value = self._checked(key, table[key.name])
                if value is not None:
                    self._values[key.name] = value
            elif key.required:
                self.complain(key.name, "is missing")

    def complain(self, name: str, message: str) -> None:
        """Note that the value at `name` (empty for the table itself) is wrong."""
        field = ".".join(part for part in (self._at, name) if part)
        self._problems.append(Problem(field=field, message=message))

    def inner(
        self,
        table: Mapping[str, object],
        *,
        at: str,
        keys: Sequence[Key],
        below: Mapping[str, Sequence[Key]] = NOTHING_BELOW,
    ) -> "Reader":
        """Return a reader for a table inside this one, which complains to the same list."""
        at = f"{self._at}.{at}" if self._at else at
        return Reader(table, at=at, keys=keys, problems=self._problems, below=below)

    def kind(self, *, default: str) -> str | None:
        """Return the text `kind`, `default` when it is not given, None for one that was complained of."""
        return self.text("kind") or (None if "kind" in self.written else default)

    def given(self) -> dict[str, object]:
        """Return the plain values that were given and are right, in Python's types; tables are left out."""
        return {name: value for name, value in self._values.items() if not isinstance(value, dict | _Tables)}

    def text(self, name: str) -> str:
        """Return a text, empty when it is not given."""
        value = self._values.get(name)
        return value if isinstance(value, str) else ""

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, empty when it is not given."""
        value = self._values.get(name)
        return value if isinstance(value, tuple) and not isinstance(value, _Tables) else ()

    def commands(self, name: str) -> tuple[tuple[str, ...], ...]:
        """Return a list of lists of texts, empty when it is not given."""
        value = self._values.get(name)
        return value if isinstance(value, tuple) and all(isinstance(one, tuple) for one in value) else ()

    def number(self, name: str, *, default: float) -> float:
        """Return a number, `default` when it is not given."""
        value = self._values.get(name)
        return float(value) if isinstance(value, int | float) else default

    def local(self, name: str) -> datetime | None:
        """Return a local date-time (without a zone), None when it is not given."""
        value = self._values.get(name)
        return value if isinstance(value, datetime) else None

    def table(self, name: str) -> Mapping[str, object]:
        """Return a table, empty when it is not given."""
        value = self._values.get(name)
        return value if isinstance(value, dict) else {}

    def tables(self, name: str) -> tuple[dict[str, object], ...]:
        """Return a list of tables, empty when it is not given."""
        value = self._values.get(name)
        return tuple(value) if isinstance(value, _Tables) else ()

    def _checked(self, key: Key, value: object) -> object | None:
        try:
            return _typed(key, value)
        except ValueError as error:
            self.complain(key.name, str(error))
            return None


class _Tables(tuple[dict[str, object], ...]):
    """A list of tables, told apart from a list of texts."""

    __slots__ = ()


def _typed(key: Key, value: object) -> object:
    """Return `value` as the type of `key`. Raises `ValueError` with what is wrong."""
    match key.type:
        case Type.TEXT:
            return _text(key, value)
        case Type.BOOLEAN:
            if not isinstance(value, bool):
                raise ValueError(f"must be true or false, not {_shown(value)}")
            return value
        case Type.NUMBER | Type.INTEGER | Type.RATIO | Type.SECONDS:
            return _bounded(key, _number(key, value))
        case Type.CLOCK:
            return _clock(value)
        case Type.CLOCKS:
            if not isinstance(value, list) or len(value) != 2:
                raise ValueError(f'must be two times of day such as ["22:00", "07:00"], not {_shown(value)}')
            return tuple(_clock(one) for one in value)
        case Type.LOCAL:
            return _local(value)
        case Type.TEXTS:
            if not isinstance(value, list) or not all(isinstance(one, str) and one for one in value):
                raise ValueError(f"must be a list of texts, not {_shown(value)}")
            if key.required and not value:
                raise ValueError("must not be empty")
            return tuple(value)
        case Type.LISTS_OF_TEXTS:
            if not isinstance(value, list) or not all(_is_command(one) for one in value):
                raise ValueError("must be a list of lists of texts, none of them empty")
            return tuple(tuple(one) for one in value)
        case Type.SECONDS_BY_SEVERITY:
            if not isinstance(value, list) or len(value) != 4:
                raise ValueError("must be a list of four lengths of time, SEV1 first")
            return tuple(_bounded(key, _seconds(one)) for one in value)
        case Type.COUNTS_BY_SEVERITY:
            if not isinstance(value, list) or len(value) != 4 or not all(type(one) is int for one in value):
                raise ValueError("must be a list of four whole numbers, SEV1 first")
            return tuple(_bounded(key, one) for one in value)
        case Type.LIST_OF_TABLES:
            if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
                raise ValueError("must be a list of tables, written [[...]]")
            return _Tables(value)
        case Type.TABLES:
            if not isinstance(value, dict) or not all(isinstance(one, dict) for one in value.values()):
                raise ValueError(f"must be tables, written [{key.name}.<name>]")
            return value
        case Type.TABLE:
            if not isinstance(value, dict):
                raise ValueError(f"must be a table, written [{key.name}]")
            return value


def _is_command(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, str) and one for one in value)


def _text(key: Key, value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"must be a text, not {_shown(value)}")
    if "\x00" in value:
        raise ValueError("must not hold a NUL character")
    if key.words and value not in key.words:
        raise ValueError(f"must be one of {', '.join(key.words)}{_did_you_mean(value, key.words)}")
    if key.required and not value.strip():
        raise ValueError("must not be empty")
    return value


def _number(key: Key, value: object) -> float:
    if key.type is Type.SECONDS:
        return _seconds(value)
    if key.type is Type.RATIO and isinstance(value, str):
        return _percent(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be a {key.type.value}, not {_shown(value)}")
    if key.type is Type.INTEGER and not isinstance(value, int):
        raise ValueError(f"must be a whole number, not {_shown(value)}")
    return value


def _seconds(value: object) -> float:
    if isinstance(value, str):
        try:
            return parse_duration(value).total_seconds()
        except Invalid as error:
            raise ValueError(error.problems[0].message) from error
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"must be seconds, or a text such as 15m, not {_shown(value)}")
    return float(value)


def _clock(value: object) -> str:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if not isinstance(value, str) or not _CLOCK.fullmatch(value):
        raise ValueError(f'must be a time of day such as "09:00", not {_shown(value)}')
    return value


def _local(value: object) -> datetime:
    """Return a local date-time; a date alone has `fold=1`, by which it is told apart from midnight."""
    if isinstance(value, str) and _LOCAL.fullmatch(value):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError as error:
            raise ValueError(f"is no date: {error}") from error
    if isinstance(value, datetime):
        if value.tzinfo is not None:
            raise ValueError("must be a local time: the zone is a key of its own")
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), tzinfo=None).replace(fold=1)
    raise ValueError(f'must be a local date or date-time such as "2026-01-05T09:00", not {_shown(value)}')


def _percent(value: str) -> float:
    number, sign, rest = value.strip().partition("%")
    try:
        if not sign or rest:
            raise ValueError
        return float(number) / 100
    except ValueError:
        raise ValueError(f'must be a number from 0 to 1 or a text such as "5%", not {_shown(value)}') from None


def _bounded(key: Key, value: float) -> float:
    # The comparison is written so that it also refuses nan, which TOML allows.
    if not (float("-inf") < value < float("inf")):
        raise ValueError("must be a finite number")
    if key.low is not None and value < key.low:
        raise ValueError(f"must be at least {key.low:g}, not {value:g}")
    if key.high is not None and value > key.high:
        raise ValueError(f"must be at most {key.high:g}, not {value:g}")
    return value


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 40 else text[:39] + "…"


def _did_you_mean(name: str, known: Mapping[str, object] | Sequence[str]) -> str:
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f"; did you mean {near[0]}?" if near else ""


def _below(name: str, below: Mapping[str, Sequence[Key]]) -> str:
    for place, keys in below.items():
        names = [key.name for key in keys]
        if near := difflib.get_close_matches(name, names, n=1, cutoff=0.6):
            return f"; did you mean {place}.{near[0]}?"
    return ""


def did_you_mean(name: str, known: Sequence[str]) -> str:
    """Return `; did you mean ...?` with the closest of `known`, empty when none is close."""
    return _did_you_mean(name, known)


def complain_of_zone(reader: Reader, key: str) -> None:
    """Complain where the value of `key` is given and no time zone."""
    zone = reader.text(key)
    try:
        ZoneInfo(zone or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        reader.complain(key, f"is not a time zone: {zone!r}; write an IANA name such as Europe/Berlin")
